import { meansCarry } from '../means/insert-neurons.js';
import { tensor } from '../../../base/dtype.js';
import {
  type Op,
  type Param,
  isMaximum,
  nameOf,
  opDef,
  optionalParam,
  paramOf,
  realParam,
  realValues,
  roleOf,
  sourceOf,
  checkedOp,
} from '../../../network/index.js';
import { timesInputs, timesScalar } from '../scale-inputs.js';
import { isNonlinear } from './digits.js';
import { type SpikeEmitter, type Train, keepsTrains } from './emitter.js';
import { type Target, emitIdentitySynapse, emitPoolSynapse, emitSynapse } from './synapses.js';

/**
 * Emits the postsynaptic potential that adds up to factor·value + constant over a train. Sums and
 * concatenations become sums and concatenations of potentials; a weighted layer is pushed down to
 * the trains it reads, so that every synapse accumulates spikes.
 */
export function emitPotential(emitter: SpikeEmitter, id: string, target: Target): string {
  const op = emitter.op(id);
  switch (roleOf(op)) {
    case 'weighted':
      return emitWeighted(emitter, op, [], op.inputs[0]!, target, true);
    case 'sum': {
      const [a, b] = op.inputs as [string, string];
      const left = emitPotential(emitter, a, target);
      const right = emitPotential(emitter, b, { factor: target.factor, constant: 0 });
      return emitter.add({ id, kind: 'add', inputs: [left, right], place: op.place });
    }
    case 'concatenation': {
      const train = emitter.train(id);
      if (train !== undefined) return emitIdentitySynapse(emitter, `${id}.synapse`, train, target);
      const parts = op.inputs.map((input) => emitPotential(emitter, input, target));
      return emitter.add({ id, kind: 'concat', inputs: parts, place: op.place });
    }
    case 'scaling':
      return emitAffine(emitter, op, target);
    case 'average':
      return emitAverage(emitter, op, target);
    case 'reshape': {
      const train = emitter.train(id);
      if (train !== undefined) return emitIdentitySynapse(emitter, `${id}.synapse`, train, target);
      const inner = emitPotential(emitter, op.inputs[0]!, target);
      return emitter.add({ id, kind: op.kind, inputs: [inner], attrs: op.attrs, place: op.place });
    }
    case 'quantiser':
    case 'table':
    case 'maximum': {
      const train = emitter.train(id);
      if (train !== undefined) return emitIdentitySynapse(emitter, `${id}.synapse`, train, target);
      break;
    }
    default:
  }
  return refuse(emitter, op);
}

function emitAffine(emitter: SpikeEmitter, op: Op, target: Target): string {
  const scale = paramOf(emitter.from, op, 'scale');
  const shift = optionalParam(emitter.from, op, 'shift');
  const scales = realValues(scale);
  const shifts = shift === undefined ? new Float64Array(scales.length) : realValues(shift);
  const wide = scales.length >= shifts.length ? scale.tensor.shape : shift!.tensor.shape;
  const length = Math.max(scales.length, shifts.length);
  const spread = (values: Float64Array): Float64Array =>
    values.length === length ? values : new Float64Array(length).fill(values[0]!);
  const train = emitter.train(op.inputs[0]!);
  const affine = { scale: spread(scales), shift: spread(shifts), shape: wide };
  if (train !== undefined) return emitIdentitySynapse(emitter, op.id, train, target, affine);
  const inner = emitPotential(emitter, op.inputs[0]!, { factor: target.factor, constant: 0 });
  const perStep = emitter.perStep(
    op.id,
    wide,
    affine.shift.map((b) => target.factor * b + target.constant),
  );
  const params = {
    scale: emitter.param(op.id, 'scale', realParam(wide, affine.scale)),
    ...(perStep['bias'] === undefined ? {} : { shift: perStep['bias'] }),
  };
  return emitter.add({ id: op.id, kind: 'affine', inputs: [inner], params, place: op.place });
}

function emitAverage(emitter: SpikeEmitter, op: Op, target: Target): string {
  const train = emitter.train(op.inputs[0]!);
  const excludesPad = op.kind === 'avgpool' && !op.attrs.include_pad;
  const padded = op.kind === 'avgpool' && op.attrs.pads.some((n) => n !== 0);
  if (train !== undefined) return emitPoolSynapse(emitter, op, train, target);
  const before = emitter.op(op.inputs[0]!);
  if (roleOf(before) === 'sum') {
    // of each operand by itself: windows of trains are sums of whole numbers
    const [a, b] = before.inputs as [string, string];
    const left = emitAverage(emitter, checkedOp({ ...op, inputs: [a] }), target);
    const right = emitAverage(emitter, checkedOp({ ...op, inputs: [b] }), { factor: target.factor, constant: 0 });
    return emitter.add({ id: op.id, kind: 'add', inputs: [left, right], place: op.place });
  }
  // the average of a constant is the constant, unless padded zeros are averaged in
  const passes = !padded || excludesPad;
  const inner = emitPotential(emitter, op.inputs[0]!, {
    factor: target.factor,
    constant: passes ? target.constant : 0,
  });
  const params = passes ? {} : emitter.perStep(op.id, [1], [target.constant]);
  return emitter.add({ id: op.id, kind: op.kind, inputs: [inner], attrs: op.attrs, params, place: op.place });
}

