import { type Tensor, elementCount } from '../base/dtype.js';
import { normalQuantile } from '../base/normal.js';
import type { RandomInput } from '../lower/program/index.js';
import { isBatch } from '../tensor/index.js';
import { randomStream } from './random.js';

/** Of a multiple of 2^−24 in [0, 1) what a run is fed. */
const made: Readonly<Record<RandomInput['kind'], (number: number, dropped: number) => number>> = {
  uniform: (number) => number,
  // in the middle of the numbers that are rounded to it: 0 has none
  normal: (number) => normalQuantile(number + 2 ** -25),
  mask: (number, dropped) => (number < dropped ? 0 : 1 / (1 - dropped)),
};

/** The random numbers of one run, drawn from a seed and keys that say which run it is. */
export function randomFeeds(
  randoms: readonly RandomInput[],
  n: number,
  ...keys: readonly (number | string)[]
): Record<string, Tensor> {
  return Object.fromEntries(
    randoms.map((input) => {
      const shape = input.shape.map((dim) => (isBatch(dim) ? dim.batch * n : dim));
      const { seed = 0 } = input;
      const random = randomStream(...keys, input.id, ...(seed === 0 ? [] : [seed]));
      const data = new Float32Array(elementCount(shape));
      for (let i = 0; i < data.length; i++) {
        // numbers near 1 must not round up to it
        const number = Math.floor(random() * 2 ** 24) / 2 ** 24;
        data[i] = made[input.kind](number, input.dropped);
      }
      return [input.id, { dtype: 'f32', shape, data } satisfies Tensor<'f32'>];
    }),
  );
}
