import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import type { Levels, UselessSteps } from './conversion.js';
import { dendrite } from './dendrite.js';
import { means } from './means.js';
import { overTime } from './means-time.js';
import { signed, sizeAndSign } from './worth.js';

const onOf = dendrite(`FirstSpikeOn() {
  state u = 0
  charge u = u + x
  fire s = u
}`);

/** One spike at the first step t with t·|x| ≥ 1, with the input's sign; none where that is beyond the last. */
function encoded(lowering: Lowering, op: Op, x: Value): Value {
  const { builder, steps } = lowering;
  const { size, sign } = sizeAndSign(lowering, op, x);
  const on = Array.from({ length: steps }, (_, t) => builder.cast(builder.ge(builder.mul(size, t + 1), 1), 'f32'));
  const spikes = on.map((now, t) => (t === 0 ? now : builder.as(`s${t + 1}`).sub(now, on[t - 1]!)));
  return signed(lowering, steps === 1 ? spikes[0]! : builder.as('train').concat(spikes, 0), sign);
}

/** Inputs whose spike comes at a later step, but within the train. */
function inputComing({ builder, steps }: Lowering, worth: Value): Value {
  const on = builder.abs(worth);
  const last = builder.step(on, steps - 1);
  return builder.sub(builder.concat(new Array<Value>(steps).fill(last), 0), on);
}

/** Neurons that haven't fired and whose current is positive now: taken to be about to. */
function neuronComing(lowering: Lowering, current: Value, on: Value): Value {
  const { builder } = lowering;
  const rising = builder.cast(builder.gt(overTime(lowering, current), 0), 'f32');
  return builder.mul(rising, builder.sub(1, on));
}

/** A spike at step t says 1/t of a layer's range: too few steps tell no level from the next, and late ones are less than the least. */
function uselessSteps(steps: number, levels: Levels | undefined): UselessSteps | undefined {
  const { least = 4, most = Infinity } = levels ?? {};
  if (steps > most) {
    const reason = `${steps} steps, and a spike behind step ${most} says less than the least code, 1/${most} of a layer’s range`;
    return { reason, help: `use steps: ${most} at most: more lengthen the latency alone`, steps: most };
  }
  if (steps * steps >= least) return undefined;
  const reason =
    steps === 1
      ? 'in 1 step fires only what reaches a layer’s whole range'
      : `at step ${steps}, the last, a step is about 1/${steps * steps} of a layer’s range, and a level of its codes 1/${least}: none is told from the next`;
  const enough = levels === undefined ? 16 : Math.ceil(Math.sqrt(least));
  return { reason, help: `use steps: ${enough} at least`, steps: enough };
}

/**
 * `ttfs_dynamic` (Rueckauer and Liu 2018, TTFS with a dynamic threshold): a neuron's rate is the inverse of the time of its one
 * spike, from which on each synapse gives its weight at every step, so that membranes ramp. The threshold is higher by the sizes of the weights of
 * inputs that are about to fire. All layers run at once.
 */
export const ttfsDynamic = means({
  coding: 'ttfs_dynamic',
  doc: 'means; one spike, from which on its synapses give a current, and thresholds that wait for spikes to come',
  encode: (lowering, op, x) => (op.type.code.kind === 'spike' ? encoded(lowering, op, x) : x),
  worth: (lowering, op, spikes) => onOf(lowering, op, spikes, {}),
  coming: (lowering, _, worth, current) =>
    current === undefined ? inputComing(lowering, worth) : neuronComing(lowering, current, worth),
  untrainable:
    'what a threshold waits for, inputs that are about to fire, has no gradient; `ttfs` trains by its spike times',
  conversion: {
    neuron: () => ({ name: 'FirstCrossing', args: {} }),
    top: () => 1,
    useless: ({ steps }, levels) => uselessSteps(steps!, levels),
  },
});
