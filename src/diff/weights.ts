import { type Param, realValues, sameShape } from '../network/index.js';
import type { WeightChange } from './types.js';

/** How far values may be off a multiple, in units of the largest: a few roundings of float32. */
const tolerance = 1e-6;

/** What two parameters in one role say of each other, less where they stand. */
export function compareParams(from: Param, to: Param): Omit<WeightChange, 'id' | 'op' | 'role'> {
  const stored = storedAs(from) === storedAs(to) ? {} : { stored: { from: storedAs(from), to: storedAs(to) } };
  const shapes = { from: from.tensor.shape, to: to.tensor.shape };
  if (!sameShape(shapes.from, shapes.to)) {
    return { equal: false, max_abs: null, largest: largestOf(realValues(from)), shape: shapes, ...stored };
  }
  if (isSame(from, to)) return { equal: true, max_abs: 0 };
  const [a, b] = [realValues(from), realValues(to)];
  const max_abs = largestDifference(a, b);
  const equal = max_abs === 0 && stored.stored === undefined;
  const value = a.length === 1 && max_abs !== 0 ? { value: { from: a[0]!, to: b[0]! } } : {};
  const scales = max_abs === 0 ? {} : multiples(a, b, shapes.from);
  return { equal, max_abs, largest: largestOf(a), ...value, ...scales, ...stored };
}

/** Equal bit by bit, without looking at what the numbers stand for. */
function isSame(from: Param, to: Param): boolean {
  if (from === to) return true;
  const [a, b] = [from.tensor, to.tensor];
  if (a.dtype !== b.dtype || JSON.stringify(from.quant) !== JSON.stringify(to.quant)) return false;
  if (a.data === b.data) return true;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

/** The element type of codes and how many scales turn them into reals. */
function storedAs({ tensor: { dtype }, quant }: Param): string {
  if (quant === undefined) return dtype;
  const zero = quant.zero.some((z) => z !== 0) ? ', zero points' : '';
  return quant.scale.length === 1 ? `${dtype} × scale${zero}` : `${dtype} × ${quant.scale.length} scales${zero}`;
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    // NaN and infinities: equal or infinitely far apart
    const difference = Object.is(a[i], b[i]) ? 0 : Math.abs(a[i]! - b[i]!);
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
}

/** b = scale·a, for all values or for those of each index of axis 0; nothing where neither holds. */
function multiples(
  a: Float64Array,
  b: Float64Array,
  shape: readonly number[],
): Pick<WeightChange, 'scale' | 'channel_scales'> {
  const whole = multipleOf(a, b);
  if (whole === 'any') return {};
  if (whole !== undefined) return Math.abs(whole - 1) > tolerance ? { scale: whole } : {};
  const [channels = 1] = shape;
  const size = a.length / channels;
  // a channel of one number is always a multiple: that says something only where weights have more
  if (size < 2) return {};
  const found: number[] = [];
  for (let c = 0; c < channels; c++) {
    const part = [c * size, (c + 1) * size] as const;
    const scale = multipleOf(a.subarray(...part), b.subarray(...part));
    if (scale === undefined) return {};
    found.push(scale === 'any' ? 1 : scale);
  }
  return { channel_scales: found };
}

/** The number s with b = s·a; `any` where both are 0 everywhere. Found by least squares, then checked value by value. */
function multipleOf(a: Float64Array, b: Float64Array): number | 'any' | undefined {
  let product = 0;
  let square = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    square += a[i]! * a[i]!;
  }
  if (square === 0) return largestOf(b) === 0 ? 'any' : undefined;
  const scale = product / square;
  if (!Number.isFinite(scale) || scale === 0) return undefined;
  const allowed = tolerance * Math.abs(scale) * largestOf(a);
  for (let i = 0; i < a.length; i++) if (!(Math.abs(b[i]! - scale * a[i]!) <= allowed)) return undefined;
  return scale;
}
