import { fail } from '../../../../base/diagnostics/index.js';
import { elementCount } from '../../../../base/dtype.js';
import { type Constant, reshapedConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { clippedRounded, roundedValue } from '../../rounded.js';
import { tensorConstant } from '../../tensor-data.js';
import { type RealValue, type Value, inAxesOf } from '../../values.js';
import { broadcastTo } from '../with-constant.js';

/**
 * RequantShift of PULP's tools (quantlib, Deeploy): ⌊(x·mul + add)/div⌋ held in n levels, from 0 on or, signed, around 0.
 * mul and add are integers, one or one a channel; div is a power of two.
 */
export function requantShift(context: NodeContext): readonly Value[] {
  const div = attribute(context, 'div');
  const levels = attribute(context, context.node.attributes.has('n_levels_out') ? 'n_levels_out' : 'n_levels');
  const signed = attribute(context, 'signed', 0) !== 0;
  if (!(div > 0) || !Number.isFinite(div)) context.badAttribute('div', div);
  if (!(levels >= 2) || !Number.isInteger(levels)) context.badAttribute('n_levels', levels);
  const x = context.realInAnyLayout(0);
  const sum = multiplyAdd(context, x);
  const scaled = context.emit({
    kind: 'affine',
    inputs: [sum],
    params: { scale: { tensor: { dtype: 'f64', shape: [1], data: Float64Array.of(1 / div) } } },
    suffix: 'shift',
  });
  context.graph.scalarAffines.set(scaled.op, { source: sum.op, scale: 1 / div, shift: 0 });
  const half = Math.round(levels / 2 + 0.001);
  const [min, max] = signed ? [-half, half - 1] : [0, levels - 1];
  const rounded = roundedValue(context, inAxesOf(x, scaled), 'floor');
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
  return elementCount(constant.shape) === 1 ? reshapedConstant(constant, [1]) : broadcastTo(context, constant, x);
}

/** A number that is written as a tensor of one element, or as a plain attribute. */
function attribute(context: NodeContext, name: string, fallback?: number): number {
  const given = context.node.attributes.get(name);
  const tensor = given?.t;
  const value =
    tensor === undefined ? (given?.i ?? given?.f) : tensorConstant(tensor, context.place, undefined).data()[0];
  return value ?? fallback ?? context.badAttribute(name, 'missing');
}
