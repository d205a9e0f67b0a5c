import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import type { Param } from '../../../network/types.js';
import { type Constant, arrayOf, lazyConstant, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { type RealValue, type Value, isDynamicBias, sameCode } from '../values.js';
import { asImage, seenOrigin, viewed } from '../image.js';
import { mostComputed } from '../tensor-data.js';
import type { OnnxOpTable } from './define.js';
import { joinedWithConstants } from './joined-constants.js';
import { along, inShape, plain, reshaped } from './layout.js';
import { picked } from './select.js';

/** Ops that move numbers without changing them. They act on reals, codes and constants alike. */
export const shapeOps: OnnxOpTable = {
  Flatten: { inputs: [1, 1], run: flatten },
  Reshape: { inputs: [1, 2], run: reshape },
  Squeeze: { inputs: [1, 2], run: squeeze },
  Unsqueeze: { inputs: [1, 2], run: unsqueeze },
  Transpose: { inputs: [1, 1], run: transpose },
  Concat: { inputs: [1, Infinity], run: concat },
  Pad: { inputs: [1, 4], run: pad },
};

function flatten(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const axis = context.int('axis', 1);
  if (input.kind === 'constant') {
    const at = axis < 0 ? axis + input.shape.length : axis;
    return [reshapedConstant(input, [elementCount(input.shape.slice(0, at)), elementCount(input.shape.slice(at))])];
  }
  const { value, rewrap } = context.realOrCodes(0);
  const rank = context.onnxShape(value).length;
  if ((axis < 0 ? axis + rank : axis) !== 1)
    context.badForm(`its axis is ${axis}`, 'flatten from axis 1, which keeps the batch');
  return [rewrap(reshaped(context, value, [elementCount(context.shapeOf(value))], context.output))];
}

function reshape(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (isDynamicBias(input)) return [input];
  const target = context.integers(1, 'the shape') ?? context.ints('shape');
  if (target === undefined) context.badForm('its shape is missing');
  if (input.kind === 'constant') return [reshapedConstant(input, constantTarget(context, input, target))];
  const { value, rewrap } = context.realOrCodes(0);
  return [rewrap(inShape(context, value, activationTarget(context, context.onnxShape(value), target), context.output))];
}

function constantTarget(context: NodeContext, input: Constant, target: readonly number[]): readonly number[] {
  const copied = target.map((n, i) => (n === 0 && context.int('allowzero', 0) === 0 ? (input.shape[i] ?? 0) : n));
  const count = elementCount(input.shape);
  const known = elementCount(copied.filter((n) => n !== -1));
  const shape = copied.map((n) => (n === -1 ? count / known : n));
  if (elementCount(shape) !== count || shape.some((n) => !Number.isInteger(n) || n < 0)) {
    context.shapeMismatch(`"${input.name}" [${input.shape.join(', ')}] can't become [${target.join(', ')}]`);
  }
  return shape;
}

/** The target shape, its batch NaN: where it is given as such, or in front; missing where one sample has no axis for it. */
function activationTarget(context: NodeContext, from: readonly number[], target: readonly number[]): readonly number[] {
  const show = (shape: readonly number[]): string => `[${shape.map((n) => (Number.isNaN(n) ? 'N' : n)).join(', ')}]`;
  const text = `${show(from)} to ${show(target)}`;
  const allowZero = context.int('allowzero', 0) !== 0;
  const { graph } = context;
  const given = target.map((n, i) => (n === 0 && !allowZero ? (from[i] ?? 0) : n));
  const [first] = given;
  if (first === undefined) context.badForm(`it reshapes ${text}`);
  const count = elementCount(from.filter((n) => !Number.isNaN(n)));
  /** The sizes with the batch at a place (−1: nowhere), where they hold all elements. */
  const withBatch = (place: number): readonly number[] | undefined => {
    const rest = given.filter((_, i) => i !== place);
    const known = elementCount(rest.filter((n) => n !== -1));
    const sizes = rest.map((n) => (n === -1 ? count / known : n));
    const fits = sizes.every((n) => Number.isInteger(n) && n >= 1) && elementCount(sizes) === count;
    if (!fits) return undefined;
    return place < 0 ? sizes : sizes.toSpliced(place, 0, NaN);
  };
  const marked = given.findIndex(Number.isNaN);
  const mayBeFirst = first === -1 || first === 1 || first === graph.fixedBatch;
  const shape =
    marked >= 0
      ? withBatch(marked)
      : ((mayBeFirst ? withBatch(0) : undefined) ??
        (graph.fixedBatch === 1 ? withBatch(-1) : undefined) ??
        (given.includes(-1) ? withBatch(given.indexOf(-1)) : undefined));
  if (shape === undefined || shape.length < 2) {
    if (marked === 0 || mayBeFirst) context.shapeMismatch(`it reshapes ${text}`);
    context.badForm(`it reshapes ${text}`, 'the batch must stay an axis');
  }
  if (marked < 0 && first === 1 && Number.isNaN(shape[0])) graph.fixedBatch ??= 1;
  return shape;
}

function squeeze(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const given = context.integers(1, 'axes') ?? context.ints('axes');
  const { shape, wrap } = shapeEdit(context, input);
  const axes =
    given?.map((axis) => (axis < 0 ? axis + shape.length : axis)) ?? shape.flatMap((n, i) => (n === 1 ? [i] : []));
  for (const axis of axes) {
    const size = shape[axis];
    if (Number.isNaN(size) && context.graph.fixedBatch === 1) continue;
    if (Number.isNaN(size)) context.badForm('it removes the batch axis');
    if (size !== 1) context.shapeMismatch(`axis ${axis} has ${size ?? 'no'} entries, not 1`);
  }
  return [wrap(shape.filter((_, i) => !axes.includes(i)))];
}

function unsqueeze(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const { shape, wrap } = shapeEdit(context, input);
  const given = context.integers(1, 'axes') ?? context.ints('axes') ?? [];
  const rank = shape.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.some((axis) => !(axis >= 0 && axis < rank)) || new Set(axes).size !== axes.length) {
    context.badAttribute('axes', `[${given.join(', ')}]`);
  }
  const rest = [...shape];
  // in front of a sample without an axis for the batch it is that axis
  const first = input.kind === 'constant' || shape.some(Number.isNaN) ? 1 : NaN;
  const added = (axis: number): number => (axis === 0 ? first : 1);
  return [wrap(Array.from({ length: rank }, (_, i) => (axes.includes(i) ? added(i) : rest.shift()!)))];
}

