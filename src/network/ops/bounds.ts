import { functions, isFunctionName, numbers } from '../functions.js';
import { realValues } from '../params.js';
import type { Op, Param } from '../types.js';
import type { OpKind } from './kinds.js';

export interface Interval {
  readonly min: number;
  readonly max: number;
}

/** Where ops and parameters are looked up: a network, or one that is being built. */
export interface IntervalSource {
  opOf(id: string): Op;
  paramOf(name: string): Param;
}

/** Bounds of what an op gives, from those of what it reads (undefined: without bounds). */
type Rule<K extends OpKind> = (
  op: Op<K>,
  inputs: readonly (Interval | undefined)[],
  source: IntervalSource,
) => Interval | undefined;

/** Bounds of layers of an ANN; what fires, or holds trains, is read in other ways. A kind without an answer doesn't compile. */
const rules: { readonly [K in OpKind]: Rule<K> } = {
  input: unbounded,
  conv: weighted,
  conv3d: weighted,
  transposed_conv: weighted,
  linear: weighted,
  batchnorm: unbounded,
  affine: (op, [first], source) => first && affine(source, op, first),
  add: (_, [a, b]) => a && b && { min: a.min + b.min, max: a.max + b.max },
  mul: (_, [a, b]) => a && b && productOfIntervals(a, b),
  matmul: matrixProduct,
  softmax: () => ({ min: 0, max: 1 }),
  layernorm: normalised,
  integer_softmax: ({ attrs }) => ({ min: 0, max: attrs.count }),
  integer_norm: unbounded,
  embedding: (op, _, source) => {
    const weights = valuesOf(source, op, 'weight')!;
    // zeros for numbers that have no row
    return { min: weights.reduce((a, b) => Math.min(a, b), 0), max: weights.reduce((a, b) => Math.max(a, b), 0) };
  },
  concat: (_, [first, ...others]) => others.reduce(union, first),
  quantize: ofCodes,
  table: ofCodes,
  relu: (_, [first]) => ({ min: Math.max(0, first?.min ?? 0), max: Math.max(0, first?.max ?? Infinity) }),
  clip: ({ attrs }, [first]) => {
    const held = (x: number): number => Math.min(attrs.max, Math.max(attrs.min, x));
    return { min: held(first?.min ?? -Infinity), max: held(first?.max ?? Infinity) };
  },
  sigmoid: () => ({ min: 0, max: 1 }),
  function: (op, [first], source) => first && ofFunction(op, first, source),
  channel_conv: unbounded,
  // a border may be counted as zeros
  avgpool: (_, [first]) => first && withValue(first, 0),
  globalavgpool: same,
  maxpool: same,
  flatten: same,
  reshape: same,
  resample: same,
  transpose: same,
  slice: same,
  pad: ({ attrs }, [first]) => first && withValue(first, attrs.value),
  dropout: same,
  identity: same,
  digit: unbounded,
  digit_neuron: unbounded,
  encode: unbounded,
  neuron: unbounded,
  recode: unbounded,
  product: unbounded,
  matrix_product: unbounded,
  group_neuron: unbounded,
  maxprefix: unbounded,
  delay: unbounded,
  lag: unbounded,
  mix_steps: unbounded,
  decode: unbounded,
  planes: unbounded,
  gather: unbounded,
  squeeze: unbounded,
};

/** Bounds of what an op gives, whatever the input. */
export function resultBounds(
  op: Op,
  inputs: readonly (Interval | undefined)[],
  source: IntervalSource,
): Interval | undefined {
  return (rules[op.kind] as Rule<OpKind>)(op, inputs, source);
}

function unbounded(): undefined {
  return undefined;
}

function same(_: Op, [first]: readonly (Interval | undefined)[]): Interval | undefined {
  return first;
}

/** Of all products of a value of one and a value of the other. */
export function productOfIntervals(a: Interval, b: Interval): Interval {
  const ends = [a.min, a.max].flatMap((x) => [x * b.min, x * b.max]);
  return { min: Math.min(...ends), max: Math.max(...ends) };
}

/** As many products as the inner size: each between the bounds of one. */
function matrixProduct(
  op: Op<'matmul'>,
  [a, b]: readonly (Interval | undefined)[],
  source: IntervalSource,
): Interval | undefined {
  if (a === undefined || b === undefined) return undefined;
  const inner = source.opOf(op.inputs[0]!).type.shape.at(-1)!;
  const { min, max } = productOfIntervals(a, b);
  return { min: inner * min, max: inner * max };
}

/** Of n values with the mean 0 and the variance 1 none is greater than √(n − 1). */
function normalised(op: Op<'layernorm'>, _: unknown, source: IntervalSource): Interval {
  const most = Math.sqrt(Math.max(1, op.type.shape[op.attrs.axis]! - 1));
  return affined({ min: -most, max: most }, valuesOf(source, op, 'gamma'), valuesOf(source, op, 'beta'));
}

/** A quantiser's range; behind a relu it has no negative values. */
function ofCodes(op: Op<'quantize' | 'table'>, _: unknown, source: IntervalSource): Interval {
  const { scale, zero, min, max } = op.attrs;
  const reads = source.opOf(op.inputs[0]!).kind;
  const rectified = op.kind === 'quantize' && reads === 'relu' && Number.isInteger(zero);
  const [low, high] = [(min - zero) * scale, (max - zero) * scale];
  return rectified ? { min: Math.max(0, low), max: Math.max(0, low, high) } : { min: low, max: high };
}

