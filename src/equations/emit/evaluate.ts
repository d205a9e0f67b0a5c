import { roundHalfEven } from '../../base/rounding.js';
import { type Assignment, type BinaryOp, type Expr, applyBinary } from '../types.js';
import { InvariantError, present } from '../../base/invariant.js';
import type { ProgramBuilder, SurrogateAttrs, Value } from '../../tensor/index.js';

/**
 * What an equation's subexpression is while a neuron is unrolled: known now (a number or a truth
 * value), a tensor, or a sum of input currents that have not been asked for yet.
 */
export type Operand = number | boolean | Value | Pending;

/** An assigned value that isn't worked out before it is read: what isn't read leaves no op behind. */
class Deferred {
  #value: Operand | undefined;
  constructor(readonly work: () => Operand) {}

  value(): Operand {
    return (this.#value ??= this.work());
  }
}

/** Σ coefficients[k]·x_k over input steps k: lets silent steps merge into one synaptic sum. */
export class Pending {
  constructor(readonly coefficients: ReadonlyMap<number, number>) {}

  scaled(factor: number): Pending {
    return new Pending(new Map([...this.coefficients].map(([k, c]) => [k, c * factor])));
  }

  plus(other: Pending): Pending {
    const sum = new Map(this.coefficients);
    for (const [k, c] of other.coefficients) sum.set(k, (sum.get(k) ?? 0) + c);
    return new Pending(sum);
  }
}

/** What names stand for. Reading works out deferred values. */
export class Environment {
  readonly #values: Map<string, Operand | Deferred>;

  constructor(entries: Iterable<readonly [string, Operand | Deferred]> = []) {
    this.#values = new Map(entries);
  }

  get(name: string): Operand | undefined {
    const value = this.#values.get(name);
    return value instanceof Deferred ? value.value() : value;
  }

  set(name: string, value: Operand): void {
    this.#values.set(name, value);
  }

