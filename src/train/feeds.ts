import { type Tensor, elementCount } from '../base/dtype.js';
import type { RandomInput } from '../lower/program/index.js';
import { isBatch } from '../tensor/index.js';
import { randomStream } from './random.js';

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
      const kept = 1 / (1 - input.dropped);
      for (let i = 0; i < data.length; i++) {
        // numbers near 1 must not round up to it
        const number = Math.floor(random() * 2 ** 24) / 2 ** 24;
        data[i] = input.kind === 'uniform' ? number : number < input.dropped ? 0 : kept;
      }
      return [input.id, { dtype: 'f32', shape, data } satisfies Tensor<'f32'>];
    }),
  );
}
