import type { Value } from './builder.js';
import { isBatch } from './dims.js';
import type { Dim } from './types.js';

/** [{batch: steps}, …shape]: time steps folded into the batch axis, time slowest. */
export function folded(steps: number, shape: readonly number[]): Dim[] {
  return [{ batch: steps }, ...shape];
}

/** How many time steps a value has: 1 where it is constant in time. */
export function stepsOf(value: Pick<Value, 'shape'>): number {
  const batch = value.shape[0]!;
  return isBatch(batch) ? batch.batch : 1;
}
