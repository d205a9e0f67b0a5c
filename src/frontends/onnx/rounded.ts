import { quantisedActivation, scaledBy } from './activation-quantiser.js';
import { boundsOf, hasIntegers } from './integers.js';
import type { CodeRounding } from './code-rounding.js';
import { type ElementType, codeRange, isFloatType } from './element-type.js';
import type { NodeContext } from './context.js';
import type { RealValue, RoundedValue } from './values.js';

/** x rounded to integers: the scalar arithmetic right before it is the quantiser's own. */
export function roundedValue(context: NodeContext, x: RealValue, rounding: CodeRounding): RoundedValue {
  let [source, factor, offset] = [x, 1, 0];
  for (
    let before = context.graph.scalarAffines.get(source.op);
    before !== undefined && before.scale > 0;
    before = context.graph.scalarAffines.get(source.op)
  ) {
    offset += factor * before.shift;
    factor *= before.scale;
    source = { ...source, op: before.source };
  }
  const [{ grid: _, ...real }, { grid: __, ...peeled }] = [x, source];
  const half = halves(rounding, offset);
  return {
    kind: 'rounded',
    source: peeled,
    factor,
    ...half,
    before: { real, offset },
    scale: 1,
    shift: 0,
    min: -Infinity,
    max: Infinity,
    tensor: context.output,
    lift: liftOf(context, x),
    integer: false,
    finish: (value, name) => materialised(context, value, name),
  };
}

/** n/D of integers n: 1/(2D). */
function liftOf({ graph }: NodeContext, { op }: RealValue): number {
  const before = graph.scalarAffines.get(op);
  if (before === undefined || !hasIntegers(graph, before.source)) return 0;
  const divisor = nearInteger(1 / before.scale);
  const whole = Number.isInteger(divisor) && Number.isInteger(nearInteger(before.shift * divisor));
  return whole && divisor >= 2 ? 1 / (2 * divisor) : 0;
}

/**
 * A real whose numbers are integers in an integer type, as NEMO's requantisation has it: nothing is rounded before a
 * division drops the fraction, and without bounds nothing has codes.
 */
export function wholeValue(context: NodeContext, x: RealValue): RoundedValue {
  const { grid: _, ...real } = x;
  return {
    kind: 'rounded',
    source: real,
    factor: 1,
    offset: 0,
    before: { real, offset: 0 },
    rounding: 'floor',
    scale: 1,
    shift: 0,
    min: -Infinity,
    max: Infinity,
    tensor: context.output,
    lift: 0,
    integer: true,
    finish: (value, name) => {
      if (Number.isFinite(value.min) || Number.isFinite(value.max)) return materialised(context, value, name);
      const { scale, shift } = value;
      return scale === 1 && shift === 0 ? x : scaledBy(context, real, scale, shift, undefined);
    },
  };
}

/** ⌊v + ½⌋ is v rounded to the nearest, halves up; ⌈v − ½⌉ so with halves down. */
function halves(rounding: CodeRounding, offset: number): { readonly rounding: CodeRounding; readonly offset: number } {
  const isHalf = Math.abs(offset - Math.floor(offset)) === 0.5;
  if (rounding === 'floor' && isHalf) return { rounding: 'half_up', offset: offset - 0.5 };
  if (rounding === 'ceil' && isHalf) return { rounding: 'half_down', offset: offset + 0.5 };
  return { rounding, offset };
}

/** The value times `scale`, plus `shift`; undefined where that turns its order round. */
export function movedRounded(
  value: RoundedValue,
  scale: number,
  shift: number,
  tensor: string,
): RoundedValue | undefined {
  if (!(scale > 0)) return undefined;
  return { ...value, scale: value.scale * scale, shift: value.shift * scale + shift, tensor };
}

/** The value held in [min, max]; undefined where a bound lies between two of its levels. */
export function clippedRounded(
  value: RoundedValue,
  min: number,
  max: number,
  tensor: string,
): RoundedValue | undefined {
  const code = (bound: number): number => nearInteger((bound - value.shift) / value.scale);
  const [least, most] = [Math.max(value.min, code(min)), Math.min(value.max, code(max))];
  const sound = [least, most].every((bound) => !Number.isFinite(bound) || Number.isInteger(bound));
  return sound && least <= most ? { ...value, min: least, max: most, tensor } : undefined;
}

