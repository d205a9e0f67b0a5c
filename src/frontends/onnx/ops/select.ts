import { elementCount } from '../../../base/dtype.js';
import { type Constant, lazyConstant, reshapedConstant, smallConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { codeRange, isFloatType } from '../element-type.js';
import { type RealValue, type Value, inAxesOf, onGridOf } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { along, inShape } from './layout.js';

/** Ops that choose some of the numbers: by ranges, in parts, by indices. On activations any axis but the batch. */
export const selectOps: OnnxOpTable = {
  Slice: { inputs: [1, 5], run: slice },
  Split: { inputs: [1, 2], run: split },
  Gather: { inputs: [2, 2], run: gather },
  Tile: { inputs: [2, 2], run: tile },
};

/** Positions start, start + step, … below end of one axis. */
interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function slice(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind === 'constant') return [slicedConstant(context, input)];
  const { value, rewrap } = context.realOrCodes(0);
  const ranges = rangesOf(context, context.onnxShape(value));
  const [backwards] = ranges.filter(({ step }) => step < 0);
  if (backwards === undefined) return [rewrap(chosen(context, value, ranges, context.output))];
  const last = ranges.length === 1 ? context.output : undefined;
  const turned = picked(context, value, backwards.axis, positions(backwards), last);
  const rest = ranges.filter((range) => range !== backwards);
  if (rest.some(({ step }) => step < 0)) context.badForm('it reverses several axes', 'reverse one axis a node');
  return [rewrap(chosen(context, turned, rest, context.output))];
}

/** The positions of a range, one after the other. */
function positions({ start, end, step }: Range): readonly number[] {
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step);
}

/** Values repeated along axes: places that are read again. */
function tile(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind === 'constant')
    context.badForm('it repeats a constant', 'fold it: onnxsim, or constant folding at export');
  const { value, rewrap } = context.realOrCodes(0);
  const shape = context.onnxShape(value);
  const repeats = context.integers(1, 'the repeats') ?? [];
  if (repeats.length !== shape.length || repeats.some((n) => !(n >= 1))) {
    context.badAttribute('repeats', `[${repeats.join(', ')}]`);
  }
  const axes = shape.flatMap((_, axis) => (repeats[axis]! > 1 ? [axis] : []));
  if (axes.some((axis) => Number.isNaN(shape[axis])))
    context.badForm('it repeats samples', 'the batch must stay whole');
  const tiled = axes.reduce((from, axis, n) => {
    const size = shape[axis]!;
    const indices = Array.from({ length: size * repeats[axis]! }, (_, i) => i % size);
    return picked(context, from, axis, indices, n === axes.length - 1 ? context.output : undefined);
  }, value);
  return [rewrap(tiled)];
}

/** Parts that are joined at most. */
const mostParts = 256;

/** Places of one axis, in any order and again and again: rows or columns of an image, else parts that are joined. */
export function picked(
  context: NodeContext,
  value: RealValue,
  axis: number,
  indices: readonly number[],
  origin: string | undefined,
): RealValue {
  const shape = context.shapeOf(value);
  const own = (value.perm?.[axis] ?? axis) - 1;
  if (shape.length === 3 && own > 0) {
    const all = (size: number): number[] => Array.from({ length: size }, (_, i) => i);
    const [rows, columns] = own === 1 ? [[...indices], all(shape[2]!)] : [all(shape[1]!), [...indices]];
    const suffix = origin === undefined ? { suffix: `axis${axis}` } : { origin };
    const made = context.emit({ kind: 'resample', inputs: [value], attrs: { rows, columns }, ...suffix });
    return onGridOf(value, inAxesOf(value, made));
  }
  const parts = runs(indices).map((run) => ({ axis, ...run }));
  if (parts.length > mostParts) context.badForm(`it joins ${parts.length} parts`, `up to ${mostParts} are joined`);
  const pieces = parts.map((part) => chosen(context, value, [part], parts.length === 1 ? origin : undefined));
  return pieces.length === 1 ? pieces[0]! : along(context, pieces, axis, origin);
}