/** The ONNX shape of an input and how to give it another. */
function shapeEdit(
  context: NodeContext,
  input: Value,
): { shape: readonly number[]; wrap: (shape: readonly number[]) => Value } {
  if (input.kind === 'constant') {
    return { shape: input.shape, wrap: (shape) => reshapedConstant(input, shape) };
  }
  const { value, rewrap } = context.realOrCodes(0);
  return {
    shape: context.onnxShape(value),
    wrap: (shape) => rewrap(inShape(context, value, shape, context.output)),
  };
}

function transpose(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const rank = input.kind === 'constant' ? input.shape.length : context.onnxShape(context.realOrCodes(0).value).length;
  const given = context.ints('perm') ?? [];
  const perm = given.length === 0 ? Array.from({ length: rank }, (_, i) => rank - 1 - i) : given;
  if (perm.length !== rank || [...perm].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    context.badAttribute('perm', `[${perm.join(', ')}]`);
  }
  if (input.kind === 'constant') return [transposedConstant(input, perm)];
  const { value, rewrap } = context.realOrCodes(0);
  const composed = perm.map((axis) => value.perm?.[axis] ?? axis);
  const identity = composed.length === context.shapeOf(value).length + 1 && composed.every((axis, i) => axis === i);
  return [rewrap(identity ? plain(value) : { ...plain(value), perm: composed })];
}

function concat(context: NodeContext): readonly Value[] {
  const inputs = context.node.inputs.map((_, i) => context.input(i));
  const axis = context.int('axis', 1);
  if (inputs.every((value) => value.kind === 'constant')) return [concatConstants(context, inputs, axis)];
  if (inputs.some((value) => value.kind === 'constant')) {
    const given = inputs.map((value, i) => (value.kind === 'constant' ? value : context.realInAnyLayout(i)));
    return [concatenation(context, given, axis, context.output)];
  }
  const [first] = inputs;
  const parts = inputs.map((_, i) => context.realOrCodes(i));
  const values = parts.map((part) => part.value);
  const codes = inputs.filter((value) => value.kind === 'codes');
  if (codes.length > 0 && codes.length < inputs.length) context.badForm('it joins codes with floats');
  if (codes.some((value) => first?.kind !== 'codes' || !sameCode(value.code, first.code))) {
    context.badForm('it joins codes of different quantisers', 'dequantise first, or use QLinearConcat');
  }
  return [parts[0]!.rewrap(concatenation(context, values, axis, context.output))];
}

