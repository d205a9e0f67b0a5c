import { type Diagnostic, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { InvariantError } from '../base/invariant.js';
import { type Network, printNetwork, verifyNetwork } from '../network/index.js';
import type { ConfiguredPass } from './options/configure.js';
import type { PassContext, Surroundings } from './pass.js';

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
  passes: readonly ConfiguredPass[],
  surroundings: Surroundings,
  hooks: PipelineHooks = {},
): PipelineResult {
  const diagnostics: Diagnostic[] = [];
  const runs: PassRun[] = [];
  const now = hooks.now ?? (() => 0);
  const context: PassContext = {
    ...surroundings,
    report: (code, args, op, extras) => diagnostics.push(diagnostic(code, args, op?.place, extras)),
  };
  let current = network;
  for (const { pass, run: apply } of passes) {
    const started = now();
    const result = apply(current, context);
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
