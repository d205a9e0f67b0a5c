import { type Op, listAttr, numberAttr } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { codesOf } from '../ops/quantise.js';
import { lookedUp } from '../ops/table.js';
import { type StepTrain, type Timed, Train } from '../trains.js';
import { digitTrain, levelOfCode } from './encode.js';

/** gain·Σ β^(Tc−k)·x(k) + offset of a value over time, in the precision of membranes: all of it is in. */
function wholeInput(lowering: Lowering, op: Op, input: Timed, gain: number, offset: number): Value {
  const { builder, options } = lowering;
  const sum =
    input instanceof Train ? input.prefix(input.steps) : input.take(input.steps, numberAttr(op.attrs, 'beta'))[0]!;
  const whole = builder.at(op.id).cast(sum, options.precision);
  const weighed = gain === 1 ? whole : builder.mul(whole, gain);
  return offset === 0 ? weighed : builder.add(weighed, offset);
}

/** The digits of levels[#{t ≤ v}] of the whole input v. */
export function recodedTrain(lowering: Lowering, op: Op, input: Timed): StepTrain {
  const [min, amplitude] = [numberAttr(op.attrs, 'min'), numberAttr(op.attrs, 'amplitude')];
  const v = wholeInput(lowering, op, input, numberAttr(op.attrs, 'gain', 1), numberAttr(op.attrs, 'offset', 0));
  return digitTrain(
    lowering,
    op,
    lookedUp(lowering, op, v, (level) => (level - min) / amplitude, 'f32'),
  );
}

/** The digits of the quantised product of two whole inputs. */
export function productTrain(lowering: Lowering, op: Op, inputs: readonly Timed[]): StepTrain {
  const { builder } = lowering;
  const [gains, offsets] = [listAttr(op.attrs, 'gain'), listAttr(op.attrs, 'offset')];
  const [a, b] = inputs.map((input, n) => wholeInput(lowering, op, input, gains[n]!, offsets[n]!));
  const code = codesOf(builder.at(op.id), builder.as('product').mul(a!, b!), op.attrs);
  return digitTrain(lowering, op, builder.cast(levelOfCode(lowering, op, code), 'f32'));
}
