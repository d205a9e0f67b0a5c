import type { BinaryExpression } from '../syntax/index.js';
import { type LayerSite, layerTable } from './layers/index.js';
import type { Reporter } from './reporter.js';
import { type Value, describeValue, errorValue } from './values.js';

/** Arithmetic of which at least one side is a value of the network, as layers: sums, products, scales and shifts. */
export function arithmetic(
  expression: BinaryExpression,
  left: Value,
  right: Value,
  site: (op: string) => LayerSite,
  reporter: Reporter,
): Value {
  const made = combine(expression.operator, left, right, site);
  if (made !== undefined) return made;
  const problem = `\`${expression.operator}\` can't be applied to ${describeValue(left)} and ${describeValue(right)}`;
  const help = 'layers’ values can be added, subtracted and multiplied, and scaled or shifted by numbers';
  reporter.report('model/arithmetic', { problem }, expression.span, { help });
  return errorValue;
}

function combine(
  operator: BinaryExpression['operator'],
  left: Value,
  right: Value,
  site: (op: string) => LayerSite,
): Value | undefined {
  if (left.kind === 'tensor' && right.kind === 'tensor') {
    if (operator === '-') return join('add', left, scale(right, -1, site('scale')), site);
    if (operator === '+') return join('add', left, right, site);
    return operator === '*' ? join('mul', left, right, site) : undefined;
  }
  if (left.kind === 'tensor' && right.kind === 'number') {
    if (operator === '*') return scale(left, right.value, site('scale'));
    if (operator === '/' && right.value !== 0) return scale(left, 1 / right.value, site('scale'));
    if (operator === '+') return shift(left, right.value, site('shift'));
    return operator === '-' ? shift(left, -right.value, site('shift')) : undefined;
  }
  if (left.kind === 'number' && right.kind === 'tensor') {
    if (operator === '*') return scale(right, left.value, site('scale'));
    if (operator === '+') return shift(right, left.value, site('shift'));
    if (operator === '-') return shift(scale(right, -1, site('scale')), left.value, site('shift'));
  }
  return undefined;
}

/** `value · factor` */
export function scale(value: Value, factor: number, site: LayerSite): Value {
  if (value.kind !== 'tensor') return errorValue;
  return site.add('scale', 'scale', [value], value.shape, { factor });
}

function shift(value: Value, offset: number, site: LayerSite): Value {
  if (value.kind !== 'tensor') return errorValue;
  return site.add('shift', 'shift', [value], value.shape, { offset });
}

function join(name: 'add' | 'mul', left: Value, right: Value, site: (op: string) => LayerSite): Value {
  if (left.kind !== 'tensor' || right.kind !== 'tensor') return errorValue;
  return layerTable[name]!.build(site(name), [left, right], new Map(), name) ?? errorValue;
}