/**
 * Of codes between what the function makes of them; else between the least and the greatest value on a fine net of
 * arguments, and a little more where it may turn between them.
 */
function ofFunction(op: Op<'function'>, { min, max }: Interval, source: IntervalSource): Interval | undefined {
  const { name } = op.attrs;
  if (!isFunctionName(name) || !Number.isFinite(min) || !Number.isFinite(max)) return undefined;
  const of = (x: number): number => functions[name].of(numbers, x, op.attrs);
  const { code } = source.opOf(op.inputs[0]!).type;
  if (code.kind === 'quant' && code.max - code.min < mostCodes) {
    // where it has no value (1/0) the file has none either
    const values = integersIn(code)
      .map((q) => of((q - code.zero) * code.scale))
      .filter(Number.isFinite);
    return values.length === 0 ? undefined : { min: least(values), max: greatest(values) };
  }
  const isPole = name === 'reciprocal' || (name === 'pow' && op.attrs.alpha! < 0);
  if (isPole && min <= 0 && max >= 0) return undefined;
  const count = 4096;
  // most functions turn near 0: the net is finer there
  const inner = [-8, 8].map((x) => Math.min(max, Math.max(min, x))) as [number, number];
  const places = [min, max, ...[[min, max] as const, inner].flatMap(([from, to]) => evenly(from, to, count))];
  const values = places.map(of);
  if (values.some((y) => !Number.isFinite(y))) return undefined;
  const [low, high] = [least(values), greatest(values)];
  const room = (high - low) / count;
  const ends = [of(min), of(max)];
  const never = low >= 0 && isNeverNegative(op) ? 0 : -Infinity;
  return { min: ends.includes(low) ? low : Math.max(never, low - room), max: ends.includes(high) ? high : high + room };
}

/** Of a wider range the codes aren't gone through one by one. */
const mostCodes = 1 << 16;

function integersIn({ min, max }: { readonly min: number; readonly max: number }): readonly number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

function isNeverNegative({ attrs: { name, alpha } }: Op<'function'>): boolean {
  return name === 'abs' || name === 'exp' || name === 'softplus' || (name === 'pow' && alpha! % 2 === 0);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b));
}

function evenly(from: number, to: number, count: number): readonly number[] {
  return Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count);
}

function union(a: Interval | undefined, b: Interval | undefined): Interval | undefined {
  return a === undefined || b === undefined ? undefined : { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

function withValue({ min, max }: Interval, value: number): Interval {
  return { min: Math.min(min, value), max: Math.max(max, value) };
}

function valuesOf(source: IntervalSource, op: Op, role: string): Float64Array | undefined {
  const name = op.params[role];
  return name === undefined ? undefined : realValues(source.paramOf(name));
}

function affine(source: IntervalSource, op: Op, bounds: Interval): Interval {
  return affined(bounds, valuesOf(source, op, 'scale'), valuesOf(source, op, 'shift'));
}

function affined(
  { min, max }: Interval,
  scales: Float64Array = Float64Array.of(1),
  shifts: Float64Array = Float64Array.of(0),
): Interval {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < Math.max(scales.length, shifts.length); i++) {
    const a = scales[scales.length === 1 ? 0 : i]!;
    const b = shifts[shifts.length === 1 ? 0 : i]!;
    low = Math.min(low, a * (a > 0 ? min : max) + b);
    high = Math.max(high, a * (a > 0 ? max : min) + b);
  }
  return { min: low, max: high };
}

/** Σ of what every weight can contribute; where a border of zeros is padded, it may be nothing. */
function weighted(
  op: Op<'conv' | 'conv3d' | 'transposed_conv' | 'linear'>,
  [input]: readonly (Interval | undefined)[],
  source: IntervalSource,
): Interval | undefined {
  if (input === undefined) return undefined;
  // under the strides of a transposed one some taps are missing, too
  const padded = op.kind === 'transposed_conv' || ('pads' in op.attrs && op.attrs.pads.some((n) => n !== 0));
  const { min, max } = padded ? withValue(input, 0) : input;
  const out = source.paramOf(op.params['weight']!).tensor.shape[0]!;
  const { low, high } = rowBounds(valuesOf(source, op, 'weight')!, out, { min, max }, valuesOf(source, op, 'bias'));
  return { min: low.reduce((a, b) => Math.min(a, b), Infinity), max: high.reduce((a, b) => Math.max(a, b), -Infinity) };
}

/** Of each row of weights w: between what `start` + Σ w·x lies where every x lies in the interval. */
export function rowBounds(
  weights: ArrayLike<number>,
  rows: number,
  { min, max }: Interval,
  start?: ArrayLike<number>,
): { readonly low: Float64Array; readonly high: Float64Array } {
  const length = weights.length / Math.max(1, rows);
  const [low, high] = [new Float64Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    let [least, most] = [start?.[row] ?? 0, start?.[row] ?? 0];
    for (let i = row * length; i < (row + 1) * length; i++) {
      const w = weights[i]!;
      least += w * (w > 0 ? min : max);
      most += w * (w > 0 ? max : min);
    }
    low[row] = least;
    high[row] = most;
  }
  return { low, high };
}
