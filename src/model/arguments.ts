import { type Help } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { Span } from '../base/source.js';
import type { Argument, CallExpression, Expression, NameExpression } from '../syntax/index.js';
import { type EvaluationContext, constantFunctions, evaluate } from './evaluate.js';
import { type Choices, type Parameter, type Spec, describeSpec } from './schema.js';
import { type Choice, type SettingValue, type Term, type Value, describeValue, errorValue } from './values.js';

/** Where things are called from: the name for messages and the place for what is missing. */
export interface Callee {
  readonly name: string;
  readonly place: Span;
}

/** Gives each argument to its parameter, by position first, then by name. */
export function matchArguments(
  callee: Callee,
  parameters: readonly Pick<Parameter, 'name'>[],
  args: readonly Argument[],
  context: EvaluationContext,
): Map<string, Argument> {
  const { reporter } = context;
  const given = new Map<string, Argument>();
  let positional = 0;
  let named = false;
  for (const argument of args) {
    named ||= argument.name !== undefined;
    const name = argument.name?.text ?? (named ? undefined : parameters[positional++]?.name);
    if (name === undefined) {
      const help = named
        ? 'arguments by position come before those by name'
        : parameters.length === 0
          ? undefined
          : `its parameters are ${parameters.map((p) => p.name).join(', ')}`;
      reporter.report('model/argument-extra', { callee: callee.name, count: parameters.length }, argument.span, {
        help,
      });
    } else if (!parameters.some((parameter) => parameter.name === name)) {
      const names = parameters.map((parameter) => parameter.name);
      const help = (): Help | undefined =>
        suggest(name, names) ?? (names.length > 0 ? `it has: ${names.join(', ')}` : undefined);
      reporter.report('model/argument-unknown', { callee: callee.name, name }, argument.name?.span ?? argument.span, {
        help,
      });
    } else if (given.has(name)) {
      const related = [{ place: given.get(name)!.span, message: 'first given here' }];
      reporter.report('model/argument-twice', { callee: callee.name, name }, argument.span, { related });
    } else {
      given.set(name, argument);
    }
  }
  return given;
}

/** The values of all parameters, checked, defaults filled in; nothing where one is wrong or missing. */
export function evaluateArguments(
  callee: Callee,
  parameters: readonly Parameter[],
  args: readonly Argument[],
  context: EvaluationContext,
): ReadonlyMap<string, Value> | undefined {
  const given = matchArguments(callee, parameters, args, context);
  const values = new Map<string, Value>();
  let sound = given.size === args.length;
  for (const { name, spec, required, default: otherwise } of parameters) {
    const argument = given.get(name);
    if (argument !== undefined) {
      const value = evaluateAs(argument.value, spec, `\`${name}\` of \`${callee.name}\``, context);
      if (value.kind === 'error') sound = false;
      values.set(name, value);
    } else if (required) {
      const type = describeSpec(spec);
      context.reporter.report('model/argument-missing', { callee: callee.name, name, type }, callee.place);
      sound = false;
    } else if (otherwise !== undefined) {
      values.set(name, toValue(otherwise));
    }
  }
  return sound ? values : undefined;
}

/** The value of an expression that must be as `spec` says; `what` names it in messages. */
export function evaluateAs(expression: Expression, spec: Spec, what: string, context: EvaluationContext): Value {
  switch (spec.kind) {
    case 'words':
      if (expression.kind === 'name') return word(expression, spec.words, what, context);
      break;
    case 'label':
      if (expression.kind === 'name') return { kind: 'string', value: expression.name };
      break;
    case 'neuron':
      // In graphs, the rule about known names has said it.
      if (context.graph === undefined && (expression.kind === 'name' || expression.kind === 'call')) {
        const { name, place } = calleeOf(expression);
        const { lookup, elsewhere, names } = context.environment;
        if (lookup(name) !== undefined || constantFunctions.has(name)) break;
        const neurons = (): string[] => [...names()].filter((other) => lookup(other)?.kind === 'neuronDef');
        const help = (): Help | undefined => elsewhere?.(name) ?? suggest(name, neurons());
        context.reporter.report('model/unknown-name', { kind: 'neuron', name }, place, { help });
        return errorValue;
      }
      break;
    case 'choice':
      return choice(expression, spec.of, what, context);
    case 'sum':
      return sum(expression, spec, what, context);
    case 'block': {
      const named = expression.kind === 'call' ? context.environment.lookup(expression.callee.text) : undefined;
      if (expression.kind !== 'call' || named === undefined || context.useBlock === undefined) break;
      if (named.kind === 'block') return context.useBlock(named, expression, context);
      if (named.kind === 'network') return coerce(named, spec, what, expression.span, context);
      break;
    }
    case 'either': {
      const form = spec.of.find((one) => mayMean(expression, one, context));
      if (form !== undefined) return evaluateAs(expression, form, what, context);
      const words = spec.of.flatMap(wordsOf);
      if (expression.kind === 'name' && words.length > 0 && context.environment.lookup(expression.name) === undefined) {
        return unknownWord(expression.name, words, spec, what, expression.span, context);
      }
      break;
    }
    case 'list':
      if (expression.kind === 'list') {
        const items = expression.items.map((item) => evaluateAs(item, spec.of, `each item of ${what}`, context));
        if (items.some((item) => item.kind === 'error')) return errorValue;
        return coerce({ kind: 'list', items }, spec, what, expression.span, context);
      }
      break;
    default:
  }
  return coerce(evaluate(expression, context), spec, what, expression.span, context);
}

