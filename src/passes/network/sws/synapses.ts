import { type Tensor, allocate, elementCount, tensor } from '../../../base/dtype.js';
import {
  type Op,
  type Param,
  centredCodes,
  channelScales,
  optionalParam,
  paramOf,
  realParam,
  realValues,
} from '../../../network/index.js';
import { borderSums, seesAllTaps, tapSums } from '../border.js';
import type { SpikeEmitter, Train } from './emitter.js';

/** What a postsynaptic potential must add up to over a train: factor·real + constant, in spike amplitudes. */
export interface Target {
  readonly factor: number;
  readonly constant: number;
}

interface Weights {
  /** What is accumulated: integer codes less their zero point where the weight is quantised, else real values. */
  readonly tensor: Tensor;
  /** Real value of one unit, per output channel. */
  readonly units: Float64Array;
}

function weightsOf(param: Param, columns?: readonly [number, number]): Weights {
  const out = param.tensor.shape[0]!;
  const perChannel = param.quant !== undefined && (param.quant.axis === 0 || param.quant.scale.length === 1);
  const all = perChannel ? integerWeights(param) : realWeights(param);
  const units = perChannel ? channelScales(param, out) : new Float64Array(out).fill(1);
  return { tensor: columns === undefined ? all : sliceInputs(all, columns), units };
}

/** Codes less their zero point: the codes' own tensor where that is 0, else one byte each where they fit. */
function integerWeights(param: Param): Tensor {
  const { tensor: codes, quant } = param;
  if (quant!.zero.every((zero) => zero === 0)) return codes;
  const centred = centredCodes(param);
  const fits = centred.every((code) => code >= -128 && code <= 127);
  return tensor(fits ? 'i8' : 'i32', codes.shape, centred);
}

function realWeights(param: Param): Tensor {
  return param.quant === undefined ? param.tensor : tensor('f64', param.tensor.shape, realValues(param));
}

/** Weights of input channels [first, end) of [out, in, …]. */
function sliceInputs({ dtype, shape, data }: Tensor, [first, end]: readonly [number, number]): Tensor {
  const inner = elementCount(shape.slice(2));
  const row = shape[1]! * inner;
  const sliced = allocate(dtype, shape[0]! * (end - first) * inner);
  for (let o = 0; o < shape[0]!; o++) {
    sliced.set(data.subarray(o * row + first * inner, o * row + end * inner), o * (end - first) * inner);
  }
  return { dtype, shape: [shape[0]!, end - first, ...shape.slice(2)], data: sliced };
}

/** Which part of a weighted layer a synapse takes over, where its input is a sum or a concatenation. */
export interface SynapsePart {
  readonly withBias: boolean;
  /** Input channels (or features) [first, end); all where missing. */
  readonly columns?: readonly [number, number];
  /** Stands in for the layer's own weight. */
  readonly weight?: Param;
}

/**
 * A convolution or linear layer on a spike train (SWS eq. 16–19): psp = gain ⊙ (w∗s) + bias, w the integer
 * codes, gain = C_w·C_i·θ_i·factor, and at every step 1/Σβ^(Tc−τ) of what the layer's bias, the zero
 * points and the constant add up to. Where zero padding meets an offset code, the bias is a map [out,H,W].
 */
export function emitSynapse(
  emitter: SpikeEmitter,
  op: Op,
  train: Train,
  { factor, constant }: Target,
  part: SynapsePart,
): string {
  const { tensor: weights, units } = weightsOf(part.weight ?? paramOf(emitter.from, op, 'weight'), part.columns);
  const out = weights.shape[0]!;
  const gain = units.map((unit) => factor * unit * train.scale * train.step);
  const own = optionalParam(emitter.from, op, 'bias');
  const bias = own === undefined || !part.withBias ? new Float64Array(out) : realValues(own);
  const perChannel = bias.map((b) => factor * b + constant);
  const offsetUnits = units.map((unit) => factor * unit * train.scale * train.offset);
  const totals = addOffset(emitter, op, weights, perChannel, offsetUnits, train.id);
  const weight = emitter.param(op.id, 'weight', { tensor: weights });
  const params = {
    weight,
    gain: emitter.param(op.id, 'gain', realParam([out], gain)),
    ...emitter.perStep(op.id, totals.shape, totals.values),
  };
  return emitter.add({ id: op.id, kind: op.kind, inputs: [train.id], attrs: op.attrs, params, place: op.place });
}

