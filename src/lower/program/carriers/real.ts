import { type Op, listAttr, numberAttr, optionalParam } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { lowerPlain } from '../ops/plain.js';
import type { Lowering } from '../context.js';
import { quantised } from './encode.js';

function withBias(lowering: Lowering, op: Op, y: Value): Value {
  const bias = lowering.perChannel(op, 'bias', y.dtype as 'f32' | 'f64', op.type.shape.length);
  return bias === undefined ? y : lowering.builder.add(y, bias);
}

function batchnorm(lowering: Lowering, op: Op, x: Value): Value {
  const { builder } = lowering;
  const dtype = x.dtype as 'f32' | 'f64';
  const part = (role: string): Value | number => lowering.perChannel(op, role, dtype, op.type.shape.length)!;
  const variance = part('variance');
  const epsilon = numberAttr(op.attrs, 'epsilon');
  const centred = builder.sub(x, part('mean'));
  const deviation =
    typeof variance === 'number' ? Math.sqrt(variance + epsilon) : builder.sqrt(builder.add(variance, epsilon));
  return builder.add(builder.mul(builder.div(centred, deviation), part('gamma')), part('beta'));
}

/**
 * An op on real values, without time, in the precision of the lowering. Quantised values are the reals
 * they stand for: (Q − zero)·scale.
 */
export function lowerReal(lowering: Lowering, op: Op, precision: 'f32' | 'f64'): Value {
  const { builder } = lowering;
  const inputs = op.inputs.map((id) => lowering.realOf(id));
  const x = inputs[0]!;
  builder.at(op.id);
  switch (op.kind) {
    case 'quantize': {
      // an f32 image is rounded in f32, as every runtime does; in f64 other pixels would be near a tie
      const isInput = lowering.network.ops.some(({ id, kind }) => id === op.inputs[0] && kind === 'input');
      const code = builder.cast(quantised(lowering, isInput ? builder.cast(x, 'f32') : x, op.attrs), precision);
      const zero = numberAttr(op.attrs, 'zero');
      const centred = zero === 0 ? code : builder.sub(code, zero);
      return builder.mul(centred, numberAttr(op.attrs, 'scale'));
    }
    case 'conv': {
      const [stride, pads] = [listAttr(op.attrs, 'stride'), listAttr(op.attrs, 'pads')];
      const attrs = { stride, pads, dilation: listAttr(op.attrs, 'dilation'), groups: numberAttr(op.attrs, 'groups') };
      return withBias(lowering, op, builder.conv2d(x, lowering.realWeight(op, 'weight', precision), attrs));
    }
    case 'linear':
      return withBias(lowering, op, builder.matmul(x, lowering.realWeight(op, 'weight', precision), { transB: true }));
    case 'batchnorm':
      return batchnorm(lowering, op, x);
    case 'affine': {
      const rank = op.type.shape.length;
      const y = builder.mul(x, lowering.perChannel(op, 'scale', precision, rank)!);
      return optionalParam(lowering.network, op, 'shift') === undefined
        ? y
        : builder.add(y, lowering.perChannel(op, 'shift', precision, rank)!);
    }
    case 'add':
      return builder.add(x, inputs[1]!);
    case 'mul':
      return builder.mul(x, inputs[1]!);
    case 'concat':
      return builder.concat(inputs, 1);
    case 'dropout':
      return x;
    default: {
      const value = lowerPlain(builder, op, x, 1);
      if (value === undefined) throw new TypeError(`lower: ${op.kind} %${op.id} has no real-valued form`);
      return value;
    }
  }
}
