import type { TypedArray } from '../../base/dtype.js';
import { type Op, asImage, linksOf } from '../../network/index.js';

/** For each output position along one axis: the taps that fall on real input, in order. */
function realTaps(op: Op, shape: readonly number[], axis: 0 | 1): readonly (readonly number[])[] {
  const taps = Array.from({ length: asImage(op.type.shape)[axis + 1]! }, (): number[] => []);
  for (const { output, tap } of linksOf(op, shape, axis)) taps[output]!.push(tap);
  return taps;
}

/**
 * Σ of a window's taps that fall on real input, for every output position: [out, H', W'] for `taps`
 * [out, kh, kw] over an input of `shape`. What a constant input contributes where the border is padded with zeros.
 */
export function borderSums(
  op: Op,
  taps: Float64Array,
  channels: number,
  [kh, kw]: readonly [number, number],
  shape: readonly number[],
): Float64Array<ArrayBuffer> {
  const [, outHeight, outWidth] = asImage(op.type.shape) as [number, number, number];
  const [rows, columns] = [realTaps(op, shape, 0), realTaps(op, shape, 1)];
  const [rowKeys, columnKeys] = [rows.map(String), columns.map(String)];
  const sums = new Float64Array(channels * outHeight * outWidth);
  /** few different windows exist: the border ones and the inner one */
  const known = new Map<string, Float64Array>();
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const key = `${rowKeys[y]};${columnKeys[x]}`;
      let perChannel = known.get(key);
      if (perChannel === undefined) {
        perChannel = new Float64Array(channels);
        for (let c = 0; c < channels; c++) {
          for (const i of rows[y]!) for (const j of columns[x]!) perChannel[c]! += taps[(c * kh + i) * kw + j]!;
        }
        known.set(key, perChannel);
      }
      for (let c = 0; c < channels; c++) sums[(c * outHeight + y) * outWidth + x] = perChannel[c]!;
    }
  }
  return sums;
}

/** Whether every output of a window sees all of its taps on real input. */
export function seesAllTaps(op: Op, shape: readonly number[], taps: readonly number[]): boolean {
  return ([0, 1] as const).every((axis) => realTaps(op, shape, axis).every(({ length }) => length === taps[axis]));
}

/** [out, in/g, kh, kw] summed over the input channels: [out, kh, kw]. */
export function tapSums(weights: TypedArray, shape: readonly number[]): Float64Array<ArrayBuffer> {
  const [out, inner, kh, kw] = shape as [number, number, number, number];
  const sums = new Float64Array(out * kh * kw);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inner; i++) {
      for (let k = 0; k < kh * kw; k++) sums[o * kh * kw + k]! += weights[(o * inner + i) * kh * kw + k]!;
    }
  }
  return sums;
}