/** The value in another element type; undefined where that doesn't hold all of it. `reals`: what its source can be. */
export function castRounded(
  value: RoundedValue,
  to: ElementType,
  reals: { readonly min: number; readonly max: number } = { min: -Infinity, max: Infinity },
): RoundedValue | undefined {
  if (isFloatType(to)) return { ...value, integer: false };
  const range = to === 'int64' ? { min: -(2 ** 63), max: 2 ** 63 } : codeRange(to);
  const whole = Number.isInteger(value.scale) && Number.isInteger(value.shift);
  const { factor, offset } = value;
  const bounds = [
    Math.max(value.min, Math.floor(factor * reals.min + offset)),
    Math.min(value.max, Math.ceil(factor * reals.max + offset)),
  ];
  const [least, most] = bounds.map((code) => code * value.scale + value.shift) as [number, number];
  const held = range !== undefined && (wide.has(to) || (range.min <= least && most <= range.max));
  return whole && held ? { ...value, integer: true } : undefined;
}

/** Integers of which nobody expects an overflow. */
const wide: ReadonlySet<ElementType> = new Set(['int32', 'int64']);

/** x, or the integer that float32 meant by it. */
function nearInteger(x: number): number {
  const near = Math.round(x);
  return Math.abs(x - near) <= 1e-6 * Math.max(1, Math.abs(x)) ? near : x;
}

/**
 * The `quantize` op of a rounded value: Q = round(factor·x + offset) in [min, max], standing for scale·Q + shift. Without
 * a Clip the codes are bounded by what x can be.
 */
function materialised(context: NodeContext, value: RoundedValue, origin: string): RealValue {
  const known = context.graph.roundedReals.get(value.tensor);
  if (known !== undefined) return known;
  const { scale, shift, rounding } = value;
  const zero = nearInteger(-shift / scale) + 0;
  const code = { scale, zero, ...boundedCodes(context, value) };
  // a tensor of an integer type holds numbers here, no codes: only where both are the same is it the quantiser's
  const seen = value.integer && (scale !== 1 || zero !== 0) ? undefined : origin;
  const made = quantisedActivation(context, readBy(context, value, scale, zero), code, rounding, seen);
  context.graph.roundedReals.set(value.tensor, made);
  return made;
}

/** What a quantiser reads that divides by `scale` and adds `zero`, to round factor·x + offset. */
function readBy(context: NodeContext, value: RoundedValue, scale: number, zero: number): RealValue {
  // a reciprocal in float32 is the scale
  const sameStep = Math.abs(value.factor * scale - 1) <= 2 ** -22;
  const down = value.rounding === 'floor' || (value.rounding === 'towards_zero' && value.min >= 0);
  // of n/D rounded to the nearest half of it: 1/(4D) puts none of them halfway between two codes, nor past a halfway
  const lift = (down ? value.lift : value.rounding === 'half_up' ? value.lift / 2 : 0) * scale;
  if (sameStep && nearInteger(value.offset) === zero)
    return lift === 0 ? value.source : scaledBy(context, value.source, 1, lift, undefined);
  const move = (value.offset - value.before.offset - zero) * scale + lift;
  return scale === 1 && move === 0 ? value.before.real : scaledBy(context, value.before.real, scale, move, undefined);
}

function boundedCodes(context: NodeContext, value: RoundedValue): { readonly min: number; readonly max: number } {
  const { min, max, source, factor, offset } = value;
  if (Number.isFinite(min) && Number.isFinite(max)) return { min, max };
  const reals = boundsOf(context.graph, source.op);
  const least = Math.max(min, reals === undefined ? -Infinity : Math.floor(factor * reals.min + offset));
  const most = Math.min(max, reals === undefined ? Infinity : Math.ceil(factor * reals.max + offset));
  if (Number.isFinite(least) && Number.isFinite(most)) return { min: least, max: most };
  return context.badForm(
    `its integers ("${value.tensor}") have no bounds`,
    'put a Clip behind the rounding: spikes carry codes of a range',
  );
}
