import type { Argument, Expression, Parameter, Stage, TypeExpression } from './ast.js';

/** Columns a line should stay within. */
export const lineWidth = 100;

/** How tightly each operator binds; what binds less tightly inside needs parentheses. */
const precedence: Readonly<Record<string, number>> = {
  pipe: 0,
  or: 1,
  and: 2,
  not: 3,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '==': 4,
  '!=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  negate: 7,
  '^': 8,
  primary: 9,
};

function levelOf(expression: Expression): number {
  switch (expression.kind) {
    case 'pipe':
      return precedence['pipe']!;
    case 'unary':
      return precedence[expression.operator === '-' ? 'negate' : 'not']!;
    case 'binary':
      return precedence[expression.operator]!;
    default:
      return precedence['primary']!;
  }
}

/** The expression on one line. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return expression.text;
    case 'string':
      return quote(expression.value);
    case 'bool':
      return String(expression.value);
    case 'name':
      return expression.name;
    case 'format':
      return `${expression.integer.text}.${expression.fraction.text}`;
    case 'list':
      return `[${expression.items.map(printExpression).join(', ')}]`;
    case 'call':
      return `${expression.callee.text}(${expression.args.map(printArgument).join(', ')})`;
    case 'unary': {
      const level = levelOf(expression);
      const operand = wrapped(expression.operand, level);
      return expression.operator === '-' ? `-${operand}` : `not ${operand}`;
    }
    case 'binary': {
      const [left, right] = operands(expression);
      return `${left} ${expression.operator} ${right}`;
    }
    case 'pipe':
      return [wrapped(expression.source, 1), ...expression.stages.map(printStage)].join(' | ');
  }
}

/** Both sides, in parentheses where the grammar would group them otherwise. */
function operands(expression: Expression & { kind: 'binary' }): [string, string] {
  const level = levelOf(expression);
  // Comparisons don't chain; the exponent may be negative; everything else groups to the left.
  if (level === 4) return [wrapped(expression.left, 5), wrapped(expression.right, 5)];
  if (expression.operator === '^') return [wrapped(expression.left, 9), exponent(expression.right)];
  return [wrapped(expression.left, level), wrapped(expression.right, level + 1)];
}

/** After `^` come signs and something primary, or a further power. */
function exponent(expression: Expression): string {
  if (expression.kind === 'binary' && expression.operator === '^') {
    // In `a ^ -b ^ c` the sign belongs to b alone, so a negated base of the next power needs none here.
    const signed = expression.left.kind === 'unary' && expression.left.operator === '-';
    const [left, right] = [
      signed ? exponent(expression.left) : wrapped(expression.left, 9),
      exponent(expression.right),
    ];
    return `${left} ^ ${right}`;
  }
  if (expression.kind === 'unary' && expression.operator === '-') {
    const { operand } = expression;
    const inner = operand.kind === 'unary' && operand.operator === '-' ? exponent(operand) : wrapped(operand, 9);
    return `-${inner}`;
  }
  return wrapped(expression, 9);
}

function wrapped(expression: Expression, atLeast: number): string {
  const text = printExpression(expression);
  return levelOf(expression) < atLeast ? `(${text})` : text;
}

function printArgument({ name, value }: Argument): string {
  return name === undefined ? printExpression(value) : `${name.text}: ${printExpression(value)}`;
}

function printStage({ repeats, call }: Stage): string {
  const counts = repeats.map((count) => `repeat(${printExpression(count)}) `).join('');
  return counts + printExpression(call);
}

export function printType({ name, dimensions }: TypeExpression): string {
  return dimensions === undefined ? name.text : `${name.text}[${dimensions.map(printExpression).join(', ')}]`;
}

export function printParameter(parameter: Parameter): string {
  const type = parameter.type === undefined ? '' : `: ${printType(parameter.type)}`;
  const value = parameter.default === undefined ? '' : ` = ${printExpression(parameter.default)}`;
  return `${parameter.name.text}${type}${value}`;
}

export function quote(value: string): string {
  const escaped = value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${escaped}"`;
}

/**
 * The expression behind `prefix` (which is in the first line's width), in as few lines as its parts
 * allow: pipelines break before each `|`, calls and lists after each item, sums before each operator.
 */
export function layOut(prefix: string, expression: Expression, indent: number): string[] {
  const flat = prefix + printExpression(expression);
  if (flat.length <= lineWidth) return [flat];
  const inner = ' '.repeat(indent + 2);
  switch (expression.kind) {
    case 'pipe': {
      const first = expression.source;
      const lines = levelOf(first) < 1 ? [`${prefix}(${printExpression(first)})`] : layOut(prefix, first, indent + 2);
      for (const stage of expression.stages) {
        const counts = stage.repeats.map((count) => `repeat(${printExpression(count)}) `).join('');
        lines.push(...layOut(`${inner}| ${counts}`, stage.call, indent + 2));
      }
      return lines;
    }
    case 'call':
      if (expression.args.length === 0) return [flat];
      return [
        `${prefix}${expression.callee.text}(`,
        ...withCommas(
          expression.args.map(({ name, value }) =>
            layOut(inner + (name === undefined ? '' : `${name.text}: `), value, indent + 2),
          ),
        ),
        `${' '.repeat(indent)})`,
      ];
    case 'list':
      if (expression.items.length === 0) return [flat];
      return [
        `${prefix}[`,
        ...withCommas(expression.items.map((item) => layOut(inner, item, indent + 2))),
        `${' '.repeat(indent)}]`,
      ];
    case 'binary':
      return layOutBinary(prefix, expression, indent);
    default:
      return [flat];
  }
}

function layOutBinary(prefix: string, expression: Expression & { kind: 'binary' }, indent: number): string[] {
  const level = levelOf(expression);
  if (level === 4 || expression.operator === '^') return [prefix + printExpression(expression)];
  const [, right] = operands(expression);
  const rest = `${' '.repeat(indent + 4)}${expression.operator} ${right}`;
  const { left } = expression;
  if (left.kind === 'binary' && levelOf(left) === level) return [...layOutBinary(prefix, left, indent), rest];
  return [prefix + wrapped(left, level), rest];
}

function withCommas(items: readonly string[][]): string[] {
  return items.flatMap((lines) => [...lines.slice(0, -1), `${lines.at(-1)!},`]);
}
