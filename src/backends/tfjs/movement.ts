import { type Dim, type PrimAttrs, type RepeatedPixels, isBatch, repeatedPixels } from '../../tensor/index.js';
import { type Emit, type EmitContext, count, dims, plainOp, tfTypes, toNhwc } from './context.js';

/** Reductions over [N,H,W,C] work there when what is left keeps its order. */
function reduction(name: 'sum' | 'max'): Emit<PrimAttrs['sum']> {
  return (context) => {
    const { js, vars, op, attrs } = context;
    const id = op.inputs[0]!;
    const { shape } = vars.type(id);
    if (attrs.axes.length === 0) {
      plainOp(context, ([x]) => `tf.clone(${x})`);
      return;
    }
    const left = toNhwc.filter((axis) => !attrs.axes.includes(axis));
    const ordered = left.every((axis, i) => i === 0 || left[i - 1]! < axis);
    if (shape.length === 4 && vars.isNhwc(id) && (attrs.keepdims || ordered)) {
      const spatial = name === 'sum' && op.dtype === 'f32' && [2, 3].every((axis) => attrs.axes.includes(axis));
      const x = spatial ? spatialSum(context, vars.nhwc(id), shape) : vars.nhwc(id);
      const axes = attrs.axes.map((axis) => toNhwc.indexOf(axis as 0));
      const made = js.let(op.id, `tf.${name}(${x}, [${axes.join(', ')}], ${attrs.keepdims})`, [x]);
      vars.define(op.id, made, attrs.keepdims ? 'nhwc' : 'plain');
      return;
    }
    plainOp(context, ([x]) => `tf.${name}(${x}, [${attrs.axes.join(', ')}], ${attrs.keepdims})`);
  };
}

/**
 * [N,H,W,C] → [N,1,1,C] as average pools over rows, then columns, times the area: on wasm 20
 * times as fast as tf.sum, which transposes first, and with a smaller rounding error than one
 * long sum (engines should not disagree about which neurons fire).
 */
function spatialSum({ js, op }: EmitContext<unknown>, x: string, shape: readonly Dim[]): string {
  const [h, w] = [shape[2] as number, shape[3] as number];
  if (h * w === 1) return x;
  const rows = w === 1 ? x : js.let(`${op.id}_rows`, `tf.avgPool(${x}, [1, ${w}], 1, 'valid')`, [x]);
  const mean = h === 1 ? rows : js.let(`${op.id}_mean`, `tf.avgPool(${rows}, [${h}, 1], 1, 'valid')`, [rows]);
  const area = js.let(`${op.id}_area`, `tf.scalar(${h * w})`, []);
  return js.let(`${op.id}_spatial`, `tf.mul(${mean}, ${area})`, [mean, area]);
}

export const sum = reduction('sum');
export const reduceMax = reduction('max');

export const argmax: Emit<PrimAttrs['argmax']> = (context) => {
  plainOp(context, ([x]) => `tf.argMax(${x}, ${context.attrs.axis})`);
};

export const reshape: Emit<PrimAttrs['reshape']> = (context) => {
  const { vars, op } = context;
  const repeated = repeatedPixels(
    op,
    (id) => vars.op(id),
    (id) => vars.type(id),
  );
  if (repeated === undefined) plainOp(context, ([x]) => `tf.reshape(${x}, ${dims(context.attrs.shape)})`);
  else repeatPixels(context, repeated);
};

/** Each pixel repeated, by concatenating rows with themselves: tf.broadcastTo is 50 times as slow on wasm. */
function repeatPixels({ js, vars, op }: EmitContext<unknown>, { source, down, across }: RepeatedPixels): void {
  const [n, c, h, w] = vars.type(source).shape as readonly [Dim, number, number, number];
  const again = (x: string, times: number, axis: number) =>
    times === 1 ? x : js.let(`${op.id}_again`, `tf.concat([${new Array(times).fill(x).join(', ')}], ${axis})`, [x]);
  const wide = again(vars.nhwc(source), across, 3);
  const rows = js.let(`${op.id}_rows`, `tf.reshape(${wide}, ${dims([n, h, 1, w * across * c])})`, [wide]);
  const tall = again(rows, down, 2);
  const made = js.let(op.id, `tf.reshape(${tall}, ${dims([n, h * down, w * across, c])})`, [tall]);
  vars.define(op.id, made, 'nhwc');
}

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
  const block = leadingBlock(context);
  if (block !== undefined) {
    const flat = js.let(`${op.id}_blocks`, `tf.reshape(${x}, [${block.of}, -1])`, [x]);
    const index = js.let(`${op.id}_index`, `tf.tensor2d([${block.index}], [1, 1], 'int32')`, []);
    const taken = js.let(`${op.id}_flat`, `tf.gatherND(${flat}, ${index})`, [flat, index]);
    const target = dims(order(op.shape));
    vars.define(op.id, js.let(op.id, `tf.reshape(${taken}, ${target})`, [taken]), layout);
    return;
  }
  if (attrs.steps.every((step) => step === 1)) {
    const sizes = order(op.shape.map((dim) => count(dim, isBatch(dim) ? dim.batch : dim)));
    const code = `tf.slice(${x}, [${at(attrs.starts).join(', ')}], [${sizes.join(', ')}])`;
    vars.define(op.id, js.let(op.id, code, [x]), layout);
    return;
  }
  const made = strided(context, x, { starts: at(attrs.starts), ends: at(attrs.ends), steps: order(attrs.steps) });
  vars.define(op.id, made, layout);
};

