import { suggest } from '../base/did-you-mean.js';
import type { BinaryOp, Expr } from '../base/equation.js';
import type { CallExpression, Expression, FormatExpression, NumberExpression } from '../syntax/index.js';
import type { Reporter } from './reporter.js';

/** How many arguments each function of the equations takes. */
export const equationFunctions: Readonly<Record<string, number>> = {
  where: 3,
  clip: 3,
  min: 2,
  max: 2,
  floor: 1,
  round: 1,
  sign: 1,
  abs: 1,
  exp: 1,
  log: 1,
  log2: 1,
  sqrt: 1,
  sigmoid: 1,
  tanh: 1,
  detach: 1,
  levels: 1,
  sum: 1,
};

/** What an equation may refer to at its place. */
export interface EquationScope {
  readonly names: ReadonlySet<string>;
  readonly reporter: Reporter;
}

const zero: Expr = { kind: 'number', value: 0 };
const one: Expr = { kind: 'number', value: 1 };
const two: Expr = { kind: 'number', value: 2 };

function binary(op: BinaryOp, left: Expr, right: Expr): Expr {
  return { kind: 'binary', op, left, right };
}

/** The equation as data; what can't stand in one is reported and becomes 0. */
export function toEquation(expression: Expression, scope: EquationScope): Expr {
  switch (expression.kind) {
    case 'number':
      return { kind: 'number', value: expression.value };
    case 'bool':
      return { kind: 'number', value: expression.value ? 1 : 0 };
    case 'name':
      return name(expression.name, expression, scope);
    case 'unary':
      return { kind: 'unary', op: expression.operator, operand: toEquation(expression.operand, scope) };
    case 'binary': {
      const left = toEquation(expression.left, scope);
      return { kind: 'binary', op: expression.operator, left, right: toEquation(expression.right, scope) };
    }
    case 'call':
      return call(expression, scope);
    case 'string':
      return refuse('a string', expression, scope);
    case 'list':
      return refuse('a list', expression, scope);
    case 'pipe':
      return refuse('`|`', expression, scope);
    case 'format':
      return refuse('`integer.fraction` (outside `levels`)', expression, scope);
  }
}

function name(text: string, at: Expression, scope: EquationScope): Expr {
  if (scope.names.has(text)) return { kind: 'name', name: text };
  const isFunction = Object.hasOwn(equationFunctions, text);
  const help = (): string | undefined =>
    isFunction ? `\`${text}\` is a function: \`${text}(…)\`` : suggest(text, scope.names);
  scope.reporter.report('model/unknown-name', { kind: 'value', name: text }, at.span, { help });
  return zero;
}

function call(expression: CallExpression, scope: EquationScope): Expr {
  const callee = expression.callee.text;
  const arity = Object.hasOwn(equationFunctions, callee) ? equationFunctions[callee] : undefined;
  if (arity === undefined) {
    const help = suggest(callee, Object.keys(equationFunctions));
    scope.reporter.report('model/unknown-name', { kind: 'function', name: callee }, expression.callee.span, { help });
    return zero;
  }
  if (callee === 'levels') return levels(expression, scope);
  const args = expression.args.map((argument) => toEquation(argument.value, scope));
  const named = expression.args.find((argument) => argument.name !== undefined);
  if (args.length !== arity || named !== undefined) {
    const expected = `${arity} argument${arity === 1 ? '' : 's'} by position`;
    const found = named === undefined ? String(args.length) : `\`${named.name!.text}:\``;
    scope.reporter.report('model/argument-type', { what: `\`${callee}\``, expected, found }, expression.span);
    return zero;
  }
  return { kind: 'call', callee, args, named: {} };
}

/**
 * `levels(v, bits: m.n)`, or `levels(v, integer: m, fraction: n)`: 2⁻ⁿ·clip(⌊2ⁿ·v⌋, 0, 2^(m+n) − 1).
 * As data it is `levels(v, min: 0, max: 2^(m+n) − 1, step: 2^(−n))`.
 */
function levels(expression: CallExpression, scope: EquationScope): Expr {
  const [value, ...rest] = expression.args;
  const named: Record<string, Expr> = {};
  for (const argument of rest) {
    const key = argument.name?.text;
    if (key === 'bits' && (argument.value.kind === 'format' || argument.value.kind === 'number')) {
      Object.assign(named, bits(argument.value, scope));
    } else if (key === 'integer' || key === 'fraction') {
      named[key] = toEquation(argument.value, scope);
    } else {
      const help = 'write `levels(v, bits: integer.fraction)` or `levels(v, integer: m, fraction: n)`';
      const found = key ?? '(by position)';
      scope.reporter.report('model/argument-unknown', { callee: 'levels', name: found }, argument.span, { help });
      return zero;
    }
  }
  if (
    value === undefined ||
    value.name !== undefined ||
    named['integer'] === undefined ||
    named['fraction'] === undefined
  ) {
    const args = { callee: 'levels', name: 'bits', type: 'as in `levels(u / theta, bits: integer.fraction)`' };
    scope.reporter.report('model/argument-missing', args, expression.span);
    return zero;
  }
  const { integer, fraction } = named as { integer: Expr; fraction: Expr };
  const top: Expr = binary('^', two, binary('+', integer, fraction));
  const range = {
    min: zero,
    max: binary('-', top, one),
    step: binary('^', two, { kind: 'unary', op: '-', operand: fraction }),
  };
  return { kind: 'call', callee: 'levels', args: [toEquation(value.value, scope)], named: range };
}

function bits(format: FormatExpression | NumberExpression, scope: EquationScope): Record<string, Expr> {
  if (format.kind === 'number') {
    const [integer, fraction = '0'] = format.text.split('.');
    return {
      integer: { kind: 'number', value: Number(integer) },
      fraction: { kind: 'number', value: Number(fraction) },
    };
  }
  const part = (one: FormatExpression['integer']): Expr =>
    name(one.text, { kind: 'name', name: one.text, span: one.span }, scope);
  return { integer: part(format.integer), fraction: part(format.fraction) };
}

function refuse(what: string, at: Expression, scope: EquationScope): Expr {
  scope.reporter.report('model/equation', { what }, at.span);
  return zero;
}