/** A weighted layer over `x`, through `chain` (pools and reshapes between them, outermost last). */
function emitWeighted(
  emitter: SpikeEmitter,
  op: Op,
  chain: readonly Op[],
  x: string,
  target: Target,
  withBias: boolean,
  columns?: readonly [number, number],
): string {
  const train = trainThrough(emitter, chain, x);
  if (train !== undefined)
    return emitSynapse(emitter, op, train, target, columns === undefined ? { withBias } : { columns, withBias });
  const inner = emitter.op(x);
  if (roleOf(inner) === 'scaling' && columns === undefined && chain.length === 0)
    return emitScaledInputs(emitter, op, inner, target, withBias);
  if (roleOf(inner) === 'sum') {
    const [a, b] = inner.inputs as [string, string];
    const left = emitWeighted(emitter, op, chain, a, target, withBias, columns);
    const right = emitWeighted(emitter, op, chain, b, { factor: target.factor, constant: 0 }, false, columns);
    return emitter.add({ id: `${op.id}.sum`, kind: 'add', inputs: [left, right], place: op.place });
  }
  if (roleOf(inner) === 'concatenation') {
    if (chain.some((link) => movesChannels(link, emitter))) return refuseInput(emitter, op, inner);
    const dense = isGrouped(op) ? ungrouped(emitter, op) : op;
    return emitOverConcat(emitter, dense, chain, inner, target, withBias, columns);
  }
  if (keepsTrains(inner) && roleOf(inner) !== 'maximum' && inner.inputs.length === 1) {
    return emitWeighted(emitter, op, [inner, ...chain], inner.inputs[0]!, target, withBias, columns);
  }
  const uneven = emitter.train(x) === undefined ? undefined : chain.find((link) => roleOf(link) === 'average');
  if (uneven !== undefined) {
    emitter.refuse('convert/no-spiking-form', { op: uneven.id, kind: uneven.kind, coding: 'sws' }, uneven, {
      help: `its windows at the border are no spikes of one amplitude, which ${op.kind} %${op.id} needs: quantise the pool’s result, or pool without padding`,
    });
  }
  return refuseInput(emitter, op, inner);
}

/** Whether channels come out of an op in other places: the columns of a layer behind it aren't those of a concatenation before it. */
function movesChannels(op: Op, emitter: SpikeEmitter): boolean {
  if (roleOf(op) !== 'reshape') return false;
  const { shape } = emitter.op(op.inputs[0]!).type;
  const { source } = opDef(op.kind);
  if (source === undefined) return op.type.shape.length > 1 && op.type.shape[0] !== shape[0];
  const last = op.type.shape.map((n) => n - 1);
  return op.type.shape[0] !== shape[0] || sourceOf(op, shape, last.with(0, 0))[0] !== 0;
}

function emitOverConcat(
  emitter: SpikeEmitter,
  op: Op,
  chain: readonly Op[],
  concat: Op,
  target: Target,
  withBias: boolean,
  columns: readonly [number, number] | undefined,
): string {
  const [first, last] = columns ?? [0, paramOf(emitter.from, op, 'weight').tensor.shape[1]!];
  // behind a flatten, a channel spans as many columns as it has positions after the chain's pools
  const perChannel = (last - first) / concat.type.shape[0]!;
  let at = first;
  let sum: string | undefined;
  for (const [n, input] of concat.inputs.entries()) {
    const channels = emitter.op(input).type.shape[0]!;
    const end = at + channels * perChannel;
    const part = { factor: target.factor, constant: n === 0 ? target.constant : 0 };
    const ofPart = chain.map((link) => reshapedPart(link, channels / concat.type.shape[0]!));
    const id = emitWeighted(emitter, op, ofPart, input, part, withBias && n === 0, [at, end]);
    sum = sum === undefined ? id : emitter.add({ id: `${op.id}.sum`, kind: 'add', inputs: [sum, id], place: op.place });
    at = end;
  }
  return sum!;
}

/** A reshape as it acts on a part of the channels. */
function reshapedPart(op: Op, part: number): Op {
  if (op.kind !== 'reshape') return op;
  const [channels, ...rest] = op.attrs.shape as [number, ...number[]];
  return checkedOp({ ...op, attrs: { shape: [channels * part, ...rest] } });
}

/** A weighted layer whose outputs see a group of channels. */
type Grouped = Extract<Op, { readonly attrs: { readonly groups: number } }>;

function isGrouped(op: Op): op is Grouped {
  return 'groups' in op.attrs && op.attrs.groups !== 1;
}