/**
 * A slice that is one of several equal blocks along axis 0, such as a time step: as block
 * `index` of `of`. wasm's tf.slice copies the whole tensor first; gatherND copies the block
 * (0.1 ms instead of 4.7 ms for a step of a train of four, 13 MB).
 */
function leadingBlock({ vars, op, attrs }: EmitContext<PrimAttrs['slice']>): { index: number; of: number } | undefined {
  const { shape } = vars.type(op.inputs[0]!);
  const whole = (dim: Dim) => (isBatch(dim) ? dim.batch : dim);
  const cut = shape.map((_, i) => i).filter((i) => attrs.starts[i] !== 0 || attrs.ends[i] !== whole(shape[i]!));
  if (tfTypes[op.dtype] !== 'float32' || cut.join() !== '0' || attrs.steps.some((step) => step !== 1)) return undefined;
  const [start, size, total] = [attrs.starts[0]!, attrs.ends[0]! - attrs.starts[0]!, whole(shape[0]!)];
  if (size === 0 || start % size !== 0 || total % size !== 0) return undefined;
  return { index: start / size, of: total / size };
}

interface Strides {
  readonly starts: readonly string[];
  readonly ends: readonly string[];
  readonly steps: readonly number[];
}

/** The wasm backend's StridedSlice knows float32 only: integers are picked by index. */
function strided({ js, op }: EmitContext<unknown>, x: string, { starts, ends, steps }: Strides): string {
  if (tfTypes[op.dtype] === 'float32') {
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

export const pad: Emit<PrimAttrs['pad']> = (context) => {
  const { js, vars, op, attrs } = context;
  const { shape } = vars.type(op.inputs[0]!);
  const { x, layout, order } = whereItLies(context);
  const both = order(shape.map((dim, i) => `[${count(dim, attrs.before[i]!)}, ${count(dim, attrs.after[i]!)}]`));
  vars.define(op.id, js.let(op.id, `tf.pad(${x}, [${both.join(', ')}], ${attrs.value})`, [x]), layout);
};

export const concat: Emit<PrimAttrs['concat']> = ({ js, vars, op, attrs }) => {
  const nhwc = op.shape.length === 4 && op.inputs.some((id) => vars.isNhwc(id));
  const names = op.inputs.map((id) => (nhwc ? vars.nhwc(id) : vars.plain(id)));
  const axis = nhwc ? toNhwc.indexOf(attrs.axis as 0) : attrs.axis;
  const code = names.length === 1 ? `tf.clone(${names[0]})` : `tf.concat([${names.join(', ')}], ${axis})`;
  vars.define(op.id, js.let(op.id, code, names), nhwc ? 'nhwc' : 'plain');
};

/** A binary search, unrolled: each round takes one threshold an element and compares. */
export const lookup: Emit<PrimAttrs['lookup']> = (context) => {
  const { js, vars, op } = context;
  const id = op.inputs[0]!;
  const nhwc = op.shape.length === 4 && vars.isNhwc(id);
  const x = nhwc ? vars.nhwc(id) : vars.plain(id);
  const [thresholds, values] = [vars.plain(op.inputs[1]!), vars.plain(op.inputs[2]!)];
  const count = vars.type(op.inputs[1]!).shape[0] as number;
  const part = (code: string, uses: readonly string[]): string => js.let(`${op.id}_part`, code, uses);
  const integer = (value: number): string => part(`tf.scalar(${value}, 'int32')`, []);
  const last = integer(count - 1);
  let index = part(`tf.cast(tf.zerosLike(${x}), 'int32')`, [x]);
  for (let step = 2 ** Math.floor(Math.log2(count)); step >= 1; step /= 2) {
    const [size, before] = [integer(step), integer(step - 1)];
    const probed = part(`tf.add(${index}, ${before})`, [index, before]);
    const held = part(`tf.minimum(${probed}, ${last})`, [probed, last]);
    const threshold = part(`tf.gather(${thresholds}, ${held})`, [thresholds, held]);
    const reached = part(`tf.greaterEqual(${x}, ${threshold})`, [x, threshold]);
    const exists = part(`tf.lessEqual(${probed}, ${last})`, [probed, last]);
    const counts = part(`tf.cast(tf.logicalAnd(${reached}, ${exists}), 'int32')`, [reached, exists]);
    const taken = part(`tf.mul(${counts}, ${size})`, [counts, size]);
    index = part(`tf.add(${index}, ${taken})`, [index, taken]);
  }
  const made = js.let(op.id, `tf.gather(${values}, ${index})`, [values, index]);
  vars.define(op.id, made, nhwc ? 'nhwc' : 'plain');
};
