import { type Help } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { type NeuronDef, applyBinary } from '../equations/index.js';
import type {
  BinaryExpression,
  CallExpression,
  Expression,
  NameExpression,
  PipeExpression,
  UnaryExpression,
} from '../syntax/index.js';
import type { Reporter } from './reporter.js';
import { type BlockValue, type Value, describeValue, errorValue } from './values.js';

/** The names an expression sees. */
export interface Environment {
  readonly lookup: (name: string) => Value | undefined;
  readonly names: () => Iterable<string>;
  /** Help for an unknown name that stands somewhere else. */
  readonly elsewhere?: (name: string) => Help | undefined;
}

/** What a network's body adds to constant expressions. */
export interface GraphHooks {
  readonly call: (expression: CallExpression, context: EvaluationContext) => Value;
  readonly pipe: (expression: PipeExpression, context: EvaluationContext) => Value;
  /** Arithmetic of which at least one side is a value of the network. */
  readonly binary: (expression: BinaryExpression, left: Value, right: Value) => Value;
  readonly negate: (expression: UnaryExpression, operand: Value) => Value;
}

export interface EvaluationContext {
  readonly environment: Environment;
  readonly reporter: Reporter;
  /** Gives a declared neuron its arguments. */
  readonly useNeuron?: (def: NeuronDef, written: CallExpression | NameExpression, context: EvaluationContext) => Value;
  /** Gives a block some of its arguments, where a block is wanted. */
  readonly useBlock?: (block: BlockValue, written: CallExpression, context: EvaluationContext) => Value;
  readonly graph?: GraphHooks;
}

const functions: Readonly<Record<string, { readonly arity: number; readonly apply: (...args: number[]) => number }>> = {
  floor: { arity: 1, apply: Math.floor },
  ceil: { arity: 1, apply: Math.ceil },
  round: { arity: 1, apply: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)) },
  abs: { arity: 1, apply: Math.abs },
  sqrt: { arity: 1, apply: Math.sqrt },
  exp: { arity: 1, apply: Math.exp },
  log: { arity: 1, apply: Math.log },
  log2: { arity: 1, apply: Math.log2 },
  min: { arity: 2, apply: Math.min },
  max: { arity: 2, apply: Math.max },
};

/** The functions constant expressions know, besides `where`. */
export const constantFunctions: ReadonlySet<string> = new Set([...Object.keys(functions), 'where']);

/** The value of an expression. What can't be computed is reported and gives an error value. */
export function evaluate(expression: Expression, context: EvaluationContext): Value {
  switch (expression.kind) {
    case 'number':
    case 'string':
    case 'bool':
      return literal(expression, context);
    case 'name':
      return lookup(expression.name, expression, context);
    case 'list':
      return { kind: 'list', items: expression.items.map((item) => evaluate(item, context)) };
    case 'unary':
      return unary(expression, context);
    case 'binary':
      return binary(expression, context);
    case 'call':
      return call(expression, context);
    case 'pipe':
      if (context.graph !== undefined) return context.graph.pipe(expression, context);
      return problem('values flow through `|` only in a network or a block', expression, context);
    case 'format':
      return problem('`integer.fraction` stands only in `bits:` of a neuron’s `levels`', expression, context);
  }
}

function literal(expression: Expression & { kind: 'number' | 'string' | 'bool' }, context: EvaluationContext): Value {
  switch (expression.kind) {
    case 'number':
      if (!Number.isFinite(expression.value)) return problem(`${expression.text} is too large`, expression, context);
      return { kind: 'number', value: expression.value };
    case 'string':
      return { kind: 'string', value: expression.value };
    case 'bool':
      return { kind: 'bool', value: expression.value };
  }
}

function lookup(name: string, at: NameExpression, context: EvaluationContext): Value {
  const found = context.environment.lookup(name);
  if (found?.kind === 'neuronDef' && context.useNeuron !== undefined) return context.useNeuron(found.def, at, context);
  if (found !== undefined) return found;
  const { environment } = context;
  const help = (): Help | undefined => environment.elsewhere?.(name) ?? suggest(name, environment.names());
  context.reporter.report('model/unknown-name', { kind: 'value', name }, at.span, { help });
  return errorValue;
}

