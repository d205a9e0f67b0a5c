import {
  type Network,
  type Op,
  numberAttr,
  opDef,
  optionalParam,
  realValues,
  roleOf,
  rowBounds,
  productOfIntervals,
} from '../../network/index.js';

/** What one step of a potential lies between, by channel, or of all channels where there is one number. */
interface Bounds {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

const unknown: Bounds = { low: Float64Array.of(-Infinity), high: Float64Array.of(Infinity) };

/**
 * For every layer of neurons the silent period with which its codes are right whatever the input, if those of the layers
 * before it are (docs/sws.md has the proof): the least Ts for which, at every decision k < Tc,
 *
 *   A · Σ_{τ>k+Ts} β^(Tc−τ)  ≤  β^(Tc−k)/2 − 1/2,
 *
 * where A, from the L1 norms of the layer's scaled weights, bounds what one step can bring. Tc − 1 always does. Only for
 * β = 2 and rectified neurons with half a threshold; other layers see their whole input first, Tc.
 */
export function provenSilence(network: Network): ReadonlyMap<string, number> {
  const bounds = new Map<string, Bounds>();
  const proven = new Map<string, number>();
  for (const op of network.ops) {
    if (op.kind === 'neuron') proven.set(op.id, leastPeriod(op, bounds.get(op.inputs[0]!) ?? unknown));
    bounds.set(op.id, boundsOf(network, op, bounds));
  }
  return proven;
}

function leastPeriod({ attrs }: Op, { low, high }: Bounds): number {
  const steps = numberAttr(attrs, 'steps');
  const [beta, threshold, rectified] = ['beta', 'threshold', 'rectified'].map((name) => numberAttr(attrs, name, 0));
  const sound = beta === 2 && threshold === 0.5 && rectified === 1;
  if (!sound) return steps;
  let most = 0;
  for (const end of [low, high]) for (const value of end) most = Math.max(most, Math.abs(value));
  for (let silent = 0; silent < steps - 1; silent++) if (decidesRight(most, silent, steps)) return silent;
  return steps - 1;
}

/** Whether what still comes in after decision k, at most, can't make it wrong: for all k. */
function decidesRight(most: number, silent: number, steps: number): boolean {
  for (let k = 1; k < steps - silent; k++) {
    const pending = most * (2 ** (steps - k - silent) - 1);
    if (!(pending <= 2 ** (steps - k - 1) - 0.5)) return false;
  }
  return true;
}

function boundsOf(network: Network, op: Op, known: ReadonlyMap<string, Bounds>): Bounds {
  const { code } = op.type;
  if (code.kind === 'spike') return { low: Float64Array.of(code.min), high: Float64Array.of(code.max) };
  const from = op.inputs.map((id) => known.get(id) ?? unknown);
  const [first] = from;
  if (first === undefined) return unknown;
  switch (roleOf(op)) {
    case 'weighted':
      return weighted(network, op, collapsed(first));
    case 'scaling':
      return scaled(network, op, first, 'scale', 'shift');
    case 'average':
      return scaled(network, op, withZero(first), 'gain', 'bias');
    case 'sum':
      return from.reduce(sum);
    case 'delay':
      return first;
    case 'reshape':
    case 'concatenation':
      return from.map(collapsed).reduce(either);
    default:
      return unknown;
  }
}

/** gain ⊙ (w∗s) + bias with every s in [low, high]: by the sums of the positive and of the negative weights. */
function weighted(network: Network, op: Op, { low, high }: Bounds): Bounds {
  const weight = optionalParam(network, op, 'weight');
  if (weight === undefined) return unknown;
  const values = weight.quant === undefined ? weight.tensor.data : realValues(weight);
  const channels = weight.tensor.shape[0]!;
  const isWhole = op.kind === 'conv' && op.attrs.pads.every((n) => n === 0);
  const padded = opDef(op.kind).links !== undefined && !isWhole;
  // where there is padding (or a stride of a transposed one), any tap may be missing
  const [least, most] = padded ? [Math.min(0, low[0]!), Math.max(0, high[0]!)] : [low[0]!, high[0]!];
  const sums = rowBounds(values, channels, { min: least, max: most });
  return scaled(network, op, sums, 'gain', 'bias');
}

/** x·factor + shift, the parameters by channel; of maps [C, …] the greatest and the least of each channel. */
function scaled(network: Network, op: Op, bounds: Bounds, factor: string, shift: string): Bounds {
  const channels = op.type.shape[0]!;
  const gains = byChannel(network, op, factor, channels, 1);
  const plus = byChannel(network, op, shift, channels, 0);
  const at = (list: Float64Array, c: number): number => list[list.length === 1 ? 0 : c]!;
  const length = Math.max(bounds.low.length, gains.low.length, plus.low.length);
  const low = new Float64Array(length);
  const high = new Float64Array(length);
  for (let c = 0; c < length; c++) {
    const product = productOfIntervals(
      { min: at(gains.low, c), max: at(gains.high, c) },
      { min: at(bounds.low, c), max: at(bounds.high, c) },
    );
    low[c] = product.min + at(plus.low, c);
    high[c] = product.max + at(plus.high, c);
  }
  return { low, high };
}

function byChannel(network: Network, op: Op, role: string, channels: number, missing: number): Bounds {
  const param = optionalParam(network, op, role);
  if (param === undefined) return { low: Float64Array.of(missing), high: Float64Array.of(missing) };
  const values = realValues(param);
  if (values.length % channels !== 0 || param.tensor.shape[0] !== channels) {
    return collapsed({ low: values, high: values });
  }
  const each = values.length / channels;
  const end = (pick: (a: number, b: number) => number): Float64Array =>
    Float64Array.from({ length: channels }, (_, c) => values.subarray(c * each, (c + 1) * each).reduce(pick));
  return { low: end((a, b) => Math.min(a, b)), high: end((a, b) => Math.max(a, b)) };
}

/** One pair for all channels. */
function collapsed({ low, high }: Bounds): Bounds {
  return {
    low: Float64Array.of(low.reduce((a, b) => Math.min(a, b), Infinity)),
    high: Float64Array.of(high.reduce((a, b) => Math.max(a, b), -Infinity)),
  };
}

function withZero({ low, high }: Bounds): Bounds {
  return { low: low.map((v) => Math.min(0, v)), high: high.map((v) => Math.max(0, v)) };
}

function sum(a: Bounds, b: Bounds): Bounds {
  if (a.low.length !== b.low.length && a.low.length > 1 && b.low.length > 1) return sum(collapsed(a), collapsed(b));
  const length = Math.max(a.low.length, b.low.length);
  const add = (x: Float64Array, y: Float64Array): Float64Array =>
    Float64Array.from({ length }, (_, c) => x[x.length === 1 ? 0 : c]! + y[y.length === 1 ? 0 : c]!);
  return { low: add(a.low, b.low), high: add(a.high, b.high) };
}

function either(a: Bounds, b: Bounds): Bounds {
  return {
    low: Float64Array.of(Math.min(a.low[0]!, b.low[0]!)),
    high: Float64Array.of(Math.max(a.high[0]!, b.high[0]!)),
  };
}
