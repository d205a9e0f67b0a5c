import type { ConvAttrs, PrimAttrs } from '../../tensor/index.js';
import { type Emit, type EmitContext, nativeGradients } from './context.js';
import { batchOf, convolve, dilate, explicit, grouped, list, part } from './windows.js';

/** Writes an op and gives the variable of its result. */
type Make<A> = (context: EmitContext<A>) => string;

/** Whether a backend's own kernels can take it: they know neither groups nor dilation. */
function isPlain({ groups, dilation }: ConvAttrs): boolean {
  return groups === 1 && dilation.every((d) => d === 1);
}

/**
 * The result of the backend's own kernel where it has one (`nativeGradients`), or of what is `made` of other operations:
 * decided when the module runs, since it may run on any backend.
 */
function chosen<A extends ConvAttrs>(
  context: EmitContext<A>,
  own: Make<A>,
  made: Make<A>,
  condition: string = nativeGradients,
): string {
  const { js, op } = context;
  if (!isPlain(context.attrs)) return made(context);
  // operands are laid out in front of the choice
  const branches = [own, made].map((make) => {
    const block = js.block();
    const result = make({ ...context, js: block });
    return { result, block, lines: block.statements([result]).map((line) => `  ${line}`) };
  });
  const target = js.identifier(op.id);
  const [native, other] = branches as [(typeof branches)[0], (typeof branches)[0]];
  const code = [
    `let ${target};`,
    `if (${condition}) {`,
    ...native.lines,
    `  ${target} = ${native.result};`,
    '} else {',
    ...other.lines,
    `  ${target} = ${other.result};`,
    '}',
  ];
  js.place(code, [target], [...new Set(branches.flatMap(({ block }) => block.reads()))]);
  return target;
}

/** The end of a call of a gradient's kernel on padded values. */
const windowAt = ({ stride }: ConvAttrs): string =>
  `strides: ${list(stride)}, pad: 'valid', dataFormat: 'NHWC', dimRoundingMode: undefined`;

const nativeInputGrad: Make<PrimAttrs['conv2d_input_grad']> = ({ js, vars, op, attrs }) => {
  const weight = vars.plain(op.inputs[0]!);
  const dy = vars.nhwc(op.inputs[1]!);
  const [top, left, bottom, right] = attrs.pads as readonly [number, number, number, number];
  const channels = op.shape[1] as number;
  const [height, width] = attrs.input as readonly [number, number];
  const filter = js.let(`${op.id}_filter`, `tf.transpose(${weight}, [2, 3, 1, 0])`, [weight]);
  const shape = `[${batchOf(op.shape[0]!)}, ${height + top + bottom}, ${width + left + right}, ${channels}]`;
  const call = `tf.engine().runKernel('Conv2DBackpropInput', { dy: ${dy}, filter: ${filter} }, { ${windowAt(attrs)}, inputShape: ${shape} })`;
  const padded = js.let(`${op.id}_padded`, call, [dy, filter]);
  if (attrs.pads.every((n) => n === 0)) return padded;
  const sizes = `[-1, ${height}, ${width}, -1]`;
  return js.let(op.id, `tf.slice(${padded}, [0, ${top}, ${left}, 0], ${sizes})`, [padded]);
};

const nativeWeightGrad: Make<PrimAttrs['conv2d_weight_grad']> = ({ js, vars, op, attrs }) => {
  const dy = vars.nhwc(op.inputs[1]!);
  let x = vars.nhwc(op.inputs[0]!);
  if (attrs.pads.some((n) => n !== 0)) x = js.let(`${op.id}_padded`, `tf.pad(${x}, ${explicit(attrs.pads)})`, [x]);
  const [filters, channels] = op.shape as readonly [number, number];
  const shape = `[${attrs.kernel.join(', ')}, ${channels}, ${filters}]`;
  const call = `tf.engine().runKernel('Conv2DBackpropFilter', { x: ${x}, dy: ${dy} }, { ${windowAt(attrs)}, filterShape: ${shape} })`;
  const filter = js.let(`${op.id}_filter`, call, [x, dy]);
  return js.let(op.id, `tf.transpose(${filter}, [3, 2, 0, 1])`, [filter]);
};

/**
 * ∂/∂input as a forward convolution: the gradient, with zeros between its rows where the
 * stride was larger than 1, convolved with the weight turned around.
 */
