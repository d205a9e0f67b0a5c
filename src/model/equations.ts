import { type Help } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { type Expr, equationFunctions, functionNamed } from '../equations/index.js';
import type { CallExpression, Expression } from '../syntax/index.js';
import { levelsCall } from './levels-call.js';
import type { Reporter } from './reporter.js';

/** What an equation may refer to at its place. */
export interface EquationScope {
  readonly names: ReadonlySet<string>;
  readonly reporter: Reporter;
  /** It is carried out at each step, so that random numbers may be drawn. */
  readonly steps?: true;
}

const zero: Expr = { kind: 'number', value: 0 };

/** The equation as data; what can't stand in one is reported and becomes 0. */
export function toEquation(expression: Expression, scope: EquationScope): Expr {
  switch (expression.kind) {
    case 'number':
      return { kind: 'number', value: expression.value };
    case 'bool':
      return { kind: 'number', value: expression.value ? 1 : 0 };
    case 'name':
      return name(expression.name, expression, scope);
    case 'unary': {
      const operand = toEquation(expression.operand, scope);
      // a negative literal is one number, as the text form reads it
      if (expression.operator === '-' && expression.operand.kind === 'number' && operand.kind === 'number') {
        return { kind: 'number', value: -operand.value };
      }
      return { kind: 'unary', op: expression.operator, operand };
    }
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
  const isFunction = functionNamed(text) !== undefined;
  const help = (): Help | undefined =>
    isFunction ? `\`${text}\` is a function: \`${text}(…)\`` : suggest(text, scope.names);
  scope.reporter.report('model/unknown-name', { kind: 'value', name: text }, at.span, { help });
  return zero;
}

function call(expression: CallExpression, scope: EquationScope): Expr {
  const callee = expression.callee.text;
  const row = functionNamed(callee);
  const arity = row?.params.length;
  if (arity === undefined) {
    const help = suggest(callee, Object.keys(equationFunctions));
    scope.reporter.report('model/unknown-name', { kind: 'function', name: callee }, expression.callee.span, { help });
    return zero;
  }
  if (row?.draws === true && scope.steps !== true)
    return refuse(`\`${callee}\`, outside of \`charge\`, \`fire\` and \`reset\`,`, expression, scope);
  if (callee === 'levels') return levelsCall(expression, scope.reporter, (part) => toEquation(part, scope)) ?? zero;
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

function refuse(what: string, at: Expression, scope: EquationScope): Expr {
  scope.reporter.report('model/equation', { what }, at.span);
  return zero;
}
