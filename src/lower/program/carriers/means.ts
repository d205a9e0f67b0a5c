import { present } from '../../../base/invariant.js';
import { type Op, listAttr, numberAttr, optionalParam } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { folded } from '../context.js';
import { lowerNeurons } from '../neurons.js';
import type { Timed } from '../trains.js';
import { lowerPlain, window } from '../ops/plain.js';
import { lowerBatchnorm } from '../ops/batchnorm.js';
import { gridWeight, squeezed } from '../bits.js';
import { overTime } from './codings.js';
import { gather, planes, weighed, withConstant } from './planes.js';
import { type LayersLowering, stepsOf } from '../layers-context.js';

/** A layer that is neither input, encoder nor read-out, on values over time. */
export function lowerLayer(lowering: LayersLowering, op: Op): Value {
  const { builder } = lowering;
  const inputs = op.inputs.map((id) => lowering.timedValue(id));
  const x = present(inputs[0], `lower: ${op.id} reads nothing`);
  builder.at(op.id);
  switch (op.kind) {
    case 'conv':
      return conv(lowering, op, x);
    case 'linear':
      return withBias(
        lowering,
        op,
        weighed(lowering, op, builder.matmul(x, gridWeight(lowering, op), { transB: true })),
      );
    case 'channel_conv':
      return channelConv(lowering, op, x);
    case 'batchnorm':
      return lowerBatchnorm(lowering, op, x);
    case 'affine':
      return affine(lowering, op, x);
    case 'neuron':
      return neurons(lowering, op, x);
    case 'add':
    case 'mul': {
      const [a, b] = alike(lowering, inputs) as [Value, Value];
      return op.kind === 'add' ? builder.add(a, b) : builder.mul(a, b);
    }
    case 'concat':
      return builder.concat(alike(lowering, inputs), 1);
    case 'dropout':
      return dropout(lowering, op, x);
    case 'maxprefix':
      return maxOfCounts(lowering, op, x);
    case 'planes':
      return planes(lowering, op, x);
    case 'gather':
      return gather(lowering, op, x);
    case 'squeeze':
      return squeezed(lowering, op, x, stepsOf(x));
    default: {
      const value = lowerPlain(builder, op, x, stepsOf(x));
      if (value === undefined) throw new TypeError(`lower: ${op.kind} %${op.id} has no form in a network of layers`);
      return value;
    }
  }
}

/** Values constant in time are repeated where another isn't. */
function alike(lowering: LayersLowering, values: readonly Value[]): readonly Value[] {
  const same = values.every((value) => stepsOf(value) === stepsOf(values[0]!));
  return same ? values : values.map((value) => overTime(lowering, value));
}

function withBias(lowering: LayersLowering, op: Op, y: Value): Value {
  const bias = lowering.perChannel(op, 'bias', 'f32', op.type.shape.length);
  return bias === undefined ? y : withConstant(lowering, op, y, bias);
}

function conv(lowering: LayersLowering, op: Op, x: Value): Value {
  const { attrs } = op;
  const weight = gridWeight(lowering, op);
  const y = lowering.builder.conv2d(x, weight, {
    stride: listAttr(attrs, 'stride'),
    pads: listAttr(attrs, 'pads'),
    dilation: listAttr(attrs, 'dilation'),
    groups: numberAttr(attrs, 'groups'),
  });
  return withBias(lowering, op, weighed(lowering, op, y));
}

/** One kernel of odd length over the channels of [C,1,1], zeros at the ends. */
function channelConv(lowering: LayersLowering, op: Op, x: Value): Value {
  const { builder } = lowering;
  const k = numberAttr(op.attrs, 'kernel');
  const [channels] = op.type.shape as [number];
  const steps = stepsOf(x);
  const weight = builder.reshape(lowering.realWeight(op, 'weight', 'f32'), [1, 1, 1, k]);
  const row = builder.reshape(x, folded(steps, [1, 1, channels]));
  const half = (k - 1) / 2;
  const y = builder.conv2d(row, weight, { stride: [1, 1], pads: [0, half, 0, half], dilation: [1, 1], groups: 1 });
  return builder.reshape(y, folded(steps, op.type.shape));
}

