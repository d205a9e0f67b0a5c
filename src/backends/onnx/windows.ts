import type { PrimAttrs } from '../../tensor/index.js';
import { type Emit, type EmitContext, reshapeTarget, size } from './context.js';

/** Gemm for plain matrices of floats; otherwise the operands are transposed first. */
export const matmul: Emit<PrimAttrs['matmul']> = ({ w, op, attrs: { transA, transB }, names, out }) => {
  if (op.shape.length === 2 && op.dtype !== 'i32' && (transA || transB)) {
    w.node('Gemm', names, { transA: transA ? 1 : 0, transB: transB ? 1 : 0 }, out);
    return;
  }
  const rank = op.shape.length;
  const perm = op.shape.map((_, i) => (i < rank - 2 ? i : rank - 1 - (i - (rank - 2))));
  const turned = (name: string, turn: boolean) => (turn ? w.node('Transpose', [name], { perm }) : name);
  w.node('MatMul', [turned(names[0]!, transA), turned(names[1]!, transB)], {}, out);
};

function window({ stride, pads, dilation, groups }: PrimAttrs['conv2d']) {
  return { strides: stride, pads, dilations: dilation, group: groups };
}

export const conv2d: Emit<PrimAttrs['conv2d']> = ({ w, attrs, names, inputs, out }) => {
  const kernel = inputs[1]!.shape.slice(2) as number[];
  w.node('Conv', names, { ...window(attrs), kernel_shape: kernel }, out);
};

/** What the last window leaves over, per axis: rows of the input that no window reaches. */
function leftover(input: readonly number[], kernel: readonly number[], attrs: PrimAttrs['conv2d']): number[] {
  const { stride, pads, dilation } = attrs;
  return [0, 1].map((i) => {
    const span = input[i]! + pads[i]! + pads[i + 2]! - dilation[i]! * (kernel[i]! - 1) - 1;
    return span % stride[i]!;
  });
}

/**
 * With stride 1 and many channels, a convolution of the gradient with the weight turned
 * around is up to twice as fast in onnxruntime as ConvTranspose, which takes the forward
 * weight as it is.
 */
export const conv2dInputGrad: Emit<PrimAttrs['conv2d_input_grad']> = ({ w, op, attrs, names, inputs, out }) => {
  const kernel = inputs[0]!.shape.slice(2) as number[];
  const { stride, pads, dilation, groups } = attrs;
  const full = [0, 1, 2, 3].map((i) => dilation[i % 2]! * (kernel[i % 2]! - 1) - pads[i]!);
  if (groups === 1 && stride.every((s) => s === 1) && full.every((p) => p >= 0) && size(op.shape, 1) >= 8) {
    const swapped = w.node('Transpose', [names[0]!], { perm: [1, 0, 2, 3] });
    const last = w.ints([-1, -1]);
    const flipped = kernel.every((k) => k === 1)
      ? swapped
      : w.node('Slice', [swapped, last, w.ints([-65536, -65536]), w.ints([2, 3]), last]);
    w.node('Conv', [names[1]!, flipped], { kernel_shape: kernel, pads: full, dilations: dilation }, out);
    return;
  }
  const output_padding = leftover(attrs.input, kernel, attrs);
  w.node('ConvTranspose', [names[1]!, names[0]!], { ...window(attrs), kernel_shape: kernel, output_padding }, out);
};

/**
 * ∂/∂weight as matrix products over positions: the input's shifted copies, one for each
 * kernel position, are stacked as columns [.., k²·I, P], and each image's gradient [O, P] is
 * multiplied with them. This was the fastest of seven phrasings measured in onnxruntime
 * (2–8 times as fast as a Conv over swapped axes). Where an image has few positions and
 * many channels, images are joined first, so that their products need not be kept.
 */
export const conv2dWeightGrad: Emit<PrimAttrs['conv2d_weight_grad']> = (context) => {
  const { w, op, attrs, names, inputs, out } = context;
  const [, filters, oh, ow] = inputs[1]!.shape as readonly number[];
  const positions = oh! * ow!;
  const { groups } = attrs;
  const joined = groups === 1 && filters! > 4 * positions;
  const perGroup = size(op.shape, 1);
  const taps = attrs.kernel[0]! * attrs.kernel[1]!;
  const columns = shiftedCopies(context, [oh!, ow!], joined);
  let product: string;
  if (joined) {
    const turned = w.node('Transpose', [names[1]!], { perm: [1, 0, 2, 3] });
    const gradient = w.node('Reshape', [turned, w.ints([filters!, -1])]);
    const flat = w.node('Reshape', [columns, w.ints([taps * perGroup, -1])]);
    product = w.node('Gemm', [gradient, flat], { transB: 1 });
  } else {
    const gradient = w.node('Reshape', [names[1]!, w.ints([-1, groups, filters! / groups, positions])]);
    const stacked = w.node('Reshape', [columns, w.ints([-1, groups, taps * perGroup, positions])]);
    const each = w.node('MatMul', [gradient, w.node('Transpose', [stacked], { perm: [0, 1, 3, 2] })]);
    product = w.node('ReduceSum', [each, w.ints([0])], { keepdims: 0 });
  }
  const taken = w.node('Reshape', [product, w.ints([filters!, ...attrs.kernel, perGroup])]);
  w.node('Transpose', [taken], { perm: [0, 3, 1, 2] }, out);
};