/**
 * A grouped convolution as one over all channels, with zeros between groups: parts of a concatenation
 * needn't end where groups do. The weight is added to the source network under a name of its own.
 */
function ungrouped(emitter: SpikeEmitter, op: Grouped): Op {
  const { tensor: grouped, quant } = paramOf(emitter.from, op, 'weight');
  const { groups } = op.attrs;
  const [out, inner, kh, kw] = grouped.shape as [number, number, number, number];
  const area = inner * kh * kw;
  const zero = quant?.zero ?? [0];
  const data =
    grouped.dtype === 'i8' || grouped.dtype === 'u8'
      ? new Int32Array(out * area * groups)
      : new Float64Array(out * area * groups);
  for (let o = 0; o < out; o++) {
    data.fill(zero[zero.length === 1 ? 0 : o]!, o * area * groups, (o + 1) * area * groups);
    const group = Math.floor((o * groups) / out);
    data.set(grouped.data.subarray(o * area, (o + 1) * area), o * area * groups + group * area);
  }
  const dense: Param = {
    tensor: tensor(data instanceof Int32Array ? 'i32' : 'f64', [out, inner * groups, kh, kw], data),
    ...(quant === undefined ? {} : { quant }),
  };
  return checkedOp({
    ...op,
    attrs: { ...op.attrs, groups: 1 },
    params: { ...op.params, weight: emitter.sourceParam(`${op.id}.dense`, dense) },
  });
}

/** w∗(a⊙x) with a per input channel: the scales go into the weights. */
function emitScaledInputs(emitter: SpikeEmitter, op: Op, affine: Op, target: Target, withBias: boolean): string {
  const train = emitter.train(affine.inputs[0]!);
  const weight = paramOf(emitter.from, op, 'weight');
  const scale = paramOf(emitter.from, affine, 'scale');
  const perChannel = scale.tensor.shape.length === 1;
  if (train === undefined || affine.params['shift'] !== undefined || !perChannel)
    return refuseInput(emitter, op, affine);
  const factors = realValues(scale);
  const scaled = factors.length === 1 ? timesScalar(weight, factors[0]!) : timesInputs(weight, factors);
  return emitSynapse(emitter, op, train, target, { withBias, weight: scaled });
}

/** The train behind x after the chain's pools and reshapes; undefined where x isn't a train. */
function trainThrough(emitter: SpikeEmitter, chain: readonly Op[], x: string): Train | undefined {
  let train = emitter.train(x);
  for (const op of chain) train = train === undefined ? undefined : emitter.applyToTrain(op, [train]);
  return train;
}

/** Nothing that a sum of spikes could be: a maximum is only one of trains. */
function isNoSum(op: Op): boolean {
  return isNonlinear(op) || isMaximum(op);
}

/** What is to be done where a toolchain left some layers in float. */
function quantiseAll(emitter: SpikeEmitter): string {
  const all =
    'the file leaves this value in float: quantise the results of all kinds of layers (quantize_static without op_types_to_quantize)';
  return `${all}, or ${calibrated}${inDigits(emitter)}`;
}

/** Another way out, where it isn't taken already. */
function inDigits({ options: { beta, steps } }: SpikeEmitter): string {
  return beta === 2 && steps >= 4 ? '' : '; with --beta 2 and 4 or more --steps several trains carry it';
}

function refuseInput(emitter: SpikeEmitter, op: Op, inner: Op): never {
  if (inner.kind === 'input') return refuseReal(emitter, op);
  if (isNoSum(inner)) {
    return emitter.refuse(
      'convert/nonlinearity',
      { op: inner.id, kind: nameOf(inner), next: `${op.kind} %${op.id}` },
      inner,
      { help: quantiseAll(emitter) },
    );
  }
  return emitter.refuse('convert/no-quantiser', { op: op.id, kind: op.kind, reads: inner.id }, op, {
    help: `quantise the value between the two layers and export the network again, or ${calibrated}${inDigits(emitter)}`,
  });
}

/** The way out where a quantiser is missing. */
const calibrated = 'convert with --calibrate DATA, which adds the quantisers that are missing';

function refuseReal(emitter: SpikeEmitter, op: Op): never {
  return emitter.refuse('convert/input-not-quantised', { op: op.id, kind: op.kind }, op, { help: calibrated });
}

function refuse(emitter: SpikeEmitter, op: Op): never {
  if (op.kind === 'input') return refuseReal(emitter, op);
  if (isNoSum(op)) {
    const next = 'another layer';
    return emitter.refuse('convert/nonlinearity', { op: op.id, kind: nameOf(op), next }, op, {
      help: quantiseAll(emitter),
    });
  }
  const others = meansCarry(op)
    ? 'choose a coding whose trains are means (rate, mbif, binary, phase, pattern, ttfs …), or '
    : '';
  return emitter.refuse('convert/no-spiking-form', { op: op.id, kind: op.kind, coding: 'sws' }, op, {
    help: `${others}replace the layer by relus, poolings and weighted layers, and export the network again`,
  });
}
