import { type ConvAttrs, type Dim, type PoolAttrs, type PrimAttrs, isBatch } from '../../tensor/index.js';
import { compare } from './comparisons.js';
import { type Emit, type EmitContext, count } from './context.js';
import type { JsWriter } from './writer.js';

/** Operands are transposed first: wasm's matMul is 15 times as slow when it is asked to. */
export const matmul: Emit<PrimAttrs['matmul']> = ({ js, vars, op, attrs: { transA, transB } }) => {
  const rank = op.shape.length;
  const perm = op.shape.map((_, i) => (i < rank - 2 ? i : rank - 1 - (i - (rank - 2))));
  const turned = (id: string, turn: boolean) => {
    const x = vars.plain(id);
    return turn ? js.let(`${id}_turned`, `tf.transpose(${x}, ${list(perm)})`, [x]) : x;
  };
  const [a, b] = [turned(op.inputs[0]!, transA), turned(op.inputs[1]!, transB)];
  vars.define(op.id, js.let(op.id, `tf.matMul(${a}, ${b})`, [a, b]));
};

/** Explicit padding of [N,H,W,C], as the window functions take it. */
export function explicit([top, left, bottom, right]: readonly number[]): string {
  if ([top, left, bottom, right].every((p) => p === 0)) return `'valid'`;
  return `[[0, 0], [${top}, ${bottom}], [${left}, ${right}], [0, 0]]`;
}

export function list(values: readonly number[]): string {
  return `[${values.join(', ')}]`;
}

/** The end of a tf.conv2d call: strides, padding, layout, dilation. */
function windowOf({ stride, pads, dilation }: ConvAttrs): string {
  const tail = dilation.every((d) => d === 1) ? '' : `, 'NHWC', ${list(dilation)}`;
  return `${list(stride)}, ${explicit(pads)}${tail}`;
}

/**
 * Convolution of x [N,H,W,C] with a filter [kh,kw,I,O]. TensorFlow.js takes no stride
 * together with dilation: then every position is computed and some are kept.
 */
export function convolve(js: JsWriter, hint: string, x: string, filter: string, attrs: ConvAttrs): string {
  const both = attrs.stride.some((s) => s > 1) && attrs.dilation.some((d) => d > 1);
  const dense = both ? { ...attrs, stride: [1, 1] } : attrs;
  const y = js.let(hint, `tf.conv2d(${x}, ${filter}, ${windowOf(dense)})`, [x, filter]);
  if (!both) return y;
  const strides = [1, ...attrs.stride, 1];
  return js.let(`${hint}_kept`, `tf.stridedSlice(${y}, [0, 0, 0, 0], ${y}.shape, ${list(strides)})`, [y]);
}

/** Part `index` of `groups` along an axis of a variable. */
export function part(js: JsWriter, x: string, axis: number, index: number, size: number): string {
  const starts = [0, 0, 0, 0].with(axis, index * size);
  const sizes = [-1, -1, -1, -1].with(axis, size);
  return js.let(`${x}_group`, `tf.slice(${x}, ${list(starts)}, ${list(sizes)})`, [x]);
}

/** `make` for every group, the results side by side along `axis`. */
export function grouped(
  js: JsWriter,
  hint: string,
  groups: number,
  axis: number,
  make: (group: number) => string,
): string {
  if (groups === 1) return make(0);
  const parts = Array.from({ length: groups }, (_, group) => make(group));
  return js.let(hint, `tf.concat([${parts.join(', ')}], ${axis})`, parts);
}

export const conv2d: Emit<PrimAttrs['conv2d']> = ({ js, vars, op, attrs }) => {
  const x = vars.nhwc(op.inputs[0]!);
  const weight = vars.plain(op.inputs[1]!);
  const [filters, perGroup] = vars.type(op.inputs[1]!).shape as readonly number[];
  const filter = js.let(`${op.id}_filter`, `tf.transpose(${weight}, [2, 3, 1, 0])`, [weight]);
  const each = filters! / attrs.groups;
  const y = grouped(js, op.id, attrs.groups, 3, (g) => {
    if (attrs.groups === 1) return convolve(js, op.id, x, filter, attrs);
    return convolve(js, `${op.id}_part`, part(js, x, 3, g, perGroup!), part(js, filter, 3, g, each), attrs);
  });
  vars.define(op.id, y, 'nhwc');
};

/** Zeros between rows and columns: [N,h,w,C] → [N,h·sy,w·sx,C], one axis of four at a time. */
export function dilate(
  js: JsWriter,
  g: string,
  batch: string,
  size: readonly number[],
  channels: number,
  stride: readonly number[],
): string {
  const [h, w] = [size[0]!, size[1]!];
  const [sy, sx] = [stride[0]!, stride[1]!];
  let y = g;
  if (sx > 1) {
    y = js.let(`${g}_cols`, `tf.reshape(${y}, [${batch} * ${h}, ${w}, 1, ${channels}])`, [y]);
    y = js.let(`${g}_cols`, `tf.pad(${y}, [[0, 0], [0, 0], [0, ${sx - 1}], [0, 0]])`, [y]);
  }
  if (sy > 1) {
    y = js.let(`${g}_rows`, `tf.reshape(${y}, [${batch}, ${h}, 1, ${w * sx * channels}])`, [y]);
    y = js.let(`${g}_rows`, `tf.pad(${y}, [[0, 0], [0, 0], [0, ${sy - 1}], [0, 0]])`, [y]);
  }
  return js.let(`${g}_spread`, `tf.reshape(${y}, [${batch}, ${h * sy}, ${w * sx}, ${channels}])`, [y]);
}

export function batchOf(dim: Dim): string {
  const text = count(dim, isBatch(dim) ? dim.batch : dim);
  return text.includes(' ') ? `(${text})` : text;
}

