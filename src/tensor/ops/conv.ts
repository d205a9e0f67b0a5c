import { type TypedArray, allocate, elementCount } from '../../base/dtype.js';
import { wrap } from '../arrays.js';
import { ShapeError, fixed, sameDim, showShape } from '../dims.js';
import type { ConvAttrs, Dim, PrimAttrs, ValueInfo } from '../types.js';
import { type OpDef, checkCounts, checkDtype, checkSame, floats } from './def.js';

/** Number of positions of a window on one axis. */
export function windowCount(
  size: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation = 1,
): number {
  return Math.floor((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1;
}

export function checkWindow({ stride, pads, dilation, groups }: ConvAttrs, what: string): void {
  checkCounts(stride, 2, `${what} stride`, 1);
  checkCounts(pads, 4, `${what} pads`);
  checkCounts(dilation, 2, `${what} dilation`, 1);
  checkCounts([groups], 1, `${what} groups`, 1);
}

function rank4(shape: readonly Dim[], what: string): void {
  if (shape.length !== 4) throw new ShapeError(`${what} must have 4 axes, not ${showShape(shape)}`);
}

function spatial(
  input: readonly number[],
  kernel: readonly number[],
  { stride, pads, dilation }: ConvAttrs,
  what: string,
): number[] {
  const out = [0, 1].map((i) => windowCount(input[i]!, kernel[i]!, stride[i]!, pads[i]!, pads[i + 2]!, dilation[i]!));
  if (out.some((size) => size < 1))
    throw new ShapeError(`${what}: the kernel ${kernel.join('×')} is larger than the padded input`);
  return out;
}

/** All sizes of one convolution, in numbers. */
interface ConvSizes extends ConvAttrs {
  readonly batch: number;
  readonly channels: number;
  readonly input: readonly number[];
  readonly filters: number;
  readonly kernel: readonly number[];
  readonly output: readonly number[];
}

function inferConv(inputs: readonly ValueInfo[], attrs: ConvAttrs): ValueInfo {
  const dtype = checkSame(inputs, 'conv2d');
  checkDtype(dtype, floats, 'conv2d');
  checkWindow(attrs, 'conv2d');
  const [x, w] = [inputs[0]!.shape, inputs[1]!.shape];
  rank4(x, 'conv2d: the input [N,C,H,W]');
  rank4(w, 'conv2d: the weight [O,I,kh,kw]');
  const [c, h, width] = x.slice(1).map((dim) => fixed(dim, 'conv2d: channels, height and width'));
  const [o, i, kh, kw] = w.map((dim) => fixed(dim, 'conv2d: the weight'));
  if (c !== i! * attrs.groups || o! % attrs.groups !== 0) {
    throw new ShapeError(`conv2d: input ${showShape(x)}, weight ${showShape(w)}, ${attrs.groups} groups`);
  }
  return { dtype, shape: [x[0]!, o!, ...spatial([h!, width!], [kh!, kw!], attrs, 'conv2d')] };
}

/**
 * Calls `visit` for every kernel position of every pair of channels: with the output rows
 * and columns whose window position lies inside the input there.
 */
function eachTap(s: ConvSizes, visit: (tap: Tap) => void): void {
  const perGroup = s.channels / s.groups;
  const filtersPerGroup = s.filters / s.groups;
  for (let ky = 0; ky < s.kernel[0]!; ky++) {
    const rows = inside(s, 0, ky);
    for (let kx = 0; kx < s.kernel[1]!; kx++) {
      const columns = inside(s, 1, kx);
      for (let o = 0; o < s.filters; o++) {
        const group = Math.floor(o / filtersPerGroup);
        for (let i = 0; i < perGroup; i++) {
          const weight = ((o * perGroup + i) * s.kernel[0]! + ky) * s.kernel[1]! + kx;
          visit({ filter: o, channel: group * perGroup + i, weight, rows, columns });
        }
      }
    }
  }
}

interface Tap {
  readonly filter: number;
  readonly channel: number;
  /** Flat index into the weight. */
  readonly weight: number;
  readonly rows: Range;
  readonly columns: Range;
}

/** Output positions `from`…`to`−1; position p reads input p·stride + offset. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

function inside(s: ConvSizes, axis: number, k: number): Range {
  const stride = s.stride[axis]!;
  const offset = k * s.dilation[axis]! - s.pads[axis]!;
  const from = Math.max(0, Math.ceil(-offset / stride));
  const to = Math.min(s.output[axis]!, Math.floor((s.input[axis]! - 1 - offset) / stride) + 1);
  return { from, to, offset };
}

/** y[n,o,·] += w · x[n,c,·] over all taps; float64. */
function forward(x: TypedArray, w: TypedArray, s: ConvSizes): Float64Array {
  const [h, width] = [s.input[0]!, s.input[1]!];
  const [oh, ow] = [s.output[0]!, s.output[1]!];
  const [sy, sx] = [s.stride[0]!, s.stride[1]!];
  const y = new Float64Array(s.batch * s.filters * oh * ow);
  const plane = new Float64Array(s.channels * h * width);
  for (let n = 0; n < s.batch; n++) {
    plane.set(x.subarray(n * plane.length, (n + 1) * plane.length));
    const out = y.subarray(n * s.filters * oh * ow, (n + 1) * s.filters * oh * ow);
    eachTap(s, ({ filter, channel, weight, rows, columns }) => {
      const v = w[weight]!;
      for (let r = rows.from; r < rows.to; r++) {
        let from = (channel * h + r * sy + rows.offset) * width + columns.from * sx + columns.offset;
        const base = (filter * oh + r) * ow;
        for (let to = base + columns.from; to < base + columns.to; to++, from += sx) out[to]! += v * plane[from]!;
      }
    });
  }
  return y;
}

/** x[n,c,·] += w · gy[n,o,·]: the transpose of `forward` in x. */
function backwardInput(w: TypedArray, gy: TypedArray, s: ConvSizes): Float64Array {
  const [h, width] = [s.input[0]!, s.input[1]!];
  const [oh, ow] = [s.output[0]!, s.output[1]!];
  const [sy, sx] = [s.stride[0]!, s.stride[1]!];
  const gx = new Float64Array(s.batch * s.channels * h * width);
  for (let n = 0; n < s.batch; n++) {
    const out = gx.subarray(n * s.channels * h * width, (n + 1) * s.channels * h * width);
    const g = gy.subarray(n * s.filters * oh * ow, (n + 1) * s.filters * oh * ow);
    eachTap(s, ({ filter, channel, weight, rows, columns }) => {
      const v = w[weight]!;
      for (let r = rows.from; r < rows.to; r++) {
        let to = (channel * h + r * sy + rows.offset) * width + columns.from * sx + columns.offset;
        const base = (filter * oh + r) * ow;
        for (let from = base + columns.from; from < base + columns.to; from++, to += sx) out[to]! += v * g[from]!;
      }
    });
  }
  return gx;
}

/** gw += x · gy over batch and positions: the transpose of `forward` in w. */
function backwardWeight(x: TypedArray, gy: TypedArray, s: ConvSizes): Float64Array {
  const [h, width] = [s.input[0]!, s.input[1]!];
  const [oh, ow] = [s.output[0]!, s.output[1]!];
  const [sy, sx] = [s.stride[0]!, s.stride[1]!];
  const gw = new Float64Array((s.filters * s.channels * s.kernel[0]! * s.kernel[1]!) / s.groups);
  for (let n = 0; n < s.batch; n++) {
    const input = x.subarray(n * s.channels * h * width, (n + 1) * s.channels * h * width);
    const g = gy.subarray(n * s.filters * oh * ow, (n + 1) * s.filters * oh * ow);
    eachTap(s, ({ filter, channel, weight, rows, columns }) => {
      let total = 0;
      for (let r = rows.from; r < rows.to; r++) {
        let from = (channel * h + r * sy + rows.offset) * width + columns.from * sx + columns.offset;
        const base = (filter * oh + r) * ow;
        for (let at = base + columns.from; at < base + columns.to; at++, from += sx) total += g[at]! * input[from]!;
      }
      gw[weight]! += total;
    });
  }
  return gw;
}

function rounded(dtype: ValueInfo['dtype'], shape: readonly number[], values: Float64Array) {
  const out = allocate(dtype, elementCount(shape));
  out.set(values);
  return wrap(dtype, shape, out);
}

export const conv2d: OpDef<ConvAttrs> = {
  arity: 2,
  attrs: ['stride', 'pads', 'dilation', 'groups'],
  doc: 'convolution of [N,C,H,W] with a weight [O,C/groups,kh,kw], without bias',
  infer: inferConv,
  evaluate: ([x, w], { attrs, dtype, shape }) => {
    const [batch, channels, ...input] = x!.shape;
    const [filters, , ...kernel] = w!.shape;
    const sizes = {
      ...attrs,
      batch: batch!,
      channels: channels!,
      input,
      filters: filters!,
      kernel,
      output: shape.slice(2),
    };
    return rounded(dtype, shape, forward(x!.data, w!.data, sizes));
  },
  gradient: ({ b, attrs, inputs, grad }) => {
    const [x, w] = [inputs[0]!, inputs[1]!];
    const size = (v: typeof x) => v.shape.slice(2).map((dim) => fixed(dim, 'conv2d'));
    return [
      b.conv2dInputGrad(w, grad, { ...attrs, input: size(x) }),
      b.conv2dWeightGrad(x, grad, { ...attrs, kernel: size(w) }),
    ];
  },
};

export const conv2dInputGrad: OpDef<PrimAttrs['conv2d_input_grad']> = {
  arity: 2,
  attrs: ['stride', 'pads', 'dilation', 'groups', 'input'],
  doc: "∂/∂input of conv2d from (weight, the result's gradient); `input` is [H, W]",
  infer: (inputs, attrs) => {
    const [w, g] = [inputs[0]!.shape, inputs[1]!.shape];
    rank4(w, 'conv2d_input_grad: the weight');
    rank4(g, "conv2d_input_grad: the result's gradient");
    checkCounts(attrs.input, 2, 'conv2d_input_grad input', 1);
    const channels = fixed(w[1], 'conv2d_input_grad: the weight') * attrs.groups;
    const x: ValueInfo = { dtype: inputs[1]!.dtype, shape: [g[0]!, channels, ...attrs.input] };
    const y = inferConv([x, inputs[0]!], attrs);
    if (!y.shape.every((dim, i) => sameDim(dim, g[i]!))) {
      throw new ShapeError(`conv2d_input_grad: the result is ${showShape(y.shape)}, its gradient ${showShape(g)}`);
    }
    return x;
  },
  evaluate: ([w, g], { attrs, dtype, shape }) => {
    const [batch, channels, ...input] = shape;
    const [filters, , ...kernel] = w!.shape;
    const sizes = {
      ...attrs,
      batch: batch!,
      channels: channels!,
      input,
      filters: filters!,
      kernel,
      output: g!.shape.slice(2),
    };
    return rounded(dtype, shape, backwardInput(w!.data, g!.data, sizes));
  },
  gradient: ({ b, attrs: { input: _, ...window }, inputs, grad }) => {
    const [w, g] = [inputs[0]!, inputs[1]!];
    const kernel = w.shape.slice(2).map((dim) => fixed(dim, 'conv2d'));
    return [b.conv2dWeightGrad(grad, g, { ...window, kernel }), b.conv2d(grad, w, window)];
  },
};

export const conv2dWeightGrad: OpDef<PrimAttrs['conv2d_weight_grad']> = {
  arity: 2,
  attrs: ['stride', 'pads', 'dilation', 'groups', 'kernel'],
  doc: "∂/∂weight of conv2d from (input, the result's gradient); `kernel` is [kh, kw]",
  infer: (inputs, attrs) => {
    const [x, g] = [inputs[0]!.shape, inputs[1]!.shape];
    rank4(x, 'conv2d_weight_grad: the input');
    rank4(g, "conv2d_weight_grad: the result's gradient");
    checkCounts(attrs.kernel, 2, 'conv2d_weight_grad kernel', 1);
    const channels = fixed(x[1], 'conv2d_weight_grad: channels') / attrs.groups;
    const w: ValueInfo = { dtype: inputs[0]!.dtype, shape: [g[1]!, channels, ...attrs.kernel] };
    const y = inferConv([inputs[0]!, w], attrs);
    if (inputs[1]!.dtype !== y.dtype || !y.shape.every((dim, i) => sameDim(dim, g[i]!))) {
      throw new ShapeError(`conv2d_weight_grad: the result is ${showShape(y.shape)}, its gradient ${showShape(g)}`);
    }
    return w;
  },
  evaluate: ([x, g], { attrs, dtype, shape }) => {
    const [batch, channels, ...input] = x!.shape;
    const [, filters, ...output] = g!.shape;
    const sizes = { ...attrs, batch: batch!, channels: channels!, input, filters: filters!, output };
    return rounded(dtype, shape, backwardWeight(x!.data, g!.data, sizes));
  },
  gradient: ({ b, attrs: { kernel: _, ...window }, inputs, grad }) => {
    const [x, g] = [inputs[0]!, inputs[1]!];
    const input = x.shape.slice(2).map((dim) => fixed(dim, 'conv2d'));
    return [b.conv2dInputGrad(grad, g, { ...window, input }), b.conv2d(x, grad, window)];
  },
};