/** Adds what a constant code of 1 on every real input gives, times offsetUnits, to the per-channel totals. */
function addOffset(
  emitter: SpikeEmitter,
  op: Op,
  weights: Tensor,
  perChannel: Float64Array,
  offsetUnits: Float64Array,
  input: string,
): { shape: readonly number[]; values: Float64Array } {
  const { data, shape } = weights;
  const out = shape[0]!;
  if (offsetUnits.every((unit) => unit === 0)) return { shape: [out], values: perChannel };
  const from = emitter.to.typeOf(input).shape;
  const [kh = 1, kw = 1] = shape.slice(2);
  if (shape.length === 2 || seesAllTaps(op, from, [kh, kw])) {
    const row = data.length / out;
    const sums = perChannel.map((total, o) => {
      let sum = 0;
      for (let i = 0; i < row; i++) sum += data[o * row + i]!;
      return total + sum * offsetUnits[o]!;
    });
    return { shape: [out], values: sums };
  }
  const [, outHeight, outWidth] = op.type.shape as [number, number, number];
  const sums = borderSums(op, tapSums(data, shape), out, [kh, kw], from);
  const area = outHeight * outWidth;
  return {
    shape: [out, outHeight, outWidth],
    values: sums.map((sum, i) => perChannel[Math.floor(i / area)]! + sum * offsetUnits[Math.floor(i / area)]!),
  };
}

/** One synapse a neuron: a train that goes to a neuron (or an add) without weights of its own, or through an affine. */
export function emitIdentitySynapse(
  emitter: SpikeEmitter,
  id: string,
  train: Train,
  { factor, constant }: Target,
  affine?: { readonly scale: Float64Array; readonly shift: Float64Array; readonly shape: readonly number[] },
): string {
  const scale = affine?.scale ?? Float64Array.of(1);
  const shift = affine?.shift ?? Float64Array.of(0);
  const shape = affine?.shape ?? [1];
  const unit = factor * train.scale;
  const totals = scale.map((a, c) => unit * train.offset * a + factor * shift[c]! + constant);
  const perStep = emitter.perStep(id, shape, totals);
  const params = {
    scale: emitter.param(
      id,
      'scale',
      realParam(
        shape,
        scale.map((a) => unit * train.step * a),
      ),
    ),
    ...(perStep['bias'] === undefined ? {} : { shift: perStep['bias'] }),
  };
  return emitter.add({ id, kind: 'affine', inputs: [train.id], params });
}

/** An average pool that a neuron reads directly: gain·average + bias. */
export function emitPoolSynapse(emitter: SpikeEmitter, op: Op, train: Train, { factor, constant }: Target): string {
  const unit = factor * train.scale;
  const gain = emitter.param(op.id, 'gain', realParam([1], [unit * train.step]));
  const totals = poolOffset(emitter, op, train, unit * train.offset, constant);
  const params = { gain, ...emitter.perStep(op.id, totals.shape, totals.values) };
  return emitter.add({ id: op.id, kind: op.kind, inputs: [train.id], attrs: op.attrs, params, place: op.place });
}

function poolOffset(
  emitter: SpikeEmitter,
  op: Op,
  train: Train,
  offset: number,
  constant: number,
): { shape: readonly number[]; values: Float64Array } {
  const padded = op.kind === 'avgpool' && op.attrs.include_pad && op.attrs.pads.some((n) => n !== 0);
  if (!padded || offset === 0) return { shape: [1], values: Float64Array.of(offset + constant) };
  const [kh, kw] = op.attrs.kernel;
  const [, outHeight, outWidth] = op.type.shape as [number, number, number];
  const taps = new Float64Array(kh * kw).fill(1 / (kh * kw));
  const sums = borderSums(op, taps, 1, [kh, kw], emitter.to.typeOf(train.id).shape);
  return { shape: [1, outHeight, outWidth], values: sums.map((sum) => sum * offset + constant) };
}
