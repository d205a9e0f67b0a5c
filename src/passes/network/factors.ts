import { elementCount, tensor } from '../../base/dtype.js';
import type { Param } from '../../network/index.js';
import { timesInputs, timesScalar } from './scale-inputs.js';

/** A factor of a value, or of each of its channels. */
export type Factor = number | Float64Array;

export function productOf(a: Factor, b: Factor): Factor {
  if (typeof a === 'number') return typeof b === 'number' ? a * b : b.map((x) => x * a);
  return typeof b === 'number' ? a.map((x) => x * b) : a.map((x, i) => x * b[i]!);
}

/** The factors of channels, for each of the `inner` values that a channel has in a row. */
export function flattenedFactor(factor: Factor, inner: number): Factor {
  if (typeof factor === 'number' || inner === 1) return factor;
  return Float64Array.from({ length: factor.length * inner }, (_, i) => factor[Math.floor(i / inner)]!);
}

/** The part of a weight [out, in, …taps] for some of its inputs, times their factor. Codes of a quantised one stay where they can. */
export function weightFor(
  weight: Param,
  { from, count, whole, factor }: { from: number; count: number; whole: boolean; factor: Factor },
): Param {
  const own = whole ? weight : inputsOf(weight, from, count);
  if (typeof factor === 'number') return factor === 1 ? own : timesScalar(own, factor);
  return timesInputs(own, factor);
}

/** Columns `from … from + count − 1` of a weight. */
function inputsOf({ tensor: { dtype, shape, data }, quant }: Param, from: number, count: number): Param {
  const [rows, columns, ...taps] = shape as [number, number, ...number[]];
  const size = elementCount(taps);
  const values = new Float64Array(rows * count * size);
  for (let row = 0; row < rows; row++) {
    const start = (row * columns + from) * size;
    values.set(data.subarray(start, start + count * size), row * count * size);
  }
  const part = tensor(dtype, [rows, count, ...taps], values);
  if (quant === undefined) return { tensor: part };
  const ofInputs = quant.axis === 1 && quant.scale.length > 1;
  const sliced = (list: readonly number[]): readonly number[] => (ofInputs ? list.slice(from, from + count) : list);
  return { tensor: part, quant: { ...quant, scale: sliced(quant.scale), zero: sliced(quant.zero) } };
}