/**
 * The padded input as each kernel position sees it, [N, groups, k², I, oh, ow], or with
 * channels first, [k², I, N, oh, ow], where images are `joined`.
 */
function shiftedCopies(
  { w, op, attrs, names, inputs }: EmitContext<PrimAttrs['conv2d_weight_grad']>,
  output: readonly number[],
  joined: boolean,
): string {
  const [top, left, bottom, right] = attrs.pads;
  let x = joined ? w.node('Transpose', [names[0]!], { perm: [1, 0, 2, 3] }) : names[0]!;
  if (attrs.pads.some((p) => p > 0)) {
    x = w.node('Pad', [x, w.ints([0, 0, top!, left!, 0, 0, bottom!, right!]), w.scalar(inputs[0]!.dtype, 0)]);
  }
  const perGroup = size(op.shape, 1);
  const copies: string[] = [];
  for (let ky = 0; ky < attrs.kernel[0]!; ky++) {
    for (let kx = 0; kx < attrs.kernel[1]!; kx++) {
      const start = [ky * attrs.dilation[0]!, kx * attrs.dilation[1]!];
      const end = start.map((s, i) => s + (output[i]! - 1) * attrs.stride[i]! + 1);
      const copy = w.node('Slice', [x, w.ints(start), w.ints(end), w.ints([2, 3]), w.ints(attrs.stride)]);
      const shape = joined ? [1, perGroup, -1, ...output] : [-1, attrs.groups, 1, perGroup, ...output];
      copies.push(w.node('Reshape', [copy, w.ints(shape)]));
    }
  }
  return copies.length === 1 ? copies[0]! : w.node('Concat', copies, { axis: joined ? 0 : 2 });
}

function poolWindow({ kernel, stride, pads }: PrimAttrs['maxpool']) {
  return { kernel_shape: kernel, strides: stride, pads };
}

/**
 * The window of a pool that reads `input`. Behind a pad it is written as VALID: onnxruntime up to 1.30 would join the pad to
 * the pool, which it then refuses where the pad is as large as the window.
 */
function windowBehind({ attrs, op, makerOf }: EmitContext<PrimAttrs['maxpool']>) {
  const { pads, ...window } = poolWindow(attrs);
  const padded = pads.every((p) => p === 0) && makerOf(op.inputs[0]!)?.kind === 'pad';
  return padded ? { ...window, auto_pad: 'VALID' } : { ...window, pads };
}

export const maxpool: Emit<PrimAttrs['maxpool']> = (context) => {
  const { w, names, out } = context;
  w.node('MaxPool', names, windowBehind(context), out);
};

/** MaxPool's second result says where each maximum lay; the gradients are added there. */
export const maxpoolGrad: Emit<PrimAttrs['maxpool_grad']> = ({ w, op, attrs, names, out }) => {
  const indices = w.fresh('Indices');
  w.nodes('MaxPool', [names[0]!], poolWindow(attrs), [w.fresh('MaxPool'), indices]);
  const flat = (name: string) => w.node('Reshape', [name, w.ints([-1])]);
  const zeros = flat(w.node('Expand', [w.scalar(op.dtype, 0), w.node('Shape', [names[0]!])]));
  const apart = [0, 1].every((i) => attrs.stride[i]! >= attrs.kernel[i]!);
  const reduction = apart ? 'none' : 'add';
  const added = w.node('ScatterElements', [zeros, flat(indices), flat(names[1]!)], { axis: 0, reduction });
  w.node('Reshape', [added, w.ints(reshapeTarget(op.shape))], {}, out);
};

export const avgpool: Emit<PrimAttrs['avgpool']> = (context) => {
  const { w, attrs, names, out } = context;
  w.node('AveragePool', names, { ...windowBehind(context), count_include_pad: attrs.include_pad ? 1 : 0 }, out);
};
