import {
  type Code,
  type ArgsOf,
  type Diagnostic,
  type DiagnosticExtras,
  diagnostic,
  hasErrors,
} from '../base/diagnostics/index.js';
import type { Expr, NeuronDef } from '../equations/index.js';
import { InvariantError } from '../base/invariant.js';
import type { Choice } from './allocation/knapsack.js';
import { type Network, type Op, printNetwork, verifyNetwork } from '../network/index.js';

export type { Expr };

/** An op, or anything else that stands at a place. */
export type Placed = Pick<Op, 'place'>;

/** What a pass may ask and say beside the network. */
export interface PassContext {
  readonly options: ConversionOptions;
  report<C extends Code>(code: C, args: ArgsOf<C>, op?: Placed, extras?: DiagnosticExtras): void;
}

/** Settings that conversions read (docs/sws.md). */
export interface ConversionOptions {
  readonly coding: string;
  /** Amplification β of the stepwise weighting, in (1, 3]. */
  readonly beta: number;
  /** Coding steps Tc. */
  readonly steps: number;
  /** Silent steps Ts of a layer, by the id of its neuron op. */
  readonly silent: (id: string) => number;
  readonly encoder: 'exact' | 'drive';
  /** Firing threshold in units of the amplitude: 0.5, or 1 for the ablation. */
  readonly threshold: number;
  readonly rectified: boolean;
  /** Neuron types by name: the standard library's and the model file's. */
  readonly neurons: ReadonlyMap<string, NeuronDef>;
  /** Bits that the weights of a layer are to have, by its id; undefined where they stay as they are. */
  readonly weightBits?: ((id: string) => number | undefined) | undefined;
  /** What is known of the bits that layers may have, for the pass that chooses them. */
  readonly allocation?: BitAllocation;
  /** What conversions to neurons that carry means need (docs/conversion.md). */
  readonly means?: MeanOptions;
}

/** A number of bits that a layer's weights may have: what it costs, and the error of the network's output it brings. */
export interface BitChoice extends Choice {
  readonly bits: number;
}

/** A budget for the bits of weights (docs/cli.md, allocate). */
export interface BitAllocation {
  /** By layer, in the network's order. */
  readonly choices: ReadonlyMap<string, readonly BitChoice[]>;
  /** In the unit of the choices' costs. */
  readonly budget: number;
  /** A cost in words, for what is said to users. */
  readonly costText: (cost: number) => string;
  /** Partial sums that the exact search may keep; beyond, bits are found greedily. */
  readonly states?: number;
}

/** A conversion in which a train's value is its mean over the steps. */
export interface MeanOptions {
  readonly neuron: {
    readonly def: NeuronDef;
    readonly args: Readonly<Record<string, number>>;
    /** Its outputs: integers min…max times step. */
    readonly levels: { readonly min: number; readonly max: number; readonly step: number };
    readonly place?: NonNullable<Op['place']>;
  };
  /** The greatest activation that a layer shall carry, by the id of its neurons; undefined where it isn't known. */
  readonly range: (id: string) => number | undefined;
  /** Patterns of `layer "…"` that match none of these layers. */
  readonly unmatched?: (ids: readonly string[]) => readonly (Placed & { readonly pattern: string })[];
}

/** A step from valid IR to valid IR. Pure: nothing is shared that it changes. */
export interface Pass {
  readonly name: string;
  /** One sentence for `--passes` and the pass reference. */
  readonly doc: string;
  readonly run: (network: Network, context: PassContext) => Network;
}

export interface PassRun {
  readonly pass: string;
  readonly network: Network;
  readonly milliseconds: number;
}

export interface PipelineResult {
  readonly network?: Network;
  readonly diagnostics: readonly Diagnostic[];
  readonly runs: readonly PassRun[];
}

export interface PipelineHooks {
  readonly now?: () => number;
  readonly after?: (run: PassRun) => void;
  /** Stop after the pass of this name. */
  readonly stopAfter?: string | undefined;
}

/** Runs passes in order, verifying after each; stops at the first that reports an error. */
export function runPipeline(
  network: Network,
  passes: readonly Pass[],
  options: ConversionOptions,
  hooks: PipelineHooks = {},
): PipelineResult {
  const diagnostics: Diagnostic[] = [];
  const runs: PassRun[] = [];
  const now = hooks.now ?? (() => 0);
  const context: PassContext = {
    options,
    report: (code, args, op, extras) => diagnostics.push(diagnostic(code, args, op?.place, extras)),
  };
  let current = network;
  for (const pass of passes) {
    const started = now();
    const result = pass.run(current, context);
    if (hasErrors(diagnostics)) return { diagnostics, runs };
    const problems = verifyNetwork(result);
    if (problems.length > 0) {
      const text = problems.map(({ op, message }) => `%${op} ${message}`).join('\n');
      throw new InvariantError(
        `pass ${pass.name} left an invalid network:\n${text}\n\ninput was:\n${printNetwork(current)}`,
      );
    }
    current = result;
    const run = { pass: pass.name, network: current, milliseconds: now() - started };
    runs.push(run);
    hooks.after?.(run);
    if (pass.name === hooks.stopAfter) break;
  }
  return { network: current, diagnostics, runs };
}
