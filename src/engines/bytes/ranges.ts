import type { Tensor } from '../../base/dtype.js';
import { units } from '../../tensor/dims.js';
import { type Program, type TensorOp, attrsOf } from '../../tensor/types.js';
import { type WholeRange, hull, rangeOfData, wholeRange } from '../../tensor/whole-ranges.js';

/** Beyond this, f32 no longer holds every integer. */
export const exactInF32 = 2 ** 24;

/**
 * The values of a program that are provably integers within narrow bounds: spikes, which are
 * choices between constants, their prefixes, digits. What isn't provable is absent.
 */
export function integerRanges(program: Program, constants: ReadonlyMap<string, Tensor>): Map<string, WholeRange> {
  const ranges = new Map<string, WholeRange>();
  // also those without bounds: what is rounded is whole, and what is cut off afterwards lies within narrow ones
  const whole = new Map<string, WholeRange>();
  for (const [id, value] of constants) {
    const range = value.data.length > 4096 ? undefined : rangeOfData(value.data);
    if (range !== undefined) ranges.set(id, range);
  }
  const makers = new Map(program.ops.map((op) => [op.id, op]));
  const fractions = new Map<string, Fraction>();
  for (const op of program.ops) {
    if (ranges.has(op.id)) continue;
    const fraction = fractionOf(op, constants, ranges, fractions);
    if (fraction !== undefined) fractions.set(op.id, fraction);
    const range =
      rangeOfSteps(op, makers, ranges) ??
      rangeOfIncrement(op, makers, ranges) ??
      rangeOfPooledSum(op, makers, ranges) ??
      rangeOfMultiple(op, constants, fractions) ??
      wholeRange(
        op,
        op.inputs.map((id) => ranges.get(id) ?? whole.get(id)),
        op.inputs.map((id) => makers.get(id)?.dtype ?? 'f32'),
      );
    if (range === undefined) continue;
    const isNarrow = Math.max(Math.abs(range.lo), Math.abs(range.hi)) < exactInF32;
    (isNarrow ? ranges : whole).set(op.id, range);
  }
  return ranges;
}

/** Whole numbers times a power of two: of multi-bit spikes with fractions. */
interface Fraction {
  readonly range: WholeRange;
  readonly unit: number;
}

/** What moves elements, or chooses among them. */
const moves: ReadonlySet<TensorOp['kind']> = new Set(['concat', 'reshape', 'slice', 'transpose', 'maxpool']);

function fractionOf(
  op: TensorOp,
  constants: ReadonlyMap<string, Tensor>,
  ranges: Ranges,
  fractions: ReadonlyMap<string, Fraction>,
): Fraction | undefined {
  if (op.kind === 'mul') {
    const range = ranges.get(op.inputs[0]!);
    const unit = numberOf(constants, op.inputs[1]!);
    return range && unit !== undefined && unit < 1 && Number.isInteger(Math.log2(unit)) ? { range, unit } : undefined;
  }
  if (op.kind === 'avgpool') {
    const { kernel, pads } = attrsOf(op, 'avgpool');
    const area = kernel.reduce((a, b) => a * b, 1);
    const of = fractions.get(op.inputs[0]!);
    if (of === undefined || !Number.isInteger(Math.log2(area)) || pads.some((p) => p !== 0)) return undefined;
    return { range: { lo: of.range.lo * area, hi: of.range.hi * area }, unit: of.unit / area };
  }
  if (!moves.has(op.kind)) return undefined;
  const parts = op.inputs.map((id) => fractions.get(id));
  const range = hull(parts.map((part) => part?.range));
  const unit = parts[0]?.unit;
  return range && unit !== undefined && parts.every((part) => part?.unit === unit) ? { range, unit } : undefined;
}

/** A fraction times a multiple of what makes it whole: both products are exact in floating point. */
function rangeOfMultiple(
  op: TensorOp,
  constants: ReadonlyMap<string, Tensor>,
  fractions: ReadonlyMap<string, Fraction>,
): WholeRange | undefined {
  const fraction = op.kind === 'mul' ? fractions.get(op.inputs[0]!) : undefined;
  const factor = op.kind === 'mul' ? numberOf(constants, op.inputs[1]!) : undefined;
  if (fraction === undefined || factor === undefined) return undefined;
  const { range, unit } = fraction;
  const times = factor * unit;
  if (!Number.isInteger(times) || times < 1 || !Number.isInteger(Math.log2(factor))) return undefined;
  return { lo: range.lo * times, hi: range.hi * times };
}

function numberOf(constants: ReadonlyMap<string, Tensor>, id: string): number | undefined {
  const data = constants.get(id)?.data;
  return data?.length === 1 ? data[0] : undefined;
}