function unary(expression: UnaryExpression, context: EvaluationContext): Value {
  const operand = evaluate(expression.operand, context);
  if (operand.kind === 'error') return operand;
  if (expression.operator === 'not' && operand.kind === 'bool') return { kind: 'bool', value: !operand.value };
  if (expression.operator === '-' && operand.kind === 'number') return { kind: 'number', value: -operand.value };
  if (expression.operator === '-' && operand.kind === 'tensor' && context.graph !== undefined) {
    return context.graph.negate(expression, operand);
  }
  return problem(`\`${expression.operator}\` can't be applied to ${describeValue(operand)}`, expression, context);
}

function binary(expression: BinaryExpression, context: EvaluationContext): Value {
  const left = evaluate(expression.left, context);
  const right = evaluate(expression.right, context);
  if (left.kind === 'error' || right.kind === 'error') return errorValue;
  const { operator } = expression;
  if ([left, right].some(({ kind }) => kind === 'tensor' || kind === 'hole') && context.graph !== undefined) {
    return context.graph.binary(expression, left, right);
  }
  if (left.kind === 'number' && right.kind === 'number') {
    const result = applyBinary(operator, left.value, right.value);
    if (typeof result === 'boolean') return { kind: 'bool', value: result };
    if (result !== undefined && Number.isFinite(result)) return { kind: 'number', value: result };
    if (result !== undefined) {
      const what = operator === '/' && right.value === 0 ? 'a division by zero' : 'a number that is too large';
      return problem(`${left.value} ${operator} ${right.value} is ${what}`, expression, context);
    }
  }
  if (left.kind === 'bool' && right.kind === 'bool') {
    if (operator === 'and') return { kind: 'bool', value: left.value && right.value };
    if (operator === 'or') return { kind: 'bool', value: left.value || right.value };
  }
  if ((operator === '==' || operator === '!=') && left.kind === right.kind && 'value' in left && 'value' in right) {
    return { kind: 'bool', value: (left.value === right.value) === (operator === '==') };
  }
  const sides = `${describeValue(left)} and ${describeValue(right)}`;
  return problem(`\`${operator}\` can't be applied to ${sides}`, expression, context);
}

function call(expression: CallExpression, context: EvaluationContext): Value {
  const name = expression.callee.text;
  if (name === 'where') return where(expression, context);
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (known === undefined) {
    const target = context.environment.lookup(name);
    if (target?.kind === 'error') return target;
    if (target?.kind === 'neuronDef' && context.useNeuron !== undefined) {
      return context.useNeuron(target.def, expression, context);
    }
    if (context.graph !== undefined) return context.graph.call(expression, context);
    const help = (): Help | undefined => context.environment.elsewhere?.(name) ?? suggest(name, constantFunctions);
    context.reporter.report('model/unknown-name', { kind: 'function', name }, expression.callee.span, { help });
    return errorValue;
  }
  const args = expression.args.map((argument) => evaluate(argument.value, context));
  if (args.some((value) => value.kind === 'error')) return errorValue;
  if (args.length !== known.arity || expression.args.some((argument) => argument.name !== undefined)) {
    return problem(`\`${name}\` takes ${known.arity === 1 ? 'one number' : 'two numbers'}`, expression, context);
  }
  const numbers = args.map((value) => (value.kind === 'number' ? value.value : NaN));
  const result = known.apply(...numbers);
  if (Number.isFinite(result)) return { kind: 'number', value: result };
  return problem(`\`${name}\` of ${args.map(describeValue).join(' and ')} isn't a number`, expression, context);
}

/** `where(condition, a, b)`: only the side that is taken is evaluated. */
function where(expression: CallExpression, context: EvaluationContext): Value {
  const [condition, yes, no] = expression.args;
  if (condition === undefined || yes === undefined || no === undefined || expression.args.length > 3) {
    return problem('`where` takes a condition and two values', expression, context);
  }
  const decided = evaluate(condition.value, context);
  if (decided.kind === 'error') return decided;
  if (decided.kind === 'bool') return evaluate((decided.value ? yes : no).value, context);
  return problem(
    `the condition of \`where\` is ${describeValue(decided)}, not true or false`,
    condition.value,
    context,
  );
}

function problem(text: string, at: Expression, context: EvaluationContext): Value {
  context.reporter.report('model/arithmetic', { problem: text }, at.span);
  return errorValue;
}