/** A pool over what is padded already: the native backend's own pools take no explicit padding. */
function pool(name: 'maxPool' | 'avgPool', x: string, { kernel, stride }: PoolAttrs): string {
  return `tf.${name}(${x}, ${list(kernel)}, ${list(stride)}, 'valid')`;
}

function padded(js: JsWriter, hint: string, x: string, { pads }: PoolAttrs, value = ''): string {
  if (pads.every((p) => p === 0)) return x;
  return js.let(`${hint}_padded`, `tf.pad(${x}, ${explicit(pads)}${value})`, [x]);
}

export const maxpool: Emit<PrimAttrs['maxpool']> = ({ js, vars, op, attrs }) => {
  const x = padded(js, op.id, vars.nhwc(op.inputs[0]!), attrs, ', -Infinity');
  vars.define(op.id, js.let(op.id, pool('maxPool', x, attrs), [x]), 'nhwc');
};

/** Where padding doesn't count, the mean over it is divided by the share of each window that is no padding. */
export const avgpool: Emit<PrimAttrs['avgpool']> = ({ js, vars, op, attrs }) => {
  const x = padded(js, op.id, vars.nhwc(op.inputs[0]!), attrs);
  const mean = js.let(op.id, pool('avgPool', x, attrs), [x]);
  if (attrs.include_pad || attrs.pads.every((p) => p === 0)) return vars.define(op.id, mean, 'nhwc');
  const [height, width] = vars.type(op.inputs[0]!).shape.slice(2) as number[];
  const inside = js.let(`${op.id}_inside`, `tf.ones([1, ${height}, ${width}, 1])`, []);
  const all = padded(js, `${op.id}_inside`, inside, attrs);
  const share = js.let(`${op.id}_share`, pool('avgPool', all, attrs), [all]);
  vars.define(op.id, js.let(op.id, `tf.div(${mean}, ${share})`, [mean, share]), 'nhwc');
};

/**
 * ∂/∂input of a maximum: for every kernel position in turn, windows whose first maximum lies
 * there pass their gradient to it. Made of slices and comparisons, so that ties go to the
 * first maximum on every backend.
 */
export const maxpoolGrad: Emit<PrimAttrs['maxpool_grad']> = (context) => {
  const { js, vars, op, attrs } = context;
  const [x, g] = [vars.nhwc(op.inputs[0]!), vars.nhwc(op.inputs[1]!)];
  const [batch, channels, ...size] = op.shape;
  const output = vars.type(op.inputs[1]!).shape.slice(2) as number[];
  const all = padded(js, op.id, x, attrs, ', -Infinity');
  const y = js.let(`${op.id}_max`, pool('maxPool', all, attrs), [all]);
  const one = js.let(`${op.id}_one`, 'tf.scalar(1)', []);
  const multiply = (hint: string, a: string, b: string) => js.let(`${op.id}_${hint}`, `tf.mul(${a}, ${b})`, [a, b]);
  let open: string | undefined;
  let total: string | undefined;
  for (let ky = 0; ky < attrs.kernel[0]!; ky++) {
    for (let kx = 0; kx < attrs.kernel[1]!; kx++) {
      const seen = tap(context, all, [ky, kx], output);
      const missed = js.let(`${op.id}_missed`, `${compare}.greater(${y}, ${seen})`, [y, seen]);
      const equal = js.let(`${op.id}_equal`, `tf.sub(${one}, ${missed})`, [one, missed]);
      const first = open === undefined ? equal : multiply('first', equal, open);
      open = open === undefined ? missed : multiply('open', open, missed);
      const spread = dilate(
        js,
        multiply('passed', first, g),
        batchOf(batch!),
        output,
        channels as number,
        attrs.stride,
      );
      const placed = place(context, spread, [ky, kx], size as number[], output);
      total = total === undefined ? placed : js.let(`${op.id}_sum`, `tf.add(${total}, ${placed})`, [total, placed]);
    }
  }
  vars.define(op.id, total!, 'nhwc');
};

/** What every window sees at one kernel position. */
function tap(
  { js, op, attrs }: EmitContext<PoolAttrs>,
  padded: string,
  at: readonly number[],
  output: readonly number[],
): string {
  const end = at.map((k, i) => k + (output[i]! - 1) * attrs.stride[i]! + 1);
  return js.let(
    `${op.id}_seen`,
    `tf.stridedSlice(${padded}, [0, ${at.join(', ')}, 0], [${padded}.shape[0], ${end.join(', ')}, ${padded}.shape[3]], [1, ${attrs.stride.join(', ')}, 1])`,
    [padded],
  );
}

/** Moves spread gradients to the rows and columns of the input that a kernel position saw. */
function place(
  { js, op, attrs }: EmitContext<PoolAttrs>,
  spread: string,
  at: readonly number[],
  size: readonly number[],
  output: readonly number[],
): string {
  const before = [0, 1].map((i) => at[i]! - attrs.pads[i]!);
  const rows = [0, 1].map((i) => output[i]! * attrs.stride[i]!);
  const after = [0, 1].map((i) => size[i]! - before[i]! - rows[i]!);
  const pads = [0, 1].map((i) => `[${Math.max(0, before[i]!)}, ${Math.max(0, after[i]!)}]`);
  const padded = js.let(`${op.id}_placed`, `tf.pad(${spread}, [[0, 0], ${pads.join(', ')}, [0, 0]])`, [spread]);
  const starts = before.map((b) => Math.max(0, -b));
  return js.let(`${op.id}_placed`, `tf.slice(${padded}, [0, ${starts.join(', ')}, 0], [-1, ${size.join(', ')}, -1])`, [
    padded,
  ]);
}
