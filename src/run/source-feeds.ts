import { type Tensor, elementCount } from '../base/dtype.js';
import { roundBy } from '../base/rounding.js';
import type { ImportedNetwork, SourceInput } from '../frontends/onnx/index.js';

/** What a file is fed with, by name, for a batch of what its network is fed with: of several inputs each one's part. */
export function sourceFeeds(
  { sourceInputs }: Pick<ImportedNetwork, 'sourceInputs'>,
  { data, shape: [rows = 1] }: Tensor<'f32'>,
): Readonly<Record<string, Tensor<'f32'>>> {
  const row = sourceInputs.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let start = 0;
  return Object.fromEntries(
    sourceInputs.map(({ name, shape, codes }) => {
      const size = elementCount(shape);
      const own = sourceInputs.length === 1 ? data : new Float32Array(rows * size);
      if (own !== data) {
        for (let n = 0; n < rows; n++) own.set(data.subarray(n * row + start, n * row + start + size), n * size);
      }
      start += size;
      return [name, { dtype: 'f32', shape: [rows, ...shape], data: heldBy(codes, own) }] as const;
    }),
  );
}

/** The integers that the input's quantiser makes of it: a file that takes them as floats has none of its own. */
function heldBy(codes: SourceInput['codes'], data: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (codes === undefined) return data;
  return data.map((x) => Math.min(Math.max(roundBy('half_even', x), codes.min), codes.max));
}
