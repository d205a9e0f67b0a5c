import { type Tensor, allocate, elementCount, tensor } from '../../base/dtype.js';
import { wrap } from '../arrays.js';
import type { Value } from '../op-builder.js';
import { ShapeError, fixed, sameShape, showShape } from '../dims.js';
import type { PoolAttrs, PrimAttrs, ValueInfo } from '../types.js';
import { windowCount } from './conv.js';
import { type GradContext, type OpDef, checkCounts, checkDtype, checkSame, floats } from './def.js';

function inferPool(x: ValueInfo, { kernel, stride, pads }: PoolAttrs, what: string): ValueInfo {
  checkDtype(x.dtype, floats, what);
  checkCounts(kernel, 2, `${what} kernel`, 1);
  checkCounts(stride, 2, `${what} stride`, 1);
  checkCounts(pads, 4, `${what} pads`);
  if (x.shape.length !== 4) throw new ShapeError(`${what}: the input must be [N,C,H,W], not ${showShape(x.shape)}`);
  if ([0, 1].some((i) => pads[i]! >= kernel[i]! || pads[i + 2]! >= kernel[i]!)) {
    throw new ShapeError(`${what}: pads [${pads.join(', ')}] must be smaller than the kernel ${kernel.join('×')}`);
  }
  const spatial = [0, 1].map((i) =>
    windowCount(fixed(x.shape[i + 2], `${what}: height and width`), kernel[i]!, stride[i]!, pads[i]!, pads[i + 2]!),
  );
  if (spatial.some((size) => size < 1)) throw new ShapeError(`${what}: the kernel is larger than the padded input`);
  return { dtype: x.dtype, shape: [x.shape[0]!, x.shape[1]!, ...spatial] };
}

/** Calls `visit(output index, flat input indices inside the window)` for every window, in row-major order. */
function eachWindow(
  input: readonly number[],
  output: readonly number[],
  { kernel, stride, pads }: PoolAttrs,
  visit: (at: number, inputs: readonly number[]) => void,
): void {
  const [planes, h, w] = [input[0]! * input[1]!, input[2]!, input[3]!];
  const [oh, ow] = [output[2]!, output[3]!];
  for (let plane = 0, at = 0; plane < planes; plane++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++, at++) {
        const inputs: number[] = [];
        for (let ky = 0; ky < kernel[0]!; ky++) {
          const y = oy * stride[0]! + ky - pads[0]!;
          for (let kx = 0; kx < kernel[1]!; kx++) {
            const x = ox * stride[1]! + kx - pads[1]!;
            if (y >= 0 && y < h && x >= 0 && x < w) inputs.push((plane * h + y) * w + x);
          }
        }
        visit(at, inputs);
      }
    }
  }
}

/** The first largest of `indices` in `data`. */
function firstMaximum(data: ArrayLike<number>, indices: readonly number[]): number {
  let best = indices[0]!;
  for (const i of indices) if (data[i]! > data[best]!) best = i;
  return best;
}

export const maxpool: OpDef<PoolAttrs> = {
  arity: 1,
  attrs: ['kernel', 'stride', 'pads'],
  doc: 'the largest value of each window; padding never wins',
  infer: ([x], attrs) => inferPool(x!, attrs, 'maxpool'),
  evaluate: ([x], { attrs, dtype, shape }) => {
    const out = allocate(dtype, elementCount(shape));
    eachWindow(x!.shape, shape, attrs, (at, inputs) => {
      out[at] = x!.data[firstMaximum(x!.data, inputs)]!;
    });
    return wrap(dtype, shape, out);
  },
  gradient: ({ b, attrs, inputs, grad }) => [b.maxpoolGrad(inputs[0]!, grad, attrs)],
};

