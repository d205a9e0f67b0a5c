import type { ValueType } from '../value-types.js';
import { firingTraits } from './row-traits.js';
import type { OpTraits } from './traits.js';

/** Neurons that decide on their whole input at once: what their rows have in common. */
export const wholeInputTraits = { ...firingTraits, role: 'whole-input' } as const satisfies OpTraits;

/** The train that they fire once the longest of their inputs is in, in the first one's shape, or what is wrong. */
export function firedAfterAll(
  inputs: readonly ValueType[],
  {
    silent,
    steps,
    amplitude,
  }: { readonly silent?: number | undefined; readonly steps: number; readonly amplitude: number },
): ValueType | string {
  const times = inputs.flatMap(({ time }) => time ?? []);
  if (times.length < inputs.length) {
    const what = inputs.length === 1 ? 'an input' : 'inputs';
    return `needs ${what} with time steps; encode the input first`;
  }
  const longest = Math.max(...times.map((time) => time.steps));
  if (silent !== undefined && silent < longest)
    return `is silent for ${silent} steps, its input has ${longest}: it decides on all of it`;
  return {
    shape: inputs[0]!.shape,
    time: { start: times[0]!.start + (silent ?? 0), steps },
    code: { kind: 'spike', min: -1, max: 1, step: amplitude },
  };
}