type Makers = ReadonlyMap<string, TensorOp>;
type Ranges = ReadonlyMap<string, WholeRange>;

/** The values that a slice along time takes from a concatenation, with the pool in between, if any. */
function stepsOf(
  op: TensorOp | undefined,
  makers: Makers,
): { readonly ids: string[]; readonly pool?: TensorOp } | undefined {
  if (op?.kind !== 'slice') return undefined;
  const { starts, ends, steps } = attrsOf(op, 'slice');
  const from = makers.get(op.inputs[0]!);
  const pool = from?.kind === 'maxpool' ? from : undefined;
  const joined = pool === undefined ? from : makers.get(pool.inputs[0]!);
  if (joined?.kind !== 'concat' || attrsOf(joined, 'concat').axis !== 0 || steps[0] !== 1) return undefined;
  if (op.shape.some((dim, axis) => axis > 0 && dim !== from!.shape[axis])) return undefined;
  const ids: string[] = [];
  let at = 0;
  for (const id of joined.inputs) {
    const size = units(makers.get(id)?.shape[0] ?? NaN);
    if (Number.isNaN(size)) return undefined;
    if (at < ends[0]! && at + size > starts[0]!) ids.push(id);
    at += size;
  }
  return pool === undefined ? { ids } : { ids, pool };
}

/** Steps taken out of a train, or of its pooled form, have the bounds of those steps alone. */
function rangeOfSteps(op: TensorOp, makers: Makers, ranges: Ranges): WholeRange | undefined {
  const steps = stepsOf(op, makers);
  return steps === undefined ? undefined : hull(steps.ids.map((id) => ranges.get(id)));
}

/**
 * a − c·b where a = c·b + s has the bounds of s. For c > 0 the same holds of maxima over equal
 * windows: where b is greatest, a is at least c·max b + min s, and no a exceeds c·max b + max s.
 * So spikes read from running maxima are spikes again.
 */
function rangeOfIncrement(op: TensorOp, makers: Makers, ranges: Ranges): WholeRange | undefined {
  const product = op.kind === 'sub' ? makers.get(op.inputs[1]!) : undefined;
  if (product?.kind !== 'mul') return undefined;
  const [b, factor] = product.inputs as [string, string];
  const c = ranges.get(factor);
  if (c === undefined || c.lo !== c.hi || c.lo <= 0) return undefined;
  let [now, before] = [op.inputs[0]!, b];
  const [later, earlier] = [stepsOf(makers.get(now), makers), stepsOf(makers.get(before), makers)];
  if (later !== undefined && earlier !== undefined) {
    if (later.ids.length !== 1 || earlier.ids.length !== 1 || !sameWindow(later.pool, earlier.pool)) return undefined;
    [now, before] = [later.ids[0]!, earlier.ids[0]!];
  }
  return addedTo(before, c.lo, makers.get(now), makers, ranges);
}

/** A mean of 2ᵏ integers times a multiple of 2ᵏ: both are exact in floating point, and the product is an integer again. */
function rangeOfPooledSum(op: TensorOp, makers: Makers, ranges: Ranges): WholeRange | undefined {
  const pool = op.kind === 'mul' ? makers.get(op.inputs[0]!) : undefined;
  if (pool?.kind !== 'avgpool') return undefined;
  const { kernel, pads } = attrsOf(pool, 'avgpool');
  const area = kernel.reduce((a, b) => a * b, 1);
  const [of, factor] = [ranges.get(pool.inputs[0]!), ranges.get(op.inputs[1]!)];
  if (of === undefined || factor === undefined || factor.lo !== factor.hi) return undefined;
  if (!Number.isInteger(Math.log2(area)) || factor.lo % area !== 0 || pads.some((p) => p !== 0)) return undefined;
  const [a, b] = [of.lo * factor.lo, of.hi * factor.lo];
  return { lo: Math.min(a, b), hi: Math.max(a, b) };
}

function sameWindow(a: TensorOp | undefined, b: TensorOp | undefined): boolean {
  return JSON.stringify(a?.attrs) === JSON.stringify(b?.attrs);
}

/** The bounds of s where `now` is c·before + s. */
function addedTo(
  before: string,
  c: number,
  now: TensorOp | undefined,
  makers: Makers,
  ranges: Ranges,
): WholeRange | undefined {
  if (now?.kind !== 'add') return undefined;
  for (const [left, s] of [now.inputs, [...now.inputs].reverse()] as [string, string][]) {
    const product = makers.get(left);
    const factor = product?.kind === 'mul' ? ranges.get(product.inputs[1]!) : undefined;
    if (product?.inputs[0] === before && factor?.lo === c && factor.hi === c) return ranges.get(s);
  }
  return undefined;
}