const madeInputGrad: Make<PrimAttrs['conv2d_input_grad']> = ({ js, vars, op, attrs }) => {
  const weight = vars.plain(op.inputs[0]!);
  const gradient = vars.type(op.inputs[1]!).shape;
  const [filters, , kh, kw] = vars.type(op.inputs[0]!).shape as readonly number[];
  const size = gradient.slice(2) as number[];
  let g = vars.nhwc(op.inputs[1]!);
  const spread = attrs.stride.some((s) => s > 1);
  if (spread) g = dilate(js, g, batchOf(gradient[0]!), size, filters!, attrs.stride);
  const kernel = [kh!, kw!];
  const before = [0, 1].map((i) => attrs.dilation[i]! * (kernel[i]! - 1) - attrs.pads[i]!);
  // The dilated gradient has h·s rows; whatever the padded input has beyond that is padding.
  const after = [0, 1].map((i) => {
    const rows = spread ? size[i]! * attrs.stride[i]! : size[i]!;
    return attrs.input[i]! + attrs.dilation[i]! * (kernel[i]! - 1) - before[i]! - rows;
  });
  const cut = [...before, ...after].map((p) => Math.max(0, -p));
  if (cut.some((c) => c > 0)) {
    const rows = size.map((s, i) => (spread ? s * attrs.stride[i]! : s));
    const sizes = rows.map((r, i) => r - cut[i]! - cut[i + 2]!);
    g = js.let(`${g}_cut`, `tf.slice(${g}, [0, ${cut[0]}, ${cut[1]}, 0], [-1, ${sizes[0]}, ${sizes[1]}, -1])`, [g]);
  }
  const pads = [...before, ...after].map((p) => Math.max(0, p));
  const window = { stride: [1, 1], pads, dilation: attrs.dilation, groups: 1 };
  const turned = js.let(`${op.id}_turned`, `tf.transpose(${weight}, [2, 3, 0, 1])`, [weight]);
  const filter = js.let(`${op.id}_filter`, `tf.reverse(${turned}, [0, 1])`, [turned]);
  const each = filters! / attrs.groups;
  const x = grouped(js, op.id, attrs.groups, 3, (group) => {
    if (attrs.groups === 1) return convolve(js, op.id, g, filter, window);
    return convolve(js, `${op.id}_part`, part(js, g, 3, group, each), part(js, filter, 2, group, each), window);
  });
  return x;
};

/**
 * ∂/∂weight as a forward convolution that swaps batch and channels: x as [C,H,W,N] with the
 * gradient as a filter [oh,ow,N,O] whose dilation is the stride. (The wasm backend has no
 * Conv2DBackpropFilter.)
 */
const madeWeightGrad: Make<PrimAttrs['conv2d_weight_grad']> = ({ js, vars, op, attrs }) => {
  const perGroup = op.shape[1] as number;
  const each = (op.shape[0] as number) / attrs.groups;
  const [x, g] = [vars.nhwc(op.inputs[0]!), vars.nhwc(op.inputs[1]!)];
  const images = js.let(`${op.id}_images`, `tf.transpose(${x}, [3, 1, 2, 0])`, [x]);
  const filter = js.let(`${op.id}_filter`, `tf.transpose(${g}, [1, 2, 0, 3])`, [g]);
  const swapped = { stride: attrs.dilation, dilation: attrs.stride, pads: attrs.pads, groups: 1 };
  const whole = grouped(js, `${op.id}_whole`, attrs.groups, 3, (group) => {
    if (attrs.groups === 1) return convolve(js, `${op.id}_whole`, images, filter, swapped);
    const [i, f] = [part(js, images, 0, group, perGroup), part(js, filter, 3, group, each)];
    return convolve(js, `${op.id}_part`, i, f, swapped);
  });
  const cut = js.let(`${op.id}_cut`, `tf.slice(${whole}, [0, 0, 0, 0], [-1, ${attrs.kernel.join(', ')}, -1])`, [whole]);
  return js.let(op.id, `tf.transpose(${cut}, [3, 0, 1, 2])`, [cut]);
};

/** (The wasm backend's own Conv2DBackpropInput is slow.) */
const inputCondition = `${nativeGradients} && tf.getBackend() !== 'wasm'`;

export const conv2dInputGrad: Emit<PrimAttrs['conv2d_input_grad']> = (context) => {
  const { vars, op } = context;
  vars.plain(op.inputs[0]!);
  vars.nhwc(op.inputs[1]!);
  vars.define(op.id, chosen(context, nativeInputGrad, madeInputGrad, inputCondition), 'nhwc');
};

export const conv2dWeightGrad: Emit<PrimAttrs['conv2d_weight_grad']> = (context) => {
  const { vars, op } = context;
  for (const id of op.inputs) vars.nhwc(id);
  vars.define(op.id, chosen(context, nativeWeightGrad, madeWeightGrad));
};
