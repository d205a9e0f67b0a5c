import { type Tensor, elementCount } from '../base/dtype.js';
import { roundBy } from '../base/rounding.js';
import type { ImportedNetwork, SourceInput } from '../frontends/onnx/index.js';

/** What a file is fed with, by name, for a batch of what its network is fed with: of several inputs each one's part, of unread ones zeros. */
export function sourceFeeds(
  { sourceInputs, unread }: Pick<ImportedNetwork, 'sourceInputs' | 'unread'>,
  { data, shape: [rows = 1] }: Tensor<'f32'>,
): Readonly<Record<string, Tensor<'f32'>>> {
  const row = sourceInputs.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let start = 0;
  const zeros = unread.map(({ name, shape }): [string, Tensor<'f32'>] => {
    const numbers = new Float32Array(rows * elementCount(shape));
    return [name, { dtype: 'f32', shape: [rows, ...shape], data: numbers }];
  });
  return Object.fromEntries([
    ...zeros,
    ...sourceInputs.map(({ name, shape, codes }): [string, Tensor<'f32'>] => {
      const size = elementCount(shape);
      const own = sourceInputs.length === 1 ? data : new Float32Array(rows * size);
      if (own !== data) {
        for (let n = 0; n < rows; n++) own.set(data.subarray(n * row + start, n * row + start + size), n * size);
      }
      start += size;
      return [name, { dtype: 'f32', shape: [rows, ...shape], data: heldBy(codes, own) }];
    }),
  ]);
}

/** The integers that the input's quantiser makes of it: a file that takes them as floats has none of its own. */
function heldBy(codes: SourceInput['codes'], data: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (codes === undefined) return data;
  return data.map((x) => Math.min(Math.max(roundBy('half_even', x), codes.min), codes.max));
}

/** What a network is fed with where its file takes integers: the reals rounded, as {@link sourceFeeds} gives them to the file. */
export function asIntegers(
  { sourceInputs }: Pick<ImportedNetwork, 'sourceInputs'>,
  images: Tensor<'f32'>,
): Tensor<'f32'> {
  const data = images.data.slice();
  const [rows = 1] = images.shape;
  const row = data.length / rows;
  let start = 0;
  for (const { dtype, shape } of sourceInputs) {
    const end = start + elementCount(shape);
    for (let n = 0; n < rows && !dtype.startsWith('f'); n++)
      for (let i = n * row + start; i < n * row + end; i++) data[i] = roundBy('half_even', data[i]!);
    start = end;
  }
  return { ...images, data };
}
