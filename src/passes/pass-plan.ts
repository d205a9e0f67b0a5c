import type { Network } from '../network/index.js';
import { type ConfiguredPass, configure } from './options/configure.js';
import type { Surroundings } from './pass.js';
import { pipelines } from './pipelines.js';
import { type PipelineHooks, type PipelineResult, runPipeline } from './run-pipeline.js';

/** How a network becomes ready for inference: passes with their options, and the neuron types that they find. */
export interface PassPlan extends Surroundings {
  readonly passes: readonly ConfiguredPass[];
}

/** The passes of a trained (or initial) network: dropout goes, batch norm is folded. None of them looks for a neuron type. */
export function inferencePlan(): PassPlan {
  return { passes: configure(pipelines.ann, {}), neurons: new Map() };
}

/** {@link runPipeline} with a plan. */
export function runPlan(
  network: Network,
  { passes, ...surroundings }: PassPlan,
  hooks: PipelineHooks = {},
): PipelineResult {
  return runPipeline(network, passes, surroundings, hooks);
}
