import type { PrimAttrs, ValueInfo } from '../../tensor/index.js';
import { type Emit, reshapeTarget, size } from './context.js';

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

/** ConvTranspose takes the forward weight as it is. */
export const conv2dInputGrad: Emit<PrimAttrs['conv2d_input_grad']> = ({ w, attrs, names, inputs, out }) => {
  const kernel = inputs[0]!.shape.slice(2) as number[];
  const output_padding = leftover(attrs.input, kernel, attrs);
  w.node('ConvTranspose', [names[1]!, names[0]!], { ...window(attrs), kernel_shape: kernel, output_padding }, out);
};

/**
 * ∂/∂weight as a convolution that swaps batch and channels: x as [C,N,H,W] is convolved
 * with the result's gradient as a kernel [O,N,oh,ow] whose dilation is the stride.
 */
export const conv2dWeightGrad: Emit<PrimAttrs['conv2d_weight_grad']> = (context) => {
  const { w, op, attrs, names, inputs, out } = context;
  if (attrs.groups === 1) {
    const [x, g] = [names[0]!, names[1]!].map((name) => w.node('Transpose', [name], { perm: [1, 0, 2, 3] }));
    const swapped = { strides: attrs.dilation, dilations: attrs.stride, pads: attrs.pads, group: 1 };
    const whole = w.node('Conv', [x!, g!], swapped);
    // Rows that no window reached would add kernel positions past the last.
    const cut = w.node('Slice', [whole, w.ints([0, 0]), w.ints(attrs.kernel), w.ints([2, 3])]);
    w.node('Transpose', [cut], { perm: [1, 0, 2, 3] }, out);
    return;
  }
  const perGroup = (value: ValueInfo) => size(value.shape, 1) / attrs.groups;
  const parts = Array.from({ length: attrs.groups }, (_, group) => {
    const cut = (name: string, count: number) =>
      w.node('Slice', [name, w.ints([group * count]), w.ints([(group + 1) * count]), w.ints([1])]);
    const part = w.fresh('weight_grad');
    const operands = [cut(names[0]!, perGroup(inputs[0]!)), cut(names[1]!, perGroup(inputs[1]!))];
    conv2dWeightGrad({ ...context, attrs: { ...attrs, groups: 1 }, op, names: operands, out: part });
    return part;
  });
  w.node('Concat', parts, { axis: 0 }, out);
};

function poolWindow({ kernel, stride, pads }: PrimAttrs['maxpool']) {
  return { kernel_shape: kernel, strides: stride, pads };
}

export const maxpool: Emit<PrimAttrs['maxpool']> = ({ w, attrs, names, out }) => {
  w.node('MaxPool', names, poolWindow(attrs), out);
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

export const avgpool: Emit<PrimAttrs['avgpool']> = ({ w, attrs, names, out }) => {
  w.node('AveragePool', names, { ...poolWindow(attrs), count_include_pad: attrs.include_pad ? 1 : 0 }, out);
};