/** Along any axis but the batch. */
export function concatenation(
  context: NodeContext,
  values: readonly (RealValue | Constant)[],
  axis: number,
  origin: string | undefined,
): RealValue {
  const shapes = values.map((value) => (value.kind === 'constant' ? value.shape : context.onnxShape(value)));
  const ranks = shapes.map((shape) => shape.length);
  if (ranks.some((rank) => rank !== ranks[0])) context.shapeMismatch(`its operands have ${ranks.join(', ')} axes`);
  const positive = axis < 0 ? axis + ranks[0]! : axis;
  if (!(positive >= 0 && positive < ranks[0]!)) context.badAttribute('axis', axis);
  if (shapes.some((shape) => Number.isNaN(shape[positive])))
    context.badForm('it joins along the batch axis', 'the batch must stay as it is');
  const reals = values.filter((value): value is RealValue => value.kind === 'real');
  if (reals.length === 0) context.badForm('it joins constants');
  if (reals.length < values.length) return joinedWithConstants(context, values, positive, origin);
  return along(context, reals, positive, origin);
}

/** Constants one behind the other along an axis; numbers without axes are vectors of one. */
function concatConstants(context: NodeContext, given: readonly Constant[], axis: number): Constant {
  const parts = given.map((part) => (part.shape.length === 0 ? reshapedConstant(part, [1]) : part));
  const [first] = parts as [Constant];
  const rank = first.shape.length;
  const at = axis < 0 ? axis + rank : axis;
  if (!(at >= 0 && at < rank)) context.badAttribute('axis', axis);
  const beside = ({ shape }: Constant): string => shape.with(at < shape.length ? at : 0, 0).join();
  const other = parts.find((part) => part.shape.length !== rank || beside(part) !== beside(first));
  if (other !== undefined)
    context.shapeMismatch(
      `constants [${first.shape.join(', ')}] and [${other.shape.join(', ')}] differ beside axis ${axis}`,
    );
  const sizes = parts.map(({ shape }) => shape[at]!);
  const shape = first.shape.with(
    at,
    sizes.reduce((sum, n) => sum + n, 0),
  );
  if (elementCount(shape) > mostComputed)
    context.badForm(`it joins constants to [${shape.join(', ')}]`, 'smaller ones are folded');
  const type = parts.some(({ quantised }) => quantised !== undefined) ? 'double' : first.type;
  return lazyConstant(context.output, type, shape, () => {
    const inner = elementCount(shape.slice(at + 1));
    const data = parts.map((part) => part.data());
    const result = new Float64Array(elementCount(shape));
    let into = 0;
    for (let row = 0; row < elementCount(shape.slice(0, at)); row++) {
      for (const [n, values] of data.entries()) {
        const count = sizes[n]! * inner;
        result.set(values.subarray(row * count, (row + 1) * count), into);
        into += count;
      }
    }
    return arrayOf(type, result);
  });
}

