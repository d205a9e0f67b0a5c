import { type Diagnostic, DiagnosticError, fail, hasErrors } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { Network } from '../network/index.js';
import { type PassPlan, type PassRun, type PipelineHooks, passes, runPlan } from '../passes/index.js';
import type { Findings } from './findings.js';
import { inferencePlanOf, withPlanes, withoutPlanes } from './planes.js';

/** A network before its passes. */
export interface Uncompiled {
  readonly network: Network;
  /** Reports settings that no conversion has. */
  readonly passPlan: () => PassPlan;
  /** What is to be said of the network after its passes; `finished`: after all of them. */
  readonly problems?: (network: Network, finished: boolean) => readonly Diagnostic[];
}

export interface CompiledOptions extends Pick<PipelineHooks, 'after'> {
  /** Name of a pass: those behind it don't run. */
  readonly stopAfter?: string | undefined;
  /**
   * `true`: multi-bit spikes as binary planes in virtual time steps. `false`: planes put back into single synapses, to
   * run. `fused`: what `true` gives, put back: sums are codes and synapses stand where planes have them. Where missing,
   * they stay as they are.
   */
  readonly planes?: boolean | 'fused' | undefined;
}

/** A network after its passes. */
export interface Compiled {
  readonly network: Network;
  readonly runs: readonly PassRun[];
  /** A conversion's networks on the way, where all its passes ran. */
  readonly conversion?: Conversion;
}

/** A converted network with what it was made from. */
export interface Conversion {
  readonly imported: Network;
  /** The quantised network with its nonlinearities in the code ranges: the SNN's reference. */
  readonly quantised: Network;
  readonly spiking: Network;
}

/** Runs the passes of a network, to the end or to the one that is named. */
export function compile(target: Uncompiled, options: CompiledOptions, findings: Findings): Compiled {
  const { stopAfter, after } = options;
  const hooks = { stopAfter, ...(after === undefined ? {} : { after }) };
  const plan = target.passPlan();
  const result = runPlan(target.network, plan, { now: () => performance.now(), ...hooks });
  findings.all.push(...result.diagnostics);
  const { network, runs } = result;
  if (network === undefined || hasErrors(result.diagnostics)) throw new DiagnosticError(findings.all);
  const finished = runs.length === plan.passes.length;
  findings.take({ value: network, diagnostics: target.problems?.(network, finished) ?? [] });
  const conversion = finished ? conversionOf(target.network, network, runs) : undefined;
  const done = { network, runs, ...(conversion === undefined ? {} : { conversion }) };
  return runs.some(({ pass }) => pass === stopAfter) ? done : withPlanesAs(options, done, findings);
}

/** A trained (or initial) network made ready for inference. */
export function forInference(network: Network, findings: Findings): Compiled {
  return compile({ network, passPlan: () => inferencePlanOf(network) }, {}, findings);
}

/** A compiled network with its multi-bit spikes as the options say. */
export function withPlanesAs(options: CompiledOptions, done: Compiled, findings: Findings): Compiled {
  const { stopAfter, after, planes } = options;
  if (planes === undefined) return done;
  if (!planes) return { ...done, network: withoutPlanes(done.network, findings) };
  const hooks = { stopAfter, ...(after === undefined ? {} : { after }) };
  const split = withPlanes(done.network, findings, hooks);
  if (planes === 'fused') return { ...done, network: withoutPlanes(split.network, findings) };
  return { ...done, network: split.network, runs: [...done.runs, ...split.runs] };
}

function conversionOf(imported: Network, spiking: Network, runs: readonly PassRun[]): Conversion | undefined {
  const quantised = runs.find(({ pass }) => pass === 'quantiser-regions')?.network;
  return quantised === undefined ? undefined : { imported, quantised, spiking };
}

/** Reports the first of these that is no pass. */
export function checkPassNames(wanted: readonly string[]): void {
  const names = passes.map(({ name }) => name);
  const unknown = wanted.find((pass) => !names.includes(pass));
  if (unknown !== undefined) fail('cli/unknown-pass', { pass: unknown }, undefined, { help: suggest(unknown, names) });
}

/** Reports a pass that there is, but that this target doesn't need. */
export function checkRan(pass: string | undefined, runs: readonly PassRun[]): void {
  const names = runs.map((run) => run.pass);
  if (pass === undefined || names.includes(pass)) return;
  fail('cli/unknown-pass', { pass }, undefined, { help: `what runs: ${names.join(', ')}` });
}

/** Passes that options name. */
export function wantedPasses({
  printAfter,
  stopAfter,
}: {
  readonly printAfter?: string;
  readonly stopAfter?: string;
}): readonly string[] {
  return [printAfter === 'all' ? undefined : printAfter, stopAfter].filter((name) => name !== undefined);
}
