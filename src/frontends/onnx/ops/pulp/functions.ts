import type { NodeContext } from '../../context.js';
import type { Value } from '../../values.js';
import { numberOf, wholeNumberOf } from './attributes.js';
import { ofEachInteger } from './codes.js';

/** GELU of I-BERT, by a second-degree polynomial of erf: q = min(|x|, −b), L = sgn(x)·(one − (q + b)²), x·⌊(one + L)/2⌋. */
export function integerGelu(context: NodeContext): readonly Value[] {
  const [b, one] = [numberOf(context, 'b'), numberOf(context, 'one')];
  return [
    eachOf(context, (x) => {
      const d = Math.min(Math.abs(x), -b) + b;
      return x * Math.floor((one + Math.sign(x) * (one - d * d)) / 2);
    }),
  ];
}

/** x·clip(x + three, 0, six)·one_over_six. */
export function integerHardswish(context: NodeContext): readonly Value[] {
  const [three, six, sixth] = ['three', 'six', 'one_over_six'].map((name) => numberOf(context, name)) as [
    number,
    number,
    number,
  ];
  return [eachOf(context, (x) => x * Math.min(Math.max(x + three, 0), six) * sixth)];
}

/** x, and below 0 ⌊x·mul/2^shift⌋. */
export function integerLeakyRelu(context: NodeContext): readonly Value[] {
  const [mul, shift] = [numberOf(context, 'mul'), wholeNumberOf(context, 'shift', 0)];
  return [eachOf(context, (x) => (x >= 0 ? x : Math.floor((x * mul) / 2 ** shift)))];
}

/**
 * Division by a number: ⌊x·Delta·eta/(y·eta + eps)⌋, as the outputs beside Deeploy's networks have it; quantlib's own and Deeploy's
 * kernel of its own round to the nearest.
 */
export function trueIntegerDivision(context: NodeContext): readonly Value[] {
  const [Delta, eta, eps, y] = ['Delta', 'eta', 'eps', 'y'].map((name) => BigInt(wholeNumberOf(context, name, 0))) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const by = y * eta + eps;
  if (by === 0n) context.badForm('it divides by 0');
  return [
    eachOf(context, (x) => {
      const product = BigInt(x) * Delta * eta;
      return Number(product / by) - (product % by < 0n ? 1 : 0);
    }),
  ];
}

function eachOf(context: NodeContext, f: (x: number) => number): Value {
  return ofEachInteger(context, context.realInAnyLayout(0), (x) => f(x) + 0);
}
