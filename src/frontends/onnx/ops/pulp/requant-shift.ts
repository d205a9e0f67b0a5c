import { fail } from '../../../../base/diagnostics/index.js';
import { elementCount } from '../../../../base/dtype.js';
import { type Constant, reshapedConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { leastScale } from '../../quantisation.js';
import { clippedRounded, roundedValue } from '../../rounded.js';
import { type RealValue, type Value, inAxesOf } from '../../values.js';
import { broadcastTo } from '../with-constant.js';
import { numberOf } from './attributes.js';
import { ofEachInteger } from './codes.js';

/**
 * RequantShift of PULP's tools: ⌊(x·mul + add)/div + ½⌋ held in n levels, from 0 on or, signed, around 0, as Deeploy's kernels
 * round; with the attribute `rounding` 0 without the half. mul and add are integers, one or one a channel; div is a power of two.
 */
export function requantShift(context: NodeContext): readonly Value[] {
  const div = numberOf(context, 'div');
  const levels = numberOf(context, context.node.attributes.has('n_levels_out') ? 'n_levels_out' : 'n_levels');
  const signed = numberOf(context, 'signed', 0) !== 0;
  if (!(div >= leastScale) || !Number.isFinite(div)) context.badAttribute('div', div);
  if (!(levels >= 2) || !Number.isInteger(levels)) context.badAttribute('n_levels', levels);
  const x = context.realInAnyLayout(0);
  const half = Math.round(levels / 2 + 0.001);
  const [min, max] = signed ? [-half, half - 1] : [0, levels - 1];
  const rounding = numberOf(context, 'rounding', 1) === 0 ? 'floor' : 'half_up';
  if (context.graph.codeFunctions.has(x.op)) {
    const [mul, add] = [factor(context, 1, 'mul', x), factor(context, 2, 'add', x)];
    if (mul.shape.join() === '1' && add.shape.join() === '1') {
      const [m, a] = [mul.data()[0]!, add.data()[0]!];
      const shifted = (v: number): number => Math.floor((v * m + a) / div + (rounding === 'floor' ? 0 : 0.5));
      return [ofEachInteger(context, x, (v) => Math.min(max, Math.max(min, shifted(v))) + 0)];
    }
  }
  const sum = multiplyAdd(context, x);
  const scaled = context.emit({
    kind: 'affine',
    inputs: [sum],
    params: { scale: { tensor: { dtype: 'f64', shape: [1], data: Float64Array.of(1 / div) } } },
    suffix: 'shift',
  });
  context.graph.scalarAffines.set(scaled.op, { source: sum.op, scale: 1 / div, shift: 0 });
  const rounded = roundedValue(context, inAxesOf(x, scaled), rounding);
  return [clippedRounded(rounded, min, max, context.output)!];
}

/** x·mul + add. */
function multiplyAdd(context: NodeContext, x: RealValue): RealValue {
  const [mul, add] = [factor(context, 1, 'mul', x), factor(context, 2, 'add', x)];
  if (mul.data().every((value: number) => value === 0)) {
    fail('onnx/bad-scale', { name: mul.name, index: 0, value: '0' }, context.place);
  }
  const params = { scale: context.param(mul), shift: context.param(add) };
  return inAxesOf(x, context.emit({ kind: 'affine', inputs: [x], params, suffix: 'product' }));
}

/** A constant operand, of one element or of a shape that broadcasts. */
function factor(context: NodeContext, index: number, what: string, x: RealValue): Constant {
  const constant = context.constant(index, what);
  const bad = constant.data().findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0) {
    const value = String(constant.data()[bad]);
    fail('onnx/not-finite', { name: constant.name, index: bad, value }, context.place);
  }
  return elementCount(constant.shape) === 1
    ? reshapedConstant(constant, [1])
    : broadcastTo(context, byChannel(context, constant, x), x);
}

/** One number a channel, where the shape says it in another way than broadcasting: [C], or [C, 1, 1] of lines. */
function byChannel(context: NodeContext, constant: Constant, x: RealValue): Constant {
  const shape = context.onnxShape(x);
  const { shape: given } = constant;
  const [channels] = given;
  const once = channels === shape[1] && given.slice(1).every((n) => n === 1);
  const spread = once && (given.length === 1 || given.length >= shape.length) && shape.length > 2;
  return spread ? reshapedConstant(constant, [channels!, ...shape.slice(2).map(() => 1)]) : constant;
}