/** `value` if it is as `spec` says; otherwise that is reported at `place`. */
export function coerce(value: Value, spec: Spec, what: string, place: Span, context: EvaluationContext): Value {
  if (value.kind === 'error' || fits(value, spec)) return value;
  const expected = describeSpec(spec);
  context.reporter.report('model/argument-type', { what, expected, found: describeValue(value) }, place);
  return errorValue;
}

function fits(value: Value, spec: Spec): boolean {
  switch (spec.kind) {
    case 'any':
      return true;
    case 'int':
      return value.kind === 'number' && Number.isSafeInteger(value.value) && inRange(value.value, spec);
    case 'real':
      return value.kind === 'number' && inRange(value.value, spec);
    case 'bool':
      return value.kind === 'bool';
    case 'string':
    case 'label':
      return value.kind === 'string';
    case 'words':
      return value.kind === 'string' && spec.words.includes(value.value);
    case 'list':
      return (
        value.kind === 'list' &&
        (spec.length === undefined || value.items.length === spec.length) &&
        value.items.every((item) => fits(item, spec.of))
      );
    case 'pair': {
      const one: Spec = { kind: 'int', min: spec.min };
      return fits(value, one) || fits(value, { kind: 'list', of: one, length: 2 });
    }
    case 'block':
      return value.kind === 'block';
    case 'neuron':
      return value.kind === 'neuron';
    case 'choice':
      return value.kind === 'choice';
    case 'sum':
      return value.kind === 'sum';
    case 'either':
      return spec.of.some((one) => fits(value, one));
  }
}

function inRange(value: number, spec: { min?: number; max?: number; above?: number; below?: number }): boolean {
  return (
    (spec.min === undefined || value >= spec.min) &&
    (spec.max === undefined || value <= spec.max) &&
    (spec.above === undefined || value > spec.above) &&
    (spec.below === undefined || value < spec.below)
  );
}

/** Whether the form of an expression suits `spec`, to pick among alternatives before evaluating. */
function mayMean(expression: Expression, spec: Spec, context: EvaluationContext): boolean {
  const name =
    expression.kind === 'name' ? expression.name : expression.kind === 'call' ? expression.callee.text : undefined;
  switch (spec.kind) {
    case 'choice':
      return name !== undefined && Object.hasOwn(spec.of, name);
    case 'sum':
      return expression.kind === 'binary' || (name !== undefined && Object.hasOwn(spec.of, name));
    case 'words':
      return expression.kind === 'name' && spec.words.includes(expression.name);
    case 'label':
      return expression.kind === 'name' || expression.kind === 'string';
    case 'string':
      return expression.kind === 'string';
    case 'bool':
      return expression.kind === 'bool';
    case 'list':
      return expression.kind === 'list' && (spec.length === undefined || expression.items.length === spec.length);
    case 'pair':
      return expression.kind === 'list' ? expression.items.length === 2 : mayMean(expression, { kind: 'int' }, context);
    case 'either':
      return spec.of.some((one) => mayMean(expression, one, context));
    case 'int':
    case 'real':
      if (expression.kind === 'bool' || expression.kind === 'string' || expression.kind === 'list') return false;
      return name === undefined || expression.kind === 'call' || context.environment.lookup(name) !== undefined;
    default:
      return name === undefined || context.environment.lookup(name) !== undefined;
  }
}

