import {
  type Op,
  algebraOf,
  alongAxis,
  codesOf,
  digitOf,
  functions,
  integerNormOf,
  integerSoftmaxOf,
  isFunctionName,
  layerNormOf,
  lookedUp,
  softmaxOf,
} from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { type StepTrain, type Timed, Train } from '../trains.js';
import { digitsOfCode } from './encode.js';

type WholeInput = Op<'recode' | 'product' | 'matrix_product' | 'group_neuron' | 'digit_neuron'>;

/** gain·Σ β^(Tc−k)·x(k) + offset of a value over time, in the precision of membranes: all of it is in. */
function wholeInput(lowering: Lowering, op: WholeInput, input: Timed, gain: number, offset: number): Value {
  const { builder, options } = lowering;
  const sum = input instanceof Train ? input.prefix(input.steps) : input.take(input.steps, op.attrs.beta)[0]!;
  const whole = builder.at(op.id).cast(sum, options.precision);
  const weighed = gain === 1 ? whole : builder.mul(whole, gain);
  return offset === 0 ? weighed : builder.add(weighed, offset);
}

/** The digits of levels[#{t ≤ v}] of the whole input v. */
export function recodedTrain(lowering: Lowering, op: Op<'recode'>, input: Timed): StepTrain {
  const { gain = 1, offset = 0 } = op.attrs;
  const v = wholeInput(lowering, op, input, gain, offset);
  return digitsOfCode(lowering, op.id, lookedUp(lowering, op, v, 'f32'), op.attrs);
}

/** The digits of the quantised product of two whole inputs. */
export function productTrain(lowering: Lowering, op: Op<'product'>, inputs: readonly Timed[]): StepTrain {
  const { builder } = lowering;
  const { gain, offset } = op.attrs;
  const [a, b] = inputs.map((input, n) => wholeInput(lowering, op, input, gain[n]!, offset[n]!));
  return quantised(lowering, op, builder.at(op.id).as('product').mul(a!, b!));
}

/** The digits of the quantised product of two matrices, all of whose values are in. */
export function matrixProductTrain(lowering: Lowering, op: Op<'matrix_product'>, inputs: readonly Timed[]): StepTrain {
  const { builder } = lowering;
  const { gain, offset, transpose } = op.attrs;
  const [a, b] = inputs.map((input, n) => wholeInput(lowering, op, input, gain[n]!, offset[n]!));
  return quantised(lowering, op, builder.at(op.id).as('product').matmul(a!, b!, { transB: transpose }));
}

/** The digits of a quantised function of all values along an axis. */
export function groupTrain(lowering: Lowering, op: Op<'group_neuron'>, input: Timed): StepTrain {
  const { gain = 1, offset = 0 } = op.attrs;
  const v = wholeInput(lowering, op, input, gain, offset);
  lowering.builder.at(op.id);
  return quantised(lowering, op, ofGroup(lowering, op, v));
}

function ofGroup(lowering: Lowering, op: Op<'group_neuron'>, v: Value): Value {
  const { builder } = lowering;
  const { epsilon = 0, form = 'quotients', count = 1, width, centred = false, divisor = 1 } = op.attrs;
  const axis = op.attrs.axis + 1;
  const weight = (role: string): Value | undefined => alongAxis(lowering, op, role, lowering.options.precision);
  switch (op.attrs.function) {
    case 'softmax':
      return softmaxOf(builder, v, axis);
    case 'layernorm':
      return layerNormOf(builder, v, { axis, epsilon }, weight('gamma'), weight('beta'));
    case 'integer_softmax':
      return integerSoftmaxOf(lowering, op, v, { axis, form, count, width });
    case 'integer_norm':
      return integerNormOf(lowering, op, v, { axis, centred, divisor });
  }
}

/** The digits of a value's code, or of one digit of it. */
function quantised(lowering: Lowering, op: Op<'product' | 'matrix_product' | 'group_neuron'>, value: Value): StepTrain {
  const builder = lowering.builder.at(op.id);
  const code = codesOf(builder, value, op.attrs);
  const { base, place } = op.attrs;
  const fired = base === undefined || place === undefined ? code : digitOf(builder, code, { base, place });
  return digitsOfCode(lowering, op.id, builder.cast(fired, 'f32'), op.attrs);
}

/** The spikes of one digit of the whole input, or of a function of it. */
export function digitTrain(lowering: Lowering, op: Op<'digit_neuron'>, input: Timed): StepTrain {
  const { builder } = lowering;
  const { gain = 1, offset = 0, scale, zero, max } = op.attrs;
  const v = wholeInput(lowering, op, input, gain, offset);
  const code = codesOf(builder.at(op.id), applied(lowering, op, v), { scale, zero, min: 0, max });
  const fired = builder.cast(digitOf(builder, code, op.attrs), 'f32');
  return digitsOfCode(lowering, op.id, fired, { ...op.attrs, min: 0 });
}

function applied({ builder }: Lowering, { attrs }: Op<'digit_neuron'>, v: Value): Value {
  const { function: name, function_alpha: alpha, function_beta: beta } = attrs;
  if (name === undefined) return v;
  if (!isFunctionName(name)) return builder.sigmoid(v);
  const given = { ...(alpha === undefined ? {} : { alpha }), ...(beta === undefined ? {} : { beta }) };
  return functions[name].of(algebraOf(builder), v, given);
}