export const maxpoolGrad: OpDef<PoolAttrs> = {
  arity: 2,
  attrs: ['kernel', 'stride', 'pads'],
  doc: "∂/∂input of maxpool from (input, the result's gradient): to the first maximum of each window",
  infer: (inputs, attrs) => {
    const [x, g] = [inputs[0]!, inputs[1]!];
    checkSame(inputs, 'maxpool_grad');
    const y = inferPool(x, attrs, 'maxpool_grad');
    if (!sameShape(y.shape, g.shape)) {
      throw new ShapeError(`maxpool_grad: the result is ${showShape(y.shape)}, its gradient ${showShape(g.shape)}`);
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  evaluate: ([x, g], { attrs, dtype, shape }) => {
    const sums = new Float64Array(elementCount(shape));
    eachWindow(shape, g!.shape, attrs, (at, inputs) => {
      sums[firstMaximum(x!.data, inputs)]! += g!.data[at]!;
    });
    const out = allocate(dtype, sums.length);
    out.set(sums);
    return wrap(dtype, shape, out);
  },
  gradient: { none: 'second derivatives of max pooling are not supported' },
};

/** How many input elements each window of one plane [H, W] covers. */
function coverage(input: readonly number[], output: readonly number[], attrs: PoolAttrs): Tensor<'f64'> {
  const counts = tensor('f64', [1, 1, output[0]!, output[1]!], new Float64Array(output[0]! * output[1]!));
  eachWindow([1, 1, ...input], counts.shape, attrs, (at, inputs) => {
    counts.data[at] = inputs.length;
  });
  return counts;
}

/**
 * Windows side by side: each gradient is spread over its window by broadcasting. Otherwise
 * the transpose of a depthwise convolution with ones.
 */
function avgpoolGradient({ b, attrs, inputs, grad }: GradContext<PrimAttrs['avgpool']>): Value[] {
  const x = inputs[0]!;
  const { kernel, stride, pads } = attrs;
  const [h, w] = [fixed(x.shape[2], 'avgpool'), fixed(x.shape[3], 'avgpool')];
  const [oh, ow] = [fixed(grad.shape[2], 'avgpool'), fixed(grad.shape[3], 'avgpool')];
  const channels = fixed(x.shape[1], 'avgpool');
  const area = kernel[0]! * kernel[1]!;
  const tiles = [0, 1].every((i) => stride[i] === kernel[i]) && pads.every((p) => p === 0);
  if (tiles && oh * kernel[0]! === h && ow * kernel[1]! === w) {
    const scaled = b.reshape(b.mul(grad, 1 / area), [x.shape[0]!, channels, oh, 1, ow, 1]);
    return [b.reshape(b.broadcast(scaled, [x.shape[0]!, channels, oh, kernel[0]!, ow, kernel[1]!]), x.shape)];
  }
  const counts = attrs.include_pad ? undefined : coverage([h, w], [oh, ow], attrs);
  const share = counts === undefined ? b.mul(grad, 1 / area) : b.div(grad, b.cast(b.constant(counts), grad.dtype));
  const ones = b.broadcast(b.scalar(grad.dtype, 1), [channels, 1, kernel[0]!, kernel[1]!]);
  return [b.conv2dInputGrad(ones, share, { stride, pads, dilation: [1, 1], groups: channels, input: [h, w] })];
}

export const avgpool: OpDef<PrimAttrs['avgpool']> = {
  arity: 1,
  attrs: ['kernel', 'stride', 'pads', 'include_pad'],
  doc: 'the mean of each window: of its whole area where `include_pad`, else of what lies inside the input',
  infer: ([x], attrs) => inferPool(x!, attrs, 'avgpool'),
  evaluate: ([x], { attrs, dtype, shape }) => {
    const out = allocate(dtype, elementCount(shape));
    const area = attrs.kernel[0]! * attrs.kernel[1]!;
    eachWindow(x!.shape, shape, attrs, (at, inputs) => {
      let total = 0;
      for (const i of inputs) total += x!.data[i]!;
      out[at] = total / (attrs.include_pad ? area : inputs.length);
    });
    return wrap(dtype, shape, out);
  },
  gradient: avgpoolGradient,
};
