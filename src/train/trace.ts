import type { Tensor } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import { ProgramBuilder, type Program, type TensorOp, type TrainingStep } from '../tensor/index.js';

const largest = 3.4028234663852886e38;

/**
 * Runs a program again on finite inputs, with a count of non-finite elements beside every float op, and
 * gives the first op that has any.
 */
export async function firstNonFinite(
  program: Program,
  feeds: Readonly<Record<string, Tensor>>,
  engine: Engine,
): Promise<TensorOp | undefined> {
  const watched = program.ops.filter((op) => op.dtype === 'f32' && op.kind !== 'const');
  const executable = await engine.open(watchedProgram(program, watched));
  try {
    const counts = await executable.step(feeds);
    return watched.find(({ id }) => (counts[id]?.data[0] ?? 0) > 0);
  } finally {
    await executable.dispose();
  }
}

/** Name of the output that {@link withStateSum} adds. */
export const stateSum = 'next.sum';

/** The step with one more output: the sum of all elements of all its next states, as a scalar. */
export function withStateSum({ program, states }: TrainingStep): Program {
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const [name, id] of Object.entries(program.outputs)) b.output(name, b.value(id));
  const sums = states.map(({ id }) => b.cast(b.sumAll(b.value(program.outputs[`next.${id}`]!)), 'f32'));
  b.output(
    stateSum,
    sums.reduce((sum, one) => b.add(sum, one), b.scalar('f32', 0)),
  );
  return b.build();
}

/** Outputs under the ids of the watched ops: Σ [not |x| ≤ largest]. */
function watchedProgram(program: Program, watched: readonly TensorOp[]): Program {
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const { id } of watched) {
    const finite = b.at(id).le(b.abs(b.value(id)), largest);
    b.output(id, b.sumAll(b.cast(b.not(finite), 'f32')));
  }
  return b.build();
}
