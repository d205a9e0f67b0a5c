import type { Tensor } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import { ProgramBuilder, type Program, type TensorOp } from '../tensor/index.js';

/** The first op of a program whose result isn't finite though all its operands are. */
export interface FirstNonFinite {
  readonly op: TensorOp;
  /** How many of its elements are infinite or NaN. */
  readonly count: number;
}

/** A fed input that isn't finite. */
export interface NonFiniteInput {
  readonly input: string;
}

const largest = 3.4028234663852886e38;

/**
 * Runs a program again with a count of non-finite elements beside every float op. Constants −∞ and
 * the like are not meant: what has a non-finite operand only passes it on.
 */
export async function firstNonFinite(
  program: Program,
  feeds: Readonly<Record<string, Tensor>>,
  engine: Engine,
): Promise<FirstNonFinite | NonFiniteInput | undefined> {
  const input = program.inputs.find(({ id }) => feeds[id]?.data.some((x) => !Number.isFinite(x)) === true);
  if (input !== undefined) return { input: input.id };
  const watched = program.ops.filter((op) => op.dtype === 'f32' && op.kind !== 'const');
  const executable = await engine.compile(watchedProgram(program, watched));
  try {
    const counts = await executable.run(feeds);
    for (const op of watched) {
      const count = counts[op.id]?.data[0] ?? 0;
      if (count > 0) return { op, count };
    }
    return undefined;
  } finally {
    await executable.dispose();
  }
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
