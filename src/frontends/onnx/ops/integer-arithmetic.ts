import { smallConstant, type Constant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { isRequantisedSum } from '../dialects/dory.js';
import { hasIntegers } from '../integers.js';
import { roundedValue, wholeValue } from '../rounded.js';
import { isAnnotation } from '../standard/annotations.js';
import { type RealValue, type RoundedValue, type Value, inAxesOf } from '../values.js';
import { type Operator, affine, scalarOf } from './with-constant.js';

/** ONNX's arithmetic has no attributes: what DORY writes there (`in1_mul`, `in1_rq`) requantises the operands. */
export function checkAttributes(context: NodeContext): void {
  const unknown = [...context.node.attributes.keys()].find((name) => !isAnnotation(name));
  if (unknown === undefined) return;
  if (isRequantisedSum(context.node)) {
    const help = 'rq is 0 or 1, shift from 0 to 63; mul, add and n_levels are numbers that float32 holds';
    context.badForm('what it notes of its requantisation (in1_rq, in1_mul …) isn’t all there or makes no sense', help);
  }
  context.badForm(
    `its attribute "${unknown}" isn't ONNX's`,
    'export the operands’ requantisation as operators of their own (Mul, Add, Div, Floor, Clip)',
  );
}

/** Arithmetic in an integer type: with a constant of one the activation holds integers, too. */
export function ofIntegers(
  context: NodeContext,
  operator: Operator,
  x: RealValue,
  constant: Constant,
  constantFirst: boolean,
): Value {
  if (!hasIntegers(context.graph, x.op) || (operator === 'Div' && constantFirst))
    context.badForm(`its constant "${constant.name}" is ${constant.type}, not float`);
  if (operator === 'Div') return quotient(context, constant);
  return wholeValue(context, affine(context, operator, x, constant, constantFirst, context.output));
}

/** Division of integers: towards zero. */
export function quotient(context: NodeContext, by: Constant): RoundedValue {
  const scalar = scalarOf('Div', by, false);
  if (scalar === undefined || !(scalar.scale > 0))
    context.badForm('it divides integers by something else than a number');
  const real = context.realInAnyLayout(0);
  const params = { scale: context.param(smallConstant(by.name, 'double', [1], [scalar.scale])) };
  const result = context.emit({ kind: 'affine', inputs: [real], params, suffix: 'quotient' });
  const x = inAxesOf(real, result);
  return { ...roundedValue(context, x, 'towards_zero'), integer: true };
}
