import { InvariantError, present } from '../../base/invariant.js';
import type { Value } from '../../tensor/index.js';
import { functionNamed } from '../functions.js';
import { type Assignment, type BinaryOp, type Expr, applyBinary } from '../types.js';
import type { CallExpr } from './function-row.js';
import { type Operand, Pending, isKnown, isPowerOfTwo, quantity, truth } from './operand.js';
import { type EvaluationScope, asCondition, asNumbers, asTensor } from './scope.js';
import { firedOf } from './staircase.js';

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
    if (isKept(target))
      env.set(
        target,
        within(target, () => keptValue(target, evaluateExpr(value, scope), scope)),
      );
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
  return linear(op, left, right, scope.merging === true) ?? tensorBinary(op, left, right, scope);
}

/**
 * `s != 0` and `s == 0` of a truth value are the value itself and its opposite, gradient included; of a multi-level output
 * they have the surrogates of the boundaries around level 0.
 */
function testOfTruth(op: string, left: Operand, right: Operand, scope: EvaluationScope): Value | undefined {
  if ((op !== '!=' && op !== '==' && op !== '>') || right !== 0) return undefined;
  if (isKnown(left) || left instanceof Pending) return undefined;
  const stairs = scope.staircases?.get(left);
  const fired =
    left.dtype === 'bool' ? left : stairs === undefined ? undefined : firedOf(left, stairs, op === '>', scope);
  return fired !== undefined && op === '==' ? scope.builder.not(fired) : fired;
}

const booleanOf = (x: Operand): Operand => (isKnown(x) ? truth(x) : x);

/**
 * Sums and multiples that need no op yet, or none at all. Where currents don't merge, only those that give the float that
 * the equation as written gives: x/c isn't x·(1/c), a·(b·x) isn't (a·b)·x.
 */
function linear(op: string, left: Operand, right: Operand, merging: boolean): Operand | undefined {
  if (op === '+' && left === 0) return right;
  if ((op === '+' || op === '-') && right === 0) return left;
  if (op === '*' && (left === 0 || right === 0)) return 0;
  if (op === '*' && left === 1) return right;
  if ((op === '*' || op === '/') && right === 1) return left;
  if (merging && op === '+' && left instanceof Pending && right instanceof Pending) return left.plus(right);
  if (merging && op === '-' && left instanceof Pending && right instanceof Pending) return left.plus(right.scaled(-1));
  const multiple = (x: Pending, factor: number, exact: boolean): Pending | undefined =>
    merging || exact ? x.scaled(factor) : undefined;
  if (op === '*' && left instanceof Pending && isKnown(right)) {
    return multiple(left, quantity(right), left.scalesExactly(quantity(right)));
  }
  if (op === '*' && right instanceof Pending && isKnown(left)) {
    return multiple(right, quantity(left), right.scalesExactly(quantity(left)));
  }
  if (op === '/' && left instanceof Pending && isKnown(right)) {
    return multiple(left, 1 / quantity(right), isPowerOfTwo(quantity(right)));
  }
  return undefined;
}

function tensorBinary(op: string, left: Operand, right: Operand, scope: EvaluationScope): Value {
  const { builder, surrogate } = scope;
  const [a, b] = [asNumbers(left, scope, right), asNumbers(right, scope, left)];
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

/** `min(max(round(x), lo), hi)` and the like are `clip(round(x), lo, hi)`: levels are cut off by one rule. */
function asClip(expr: CallExpr): CallExpr {
  const other = expr.callee === 'min' ? 'max' : expr.callee === 'max' ? 'min' : undefined;
  if (other === undefined) return expr;
  const isCall = (part: Expr, ...callees: string[]): part is CallExpr =>
    part.kind === 'call' && callees.includes(part.callee);
  const [inner, outerBound] = isCall(expr.args[0]!, other)
    ? [expr.args[0], expr.args[1]!]
    : [expr.args[1]!, expr.args[0]!];
  if (!isCall(inner, other)) return expr;
  const [steps, innerBound] = isCall(inner.args[0]!, 'floor', 'round')
    ? [inner.args[0], inner.args[1]!]
    : [inner.args[1]!, inner.args[0]!];
  if (!isCall(steps, 'floor', 'round')) return expr;
  const [lo, hi] = expr.callee === 'min' ? [innerBound, outerBound] : [outerBound, innerBound];
  return { kind: 'call', callee: 'clip', args: [steps, lo, hi], named: {} };
}

/** A function's value by its row: folded where all arguments are known. */
function evaluateCall(written: CallExpr, scope: EvaluationScope): Operand {
  const expr = scope.differentiable === true ? asClip(written) : written;
  const row = present(functionNamed(expr.callee), `lower: function ${expr.callee}`);
  const evaluate = (part: Expr): Operand => evaluateExpr(part, scope);
  const args = row.lazy === true ? [] : expr.args.map(evaluate);
  if (row.fold !== undefined && args.every(isKnown)) return row.fold(...args.map(quantity));
  return row.emit({ expr, scope, args, evaluate });
}
