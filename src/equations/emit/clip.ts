import { InvariantError } from '../../base/invariant.js';
import type { SurrogateAttrs, Value } from '../../tensor/index.js';
import { wholeIfNear } from '../ranges.js';
import type { Expr } from '../types.js';
import type { CallExpr, EmitCall } from './function-row.js';
import { type Operand, isKnown, quantity } from './operand.js';
import { type EvaluationScope, asNumbers, asTensor, precisionOf } from './scope.js';

/** clip(x, lo, hi). Where it clips levels (`floor`, `round`), their surrogate decides the gradient. */
export function emitClip({ expr, args, scope, evaluate }: EmitCall): Operand {
  if (scope.differentiable === true) {
    const bounded = clipSteps(expr.args[0]!, args, scope, evaluate);
    if (bounded !== undefined) return bounded;
  }
  const { builder } = scope;
  const [x, y, z] = args.map((arg) => asNumbers(arg, scope)) as [Value, Value | number, Value | number];
  return typeof y === 'number' && typeof z === 'number' ? builder.clip(x, y, z) : builder.min(builder.max(x, y), z);
}

/** levels(v, min:, max:, step:), bounds counted in steps: a multi-level output with the neuron's surrogate. */
export function emitLevels({ expr, args, scope, evaluate }: EmitCall): Operand {
  const number = (name: string, fallback: number): number => {
    const written = expr.named[name];
    const value = written === undefined ? fallback : evaluate(written);
    if (!isKnown(value)) throw new InvariantError(`lower: levels: ${name} must be known`);
    return quantity(value);
  };
  const step = number('step', 1);
  const v = args[0]!;
  const [min, max] = [wholeIfNear(number('min', 0)), wholeIfNear(number('max', 1))];
  if (isKnown(v)) return step * Math.min(max, Math.max(min, Math.floor(quantity(v) / step)));
  const { builder, surrogate } = scope;
  const scaled = step === 1 ? asTensor(v, scope) : builder.div(asTensor(v, scope), step);
  const level =
    scope.differentiable === true && surrogate !== undefined
      ? clippedFloor(scaled, min, max, surrogate, scope)
      : builder.clip(builder.floor(scaled, surrogate), min, max);
  return step === 1 ? level : builder.mul(level, step);
}

/** clip(floor(v), …) and clip(round(v), …) with the gradient of their surrogate; undefined for other clips. */
function clipSteps(
  first: Expr,
  args: readonly Operand[],
  scope: EvaluationScope,
  evaluate: EmitCall['evaluate'],
): Value | undefined {
  const { surrogate, builder } = scope;
  const [, lo, hi] = args;
  if (first.kind !== 'call' || surrogate === undefined) return undefined;
  if (!isKnown(lo!) || !isKnown(hi!)) return learnedClip(first, lo!, hi!, scope, evaluate);
  const [least, most] = [quantity(lo), quantity(hi)];
  if ((first.callee !== 'floor' && first.callee !== 'round') || !Number.isInteger(least) || !Number.isInteger(most)) {
    return undefined;
  }
  const inner = evaluate(first.args[0]!);
  if (isKnown(inner)) return undefined;
  const v = asTensor(inner, scope);
  if (first.callee === 'floor') return clippedFloor(v, least, most, surrogate, scope);
  const rounded = builder.round(v, surrogate);
  if (surrogate.surrogate === 'ste') return boundedValue(rounded, least, most, scope);
  const inside = builder.detach(builder.and(builder.ge(v, least), builder.le(v, most)));
  return builder.select(inside, rounded, builder.detach(builder.clip(rounded, least, most)));
}

/**
 * clip(floor(v), lo, hi) or clip(round(v), lo, hi) with bounds that learn: outside of where the surrogate passes the
 * result is a bound, gradient included (ABA eq. 16-19); inside, floor or round with the gradient of v. That this is the
 * clipped value was checked when the bits were set (`surrogateFits` of the lowering of models).
 */
function learnedClip(
  first: CallExpr,
  lo: Operand,
  hi: Operand,
  scope: EvaluationScope,
  evaluate: EmitCall['evaluate'],
): Value | undefined {
  const { builder, surrogate, passing } = scope;
  if ((first.callee !== 'floor' && first.callee !== 'round') || surrogate?.surrogate !== 'ste') return undefined;
  const inner = evaluate(first.args[0]!);
  if (isKnown(inner)) return undefined;
  const v = asTensor(inner, scope);
  const bound = (x: Operand): Value => (isKnown(x) ? builder.scalar(v.dtype, quantity(x)) : asTensor(x, scope, v));
  const [least, most] = [bound(lo), bound(hi)];
  const passes = (x: Value | number | undefined, other: Value): Value | number =>
    x === undefined ? builder.detach(other) : typeof x === 'number' ? x : builder.detach(x);
  const whole = first.callee === 'floor' ? builder.floor(v, straight) : builder.round(v, straight);
  const under = builder.select(builder.lt(v, passes(passing?.lo, least)), least, whole);
  return builder.select(builder.ge(v, passes(passing?.hi, most)), most, under);
}

const straight: SurrogateAttrs = { surrogate: 'ste' };

/**
 * clip(floor(v), lo, hi). A surrogate acts at the nearest of the levels' boundaries lo+1 … hi, as that of
 * `v >= θ` does at θ: with k that boundary, the value is k − 1 + [v ≥ k]. `ste` says itself where it passes.
 */
function clippedFloor(v: Value, lo: number, hi: number, surrogate: SurrogateAttrs, scope: EvaluationScope): Value {
  const { builder } = scope;
  if (surrogate.surrogate === 'ste') return boundedValue(builder.floor(v, surrogate), lo, hi, scope);
  const dtype = precisionOf(scope);
  if (hi === lo + 1) {
    const above = builder.cast(builder.ge(v, hi, surrogate), dtype);
    return lo === 0 ? above : builder.add(above, lo);
  }
  const boundary = builder.clip(builder.round(builder.detach(v)), lo + 1, hi);
  return builder.add(builder.sub(boundary, 1), builder.cast(builder.ge(v, boundary, surrogate), dtype));
}

/** The clipped value with the gradient of the unclipped. */
function boundedValue(level: Value, lo: number, hi: number, { builder }: EvaluationScope): Value {
  return builder.add(level, builder.detach(builder.sub(builder.clip(level, lo, hi), level)));
}
