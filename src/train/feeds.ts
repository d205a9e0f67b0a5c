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

/** Fills `data` with the numbers of an input, from one stream. */
function draw(data: Float32Array, { kind, dropped }: RandomInput, random: () => number): void {
  for (let i = 0; i < data.length; i++) {
    // numbers near 1 must not round up to it
    data[i] = made[kind](Math.floor(random() * 2 ** 24) / 2 ** 24, dropped);
  }
}

function streamOf({ id, seed = 0 }: RandomInput, keys: readonly (number | string)[]): () => number {
  return randomStream(...keys, id, ...(seed === 0 ? [] : [seed]));
}

const shapeOf = ({ shape }: RandomInput, n: number): number[] =>
  shape.map((dim) => (isBatch(dim) ? dim.batch * n : dim));

/** The random numbers of one run of `n` samples, drawn from a seed and keys that say which run it is. */
export function randomFeeds(
  randoms: readonly RandomInput[],
  n: number,
  ...keys: readonly (number | string)[]
): Record<string, Tensor> {
  return Object.fromEntries(
    randoms.map((input) => {
      const shape = shapeOf(input, n);
      const data = new Float32Array(elementCount(shape));
      draw(data, input, streamOf(input, keys));
      return [input.id, { dtype: 'f32', shape, data } satisfies Tensor<'f32'>];
    }),
  );
}

/** Those of a run whose samples have numbers of their own, so that the other samples of a batch change nothing: [T·N, …], time slowest. */
export function randomFeedsOf(
  randoms: readonly RandomInput[],
  samples: ArrayLike<number>,
  ...keys: readonly (number | string)[]
): Record<string, Tensor> {
  const n = samples.length;
  return Object.fromEntries(
    randoms.map((input) => {
      const shape = shapeOf(input, n);
      const size = elementCount(shape.slice(1));
      const steps = shape[0]! / n;
      const data = new Float32Array(steps * n * size);
      for (let i = 0; i < n; i++) {
        const random = streamOf(input, [...keys, samples[i]!]);
        for (let t = 0; t < steps; t++) draw(data.subarray((t * n + i) * size, (t * n + i + 1) * size), input, random);
      }
      return [input.id, { dtype: 'f32', shape, data } satisfies Tensor<'f32'>];
    }),
  );
}
