import { tensor } from '../../../base/dtype.js';
import { type Op, listAttr, numberAttr } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import { MappedTrain, PrefixTrain, type Timed, type Train } from '../trains.js';

/** Σ_{k<m} ratio^k: how often a per-step constant counts in m merged steps. */
function repeats(m: number, ratio: number): number {
  let sum = 0;
  for (let k = 0; k < m; k++) sum += ratio ** k;
  return sum;
}

/** A potential computed once per way of taking it. */
function potential(steps: number, make: (m: number, ratio: number) => readonly Value[]): Timed {
  const known = new Map<string, readonly Value[]>();
  return {
    steps,
    take(m, ratio) {
      const key = `${m}/${m === 1 ? 1 : ratio}`;
      const made = known.get(key) ?? make(m, ratio);
      known.set(key, made);
      return made;
    },
  };
}

/** gain ⊙ acc + bias for every step of an accumulator; the first stands for m merged steps. */
function scaled(lowering: Lowering, op: Op, acc: Value, count: number, m: number, ratio: number, unit = 1): Value[] {
  const { builder } = lowering;
  const { precision } = lowering.options;
  const rank = op.type.shape.length;
  const isAffine = op.kind === 'affine';
  const gain = lowering.perChannel(op, isAffine ? 'scale' : 'gain', precision, rank) ?? 1;
  const bias = lowering.perChannel(op, isAffine ? 'shift' : 'bias', precision, rank);
  return Array.from({ length: count }, (_, i) => {
    builder.at(op.id);
    let z = builder.cast(builder.step(acc, i), precision);
    if (typeof gain === 'number') z = gain * unit === 1 ? z : builder.mul(z, gain * unit);
    else z = builder.mul(unit === 1 ? z : builder.mul(z, unit), gain);
    if (bias === undefined || bias === 0) return z;
    const times = i === 0 ? repeats(m, ratio) : 1;
    if (typeof bias === 'number') return builder.add(z, bias * times);
    return builder.add(z, times === 1 ? bias : builder.mul(bias, times));
  });
}

/** A synapse on a spike train: one accumulation over all steps at once (time folded into the batch), then gain and bias. */
function onTrain(
  lowering: Lowering,
  op: Op,
  train: Train,
  accumulate: (grouped: Value, steps: number) => Value,
  unit = 1,
): Timed {
  return potential(train.steps, (m, ratio) => {
    const grouped = train.grouped(m);
    lowering.builder.at(op.id);
    const count = train.steps - m + 1;
    return scaled(lowering, op, accumulate(grouped, count), count, m, ratio, unit);
  });
}

/** The same on a potential: step by step, in f32 where the primitive wants it. */
function onPotential(lowering: Lowering, op: Op, from: Timed, apply: (step: Value) => Value): Timed {
  const { precision } = lowering.options;
  return potential(from.steps, (m, ratio) =>
    from.take(m, ratio).flatMap((step, i) => {
      lowering.builder.at(op.id);
      const value = apply(lowering.builder.cast(step, 'f32'));
      return scaled(lowering, op, lowering.builder.cast(value, precision), 1, i === 0 ? m : 1, ratio);
    }),
  );
}

function synapse(lowering: Lowering, op: Op, accumulate: (x: Value, steps: number) => Value, unit = 1): Timed {
  const id = op.inputs[0]!;
  const train = lowering.trains.get(id);
  if (train !== undefined) return onTrain(lowering, op, train, accumulate, unit);
  return onPotential(lowering, op, lowering.timedOf(id), (x) => {
    const value = accumulate(x, 1);
    return unit === 1 ? value : lowering.builder.mul(value, unit);
  });
}

function convAttrs(op: Op): {
  stride: readonly number[];
  pads: readonly number[];
  dilation: readonly number[];
  groups: number;
} {
  return {
    stride: listAttr(op.attrs, 'stride'),
    pads: listAttr(op.attrs, 'pads'),
    dilation: listAttr(op.attrs, 'dilation'),
    groups: numberAttr(op.attrs, 'groups'),
  };
}

