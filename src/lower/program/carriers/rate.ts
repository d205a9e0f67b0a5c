import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import { means } from './means.js';
import { overTime } from './means-time.js';
import { signed, sizeAndSign } from './worth.js';

/** `floor(t·p + ½) − floor((t − 1)·p + ½)`: spikes at equal distances, of which t steps have the number nearest to t·p. */
function regular({ builder, steps }: Lowering, share: Value): Value {
  const upTo = (t: number): Value => builder.floor(builder.add(builder.mul(share, t), 0.5));
  const spikes: Value[] = [];
  let before = upTo(1);
  spikes.push(before);
  for (let t = 2; t <= steps; t++) {
    const now = upTo(t);
    spikes.push(builder.as(`s${t}`).sub(now, before));
    before = now;
  }
  return builder.as('train').concat(spikes, 0);
}

/** 1 with probability p at every step; its uniform numbers [TN, …shape] are fed. */
function bernoulli(lowering: Lowering, op: Op<'encode'>, share: Value): Value {
  const { builder, steps } = lowering;
  const shape = folded(steps, op.type.shape);
  const { seed = 0 } = op.attrs;
  const uniform = lowering.random({ id: `${op.id}.uniform`, shape, kind: 'uniform', dropped: 0, seed });
  builder.at(op.id);
  return builder.cast(builder.lt(uniform, overTime(lowering, share)), 'f32');
}

/** What comes in, held in [0, 1]; with a `scale` the share of it, whose sign the spikes have. */
function encoded(lowering: Lowering, op: Op<'encode'>, x: Value): Value {
  const train = (share: Value): Value =>
    op.attrs.encoder === 'regular'
      ? regular(lowering, lowering.builder.clip(share, 0, 1))
      : bernoulli(lowering, op, share);
  if (op.attrs.scale === undefined) return train(x);
  const { size, sign } = sizeAndSign(lowering, op, x);
  return signed(lowering, train(size), sign);
}

/** `rate`: the input fires at random, or at equal distances, as often as it is large. */
export const rate = means({
  coding: 'rate',
  doc: 'means over the steps; the input is the probability of a spike at every step, or how often it comes regularly',
  encode: encoded,
});