/** The ranges that leave something out. */
function rangesOf(context: NodeContext, shape: readonly number[]): readonly Range[] {
  const list = (i: number, name: string): readonly number[] | undefined =>
    context.integers(i, `the ${name}`) ?? context.ints(name);
  const starts = list(1, 'starts') ?? [];
  const ends = list(2, 'ends') ?? [];
  const axes = list(3, 'axes') ?? starts.map((_, i) => i);
  const steps = list(4, 'steps') ?? starts.map(() => 1);
  if ([ends, axes, steps].some((other) => other.length !== starts.length)) {
    context.shapeMismatch(`it has ${starts.length} starts, ${ends.length} ends, ${axes.length} axes`);
  }
  const ranges = starts.map((start, i): Range => {
    const axis = axes[i]! < 0 ? axes[i]! + shape.length : axes[i]!;
    const step = steps[i]!;
    const size = shape[axis];
    if (size === undefined) context.badAttribute('axes', axes[i]);
    if (Number.isNaN(size)) {
      if (start === 0 && step === 1 && !(ends[i]! < 2 ** 31 - 1)) return { axis, start: 0, end: NaN, step: 1 };
      context.badForm('it cuts the batch axis', 'the batch must stay whole');
    }
    if (!Number.isInteger(step) || step === 0) context.badForm(`its step is ${step}`);
    // backwards from the last position at most, to the one before the first
    const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
    const at = (n: number): number => Math.min(Math.max(n < 0 ? n + size : n, least), most);
    const range = { axis, start: at(start), end: at(ends[i]!), step };
    if ((range.end - range.start) * step <= 0) context.badForm(`nothing is left of axis ${axis}`);
    return range;
  });
  return ranges.filter(
    ({ axis, start, end, step }) => !Number.isNaN(end) && (start > 0 || end < shape[axis]! || step !== 1),
  );
}

/** One op a range, on the op's own axes; the last one is what the ONNX tensor `origin` holds. */
function chosen(
  context: NodeContext,
  value: RealValue,
  ranges: readonly Range[],
  origin: string | undefined,
): RealValue {
  const { perm, grid } = value;
  let result = value;
  for (const [i, { axis, start, end, step }] of ranges.entries()) {
    const attrs = { axis: (perm?.[axis] ?? axis) - 1, start, end, step };
    const last = i === ranges.length - 1 ? { origin } : { suffix: `axis${axis}` };
    const made = context.emit({ kind: 'slice', inputs: [result], attrs, ...last });
    result = { ...made, ...(perm === undefined ? {} : { perm }), ...(grid === undefined ? {} : { grid }) };
  }
  return result;
}

/** Of a small constant, any axes, forwards or backwards: the arithmetic of shapes. */
function slicedConstant(context: NodeContext, input: Constant): Constant {
  const list = (i: number, name: string): readonly number[] | undefined =>
    context.integers(i, `the ${name}`) ?? context.ints(name);
  if (elementCount(input.shape) > 1 << 16)
    context.badForm(`it cuts a constant of ${elementCount(input.shape)} elements`);
  const starts = list(1, 'starts') ?? [];
  const ends = list(2, 'ends') ?? [];
  const axes = list(3, 'axes') ?? starts.map((_, i) => i);
  const steps = list(4, 'steps') ?? starts.map(() => 1);
  let [shape, values] = [input.shape, Array.from(input.data())];
  for (const [i, given] of axes.entries()) {
    const axis = given < 0 ? given + shape.length : given;
    const size = shape[axis];
    const step = steps[i] ?? 1;
    if (size === undefined || step === 0) context.badAttribute('axes', given);
    const at = (n: number): number =>
      Math.min(Math.max(n < 0 ? n + size : n, step > 0 ? 0 : -1), step > 0 ? size : size - 1);
    const taken: number[] = [];
    for (let n = at(starts[i] ?? 0); step > 0 ? n < at(ends[i] ?? size) : n > at(ends[i] ?? -1 - size); n += step)
      taken.push(n);
    const inner = elementCount(shape.slice(axis + 1));
    const outer = elementCount(shape.slice(0, axis));
    const from = values;
    values = Array.from({ length: outer }, (_, o) => o).flatMap((o) =>
      taken.flatMap((n) => from.slice((o * size + n) * inner, (o * size + n + 1) * inner)),
    );
    shape = shape.with(axis, taken.length);
  }
  return smallConstant(context.output, input.type, shape, values);
}

/** The attribute `axis` of a value, not the batch's, and how long it is; `does` says what the node does along it. */
function axisOf(
  context: NodeContext,
  shape: readonly number[],
  does: string,
): { readonly axis: number; readonly size: number } {
  const given = context.int('axis', 0);
  const axis = given < 0 ? given + shape.length : given;
  const size = shape[axis];
  if (size === undefined) context.badAttribute('axis', given);
  if (Number.isNaN(size)) context.badForm(`it ${does} the batch axis`, 'the batch must stay whole');
  return { axis, size };
}