  /** Works `value` out when it is first read, with the names as they are now. */
  defer(name: string, value: (now: Environment) => Operand): void {
    const now = new Environment(this.#values);
    this.#values.set(name, new Deferred(() => value(now)));
  }
}

export interface EvaluationScope {
  readonly builder: ProgramBuilder;
  readonly env: Environment;
  /** Turns pending input currents into a tensor. */
  readonly force: (pending: Pending) => Value;
  /** Attributes for discontinuous ops, for autodiff. */
  readonly surrogate?: SurrogateAttrs;
  /** Bounds of `ste` as values: those that learn can't be attributes. */
  readonly passing?: { readonly lo?: Value | number; readonly hi?: Value | number };
  /** The program will be differentiated: bounds of levels must not disturb their surrogates. */
  readonly differentiable?: boolean;
}

const isKnown = (x: Operand): x is number | boolean => typeof x === 'number' || typeof x === 'boolean';
const truth = (x: number | boolean): boolean => x !== false && x !== 0;
const quantity = (x: number | boolean): number => Number(x);

/**
 * Carries out a phase's assignments in order. Only states and the output are worked out at once: a
 * comparison that a silent step doesn't read must not ask for the input current.
 */
export function runAssignments(
  assignments: readonly Assignment[],
  scope: EvaluationScope,
  isKept: (name: string) => boolean,
): void {
  const { builder, env } = scope;
  const within = (target: string, value: () => Operand): Operand => {
    builder.within(target);
    const result = value();
    builder.within(undefined);
    return result;
  };
  for (const { target, value } of assignments) {
    if (isKept(target)) env.set(target, within(target, () => keptValue(target, evaluateExpr(value, scope), scope)));
    else env.defer(target, (now) => within(target, () => evaluateExpr(value, { ...scope, env: now })));
  }
}

/** States are numbers: a truth value that one is set to counts as 0 or 1. */
function keptValue(target: string, value: Operand, scope: EvaluationScope): Operand {
  return target === 's' || isKnown(value) || value instanceof Pending ? value : asTensor(value, scope);
}

/** An expression's value: folded where it is known, otherwise ops appended to the program. */
export function evaluateExpr(expr: Expr, scope: EvaluationScope): Operand {
  switch (expr.kind) {
    case 'number':
      return expr.value;
    case 'name': {
      const value = scope.env.get(expr.name);
      if (value === undefined) throw new InvariantError(`lower: neuron equation names unknown ${expr.name}`);
      return value;
    }
    case 'unary':
      return evaluateUnary(expr.op, evaluateExpr(expr.operand, scope), scope);
    case 'binary':
      return evaluateBinary(expr.op, expr.left, expr.right, scope);
    case 'call':
      return evaluateCall(expr, scope);
  }
}

function evaluateUnary(op: '-' | 'not', x: Operand, scope: EvaluationScope): Operand {
  if (isKnown(x)) return op === '-' ? -quantity(x) : !truth(x);
  if (op === '-') return x instanceof Pending ? x.scaled(-1) : scope.builder.neg(asTensor(x, scope));
  return scope.builder.not(asCondition(x, scope));
}

/** A tensor of numbers; a truth tensor becomes 0 and 1. */
function asTensor(x: Value | Pending, scope: EvaluationScope, like?: Operand): Value {
  const value = x instanceof Pending ? scope.force(x) : x;
  if (value.dtype !== 'bool') return value;
  const dtype = like !== undefined && !isKnown(like) && !(like instanceof Pending) ? like.dtype : 'bool';
  return scope.builder.cast(value, dtype === 'bool' ? precisionOf(scope) : dtype);
}

/** The dtype of membranes. */
function precisionOf({ env }: Pick<EvaluationScope, 'env'>): 'f32' | 'f64' {
  return env.get('$dtype') === 32 ? 'f32' : 'f64';
}

function asCondition(x: Value | Pending, scope: EvaluationScope): Value {
  const value = x instanceof Pending ? scope.force(x) : x;
  return value.dtype === 'bool' ? value : scope.builder.ne(value, 0);
}

function evaluateBinary(op: BinaryOp, leftExpr: Expr, rightExpr: Expr, scope: EvaluationScope): Operand {
  const left = evaluateExpr(leftExpr, scope);
  if (op === 'and' || op === 'or') {
    // short cut, so that a condition known from parameters leaves no op behind
    if (isKnown(left)) return truth(left) === (op === 'or') ? truth(left) : booleanOf(evaluateExpr(rightExpr, scope));
    const right = evaluateExpr(rightExpr, scope);
    if (isKnown(right)) return truth(right) === (op === 'or') ? truth(right) : asCondition(left, scope);
    const [a, b] = [asCondition(left, scope), asCondition(right, scope)];
    return op === 'and' ? scope.builder.and(a, b) : scope.builder.or(a, b);
  }
  const right = evaluateExpr(rightExpr, scope);
  if (isKnown(left) && isKnown(right)) {
    return present(applyBinary(op, quantity(left), quantity(right)), `lower: operator ${op}`);
  }
  const truthTest = testOfTruth(op, left, right, scope);
  if (truthTest !== undefined) return truthTest;
  return linear(op, left, right) ?? tensorBinary(op, left, right, scope);
}

/** `s != 0` and `s == 0` of a truth value are the value itself and its opposite, gradient included. */
function testOfTruth(op: string, left: Operand, right: Operand, { builder }: EvaluationScope): Value | undefined {
  if ((op !== '!=' && op !== '==' && op !== '>') || right !== 0) return undefined;
  if (isKnown(left) || left instanceof Pending || left.dtype !== 'bool') return undefined;
  return op === '==' ? builder.not(left) : left;
}

const booleanOf = (x: Operand): Operand => (isKnown(x) ? truth(x) : x);

/** Sums and multiples that need no op yet, or none at all. */
function linear(op: string, left: Operand, right: Operand): Operand | undefined {
  if (op === '+' && left === 0) return right;
  if ((op === '+' || op === '-') && right === 0) return left;
  if (op === '*' && (left === 0 || right === 0)) return 0;
  if (op === '*' && left === 1) return right;
  if ((op === '*' || op === '/') && right === 1) return left;
  if (op === '+' && left instanceof Pending && right instanceof Pending) return left.plus(right);
  if (op === '-' && left instanceof Pending && right instanceof Pending) return left.plus(right.scaled(-1));
  if (op === '*' && left instanceof Pending && isKnown(right)) return left.scaled(quantity(right));
  if (op === '*' && right instanceof Pending && isKnown(left)) return right.scaled(quantity(left));
  if (op === '/' && left instanceof Pending && isKnown(right)) return left.scaled(1 / quantity(right));
  return undefined;
}

function tensorBinary(
  op: string,
  left: Operand,
  right: Operand,
  { builder, surrogate, ...scope }: EvaluationScope,
): Value {
  const full = { builder, ...scope };
  const a = isKnown(left) ? quantity(left) : asTensor(left, full, right);
  const b = isKnown(right) ? quantity(right) : asTensor(right, full, left);
  switch (op) {
    case '+':
      return builder.add(a, b);
    case '-':
      return builder.sub(a, b);
    case '*':
      return builder.mul(a, b);
    case '/':
      return builder.div(a, b);
    case '^':
      return builder.pow(a, b);
    case '<':
      return builder.lt(a, b, surrogate);
    case '<=':
      return builder.le(a, b, surrogate);
    case '>':
      return builder.gt(a, b, surrogate);
    case '>=':
      return builder.ge(a, b, surrogate);
    case '==':
      return builder.eq(a, b);
    case '!=':
      return builder.ne(a, b);
    default:
      throw new InvariantError(`lower: operator ${op}`);
  }
}

const numberFunctions: Readonly<Record<string, (...x: number[]) => number>> = {
  floor: Math.floor,
  abs: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  log2: Math.log2,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  detach: (x) => x!,
  sigmoid: (x) => 1 / (1 + Math.exp(-x!)),
  min: Math.min,
  max: Math.max,
  clip: (x, lo, hi) => Math.min(hi!, Math.max(lo!, x!)),
};

function evaluateCall(expr: Extract<Expr, { kind: 'call' }>, scope: EvaluationScope): Operand {
  const { callee } = expr;
  if (callee === 'where') return evaluateWhere(expr.args as readonly [Expr, Expr, Expr], scope);
  const args = expr.args.map((arg) => evaluateExpr(arg, scope));
  const fold = numberFunctions[callee];
  if (fold !== undefined && args.every(isKnown)) return fold(...args.map((x) => quantity(x as number | boolean)));
  if (callee === 'levels') return evaluateLevels(args, expr.named, scope);
  if (callee === 'clip' && scope.differentiable === true) {
    const bounded = clipSteps(expr.args[0]!, args, scope);
    if (bounded !== undefined) return bounded;
  }
  if (callee === 'round' && args.every(isKnown)) return roundHalfEven(quantity(args[0] as number));
  const { builder, surrogate } = scope;
  const tensors = args.map((x) => (isKnown(x) ? quantity(x) : asTensor(x, scope)));
  const [x, y, z] = tensors as [Value, Value | number, Value | number];
  switch (callee) {
    case 'floor':
      return builder.floor(x, surrogate);
    case 'round':
      return builder.round(x, surrogate);
    case 'sign':
      return builder.sign(x, surrogate);
    case 'abs':
      return builder.abs(x);
    case 'exp':
      return builder.exp(x);
    case 'log':
      return builder.log(x);
    case 'log2':
      return builder.mul(builder.log(x), Math.LOG2E);
    case 'sqrt':
      return builder.sqrt(x);
    case 'tanh':
      return builder.tanh(x);
    case 'detach':
      return builder.detach(x);
    case 'sigmoid':
      return builder.sigmoid(x);
    case 'min':
      return builder.min(x, y);
    case 'max':
      return builder.max(x, y);
    case 'clip':
      return typeof y === 'number' && typeof z === 'number' ? builder.clip(x, y, z) : builder.min(builder.max(x, y), z);
    default:
      throw new InvariantError(`lower: function ${callee}`);
  }
}

function evaluateWhere([test, yes, no]: readonly [Expr, Expr, Expr], scope: EvaluationScope): Operand {
  const condition = evaluateExpr(test, scope);
  if (isKnown(condition)) return evaluateExpr(truth(condition) ? yes : no, scope);
  const [a, b] = [evaluateExpr(yes, scope), evaluateExpr(no, scope)];
  if (isKnown(a) && isKnown(b) && quantity(a) === quantity(b)) return quantity(a);
  const when = asCondition(condition, scope);
  const known = [a, b].find((x) => !isKnown(x)) as Value | Pending | undefined;
  if (known !== undefined) {
    const side = (x: Operand): Value | number => (isKnown(x) ? quantity(x) : asTensor(x, scope));
    return scope.builder.select(when, side(a), side(b));
  }
  const dtype = precisionOf(scope);
  return scope.builder.select(when, scope.builder.scalar(dtype, quantity(a as number)), quantity(b as number));
}

/** levels(v, min:, max:, step:), bounds counted in steps: a multi-level output with the neuron's surrogate. */
function evaluateLevels(
  args: readonly Operand[],
  named: Readonly<Record<string, Expr>>,
  scope: EvaluationScope,
): Operand {
  const number = (name: string, fallback: number): number => {
    const expr = named[name];
    const value = expr === undefined ? fallback : evaluateExpr(expr, scope);
    if (!isKnown(value)) throw new InvariantError(`lower: levels: ${name} must be known`);
    return quantity(value);
  };
  const step = number('step', 1);
  const v = args[0]!;
  const [min, max] = [wholeSteps(number('min', 0)), wholeSteps(number('max', 1))];
  if (isKnown(v)) return step * Math.min(max, Math.max(min, Math.floor(quantity(v) / step)));
  const { builder, surrogate } = scope;
  const scaled = step === 1 ? asTensor(v, scope) : builder.div(asTensor(v, scope), step);
  const level =
    scope.differentiable === true && surrogate !== undefined
      ? clippedFloor(scaled, min, max, surrogate, scope)
      : builder.clip(builder.floor(scaled, surrogate), min, max);
  return step === 1 ? level : builder.mul(level, step);
}

/** A count of steps without the rounding of its division: 5.11 / (1 / 100) is 511. */
function wholeSteps(count: number): number {
  const whole = Math.round(count);
  return Math.abs(count - whole) <= 1e-9 * Math.max(1, Math.abs(count)) ? whole : count;
}

/** clip(floor(v), …) and clip(round(v), …) with the gradient of their surrogate; undefined for other clips. */
function clipSteps(first: Expr, args: readonly Operand[], scope: EvaluationScope): Value | undefined {
  const { surrogate, builder } = scope;
  const [, lo, hi] = args;
  if (first.kind !== 'call' || surrogate === undefined) return undefined;
  if (!isKnown(lo!) || !isKnown(hi!)) return learnedClip(first, lo!, hi!, scope);
  const [least, most] = [quantity(lo), quantity(hi)];
  if ((first.callee !== 'floor' && first.callee !== 'round') || !Number.isInteger(least) || !Number.isInteger(most)) {
    return undefined;
  }
  const inner = evaluateExpr(first.args[0]!, scope);
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
  first: Extract<Expr, { kind: 'call' }>,
  lo: Operand,
  hi: Operand,
  scope: EvaluationScope,
): Value | undefined {
  const { builder, surrogate, passing } = scope;
  if ((first.callee !== 'floor' && first.callee !== 'round') || surrogate?.surrogate !== 'ste') return undefined;
  const inner = evaluateExpr(first.args[0]!, scope);
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
