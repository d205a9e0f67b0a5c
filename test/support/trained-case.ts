import { type Tensor, tensor } from '../../src/base/dtype.js';
import { type OptimizerSpec, type TrainingStep, recomputing, trainingStep } from '../../src/tensor/index.js';
import { lifNetwork, trainingFeeds } from '../tensor/networks.js';

/** A training step that several engines take. */
export interface TrainedCase {
  readonly optimizer: OptimizerSpec;
  readonly low?: boolean;
}

export function trainedStep({ optimizer, low = false }: TrainedCase): TrainingStep {
  const train = ['conv.w', 'fc.w', 'fc.b', 'lif.a'];
  const step = trainingStep(lifNetwork(3), { loss: 'loss', train, optimizer });
  return low ? { ...step, program: recomputing(step.program, 'loss') } : step;
}

type Run = (feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>>;

/** The losses of 10 steps, the state carried from one to the next. */
export async function lossesOf(step: TrainingStep, run: Run): Promise<number[]> {
  let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
  const found: number[] = [];
  for (let t = 1; t <= 10; t++) {
    const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
    const results = await run({ ...trainingFeeds(9), ...state, ...clock });
    found.push(results['loss']!.data[0]!);
    state = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]!]));
  }
  return found;
}