function word(expression: NameExpression, words: readonly string[], what: string, context: EvaluationContext): Value {
  if (words.includes(expression.name)) return { kind: 'string', value: expression.name };
  return unknownWord(expression.name, words, { kind: 'words', words }, what, expression.span, context);
}

function unknownWord(
  name: string,
  words: readonly string[],
  spec: Spec,
  what: string,
  place: Span,
  context: EvaluationContext,
): Value {
  const args = { what, expected: describeSpec(spec), found: `\`${name}\`` };
  context.reporter.report('model/argument-type', args, place, { help: () => suggest(name, words) });
  return errorValue;
}

/** The words a spec knows. */
function wordsOf(spec: Spec): readonly string[] {
  if (spec.kind === 'words') return spec.words;
  return spec.kind === 'choice' || spec.kind === 'sum' ? Object.keys(spec.of) : [];
}

function choice(expression: Expression, of: Choices, what: string, context: EvaluationContext): Value {
  if (expression.kind !== 'name' && expression.kind !== 'call') {
    return coerce(evaluate(expression, context), { kind: 'choice', of }, what, expression.span, context);
  }
  const { name, args, place } = calleeOf(expression);
  const parameters = Object.hasOwn(of, name) ? of[name]!.args : undefined;
  if (parameters === undefined) return unknownWord(name, Object.keys(of), { kind: 'choice', of }, what, place, context);
  const values = evaluateArguments({ name, place: expression.span }, parameters, args, context);
  if (values === undefined) return errorValue;
  const checked = Object.fromEntries([...values].map(([key, value]) => [key, toSetting(value)]));
  const result: Choice = { name, args: checked, place: expression.span };
  return { kind: 'choice', choice: result };
}

/** `cross_entropy + 1e-3 * firing(target: 0.1)` */
function sum(expression: Expression, spec: Spec & { kind: 'sum' }, what: string, context: EvaluationContext): Value {
  const terms: Term[] = [];
  for (const { factor, named } of summands(expression, spec, context)) {
    const value = choice(named, spec.of, what, context);
    const number: Value =
      factor === undefined
        ? { kind: 'number', value: 1 }
        : evaluateAs(factor, { kind: 'real', above: 0 }, `a factor of ${what}`, context);
    if (value.kind !== 'choice' || number.kind !== 'number') return errorValue;
    terms.push({ factor: number.value, term: value.choice });
  }
  return { kind: 'sum', terms };
}

/** The parts of a sum, each with the expression that it is multiplied with. */
function summands(
  expression: Expression,
  spec: Spec,
  context: EvaluationContext,
): readonly { readonly factor?: Expression; readonly named: Expression }[] {
  if (expression.kind !== 'binary') return [{ named: expression }];
  const { operator, left, right } = expression;
  if (operator === '+') return [...summands(left, spec, context), ...summands(right, spec, context)];
  if (operator !== '*') return [{ named: expression }];
  const isNamed = (part: Expression): boolean => part.kind !== 'binary' && mayMean(part, spec, context);
  const swapped = !isNamed(right) && (isNamed(left) || (right.kind !== 'name' && right.kind !== 'call'));
  return [swapped ? { factor: right, named: left } : { factor: left, named: right }];
}

/** Name and arguments of `f(a)` or of `f`. */
export function calleeOf(expression: CallExpression | NameExpression): {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly place: Span;
} {
  if (expression.kind === 'name') return { name: expression.name, args: [], place: expression.span };
  return { name: expression.callee.text, args: expression.args, place: expression.callee.span };
}

/** A checked value as plain data. */
export function toSetting(value: Value): SettingValue {
  switch (value.kind) {
    case 'number':
    case 'bool':
    case 'string':
      return value.value;
    case 'list':
      return value.items.map(toSetting);
    case 'choice':
      return value.choice;
    case 'sum':
      return value.terms;
    case 'block':
      return value.declared.declaration.name.text;
    case 'neuron':
      return value.use.def.name;
    case 'network':
    case 'config':
    case 'neuronDef':
    case 'tensor':
    case 'hole':
    case 'error':
      throw new TypeError(`toSetting: ${value.kind} values aren't settings`);
  }
}

function toValue(plain: number | boolean | string | readonly number[]): Value {
  if (typeof plain === 'number') return { kind: 'number', value: plain };
  if (typeof plain === 'boolean') return { kind: 'bool', value: plain };
  if (typeof plain === 'string') return { kind: 'string', value: plain };
  return { kind: 'list', items: plain.map((value) => ({ kind: 'number', value })) };
}