/** x·scale + shift with numbers of the model file or of a folded batch norm: nothing to train. */
function affine(lowering: LayersLowering, op: Op, x: Value): Value {
  const { builder } = lowering;
  const part = (role: string): Value | undefined => {
    const param = optionalParam(lowering.network, op, role);
    const value = param === undefined ? undefined : lowering.perChannel(op, role, 'f32', op.type.shape.length);
    return typeof value === 'number' ? builder.scalar('f32', value) : value;
  };
  const y = weighed(lowering, op, builder.mul(x, present(part('scale'), `lower: ${op.id} has no scale`)));
  const shift = part('shift');
  return shift === undefined ? y : withConstant(lowering, op, y, shift);
}

/** Running maximum of counts: M_t = max_i Σ_{τ≤t} s_i,τ, s_t = M_t − M_t−1; all steps in one pooling. */
function maxOfCounts(lowering: LayersLowering, op: Op, x: Value): Value {
  const { builder } = lowering;
  const steps = stepsOf(x);
  if (steps === 1) return builder.maxpool(x, window(op));
  const counts: Value[] = [];
  for (let t = 0; t < steps; t++) {
    const step = builder.step(x, t);
    counts.push(t === 0 ? step : builder.as(`count${t + 1}`).add(counts[t - 1]!, step));
  }
  const most = builder.as('most').maxpool(builder.concat(counts, 0), window(op));
  const fired: Value[] = [builder.step(most, 0)];
  for (let t = 1; t < steps; t++)
    fired.push(builder.as(`s${t + 1}`).sub(builder.step(most, t), builder.step(most, t - 1)));
  return builder.as('train').concat(fired, 0);
}

/** One mask a sample for all of its time steps, so that a dropped unit is silent throughout. */
function dropout(lowering: LayersLowering, op: Op, x: Value): Value {
  const rate = numberAttr(op.attrs, 'rate');
  if (lowering.mode === 'infer' || rate === 0) return x;
  const { builder } = lowering;
  const mask = lowering.random({ id: `${op.id}.mask`, shape: folded(1, op.type.shape), kind: 'mask', rate });
  const steps = stepsOf(x);
  return builder.mul(x, steps === 1 ? mask : builder.concat(new Array<Value>(steps).fill(mask), 0));
}

/** A layer of neurons, unrolled by its equations; its steps as one value. */
function neurons(lowering: LayersLowering, op: Op, x: Value): Value {
  const membranes = lowering.traced.has(op.id);
  const unrolled = lowerNeurons(lowering, op, timed(lowering, op, x), { membranes });
  const { values } = unrolled.train;
  for (const name of ['membranes', 'thresholds'] as const) {
    if (unrolled[name].length === 0) continue;
    lowering[name].set(op.id, lowering.builder.at(op.id).as(name).concat(unrolled[name], 0));
  }
  const train = lowering.builder.at(op.id).as('train').concat(values, 0);
  if (op.attrs['integer_codes'] !== true) return train;
  return lowering.builder.as('codes').round(lowering.builder.div(train, numberAttr(op.attrs, 'amplitude')));
}

/** The steps of a current; a constant is the same at every step. */
function timed(lowering: LayersLowering, op: Op, x: Value): Timed {
  const { builder } = lowering;
  const steps = numberAttr(op.attrs, 'hold', lowering.steps);
  const step = (t: number): Value => (stepsOf(x) === 1 ? x : builder.at(op.id).step(x, t));
  return {
    steps,
    take(m, ratio) {
      let first = step(0);
      for (let t = 1; t < m; t++) first = builder.add(ratio === 1 ? first : builder.mul(first, ratio), step(t));
      return [first, ...Array.from({ length: steps - m }, (_, i) => step(m + i))];
    },
  };
}
