import { type Dim, type PrimAttrs, isBatch } from '../../tensor/index.js';
import { type Emit, type EmitContext, count, dims, plainOp, toNhwc } from './context.js';

/** Reductions over [N,H,W,C] work there when what is left keeps its order. */
function reduction(name: string): Emit<PrimAttrs['sum']> {
  return (context) => {
    const { js, vars, op, attrs } = context;
    const id = op.inputs[0]!;
    const rank = vars.type(id).shape.length;
    if (attrs.axes.length === 0) {
      plainOp(context, ([x]) => `tf.clone(${x})`);
      return;
    }
    const left = toNhwc.filter((axis) => !attrs.axes.includes(axis));
    const ordered = left.every((axis, i) => i === 0 || left[i - 1]! < axis);
    if (rank === 4 && vars.isNhwc(id) && (attrs.keepdims || ordered)) {
      const x = vars.nhwc(id);
      const axes = attrs.axes.map((axis) => toNhwc.indexOf(axis as 0));
      const made = js.let(op.id, `tf.${name}(${x}, [${axes.join(', ')}], ${attrs.keepdims})`, [x]);
      vars.define(op.id, made, attrs.keepdims ? 'nhwc' : 'plain');
      return;
    }
    plainOp(context, ([x]) => `tf.${name}(${x}, [${attrs.axes.join(', ')}], ${attrs.keepdims})`);
  };
}

export const sum = reduction('sum');
export const reduceMax = reduction('max');

export const argmax: Emit<PrimAttrs['argmax']> = (context) => {
  plainOp(context, ([x]) => `tf.argMax(${x}, ${context.attrs.axis})`);
};

export const reshape: Emit<PrimAttrs['reshape']> = (context) => {
  plainOp(context, ([x]) => `tf.reshape(${x}, ${dims(context.attrs.shape)})`);
};

export const transpose: Emit<PrimAttrs['transpose']> = (context) => {
  plainOp(context, ([x]) => `tf.transpose(${x}, [${context.attrs.perm.join(', ')}])`);
};

/** The operand where it lies, and how to put per-axis lists into that layout's order. */
function whereItLies({ vars, op }: EmitContext<unknown>, index = 0) {
  const id = op.inputs[index]!;
  const nhwc = vars.type(id).shape.length === 4 && vars.isNhwc(id);
  const order = <T>(values: readonly T[]): readonly T[] => (nhwc ? toNhwc.map((axis) => values[axis]!) : values);
  return { x: nhwc ? vars.nhwc(id) : vars.plain(id), layout: nhwc ? 'nhwc' : 'plain', order } as const;
}

export const slice: Emit<PrimAttrs['slice']> = (context) => {
  const { js, vars, op, attrs } = context;
  const { shape } = vars.type(op.inputs[0]!);
  const batch = shape.findIndex(isBatch);
  if (batch >= 0 && attrs.steps[batch] !== 1) {
    strideOverTime(context, shape);
    return;
  }
  const { x, layout, order } = whereItLies(context);
  const at = (counts: readonly number[]) => order(shape.map((dim, i) => count(dim, counts[i]!)));
  if (attrs.steps.every((step) => step === 1)) {
    const sizes = order(op.shape.map((dim) => count(dim, isBatch(dim) ? dim.batch : dim)));
    const code = `tf.slice(${x}, [${at(attrs.starts).join(', ')}], [${sizes.join(', ')}])`;
    vars.define(op.id, js.let(op.id, code, [x]), layout);
    return;
  }
  const made = strided(context, x, { starts: at(attrs.starts), ends: at(attrs.ends), steps: order(attrs.steps) });
  vars.define(op.id, made, layout);
};

interface Strides {
  readonly starts: readonly string[];
  readonly ends: readonly string[];
  readonly steps: readonly number[];
}

/** The wasm backend's StridedSlice knows f32 only: integers and truth values are picked by index. */
function strided({ js, op }: EmitContext<unknown>, x: string, { starts, ends, steps }: Strides): string {
  if (op.dtype === 'f32') {
    const bounds = [starts, ends, steps].map((list) => `[${list.join(', ')}]`);
    return js.let(op.id, `tf.stridedSlice(${x}, ${bounds.join(', ')})`, [x]);
  }
  return steps.reduce((from, step, axis) => {
    const picked = js.let(`${op.id}_index`, `tf.range(${starts[axis]}, ${ends[axis]}, ${step}, 'int32')`, []);
    return js.let(op.id, `tf.gather(${from}, ${picked}, ${axis})`, [from, picked]);
  }, x);
}

/** Every k-th time step: the batch axis is split in [units, N] for the slice. */
function strideOverTime(context: EmitContext<PrimAttrs['slice']>, shape: readonly Dim[]): void {
  const { js, vars, op, attrs } = context;
  const x = vars.plain(op.inputs[0]!);
  const split = <T>(own: (axis: number) => T, n: T): T[] =>
    shape.flatMap((dim, axis) => (isBatch(dim) ? [own(axis), n] : [own(axis)]));
  const apart = shape.flatMap((dim) => (isBatch(dim) ? [String(dim.batch), 'N'] : [String(dim)]));
  const reshaped = js.let(`${op.id}_time`, `tf.reshape(${x}, [${apart.join(', ')}])`, [x]);
  const starts = split((i) => String(attrs.starts[i]), '0');
  const ends = split((i) => String(attrs.ends[i]), 'N');
  const steps = split((i) => attrs.steps[i]!, 1);
  const cut = strided(context, reshaped, { starts, ends, steps });
  vars.define(op.id, js.let(op.id, `tf.reshape(${cut}, ${dims(op.shape)})`, [cut]));
}

/** Truth values are padded as integers: not every backend pads them. */
export const pad: Emit<PrimAttrs['pad']> = (context) => {
  const { js, vars, op, attrs } = context;
  const { shape } = vars.type(op.inputs[0]!);
  const { x, layout, order } = whereItLies(context);
  const both = order(shape.map((dim, i) => `[${count(dim, attrs.before[i]!)}, ${count(dim, attrs.after[i]!)}]`));
  const bool = op.dtype === 'bool';
  const source = bool ? js.let(`${op.id}_int`, `tf.cast(${x}, 'int32')`, [x]) : x;
  const padded = js.let(bool ? `${op.id}_padded` : op.id, `tf.pad(${source}, [${both.join(', ')}], ${attrs.value})`, [
    source,
  ]);
  const made = bool ? js.let(op.id, `tf.cast(${padded}, 'bool')`, [padded]) : padded;
  vars.define(op.id, made, layout);
};

export const concat: Emit<PrimAttrs['concat']> = ({ js, vars, op, attrs }) => {
  const nhwc = op.shape.length === 4 && op.inputs.some((id) => vars.isNhwc(id));
  const names = op.inputs.map((id) => (nhwc ? vars.nhwc(id) : vars.plain(id)));
  const axis = nhwc ? toNhwc.indexOf(attrs.axis as 0) : attrs.axis;
  const code = names.length === 1 ? `tf.clone(${names[0]})` : `tf.concat([${names.join(', ')}], ${axis})`;
  vars.define(op.id, js.let(op.id, code, names), nhwc ? 'nhwc' : 'plain');
};