function pad(context: NodeContext): readonly Value[] {
  const mode = context.string('mode', 'constant');
  const pads = context.integers(1, 'the pads') ?? context.ints('pads') ?? context.ints('paddings') ?? [];
  const input = context.input(0);
  if (pads.every((n) => n === 0)) return [input];
  const { value: given, rewrap } = context.realOrCodes(0);
  const rank = context.onnxShape(given).length;
  const full = paddedAxes(context, pads, rank);
  if (full[0] !== 0 || full[rank] !== 0)
    context.badForm(`its pads are [${pads.join(', ')}]`, 'the batch must stay whole');
  if (mode !== 'constant') return [rewrap(continued(context, given, mode, full))];
  const { x, view } = asImage(context, given);
  if (full.some((n) => n < 0 || n > 1e6))
    context.badForm(`its pads are [${pads.join(', ')}]`, 'cropping is not supported');
  const [top, left, bottom, right] = rank === 3 ? [0, full[2]!, 0, full[5]!] : [full[2]!, full[3]!, full[6]!, full[7]!];
  const channels = [full[1]!, full[rank + 1]!] as const;
  const filling = context.optionalConstant(2, 'the value')?.data()[0] ?? context.float('value', 0);
  // on codes, the value is a code
  const value = input.kind === 'codes' ? (filling - input.code.zero) * input.code.scale : filling;
  if (!Number.isFinite(value)) context.badForm(`it pads with ${value}`, 'pad with a finite number');
  const wider = channels[0] + channels[1] > 0;
  const flat = top === 0 && left === 0 && bottom === 0 && right === 0;
  if (wider && value !== 0) context.badForm(`it pads channels with ${value}`, 'channels are padded with 0');
  const stays =
    !wider &&
    x.grid !== undefined &&
    (value === 0 ? x.grid.zero >= x.grid.min && x.grid.zero <= x.grid.max : input.kind === 'codes');
  const attrs = { pads: [top, left, bottom, right], value };
  // a border of codes is one of the reals they stand for: the network's value is real, the file's tensor isn't
  const origin = input.kind === 'codes' ? undefined : seenOrigin(view, context.output);
  const bordered = flat
    ? x
    : context.emit({ kind: 'pad', inputs: [x], attrs, ...(wider ? { suffix: 'border' } : { origin }) });
  if (!wider) return [rewrap(viewed(stays ? { ...bordered, grid: x.grid } : bordered, view))];
  return [rewrap(viewed(widened(context, bordered, channels, origin), view))];
}

/** A border of the value's own places: mirrored without the outermost (`reflect`), the outermost again (`edge`), or from the other end (`wrap`). */
function continued(context: NodeContext, given: RealValue, mode: string, full: readonly number[]): RealValue {
  const places: Readonly<Record<string, (i: number, size: number) => number>> = {
    reflect: (i, size) => size - 1 - Math.abs(size - 1 - Math.abs(i)),
    edge: (i, size) => Math.min(Math.max(i, 0), size - 1),
    wrap: (i, size) => ((i % size) + size) % size,
  };
  const place = places[mode];
  if (place === undefined) context.badForm(`its mode is "${mode}"`);
  const shape = context.onnxShape(given);
  const axes = shape.flatMap((_, axis) => (full[axis] !== 0 || full[axis + shape.length] !== 0 ? [axis] : []));
  return axes.reduce((value, axis, n) => {
    const size = shape[axis]!;
    const [before, behind] = [full[axis]!, full[axis + shape.length]!];
    const most = mode === 'reflect' ? size - 1 : 1e6;
    if (before < 0 || behind < 0 || before > most || behind > most)
      context.badForm(`it pads ${before} and ${behind} places of ${size}`);
    const indices = Array.from({ length: before + size + behind }, (_, i) => place(i - before, size));
    return picked(context, value, axis, indices, n === axes.length - 1 ? context.output : undefined);
  }, given);
}

/** Channels of zeros before and behind: a convolution with one weight of 1 an input channel. */
function widened(
  context: NodeContext,
  x: RealValue,
  [before, behind]: readonly [number, number],
  origin: string | undefined,
): RealValue {
  const [channels] = context.shapeOf(x) as [number];
  const outputs = before + channels + behind;
  if (outputs * channels > mostComputed)
    fail('onnx/too-large', { what: 'padding of channels', shape: [outputs, channels] }, context.place);
  const data = new Int8Array(outputs * channels);
  for (let c = 0; c < channels; c++) data[(before + c) * channels + c] = 1;
  const weight: Param = {
    tensor: { dtype: 'i8', shape: [outputs, channels, 1, 1], data },
    quant: { scale: [1], zero: [0], axis: 0 },
  };
  const attrs = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  return context.emit({ kind: 'conv', inputs: [x], attrs, params: { weight }, origin });
}

/** Pads for all axes, begins then ends, from a list that may name its axes (opset 18). */
function paddedAxes(context: NodeContext, pads: readonly number[], rank: number): readonly number[] {
  const axes =
    context.integers(3, 'the axes')?.map((axis) => (axis < 0 ? axis + rank : axis)) ??
    Array.from({ length: rank }, (_, i) => i);
  if (pads.length !== 2 * axes.length || pads.some((n) => !Number.isInteger(n)))
    context.badAttribute('pads', `[${pads.join(', ')}]`);
  const full = Array<number>(2 * rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    if (!(axis >= 0 && axis < rank)) context.badAttribute('axes', axis);
    full[axis] = pads[i]!;
    full[axis + rank] = pads[i + axes.length]!;
  }
  return full;
}