/**
 * Sum over a pool's windows, exact on integers: the primitive's average times the window size where
 * that is a power of two, else a depthwise convolution with ones.
 */
export function windowSum(lowering: Lowering, op: Op, x: Value, channels: number): Value {
  const { builder } = lowering;
  if (op.kind === 'globalavgpool') return builder.sum(x, [2, 3], true);
  const kernel = listAttr(op.attrs, 'kernel');
  const window = { kernel, stride: listAttr(op.attrs, 'stride'), pads: listAttr(op.attrs, 'pads') };
  const size = kernel[0]! * kernel[1]!;
  if (Number.isInteger(Math.log2(size)) && window.pads.every((n) => n === 0)) {
    return builder.mul(builder.avgpool(x, { ...window, include_pad: true }), size);
  }
  const ones = builder.constant(tensor('f32', [channels, 1, ...kernel], new Float32Array(channels * size).fill(1)));
  return builder.conv2d(x, ones, { stride: window.stride, pads: window.pads, dilation: [1, 1], groups: channels });
}

function poolSize(op: Op, shape: readonly number[]): number {
  if (op.kind === 'globalavgpool') return shape[1]! * shape[2]!;
  const [kh, kw] = listAttr(op.attrs, 'kernel') as [number, number];
  return kh * kw;
}

function lowerPool(lowering: Lowering, op: Op, inputShape: readonly number[]): void {
  const { builder } = lowering;
  const train = lowering.trains.get(op.inputs[0]!);
  if (op.type.code.kind === 'spike' && train !== undefined) {
    // levels of the pooled train are sums; its type's step carries the division
    const map = (x: Value): Value => windowSum(lowering, op, (builder.at(op.id), x), inputShape[0]!);
    lowering.trains.set(op.id, new MappedTrain(builder, op.id, train, map));
    return;
  }
  const size = poolSize(op, inputShape);
  const border = op.kind === 'avgpool' && listAttr(op.attrs, 'pads').some((n) => n !== 0);
  if (border && op.attrs['include_pad'] !== true) {
    const window = {
      kernel: listAttr(op.attrs, 'kernel'),
      stride: listAttr(op.attrs, 'stride'),
      pads: listAttr(op.attrs, 'pads'),
    };
    lowering.potentials.set(
      op.id,
      synapse(lowering, op, (x) => builder.avgpool(x, { ...window, include_pad: false })),
    );
    return;
  }
  lowering.potentials.set(
    op.id,
    synapse(lowering, op, (x) => windowSum(lowering, op, x, inputShape[0]!), 1 / size),
  );
}

/** M_k = max over the window of the prefixes P_k, all steps in one pooling (docs/sws.md). */
function lowerMaxPrefix(lowering: Lowering, op: Op): void {
  const { builder } = lowering;
  const from = lowering.trainOf(op.inputs[0]!);
  const pooled = new Map<number, { first: number; whole: Value }>();
  const window = {
    kernel: listAttr(op.attrs, 'kernel'),
    stride: listAttr(op.attrs, 'stride'),
    pads: listAttr(op.attrs, 'pads'),
  };
  const prefix = (k: number): Value => {
    let group = pooled.get(k);
    if (group === undefined) {
      // the first request names the earliest step wanted: pool it and all later ones together
      const last = Math.min(from.steps, ...[...pooled.keys()].filter((other) => other > k).map((other) => other - 1));
      const parts = Array.from({ length: last - k + 1 }, (_, i) => from.prefix(k + i));
      builder.at(op.id);
      group = { first: k, whole: builder.as(`prefixes${k}`).maxpool(builder.concat(parts, 0), window) };
      for (let j = k; j <= last; j++) pooled.set(j, group);
    }
    return builder.at(op.id).step(group.whole, k - group.first);
  };
  lowering.trains.set(op.id, new PrefixTrain(builder, op.id, from.steps, numberAttr(op.attrs, 'beta'), prefix));
}

