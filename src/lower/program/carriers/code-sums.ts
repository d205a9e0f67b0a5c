import { tensor } from '../../../base/dtype.js';
import {
  type Acting,
  type Op,
  centredTensor,
  channelAxisOf,
  channelScales,
  hasWeightMatrix,
  loweringOf,
  paramOf,
} from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { sumsAreExact } from './exact-sums.js';

/**
 * W∗x of quantised weights W = s·Q, one scale s a channel, and spikes x = u·n of whole n with u a power of two: (s·u)·(Q∗n), [kN, …shape].
 * Q∗n is exact in float32, so it is the same in every engine, may be computed in bytes, and is rounded once. Undefined where
 * sums wouldn't be exact, where weights are trained, or where x isn't known to be such spikes: real values are multiplied there.
 */
export function sumsOfCodes(lowering: Lowering, op: Op, from: Op, inputs: readonly Value[]): Value | undefined {
  const { builder, network, options } = lowering;
  const { code } = from.type;
  const row = loweringOf(op);
  // weights of transposed convolutions lie inputs first
  if (op.kind === 'transposed_conv') return undefined;
  if (options.trainable === true || row.role !== 'synapse' || row.act === undefined || !hasWeightMatrix(op)) {
    return undefined;
  }
  if (code.kind !== 'spike' || !Number.isInteger(Math.log2(code.step))) return undefined;
  const param = paramOf(network, op, 'weight');
  const { quant, tensor: codes } = param;
  const channels = codes.shape[0]!;
  if (op.params['weight_step'] !== undefined || quant === undefined || op.type.shape[channelAxisOf(op)] !== channels)
    return undefined;
  if (quant.axis !== 0 && quant.scale.length > 1) return undefined;
  const weights = centredTensor(param);
  if (!sumsAreExact(weights, Math.max(Math.abs(code.min), Math.abs(code.max)))) return undefined;
  const weight = (): Value => lowering.param(`${op.params['weight']!}.codes`, weights);
  const acting: Acting = { lowering, builder, dtype: 'f32', weight };
  const whole = code.step === 1 ? inputs[0]! : builder.as('codes').mul(inputs[0]!, 1 / code.step);
  const sums = row.act(acting, op, [whole]);
  const wide = op.type.shape.map((_, axis) => (axis === channelAxisOf(op) ? channels : 1));
  const units = channelScales(param, channels).map((scale) => scale * code.step);
  return builder.as('real').mul(sums, lowering.param(`${op.id}.units`, tensor('f32', wide, Float32Array.from(units))));
}
