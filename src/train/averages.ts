import type { Tensor } from '../base/dtype.js';
import type { Network } from '../network/index.js';
import { ProgramBuilder, type TrainingStep } from '../tensor/index.js';

const averageOf = (id: string): string => `${id}.average`;

/**
 * The step with a moving average a of each of the network's parameters w, running statistics included:
 * a ← d·a + (1 − d)·w after the step, from a = w before the first.
 */
export function withAverages(step: TrainingStep, network: Network, decay: number): TrainingStep {
  const { program, states } = step;
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const [name, id] of Object.entries(program.outputs)) b.output(name, b.value(id));
  const averaged = states.filter(({ id }) => network.params.has(id));
  const added = averaged.map(({ id, initial }) => {
    const next = b.value(program.outputs[`next.${id}`]!);
    const average = b.input(averageOf(id), next.dtype, next.shape);
    b.output(`next.${averageOf(id)}`, b.add(b.mul(average, decay), b.mul(next, 1 - decay)));
    return { id: averageOf(id), initial };
  });
  return { ...step, program: b.build(), states: [...states, ...added] };
}

/** The parameters that are measured and written: averages where there are any. */
export function shownStates(states: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map([...states].map(([id, value]) => [id, states.get(averageOf(id)) ?? value]));
}
