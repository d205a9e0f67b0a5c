import type { BinaryOp, Expr } from '../equations/index.js';
import type { CallExpression, Expression, FormatExpression, NumberExpression } from '../syntax/index.js';
import type { Reporter } from './reporter.js';

/** What `levels` is written with: a fixed-point format, or a range and its step. */
const formatKeys = ['bits', 'integer', 'fraction'];
const rangeKeys = ['min', 'max', 'step'];

const forms = 'write `levels(v, bits: integer.fraction)` or `levels(v, min: 0, max: D, step: 1)`';

type ToEquation = (expression: Expression) => Expr;

/**
 * `levels(v, …)` as data: step·clip(⌊v / step⌋, min, max) with `min` and `max` counted in steps. Written with
 *
 * - `bits: m.n`, or `integer: m, fraction: n`: 2⁻ⁿ·{0 … 2^(m+n) − 1};
 * - `min: a, max: b, step: c`: {a, a + c … b}, where a is 0 and c is 1 if left out.
 *
 * Undefined where it is neither, which is reported.
 */
export function levelsCall(expression: CallExpression, reporter: Reporter, toEquation: ToEquation): Expr | undefined {
  const [value, ...rest] = expression.args;
  const named: Record<string, Expr> = {};
  const unknown = (name: string, at: (typeof rest)[number], help: string): void =>
    reporter.report('model/argument-unknown', { callee: 'levels', name }, at.span, { help });
  const keys = rest.map(({ name }) => name?.text ?? '');
  const keysOfForm = keys.some((key) => formatKeys.includes(key)) ? formatKeys : rangeKeys;
  for (const argument of rest) {
    const key = argument.name?.text;
    if (key === 'bits' && (argument.value.kind === 'format' || argument.value.kind === 'number')) {
      Object.assign(named, bits(argument.value, toEquation));
    } else if (key !== undefined && key !== 'bits' && keysOfForm.includes(key)) {
      named[key] = toEquation(argument.value);
      if (keysOfForm === formatKeys && isNegative(named[key])) {
        const args = {
          what: `\`${key}\` of \`levels\``,
          expected: 'an integer of at least 0',
          found: 'a negative one',
        };
        const help = 'give the range and the step instead: `levels(v, min: …, max: …, step: …)`';
        reporter.report('model/argument-type', args, argument.value.span, { help });
        return undefined;
      }
    } else {
      const mixed = key !== undefined && rangeKeys.includes(key);
      unknown(key ?? '(by position)', argument, mixed ? `bits give the range already: ${forms}` : forms);
      return undefined;
    }
  }
  const isRange = keysOfForm === rangeKeys && rest.length > 0;
  const missing = (isRange ? ['max'] : ['integer', 'fraction']).filter((key) => named[key] === undefined);
  if (value === undefined || value.name !== undefined || missing.length > 0) {
    const none = rest.length === 0 || value === undefined || value.name !== undefined;
    const like = isRange ? '`levels(u, min: 0, max: D)`' : '`levels(u / theta, integer: m, fraction: n)`';
    const name = none ? 'bits' : missing[0]!;
    const type = none ? 'as in `levels(u / theta, bits: integer.fraction)`' : `as in ${like}`;
    reporter.report('model/argument-missing', { callee: 'levels', name, type }, expression.span, { help: forms });
    return undefined;
  }
  const range = isRange ? inSteps(named) : ofFormat(named['integer']!, named['fraction']!);
  return { kind: 'call', callee: 'levels', args: [toEquation(value.value)], named: range };
}

function isNegative(expr: Expr): boolean {
  return expr.kind === 'number' && expr.value < 0;
}

function number(value: number): Expr {
  return { kind: 'number', value };
}

function binary(op: BinaryOp, left: Expr, right: Expr): Expr {
  return { kind: 'binary', op, left, right };
}

/** min: 0, max: 2^(m+n) − 1, step: 2^(−n). */
function ofFormat(integer: Expr, fraction: Expr): Record<string, Expr> {
  const two = number(2);
  return {
    min: number(0),
    max: binary('-', binary('^', two, binary('+', integer, fraction)), number(1)),
    step: binary('^', two, { kind: 'unary', op: '-', operand: fraction }),
  };
}

/** The range counted in its steps: what isn't a whole number of them is found where the parameters are known. */
function inSteps({ min, max, step }: Readonly<Record<string, Expr>>): Record<string, Expr> {
  const unit = step ?? number(1);
  const counted = (bound: Expr): Expr => {
    const isPlain = (unit.kind === 'number' && unit.value === 1) || (bound.kind === 'number' && bound.value === 0);
    return isPlain ? bound : binary('/', bound, unit);
  };
  return { min: counted(min ?? number(0)), max: counted(max!), step: unit };
}

function bits(format: FormatExpression | NumberExpression, toEquation: ToEquation): Record<string, Expr> {
  if (format.kind === 'number') {
    const [integer, fraction = '0'] = format.text.split('.');
    return { integer: number(Number(integer)), fraction: number(Number(fraction)) };
  }
  const part = (one: FormatExpression['integer']): Expr => toEquation({ kind: 'name', name: one.text, span: one.span });
  return { integer: part(format.integer), fraction: part(format.fraction) };
}
