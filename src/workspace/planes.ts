import { fail } from '../base/diagnostics/index.js';
import { findCarrier } from '../lower/program/index.js';
import { type Network, readsAhead } from '../network/index.js';
import {
  type PassPlan,
  type PassRun,
  type PipelineHooks,
  configure,
  inferencePlan,
  isSplit,
  pipelines,
  runPipeline,
} from '../passes/index.js';
import { libraryNeurons } from './files.js';
import type { Findings } from './findings.js';

interface Planed {
  readonly network: Network;
  readonly runs: readonly PassRun[];
}

/** A network ready for inference with its multi-bit spikes as binary planes in virtual time steps. */
export function withPlanes(network: Network, findings: Findings, hooks: PipelineHooks = {}): Planed {
  if (findCarrier(network)?.trains !== 'means') {
    fail('cli/not-lowered', { construct: '`--planes` in this coding' }, undefined, {
      help: 'trains that carry means have planes: `direct`, `rate`, `events` and `binary`',
    });
  }
  const lag = network.ops.find(readsAhead);
  if (lag !== undefined) {
    fail('cli/not-lowered', { construct: '`--planes` of a network with delays' }, lag.place, {
      help: 'its planes would have to be gathered at every step of the cycle; leave out `--planes`',
    });
  }
  return run(network, 'planes', findings, hooks);
}

/** The passes of a trained (or initial) network; where its coding sends the bits of its spikes, these as planes. */
export function inferencePlanOf(network: Network): PassPlan {
  const plan = inferencePlan();
  if (findCarrier(network)?.sentLevels === undefined || isSplit(network)) return plan;
  return { passes: [...plan.passes, ...configure(pipelines.planes, {})], neurons: libraryNeurons() };
}

/** Planes put back into single synapses, for evaluation. */
export function withoutPlanes(network: Network, findings: Findings): Network {
  return isSplit(network) ? run(network, 'fuse', findings, {}).network : network;
}

function run(network: Network, pipeline: 'planes' | 'fuse', findings: Findings, hooks: PipelineHooks): Planed {
  const passes = pipeline === 'planes' ? configure(pipelines.planes, {}) : configure(pipelines.fuse, {});
  const clock = { now: () => performance.now() };
  const result = runPipeline(network, passes, { neurons: libraryNeurons() }, { ...clock, ...hooks });
  const value = result.network === undefined ? {} : { value: result.network };
  return { network: findings.take({ ...value, diagnostics: result.diagnostics }), runs: result.runs };
}
