import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { dendrite } from './dendrite.js';
import { maxOfCounts } from './means-time.js';
import { means } from './means.js';
import { signed, sizeAndSign } from './worth.js';

const worthOf = dendrite(`SwitchWorth() {
  state u = 0
  charge u = u + x
  fire s = u
}`);

/** Switches [TN, …] of what is on or off at each step: +1 where it begins, −1 where it ends. */
function switchesOf({ builder, steps }: Lowering, on: readonly Value[]): Value {
  const switches = on.map((now, t) => (t === 0 ? now : builder.as(`s${t + 1}`).sub(now, on[t - 1]!)));
  return steps === 1 ? switches[0]! : builder.as('train').concat(switches, 0);
}

/** On from the first step for as many as the input's size says, with its sign: two spikes, or one where it never ends. */
function encoded(lowering: Lowering, op: Op, x: Value): Value {
  const { builder, steps } = lowering;
  const { size, sign } = sizeAndSign(lowering, op, x);
  const count = builder.floor(builder.add(builder.mul(size, steps), 0.5));
  const on = Array.from({ length: steps }, (_, t) => builder.cast(builder.gt(count, t), 'f32'));
  return signed(lowering, switchesOf(lowering, on), sign);
}

/** `tsc` (Han and Roy 2020): a spike switches what is sent on, a negative one switches it off. */
export const tsc = means({
  coding: 'tsc',
  doc: 'means over the steps; a spike switches a current on, a negative one switches it off',
  encode: (lowering, op, x) => (op.type.code.kind === 'spike' ? encoded(lowering, op, x) : x),
  worth: (lowering, op, spikes) => worthOf(lowering, op, spikes, {}),
  maximum: (lowering, op, { worth }) => {
    const on = maxOfCounts(lowering, op, worth);
    const { builder, steps } = lowering;
    const each = Array.from({ length: steps }, (_, t) => builder.step(on, t));
    return { worth: on, train: () => switchesOf(lowering, each) };
  },
  conversion: {
    neuron: () => ({ name: 'Switch', args: { start: 0.5 } }),
    top: () => 1,
  },
});
