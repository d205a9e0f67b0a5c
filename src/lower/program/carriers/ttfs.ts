import { printNeuron } from '../../../equations/index.js';
import { type Op, numberAttr, windowOf } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import type { Conversion } from './conversion.js';
import { equationsOf } from './dendrite.js';
import { atOnce, maxOfCounts } from './means-time.js';
import { type Known, means } from './means.js';
import { codingNumber, meanWorth, signed, sizeAndSign, trainOfNeuron } from './worth.js';

/** What a spike counts at step t = 1 … T: T − t + 1 evenly, or T·e^(−(t − 1)/τ). */
export function firstSpikeWeights(steps: number, tau: number): readonly number[] {
  return Array.from({ length: steps }, (_, t) => (tau === 0 ? steps - t : steps * Math.exp(-t / tau)));
}

/** `FirstSpike` of spikec/neurons, which encodes. */
export const firstSpikeNeuron = equationsOf(`FirstSpike(steps : int = 16, tau = 0, theta = 1) {
  state u = 0
  state w = theta * steps
  state done = 0
  charge u = u + x
  fire s = u >= where(tau == 0, w - theta / 2, w * exp(-0.5 / max(tau, 0.001))) and done < 0.5
  reset done = max(done, s)
  reset w = where(tau == 0, w - theta, w * exp(-1 / max(tau, 0.001)))
  surrogate rectangle(width: 1)
}`);

/** The input's one spike, at the time that is nearest to its size, with its sign. */
function encoded(lowering: Lowering, op: Op, x: Value): Value {
  const { size, sign } = sizeAndSign(lowering, op, x);
  const args = { steps: lowering.steps, tau: codingNumber(lowering, 'tau') };
  return signed(lowering, trainOfNeuron(lowering, op, firstSpikeNeuron, args, atOnce(lowering, op, size)), sign);
}

/** Whether a layer's neurons are those of the coding, with a threshold that falls by 1 a step to 1. */
function fallsEvenly({ network, steps }: Lowering, op: Op<'neuron' | 'encode'>): boolean {
  const { coding, neurons } = network;
  if (coding?.args['tau'] !== 0) return false;
  if (op.kind === 'encode') return true;
  const { attrs, params } = op;
  const own = ['steps', 'tau', 'theta'].every((name) => params[name] === undefined);
  if (!own || attrs['steps'] !== steps || attrs['tau'] !== 0 || (attrs['theta'] ?? 1) !== 1) return false;
  const def = neurons.get(attrs.neuron);
  return def !== undefined && printNeuron(def) === printNeuron(firstSpikeNeuron);
}

/**
 * Where the threshold falls evenly, a spike counts the nearest whole number of the membrane's, 1 to T, and there is one from ½ on: what
 * the first step with u ≥ w − ½ gives, w = T, T − 1 … 1.
 */
function known(lowering: Lowering, op: Op<'neuron' | 'encode'>, x: Value): Known | undefined {
  if (!fallsEvenly(lowering, op)) return undefined;
  const { builder, steps } = lowering;
  const { size, sign } = op.kind === 'encode' ? sizeAndSign(lowering, op, x) : { size: x, sign: undefined };
  const u = builder.at(op.id).as('whole').mul(size, steps);
  const fires = builder.as('fires').ge(u, 0.5);
  // ½ − ε + ½ may be rounded to 1
  const nearest = builder.select(fires, builder.floor(builder.add(builder.min(u, steps), 0.5)), 0);
  const worth = builder.mul(nearest, 1 / steps);
  return {
    worth: sign === undefined ? worth : builder.mul(worth, sign),
    count: builder.as('fired').cast(fires, 'f32'),
  };
}

/** A threshold that falls by too little, or so far that single precision has no number for it. */
function problemOf(steps: number, tau: number): ReturnType<NonNullable<Conversion['problem']>> {
  if (tau === 0 || steps === 1) return undefined;
  const least = Math.exp((1 - steps) / tau);
  if (least > 0.5) {
    const reason = `in ${steps} steps a spike counts at least ${Number(least.toPrecision(3))} of a layer’s range at tau: ${tau}`;
    return { reason, help: 'more steps, or a smaller tau; tau: 0 falls evenly' };
  }
  if (Math.exp(-steps / tau) > 1e-30) return undefined;
  const reason = `a spike at the last of ${steps} steps counts nothing at tau: ${tau}`;
  return { reason, help: 'fewer steps, or a larger tau; tau: 0 falls evenly' };
}

/**
 * The gradient of spike times: u = w(t) where a neuron fires, so that ∂w(t)/∂u = w′(t)·∂t/∂u = 1, whatever the shape of w; 0 where it
 * doesn't fire, or fires at once and can't fire earlier. Steps are rounded straight through.
 */
function byTime({ builder }: Lowering, op: Op<'neuron'>, mean: Value, worth: Value): Value {
  const detached = (value: Value): Value => builder.op('detach', [value], {});
  const theta = numberAttr(op.attrs, 'theta', 1);
  const size = builder
    .at(op.id)
    .as('size')
    .mul(mean, 1 / theta);
  const moves = builder.and(builder.gt(worth, 0), builder.le(size, 1));
  const around = builder.mul(builder.cast(moves, 'f32'), builder.sub(size, detached(size)));
  return builder.as('by_time').add(detached(worth), around);
}

/**
 * `ttfs`: one spike a neuron, earlier is more. A layer reads whole trains, and fires in the window behind them where its
 * falling threshold meets its membrane (with `tau` T2FSNN, Park et al. 2020).
 */
export const ttfs = means({
  coding: 'ttfs',
  doc: 'means; one spike, which counts more the earlier it comes, and a layer reads whole trains',
  whole: true,
  encode: (lowering, op, x) => (op.type.code.kind === 'spike' ? encoded(lowering, op, x) : x),
  worth: (lowering, op, spikes) =>
    meanWorth(lowering, op, spikes, firstSpikeWeights(lowering.steps, codingNumber(lowering, 'tau'))),
  byTime,
  atOnce: known,
  // the earliest spike of a window counts most
  maximum: (lowering, op, { train, worth }) => {
    const { builder } = lowering;
    const most = builder.as('most').maxpool(worth, windowOf(op.attrs));
    return {
      worth: most,
      count: builder.as('fired').cast(builder.gt(most, 0), 'f32'),
      train: () => maxOfCounts(lowering, op, train()),
    };
  },
  conversion: {
    neuron: ({ steps, tau }) => ({ name: 'FirstSpike', args: { steps: steps!, tau: tau! } }),
    top: () => 1,
    silent: ({ steps }) => steps!,
    problem: ({ steps, tau }) => problemOf(steps!, tau!),
  },
});
