import { present } from '../base/invariant.js';
import { opsById } from './graph.js';
import { functions, isFunctionName, numbers } from './functions.js';
import { realValues } from './params.js';
import type { Network, Op, Param } from './types.js';

export interface Interval {
  readonly min: number;
  readonly max: number;
}

/** Where ops and parameters are looked up: a network, or one that is being built. */
export interface IntervalSource {
  opOf(id: string): Op;
  paramOf(name: string): Param;
}

/** The values and parameters of a network. */
export function intervalSource(network: Pick<Network, 'ops' | 'params'>): IntervalSource {
  const byId = opsById(network);
  return {
    opOf: (id) => present(byId.get(id), `intervals: no op ${id}`),
    paramOf: (name) => present(network.params.get(name), `intervals: no parameter ${name}`),
  };
}

/**
 * What the numbers of a value can be, whatever the input, by interval arithmetic from the quantisers on; undefined
 * without bounds. `known` keeps what was found.
 */
export function intervalOf(
  source: IntervalSource,
  id: string,
  known = new Map<string, Interval | undefined>(),
): Interval | undefined {
  if (!known.has(id)) known.set(id, computed(source, source.opOf(id), known));
  return known.get(id);
}

function computed(source: IntervalSource, op: Op, known: Map<string, Interval | undefined>): Interval | undefined {
  if (op.kind === 'quantize' || op.kind === 'table') return ofCodes(source, op);
  const [first, ...others] = op.inputs.map((input) => intervalOf(source, input, known));
  switch (op.kind) {
    case 'relu':
      return { min: Math.max(0, first?.min ?? 0), max: Math.max(0, first?.max ?? Infinity) };
    case 'clip': {
      const held = (x: number): number => Math.min(op.attrs.max, Math.max(op.attrs.min, x));
      return { min: held(first?.min ?? -Infinity), max: held(first?.max ?? Infinity) };
    }
    case 'sigmoid':
      return { min: 0, max: 1 };
    case 'function':
      return first === undefined ? undefined : ofFunction(op, first);
    case 'maxpool':
    case 'globalavgpool':
    case 'flatten':
    case 'reshape':
    case 'resample':
    case 'transpose':
    case 'slice':
    case 'identity':
    case 'dropout':
      return first;
    case 'avgpool':
      return first === undefined ? undefined : { min: Math.min(0, first.min), max: Math.max(0, first.max) };
    case 'pad':
      return first === undefined ? undefined : withValue(first, op.attrs.value);
    case 'concat':
      return others.reduce(union, first);
    case 'add': {
      const [second] = others;
      if (first === undefined || second === undefined) return undefined;
      return { min: first.min + second.min, max: first.max + second.max };
    }
    case 'mul': {
      const [second] = others;
      if (first === undefined || second === undefined) return undefined;
      const ends = [first.min, first.max].flatMap((a) => [a * second.min, a * second.max]);
      return { min: Math.min(...ends), max: Math.max(...ends) };
    }
    case 'affine':
      return first === undefined ? undefined : affine(source, op, first);
    case 'conv':
    case 'transposed_conv':
    case 'linear':
      return first === undefined ? undefined : weighted(source, op, first);
    default:
      return undefined;
  }
}

/** A quantiser's range; behind a relu it has no negative values. */
function ofCodes(source: IntervalSource, op: Op<'quantize' | 'table'>): Interval {
  const { scale, zero, min, max } = op.attrs;
  const rectified = op.kind === 'quantize' && source.opOf(op.inputs[0]!).kind === 'relu' && Number.isInteger(zero);
  const [low, high] = [(min - zero) * scale, (max - zero) * scale];
  return rectified ? { min: Math.max(0, low), max: Math.max(0, low, high) } : { min: low, max: high };
}

/** Between the least and the greatest value on a fine net of arguments, and a little more where it turns between them. */
function ofFunction({ attrs }: Op<'function'>, { min, max }: Interval): Interval | undefined {
  const { name } = attrs;
  if (!isFunctionName(name) || !Number.isFinite(min) || !Number.isFinite(max)) return undefined;
  const count = 4096;
  // most functions turn near 0: the net is finer there
  const inner = [-8, 8].map((x) => Math.min(max, Math.max(min, x))) as [number, number];
  const places = [min, max, ...[[min, max] as const, inner].flatMap(([from, to]) => evenly(from, to, count))];
  const values = places.map((x) => functions[name].of(numbers, x, attrs));
  if (values.some((y) => !Number.isFinite(y))) return undefined;
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const room = (high - low) / count;
  return { min: low - room, max: high + room };
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

function affine(source: IntervalSource, op: Op, { min, max }: Interval): Interval {
  const scales = valuesOf(source, op, 'scale') ?? Float64Array.of(1);
  const shifts = valuesOf(source, op, 'shift') ?? Float64Array.of(0);
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
function weighted(source: IntervalSource, op: Op, input: Interval): Interval {
  // under the strides of a transposed one some taps are missing, too
  const padded = op.kind === 'transposed_conv' || (op.kind === 'conv' && op.attrs.pads.some((n) => n !== 0));
  const { min, max } = padded ? withValue(input, 0) : input;
  const weights = valuesOf(source, op, 'weight')!;
  const bias = valuesOf(source, op, 'bias');
  const out = source.paramOf(op.params['weight']!).tensor.shape[0]!;
  const row = weights.length / Math.max(1, out);
  let [low, high] = [Infinity, -Infinity];
  for (let o = 0; o < out; o++) {
    let [least, most] = [bias?.[o] ?? 0, bias?.[o] ?? 0];
    for (let i = 0; i < row; i++) {
      const w = weights[o * row + i]!;
      least += w * (w > 0 ? min : max);
      most += w * (w > 0 ? max : min);
    }
    low = Math.min(low, least);
    high = Math.max(high, most);
  }
  return { min: low, max: high };
}