function split(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind === 'constant') context.badForm('it splits a constant');
  const { value, rewrap } = context.realOrCodes(0);
  const shape = context.onnxShape(value);
  const { axis, size } = axisOf(context, shape, 'splits');
  const sizes = context.integers(1, 'the sizes') ?? context.ints('split') ?? equalParts(context, size);
  if (sizes.length !== context.node.outputs.length || sizes.reduce((a, b) => a + b, 0) !== size) {
    context.shapeMismatch(`parts of ${sizes.join(' + ')} don't make axis ${axis} of [N, ${shape.slice(1).join(', ')}]`);
  }
  let start = 0;
  return sizes.map((part, i): Value => {
    const tensor = context.node.outputs[i]!;
    const ranges = part === size ? [] : [{ axis, start, end: start + part, step: 1 }];
    start += part;
    if (part < 1) context.badForm(`its part ${i} is empty`);
    const result = rewrap(chosen(context, value, ranges, tensor));
    return result.kind === 'codes' ? { ...result, tensor } : result;
  });
}

/** All parts of one size but the last, which may be smaller. */
function equalParts(context: NodeContext, size: number): readonly number[] {
  const count = context.int('num_outputs', context.node.outputs.length);
  const part = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => Math.min(part, size - i * part));
}

function gather(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const ids = context.input(1);
  if (input.kind === 'constant' && ids.kind !== 'constant') return [embedding(context, input)];
  const indices = context.constant(1, 'the indices');
  if (input.kind === 'constant') return [gatheredConstant(context, input, indices)];
  const { value, rewrap } = context.realOrCodes(0);
  const shape = context.onnxShape(value);
  const { axis, size } = axisOf(context, shape, 'selects from');
  const wanted = Array.from(indices.data(), (i) => (i < 0 ? i + size : i));
  if (wanted.some((i) => !(i >= 0 && i < size))) context.badForm(`an index is out of range 0 … ${size - 1}`);
  if (indices.shape.length > 1 || wanted.length === 0) {
    context.badForm(`its indices are [${indices.shape.join(', ')}]`, 'one index or a list of them is supported');
  }
  const scalar = indices.shape.length === 0;
  const origin = scalar ? undefined : context.output;
  const joined =
    runs(wanted).length === 1
      ? chosen(
          context,
          value,
          runs(wanted).map((run) => ({ axis, ...run })),
          origin,
        )
      : picked(context, value, axis, wanted, origin);
  if (!scalar) return [rewrap(joined)];
  return [rewrap(inShape(context, joined, shape.toSpliced(axis, 1), context.output))];
}

/** A row of a constant table for each id that the file is fed with; codes stay codes. */
function embedding(context: NodeContext, table: Constant): Value {
  const ids = context.input(1);
  if (ids.kind !== 'codes' || ids.input !== true) {
    context.badForm('its indices are computed', 'ids that choose rows of a table must be an input of the network');
  }
  if (table.shape.length !== 2 || context.int('axis', 0) !== 0) {
    context.badForm(`it selects from [${table.shape.join(', ')}]`, 'ids choose rows of a table [words, features]');
  }
  if (table.shape[0] === 0) context.shapeMismatch(`its table "${table.name}" has no rows`);
  const integer = table.quantised === undefined && !isFloatType(table.type);
  const real = lazyConstant(table.name, 'double', table.shape, () => Float64Array.from(table.data()));
  const made = context.emit({
    kind: 'embedding',
    inputs: [ids.source],
    params: { weight: context.param(integer || table.quantised !== undefined ? real : table) },
    ...(integer ? {} : { origin: context.output }),
  });
  if (!integer) return made;
  const { elementType } = ids;
  const range = codeRange(table.type) ?? codeRange(elementType)!;
  const code = { scale: 1, zero: 0, ...range };
  return { kind: 'codes', source: made, code, elementType: table.type, tensor: context.output, input: true };
}

/** Indices as runs of equal positive steps. */
function runs(indices: readonly number[]): { start: number; end: number; step: number }[] {
  const result: { start: number; end: number; step: number; open: boolean }[] = [];
  for (const index of indices) {
    const run = result.at(-1);
    const next = run === undefined ? NaN : run.end - 1 + run.step;
    if (run !== undefined && run.open && index >= run.end) {
      Object.assign(run, { step: index - run.start, end: index + 1, open: false });
    } else if (run !== undefined && !run.open && index === next) run.end = index + 1;
    else result.push({ start: index, end: index + 1, step: 1, open: true });
  }
  return result.map(({ start, end, step }) => ({ start, end, step }));
}

function gatheredConstant(context: NodeContext, input: Constant, indices: Constant): Constant {
  if (input.shape.length !== 1) context.badForm(`it selects from a constant of ${input.shape.length} axes`);
  const data = input.data();
  const values = Array.from(indices.data(), (i) => data[i < 0 ? i + data.length : i]);
  if (context.int('axis', 0) !== 0 || values.some((value) => value === undefined))
    context.badForm('an index is out of range');
  return reshapedConstant(
    smallConstant(context.output, input.type, [values.length], values as number[]),
    indices.shape,
  );
}
