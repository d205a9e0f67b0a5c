import { type ProgramBuilder, type Value, stepsOf } from '../../tensor/index.js';
import type { ValueType } from '../value-types.js';
import { type AttrsOf, boolean, number, optional, pair } from './attributes.js';
import type { LoweredOp } from './lowering.js';
import { realTraits } from './row-traits.js';
import { linearResult, productLevels, shapeText, withTime } from './type-rules.js';

/** Attributes of a product one operand of which, a train, comes in planes. */
export const productAttrs = {
  /** Virtual steps of that operand at each step of the other; `unary`: they count alike. */
  planes: optional(number()),
  unary: optional(boolean()),
  /** Which operand it is, and between which codes it lies. */
  on: optional(number()),
  levels: optional(pair()),
  /** Its own train is sent in planes. */
  codes: optional(boolean()),
};

/** Traits of a product of two values: `macs` says how many numbers it multiplies. */
export const productTraits = { ...realTraits, role: 'product', join: true, reach: 'own' } as const;

type ProductAttrs = AttrsOf<typeof productAttrs>;

/** Of two trains one with the levels of a sum of `terms` products of their codes; else a potential. */
export function productType(
  operands: readonly [ValueType, ValueType],
  attrs: ProductAttrs,
  shape: readonly number[],
  terms: number,
): ValueType | string {
  const type = typeOf(operands, attrs, shape, terms);
  if (attrs.codes !== true || typeof type === 'string' || type.code.kind === 'spike') return type;
  return 'needs two trains to have codes';
}

function typeOf(
  [a, b]: readonly [ValueType, ValueType],
  { planes, on = 0, levels }: ProductAttrs,
  shape: readonly number[],
  terms: number,
): ValueType | string {
  if (planes === undefined) {
    if (a.code.kind !== 'spike' || b.code.kind !== 'spike') return linearResult(a, shape);
    return withTime({ shape, code: productLevels(a.code, b.code, terms) }, a.time);
  }
  if (levels === undefined || (on !== 0 && on !== 1)) return '`planes` go with `levels` and with `on`, 0 or 1';
  const [split, other] = on === 0 ? [a, b] : [b, a];
  if (split.code.kind !== 'spike' || split.time === undefined)
    return `planes are spikes, not ${shapeText(split.shape)}`;
  if (split.time.start !== other.time?.start || split.time.steps !== planes * other.time.steps)
    return `needs ${planes} planes of one operand at each step of the other`;
  if (other.code.kind !== 'spike') return linearResult(other, shape);
  const code = { ...split.code, min: levels[0], max: levels[1] };
  return withTime({ shape, code: productLevels(code, other.code, terms) }, other.time);
}

/** The product; of planes Σ_b 2^b·(A_b·B), or Σ_b A_b·B of unary ones. */
export function multiplied(
  builder: ProgramBuilder,
  { attrs: { planes, on = 0, unary = false } }: LoweredOp<ProductAttrs>,
  operands: readonly Value[],
  multiply: (a: Value, b: Value) => Value,
): Value {
  const [a, b] = operands as [Value, Value];
  if (planes === undefined) return multiply(a, b);
  const split = Array.from({ length: planes }, (_, plane) => {
    const bits = planeOf(builder, [a, b][on]!, planes, plane);
    const sum = on === 0 ? multiply(bits, b) : multiply(a, bits);
    return unary || plane === 0 ? sum : builder.mul(sum, 2 ** plane);
  });
  return split.reduce((sum, one) => builder.add(sum, one));
}

/** One plane of all steps of a train [T·planes·N, …]: [T·N, …]. */
function planeOf(builder: ProgramBuilder, train: Value, planes: number, plane: number): Value {
  const steps = Array.from({ length: stepsOf(train) / planes }, (_, t) => builder.step(train, t * planes + plane));
  return steps.length === 1 ? steps[0]! : builder.concat(steps, 0);
}
