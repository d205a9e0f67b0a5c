import { InvariantError } from '../../base/invariant.js';
import type { SurrogateAttrs, Value } from '../../tensor/index.js';
import { wholeIfNear } from '../ranges.js';
import type { Expr } from '../types.js';
import type { CallExpr, EmitCall } from './function-row.js';
import { type Operand, isKnown, quantity } from './operand.js';
import { type EvaluationScope, type Staircase, asNumbers, asTensor } from './scope.js';
import { comparedIn, withSurrogates } from './staircase.js';

/**
 * clip(x, lo, hi). Where a program will be differentiated, the bounds belong to what passes, ties included; around `floor`
 * and `round` the neuron's surrogate decides.
 */
export function emitClip({ expr, args, scope, evaluate }: EmitCall): Operand {
  const { builder } = scope;
  const [lo, hi] = [args[1]!, args[2]!];
  if (scope.differentiable === true) {
    const bounded = clipSteps(expr.args[0]!, [lo, hi], scope, evaluate);
    if (bounded !== undefined) return bounded;
    if (isKnown(lo) && isKnown(hi))
      return closedClip(asTensor(args[0]! as Value, scope), quantity(lo), quantity(hi), scope);
  }
  const [x, y, z] = args.map((arg) => asNumbers(arg, scope)) as [Value, Value | number, Value | number];
  return typeof y === 'number' && typeof z === 'number' ? builder.clip(x, y, z) : builder.min(builder.max(x, y), z);
}

/** clip(x, lo, hi) whose gradient is 1 where lo ≤ x ≤ hi, at the bounds too, and else 0. */
function closedClip(x: Value, lo: number, hi: number, { builder }: EvaluationScope): Value {
  const inside = builder.detach(builder.and(builder.ge(x, lo), builder.le(x, hi)));
  return builder.select(inside, x, builder.detach(builder.clip(x, lo, hi)));
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
  const [lo, hi] = [wholeIfNear(number('min', 0)), wholeIfNear(number('max', 1))];
  if (isKnown(v)) return step * Math.min(hi, Math.max(lo, Math.floor(quantity(v) / step)));
  const { builder, surrogate } = scope;
  const scaled = step === 1 ? asTensor(v, scope) : builder.div(asTensor(v, scope), step);
  const floored = builder.floor(scaled, surrogate);
  if (scope.differentiable !== true || surrogate === undefined) {
    const level = builder.clip(floored, lo, hi);
    return step === 1 ? level : builder.mul(level, step);
  }
  if (surrogate.surrogate === 'ste') {
    const level = boundedValue(floored, lo, hi, scope);
    return step === 1 ? level : builder.mul(level, step);
  }
  const stairs = { ...comparedIn(expr.args[0]!, { step, offset: 0 }, scope, evaluate), lo, hi, surrogate };
  return stepped(floored, stairs, step, scope);
}

/** The levels of a staircase times their step; the truth value of a comparison where they are 0 and 1. */
function stepped(whole: Value, stairs: Staircase, step: number, scope: EvaluationScope): Value {
  const { builder } = scope;
  const level = withSurrogates(builder.detach(builder.clip(whole, stairs.lo, stairs.hi)), stairs, scope);
  if (level.dtype === 'bool') return step === 1 ? level : builder.mul(asTensor(level, scope), step);
  const output = step === 1 ? level : builder.mul(level, step);
  scope.staircases?.set(output, stairs);
  return output;
}

/** clip(floor(v), …) and clip(round(v), …) with the gradient of their surrogate; undefined for other clips. */
function clipSteps(
  first: Expr,
  [low, high]: readonly [Operand, Operand],
  scope: EvaluationScope,
  evaluate: EmitCall['evaluate'],
): Value | undefined {
  const { surrogate, builder } = scope;
  if (first.kind !== 'call' || (first.callee !== 'floor' && first.callee !== 'round')) return undefined;
  if (surrogate === undefined) return undefined;
  if (!isKnown(low) || !isKnown(high)) return learnedClip(first, low, high, scope, evaluate);
  // 5.11 · 100 is 511
  const [lo, hi] = [wholeIfNear(quantity(low)), wholeIfNear(quantity(high))];
  const inner = evaluate(first.args[0]!);
  if (isKnown(inner)) return undefined;
  const v = asTensor(inner, scope);
  const whole = first.callee === 'floor' ? builder.floor(v, surrogate) : builder.round(v, surrogate);
  if (surrogate.surrogate === 'ste') return boundedValue(whole, lo, hi, scope);
  // a bound between two levels is a level of its own, which no boundary leads to
  if (!Number.isInteger(lo) || !Number.isInteger(hi) || hi <= lo) return closedClip(whole, lo, hi, scope);
  const offset = first.callee === 'floor' ? 0 : -0.5;
  const stairs = { ...comparedIn(first.args[0]!, { step: 1, offset }, scope, evaluate), lo, hi, surrogate };
  return stepped(whole, stairs, 1, scope);
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

/** The clipped value with the gradient of the unclipped. */
function boundedValue(level: Value, lo: number, hi: number, { builder }: EvaluationScope): Value {
  return builder.add(level, builder.detach(builder.sub(builder.clip(level, lo, hi), level)));
}
