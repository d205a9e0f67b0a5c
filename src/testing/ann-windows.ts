import { elementCount } from '../base/dtype.js';
import type { Op } from '../network/types.js';

/** A value of one sample. */
export interface Operand {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

interface Slide {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pads: readonly number[];
  readonly dilation: readonly number[];
}

function slide({ attrs }: Op<'conv' | 'maxpool' | 'avgpool'>): Slide {
  const { kernel, stride, pads } = attrs;
  return { kernel, stride, pads, dilation: 'dilation' in attrs ? attrs.dilation : [1, 1] };
}

/** Calls `visit(inputIndex, kernelIndex)` for the places of one window that lie inside the image. */
function eachInWindow(
  s: Slide,
  [, height, width]: readonly number[],
  row: number,
  column: number,
  visit: (inPlane: number, inKernel: number) => void,
): void {
  for (let i = 0; i < s.kernel[0]!; i++) {
    const y = row * s.stride[0]! - s.pads[0]! + i * s.dilation[0]!;
    if (y < 0 || y >= height!) continue;
    for (let j = 0; j < s.kernel[1]!; j++) {
      const x = column * s.stride[1]! - s.pads[1]! + j * s.dilation[1]!;
      if (x >= 0 && x < width!) visit(y * width! + x, i * s.kernel[1]! + j);
    }
  }
}

/** Every output by itself, over the channels of its group and the taps that lie inside. */
export function conv(
  op: Op<'conv'>,
  x: Operand,
  [outputs, perGroup]: readonly number[],
  reals: (role: string) => Float64Array | undefined,
): Float64Array {
  const s = slide(op);
  const [, rows, columns] = op.type.shape as [number, number, number];
  const weight = reals('weight')!;
  const bias = reals('bias');
  const plane = x.shape[1]! * x.shape[2]!;
  const taps = s.kernel[0]! * s.kernel[1]!;
  const outputsPerGroup = outputs! / op.attrs.groups;
  const y = new Float64Array(outputs! * rows * columns);
  for (let o = 0; o < outputs!; o++) {
    const firstChannel = Math.floor(o / outputsPerGroup) * perGroup!;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let channel = 0; channel < perGroup!; channel++) {
          eachInWindow(s, x.shape, r, c, (inPlane, inKernel) => {
            sum +=
              weight[(o * perGroup! + channel) * taps + inKernel]! *
              x.data[(firstChannel + channel) * plane + inPlane]!;
          });
        }
        y[(o * rows + r) * columns + c] = sum + (bias?.[o] ?? 0);
      }
    }
  }
  return y;
}

/** Every output by itself, over channels and the taps of three axes that lie inside. */
export function conv3d(op: Op<'conv3d'>, x: Operand, reals: (role: string) => Float64Array | undefined): Float64Array {
  const { kernel, stride, pads, dilation, groups } = op.attrs;
  const [weight, bias] = [reals('weight')!, reals('bias')];
  const [channels, ...sizes] = x.shape as [number, ...number[]];
  const [outputs, ...places] = op.type.shape as [number, ...number[]];
  const [within, taps, count] = [channels / groups, elementCount(kernel), elementCount(places)];
  const unravel = (i: number, shape: readonly number[]): number[] =>
    shape.map((n, axis) => Math.floor(i / elementCount(shape.slice(axis + 1))) % n);
  return Float64Array.from({ length: outputs * count }, (_, i) => {
    const [o, at] = [Math.floor(i / count), unravel(i % count, places)];
    let sum = bias?.[o] ?? 0;
    for (let c = 0; c < within; c++)
      for (let k = 0; k < taps; k++) {
        const read = unravel(k, kernel).map(
          (tap, axis) => at[axis]! * stride[axis]! - pads[axis]! + tap * dilation[axis]!,
        );
        if (read.some((place, axis) => place < 0 || place >= sizes[axis]!)) continue;
        const channel = Math.floor(o / (outputs / groups)) * within + c;
        const from = read.reduce((index, place, axis) => index * sizes[axis]! + place, channel);
        sum += weight[(o * within + c) * taps + k]! * x.data[from]!;
      }
    return sum;
  });
}

/** Each input pixel adds its kernels to the places around i·stride − pad. */
export function transposedConv(
  op: Op<'transposed_conv'>,
  x: Operand,
  reals: (role: string) => Float64Array | undefined,
): Float64Array {
  const { kernel, stride, pads, dilation, groups } = op.attrs;
  const [outputs, rows, columns] = op.type.shape as [number, number, number];
  const [channels, height, width] = x.shape as [number, number, number];
  const [weight, bias] = [reals('weight')!, reals('bias')];
  const [perGroup, each] = [channels / groups, outputs / groups];
  const y = new Float64Array(outputs * rows * columns);
  y.forEach((_, i) => (y[i] = bias?.[Math.floor(i / (rows * columns))] ?? 0));
  for (let i = 0; i < x.data.length; i++) {
    const [channel, row, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    const group = Math.floor(channel / perGroup);
    for (let o = group * each; o < (group + 1) * each; o++) {
      for (let k = 0; k < kernel[0]; k++) {
        for (let l = 0; l < kernel[1]; l++) {
          const [r, c] = [row * stride[0] + k * dilation[0] - pads[0], column * stride[1] + l * dilation[1] - pads[1]];
          if (r < 0 || r >= rows || c < 0 || c >= columns) continue;
          const w = weight[((o * perGroup + (channel % perGroup)) * kernel[0] + k) * kernel[1] + l]!;
          y[(o * rows + r) * columns + c]! += w * x.data[i]!;
        }
      }
    }
  }
  return y;
}

/** Greatest value, or mean, of the places of a window that lie inside. */
export function pool(op: Op<'maxpool' | 'avgpool'>, x: Operand): Float64Array {
  const s = slide(op);
  const [channels, rows, columns] = op.type.shape as [number, number, number];
  const plane = x.shape[1]! * x.shape[2]!;
  const includePad = op.kind === 'avgpool' && op.attrs.include_pad;
  const y = new Float64Array(channels * rows * columns);
  for (let i = 0; i < y.length; i++) {
    const channel = Math.floor(i / (rows * columns));
    let [best, sum, count] = [-Infinity, 0, 0];
    eachInWindow(s, x.shape, Math.floor(i / columns) % rows, i % columns, (inPlane) => {
      const v = x.data[channel * plane + inPlane]!;
      best = Math.max(best, v);
      sum += v;
      count++;
    });
    y[i] = op.kind === 'maxpool' ? best : sum / (includePad ? s.kernel[0]! * s.kernel[1]! : count);
  }
  return y;
}

/** The mean of each channel. */
export function globalAverage(x: Operand): Float64Array {
  const plane = x.shape[1]! * x.shape[2]!;
  const y = new Float64Array(x.shape[0]!);
  for (let i = 0; i < x.data.length; i++) y[Math.floor(i / plane)]! += x.data[i]! / plane;
  return y;
}

/** The image in a greater one of one value. */
export function pad(op: Op<'pad'>, x: Operand): Float64Array {
  const [top, left] = op.attrs.pads;
  const [channels, rows, columns] = op.type.shape as [number, number, number];
  const y = new Float64Array(channels * rows * columns).fill(op.attrs.value);
  for (let i = 0; i < x.data.length; i++) {
    const column = i % x.shape[2]!;
    const row = Math.floor(i / x.shape[2]!) % x.shape[1]!;
    const channel = Math.floor(i / (x.shape[1]! * x.shape[2]!));
    y[(channel * rows + row + top) * columns + column + left] = x.data[i]!;
  }
  return y;
}
