import { elementCount } from '../../base/dtype.js';
import { type TensorValue, type Value, describeShape } from '../values.js';
import { type LayerDef, type LayerSite, axisDoc, numberOf, one } from './layer-def.js';

/** Whole numbers of a list argument. */
function listOf(args: ReadonlyMap<string, Value>, name: string): readonly number[] {
  const value = args.get(name);
  return value?.kind === 'list' ? value.items.map((item) => (item.kind === 'number' ? item.value : NaN)) : [];
}

/** An axis that the input has, negative ones counted from the last; reports any other. */
export function axisOf(
  site: LayerSite,
  input: TensorValue,
  args: ReadonlyMap<string, Value>,
  otherwise: number,
): number | undefined {
  const rank = input.shape.length;
  const axis = numberOf(args, 'axis') ?? otherwise;
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  return site.wrongArgument('axis', `an axis of ${describeShape(input.shape)}, 0 … ${rank - 1}`, String(axis), input);
}

export const reshape: LayerDef = {
  doc: 'the same values, in their order, in another shape; one size may be -1',
  inputs: one,
  parameters: [
    {
      name: 'shape',
      doc: 'without the batch; -1 is what is left',
      spec: { kind: 'list', of: { kind: 'int', min: -1 } },
      required: true,
    },
  ],
  build(site, [input], args, name) {
    const wanted = listOf(args, 'shape');
    const elements = elementCount(input.shape);
    const known = elementCount(wanted.filter((n) => n !== -1));
    const open = wanted.filter((n) => n === -1).length;
    const shape = wanted.map((n) => (n === -1 ? elements / known : n));
    const fits = open <= 1 && wanted.length > 0 && shape.every((n) => Number.isInteger(n) && n >= 1);
    if (!fits || elementCount(shape) !== elements) {
      const needs = `${describeShape(wanted)}, ${known} values`;
      return site.wrongShape(open === 0 ? needs : `values that ${describeShape(wanted)} divides`, input);
    }
    return site.add(name, 'reshape', [input], shape, { shape });
  },
};

export const permute: LayerDef = {
  doc: 'axes in another order: axis i of the result is axis `axes[i]` of the input',
  inputs: one,
  parameters: [
    {
      name: 'axes',
      doc: 'each axis once, from 0 without the batch',
      spec: { kind: 'list', of: { kind: 'int', min: 0 } },
      required: true,
    },
  ],
  build(site, [input], args, name) {
    const perm = listOf(args, 'axes');
    const inOrder = perm.toSorted((a, b) => a - b);
    if (inOrder.length !== input.shape.length || inOrder.some((axis, i) => axis !== i)) {
      const expected = `each axis of ${describeShape(input.shape)} once, 0 … ${input.shape.length - 1}`;
      return site.wrongArgument('axes', expected, `[${perm.join(', ')}]`, input);
    }
    return turned(site, name, input, perm);
  },
};

function turned(site: LayerSite, name: string, input: TensorValue, perm: readonly number[]): TensorValue {
  if (perm.every((axis, i) => axis === i)) return input;
  return site.add(
    name,
    'transpose',
    [input],
    perm.map((axis) => input.shape[axis]!),
    { perm },
  );
}

export const slice: LayerDef = {
  doc: 'some positions of an axis: start, start + step, … below end',
  inputs: one,
  parameters: [
    { name: 'start', doc: 'the first position, from 0', spec: { kind: 'int', min: 0 }, required: true },
    { name: 'end', doc: 'the position behind the last', spec: { kind: 'int', min: 1 }, required: true },
    { name: 'axis', doc: axisDoc, spec: { kind: 'int' }, default: 0 },
    { name: 'step', doc: 'every so manyth position', spec: { kind: 'int', min: 1 }, default: 1 },
  ],
  build(site, [input], args, name) {
    const axis = axisOf(site, input, args, 0);
    if (axis === undefined) return undefined;
    const [start, end, step] = ['start', 'end', 'step'].map((one) => numberOf(args, one)!) as [number, number, number];
    if (start >= end) return site.wrongArgument('start', `less than \`end\`, ${end}`, String(start));
    if (end > input.shape[axis]!) return site.wrongShape(`${end} positions on axis ${axis}`, input);
    return cut(site, name, input, { axis, start, end, step });
  },
};

export const split: LayerDef = {
  doc: 'one of so many equal parts of an axis, counted from 0',
  inputs: one,
  parameters: [
    { name: 'parts', doc: 'how many parts', spec: { kind: 'int', min: 1 }, required: true },
    { name: 'part', doc: 'which of them, from 0', spec: { kind: 'int', min: 0 }, required: true },
    { name: 'axis', doc: axisDoc, spec: { kind: 'int' }, default: 0 },
  ],
  build(site, [input], args, name) {
    const axis = axisOf(site, input, args, 0);
    if (axis === undefined) return undefined;
    const [parts, part] = [numberOf(args, 'parts')!, numberOf(args, 'part')!];
    const size = input.shape[axis]! / parts;
    if (!Number.isInteger(size)) return site.wrongShape(`a size of axis ${axis} that ${parts} parts divide`, input);
    if (part >= parts) return site.wrongArgument('part', `one of the parts, 0 … ${parts - 1}`, String(part));
    return cut(site, name, input, { axis, start: part * size, end: (part + 1) * size, step: 1 });
  },
};

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function cut(site: LayerSite, name: string, input: TensorValue, { axis, start, end, step }: Cut): TensorValue {
  const size = Math.ceil((end - start) / step);
  if (size === input.shape[axis]) return input;
  return site.add(name, 'slice', [input], input.shape.with(axis, size), { axis, start, end, step });
}

export const mean: LayerDef = {
  doc: 'over one axis, which the result lacks: [tokens, features] → [features]',
  inputs: one,
  parameters: [{ name: 'axis', doc: axisDoc, spec: { kind: 'int' }, default: 0 }],
  build(site, [input], args, name) {
    const axis = axisOf(site, input, args, 0);
    if (axis === undefined) return undefined;
    const { shape } = input;
    if (shape.length < 2) return site.wrongShape('more than one axis', input);
    const others = shape.map((_, i) => i).filter((i) => i !== axis);
    const last = turned(site, `${name}.permute`, input, [...others, axis]);
    const rest = others.map((i) => shape[i]!);
    const columns = [elementCount(rest), shape[axis]!, 1];
    const image = site.add(`${name}.reshape`, 'reshape', [last], columns, { shape: columns });
    const means = site.add(`${name}.mean`, 'globalavgpool', [image], [columns[0]!, 1, 1]);
    return site.add(name, 'reshape', [means], rest, { shape: rest });
  },
};
