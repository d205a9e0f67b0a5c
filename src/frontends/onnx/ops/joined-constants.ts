import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import type { Param } from '../../../network/types.js';
import type { Constant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { mostComputed } from '../tensor-data.js';
import { type RealValue, batchPlace, withBatchAt, withBatchFirst } from '../values.js';
import { along } from './layout.js';

/**
 * Activations and constants one behind the other along an ONNX axis (a class token before the patches): the activations
 * are put at their places by weights of 1, and the constants are added at theirs.
 */
export function joinedWithConstants(
  context: NodeContext,
  parts: readonly (RealValue | Constant)[],
  axis: number,
  origin: string | undefined,
): RealValue {
  const values = parts.filter((part): part is RealValue => part.kind === 'real');
  const moved = along(context, values, axis, undefined);
  const from = context.onnxShape(moved);
  const lengths = parts.map((part) => (part.kind === 'real' ? context.onnxShape(part) : part.shape)[axis]!);
  const length = lengths.reduce((a, b) => a + b, 0);
  const place = batchPlace(moved);
  const x = context.inOwnLayout(withBatchFirst(moved));
  const own = axis < place || place < 0 ? axis : axis - 1;
  const shape = context.shapeOf(x).with(own, length);
  const count = context.shapeOf(x)[own]!;
  if (elementCount(shape) > mostComputed || length * count > mostComputed)
    fail('onnx/too-large', { what: 'constants joined with activations', shape: [...shape] }, context.place);
  const weights = new Int8Array(length * count);
  const constants = new Float64Array(elementCount(shape));
  let [at, column] = [0, 0];
  for (const [i, part] of parts.entries()) {
    if (part.kind === 'real') for (let k = 0; k < lengths[i]!; k++) weights[(at + k) * count + column++] = 1;
    else fill(constants, shape, own, at, valuesOf(context, part, from, axis), lengths[i]!);
    at += lengths[i]!;
  }
  const axes = shape.map((_, i) => i);
  const front = [own, ...axes.filter((i) => i !== own)];
  const rest = front.slice(1).map((i) => shape[i]!);
  const turned = context.emit({ kind: 'transpose', inputs: [x], attrs: { perm: front }, suffix: 'front' });
  const flat = [count, 1, elementCount(rest)];
  const image = context.emit({ kind: 'reshape', inputs: [turned], attrs: { shape: flat }, suffix: 'places' });
  const weight: Param = {
    tensor: { dtype: 'i8', shape: [length, count, 1, 1], data: weights },
    quant: { scale: [1], zero: [0], axis: 0 },
  };
  const attrs = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  const spread = context.emit({ kind: 'conv', inputs: [image], attrs, params: { weight }, suffix: 'spread' });
  const wide = context.emit({ kind: 'reshape', inputs: [spread], attrs: { shape: [length, ...rest] }, suffix: 'axes' });
  const back = axes.map((i) => front.indexOf(i));
  const joined = context.emit({ kind: 'transpose', inputs: [wide], attrs: { perm: back }, suffix: 'joined' });
  const params = {
    scale: { tensor: { dtype: 'f64' as const, shape: [1], data: Float64Array.of(1) } },
    shift: { tensor: { dtype: 'f64' as const, shape, data: constants } },
  };
  const named = place === 0 || context.graph.fixedBatch === 1 ? { origin } : {};
  const made = context.emit({ kind: 'affine', inputs: [joined], params, suffix: 'constants', ...named });
  return withBatchAt(made, shape.length + 1, place);
}

/** A constant's numbers, the batch apart; it must fit the activations beside the axis. */
function valuesOf(context: NodeContext, part: Constant, from: readonly number[], axis: number): ArrayLike<number> {
  const fits = part.shape.length === from.length && part.shape.every((n, i) => i === axis || n === (from[i]! || 1));
  if (!fits) {
    const text = from.map((n) => (Number.isNaN(n) ? 'N' : n)).join(', ');
    context.shapeMismatch(`it joins "${part.name}" [${part.shape.join(', ')}] with activations [${text}]`);
  }
  const data = part.data();
  const bad = data.findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0) fail('onnx/not-finite', { name: part.name, index: bad, value: String(data[bad]) }, context.place);
  return data;
}

/** Writes `length` places of an axis of `to`, row-major. */
function fill(
  to: Float64Array,
  shape: readonly number[],
  axis: number,
  at: number,
  values: ArrayLike<number>,
  length: number,
): void {
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length * inner; k++) to[(o * shape[axis]! + at) * inner + k] = values[o * length * inner + k]!;
  }
}
