import { costOf } from '../cost/index.js';
import { type Network, latencyOf } from '../network/index.js';
import type { PassRun } from '../passes/index.js';
import type { EmittedFacts } from '../workspace/emitters.js';

/** The keys are those of `compile --json`. */
export interface CompileResult {
  readonly name: string;
  /** Files written, relative to `outDir`. */
  readonly files: readonly string[];
  readonly outDir?: string;
  readonly ops: number;
  readonly parameters: number;
  readonly latency_steps?: number;
  readonly notes: readonly string[];
  readonly passes: readonly { readonly pass: string; readonly milliseconds: number }[];
  /** Of emitted C, in bytes: constants in flash, and all working memory. */
  readonly memory?: EmittedFacts['memory'];
  /** Of an emitted NIR file, layer by layer: its node, and whether that is faithful. */
  readonly nir?: EmittedFacts['nir'];
}

/** What emitters say of their files. */
export class Facts {
  readonly notes: string[] = [];
  memory: EmittedFacts['memory'];
  nir: EmittedFacts['nir'];

  readonly take = ({ memory, nir, notes = [] }: EmittedFacts): void => {
    this.nir = nir ?? this.nir;
    this.memory = memory ?? this.memory;
    this.notes.push(...notes);
  };
}

/** What `compile` and `convert` say of what they made. */
export function describe(
  network: Network,
  runs: readonly PassRun[],
  files: readonly string[],
  options: { readonly outDir?: string },
  { memory, nir, notes }: Facts = new Facts(),
): CompileResult {
  const { params, other_params = 0 } = costOf(network).total;
  const latency = latencyOf(network);
  return {
    name: network.name,
    files,
    ...(options.outDir === undefined ? {} : { outDir: options.outDir }),
    ops: network.ops.length,
    parameters: params + other_params,
    ...(latency === 0 ? {} : { latency_steps: latency }),
    notes: [...network.notes, ...notes],
    ...(memory === undefined ? {} : { memory }),
    ...(nir === undefined ? {} : { nir }),
    passes: runs.map(({ pass, milliseconds }) => ({ pass, milliseconds })),
  };
}