function lowerReshape(lowering: Lowering, op: Op): void {
  const { builder } = lowering;
  const train = lowering.trains.get(op.inputs[0]!);
  const reshape = (x: Value, steps: number): Value => builder.at(op.id).reshape(x, folded(steps, op.type.shape));
  if (train !== undefined) lowering.trains.set(op.id, new MappedTrain(builder, op.id, train, reshape));
  else {
    const from = lowering.timedOf(op.inputs[0]!);
    lowering.potentials.set(
      op.id,
      potential(from.steps, (m, ratio) => from.take(m, ratio).map((x) => reshape(x, 1))),
    );
  }
}

function lowerConcat(lowering: Lowering, op: Op): void {
  const { builder } = lowering;
  const parts = op.inputs.map((id) => lowering.timedOf(id));
  if (op.type.code.kind === 'spike') {
    const trains = op.inputs.map((id) => lowering.trainOf(id));
    const first = trains[0]!;
    const whole = new (class extends MappedTrain {
      override grouped(m: number): Value {
        const groups = trains.map((train) => train.grouped(m));
        return builder.at(op.id).concat(groups, 1);
      }
    })(builder, op.id, first, (x) => x);
    lowering.trains.set(op.id, whole);
    return;
  }
  lowering.potentials.set(
    op.id,
    potential(parts[0]!.steps, (m, ratio) => {
      const taken = parts.map((part) => part.take(m, ratio));
      builder.at(op.id);
      return taken[0]!.map((_, i) =>
        builder.concat(
          taken.map((steps) => steps[i]!),
          1,
        ),
      );
    }),
  );
}

function lowerAdd(lowering: Lowering, op: Op): void {
  const [a, b] = op.inputs.map((id) => lowering.timedOf(id)) as [Timed, Timed];
  lowering.potentials.set(
    op.id,
    potential(a.steps, (m, ratio) => {
      const [left, right] = [a.take(m, ratio), b.take(m, ratio)];
      lowering.builder.at(op.id);
      return left.map((x, i) => lowering.builder.add(x, right[i]!));
    }),
  );
}

/** Lowers an op on values over time, neurons and codings apart. */
export function lowerSynapse(lowering: Lowering, op: Op, inputShape: readonly number[]): void {
  const { builder } = lowering;
  switch (op.kind) {
    case 'conv':
      lowering.potentials.set(
        op.id,
        synapse(lowering, op, (x) => builder.as('acc').conv2d(x, lowering.weight(op), convAttrs(op))),
      );
      return;
    case 'linear':
      lowering.potentials.set(
        op.id,
        synapse(lowering, op, (x) => builder.as('acc').matmul(x, lowering.weight(op), { transA: false, transB: true })),
      );
      return;
    case 'affine':
      lowering.potentials.set(
        op.id,
        synapse(lowering, op, (x) => x),
      );
      return;
    case 'avgpool':
    case 'globalavgpool':
      return lowerPool(lowering, op, inputShape);
    case 'maxprefix':
      return lowerMaxPrefix(lowering, op);
    case 'flatten':
    case 'reshape':
      return lowerReshape(lowering, op);
    case 'concat':
      return lowerConcat(lowering, op);
    case 'add':
      return lowerAdd(lowering, op);
    case 'delay': {
      // everything runs in the local time of its layer: a delay line moves nothing here
      const train = lowering.trains.get(op.inputs[0]!);
      if (train !== undefined) lowering.trains.set(op.id, train);
      else lowering.potentials.set(op.id, lowering.timedOf(op.inputs[0]!));
      return;
    }
    default:
      throw new TypeError(`lower: ${op.kind} %${op.id} isn’t a synapse`);
  }
}
