import type { TypedArray } from '../../../base/dtype.js';
import { listAttr } from '../../../network/index.js';
import type { Attrs } from '../../../network/index.js';

/** For each output position along one axis: the kernel taps that fall on real input, [first, end). */
function realTaps(
  length: number,
  out: number,
  kernel: number,
  stride: number,
  pad: number,
  dilation: number,
): (readonly [number, number])[] {
  return Array.from({ length: out }, (_, position) => {
    const origin = position * stride - pad;
    let first = 0;
    while (first < kernel && origin + first * dilation < 0) first++;
    let end = kernel;
    while (end > first && origin + (end - 1) * dilation >= length) end--;
    return [first, end] as const;
  });
}

/**
 * Σ of a window's taps that fall on real input, for every output position: [out, H', W'] for `taps`
 * [out, kh, kw]. What a constant input contributes where the border is padded with zeros.
 */
export function borderSums(
  taps: Float64Array,
  channels: number,
  attrs: Attrs,
  [height, width]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
): Float64Array<ArrayBuffer> {
  const [kh, kw] = listAttr(attrs, 'kernel') as [number, number];
  const [sh, sw] = listAttr(attrs, 'stride') as [number, number];
  const [top, left] = listAttr(attrs, 'pads') as [number, number];
  const [dh, dw] = listAttr(attrs, 'dilation', [1, 1]) as [number, number];
  const rows = realTaps(height, outHeight, kh, sh, top, dh);
  const columns = realTaps(width, outWidth, kw, sw, left, dw);
  const sums = new Float64Array(channels * outHeight * outWidth);
  /** few different windows exist: the border ones and the inner one */
  const known = new Map<string, Float64Array>();
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const [y0, y1] = rows[y]!;
      const [x0, x1] = columns[x]!;
      const key = `${y0},${y1},${x0},${x1}`;
      let perChannel = known.get(key);
      if (perChannel === undefined) {
        perChannel = new Float64Array(channels);
        for (let c = 0; c < channels; c++) {
          for (let i = y0; i < y1; i++) for (let j = x0; j < x1; j++) perChannel[c]! += taps[(c * kh + i) * kw + j]!;
        }
        known.set(key, perChannel);
      }
      for (let c = 0; c < channels; c++) sums[(c * outHeight + y) * outWidth + x] = perChannel[c]!;
    }
  }
  return sums;
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
