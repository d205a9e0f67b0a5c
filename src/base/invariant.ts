/** Thrown when the compiler itself is wrong; never for bad input. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Asserts something only a bug in spikec can break. `message` names the phase and the op. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The value, or an {@link InvariantError} where it is missing. */
export function present<T>(value: T | undefined | null, message: string): T {
  invariant(value !== undefined && value !== null, message);
  return value;
}

/** Marks the branch that an exhaustive `switch` can't reach. */
export function unreachable(value: never, phase: string): never {
  throw new InvariantError(`${phase}: unexpected ${JSON.stringify(value)}`);
}
