import type { Rounding } from '../../../base/rounding.js';
import {
  type Attrs,
  type GroupFunction,
  type Network,
  type Op,
  type OpKind,
  consumersOf,
  isMaximum,
  paramOf,
  realParam,
  realValues,
  roleOf,
  withoutDeadOps,
} from '../../../network/index.js';
import { present } from '../../../base/invariant.js';
import { isRearranged } from '../front.js';
import { readOutTail } from '../read-out.js';
import { type PassContext, definePass } from '../../pass.js';
import { trainCode } from './codes.js';
import { NotConvertible, SpikeEmitter } from './emitter.js';
import { isNonlinear } from './digits.js';
import { type SwsOptions, swsOptions, thresholdOf } from './options.js';
import { emitPotential } from './potentials.js';

/** What may stand between the input and the first quantiser: it belongs to the encoder. */
function mayEncode(op: Op): boolean {
  const role = roleOf(op);
  return (
    isRearranged(op) ||
    op.kind === 'embedding' ||
    role === 'bound' ||
    role === 'function' ||
    role === 'average' ||
    isMaximum(op)
  );
}

/**
 * Quantised ANN → spiking network (docs/sws.md): the input's quantiser becomes the encoder, every other
 * quantiser a layer of TSA neurons with the id of the quantiser, tables and products neurons that wait for all of their input, synapses are scaled (eq. 16–19), max
 * pooling becomes the running prefix maximum, outputs are read out. Everything still happens at steps
 * 1…Tc; the next pass gives it its time.
 */
export const toSpikes = definePass({
  name: 'to-spikes',
  doc: 'Puts an encoder and TSA neurons in the place of the quantisers, scales weights and biases to spike amplitudes (SWS eq. 16–19), reads the output out.',
  options: swsOptions,
  run: (network, options, context) => {
    if (!network.ops.some((op) => op.kind === 'quantize')) {
      context.report('convert/float-network', { network: network.name }, undefined, {
        help: 'convert with --calibrate DATA, which measures ranges and adds quantisers',
      });
      return network;
    }
    try {
      return convert(network, options, context);
    } catch (error) {
      if (error instanceof NotConvertible) return network;
      throw error;
    }
  },
});

function convert(network: Network, options: SwsOptions, context: PassContext): Network {
  const emitter = new SpikeEmitter(network, options, context);
  emitter.to.neuron(present(context.neurons.get('TSA'), 'to-spikes: the standard library has no TSA neuron'));
  const consumers = consumersOf(network);
  const isReadOut = (op: Op): boolean => network.outputs.includes(op.id) && consumers.get(op.id)!.length === 0;
  /** real values the encoder may read, by old id */
  const front = new Map<string, string>();
  for (const op of network.ops) {
    if (op.kind === 'input') front.set(op.id, emitter.to.add(op));
    else if (mayEncode(op) && front.has(op.inputs[0]!)) front.set(op.id, copyFront(emitter, op, front));
    else if (op.kind === 'quantize') {
      const real = front.get(op.inputs[0]!);
      if (real !== undefined) emitEncoder(emitter, op, real);
      else if (!isReadOut(op)) emitter.attempt(op.id, () => emitNeurons(emitter, op));
    } else if (op.kind === 'table') emitter.attempt(op.id, () => emitRecoding(emitter, op));
    else if (op.kind === 'digit') emitter.attempt(op.id, () => emitDigit(emitter, op));
  }
  const readOut = new ReadOut(
    emitter,
    readOutTail(network, (op) => op.kind === 'quantize' && !isReadOut(op)),
  );
  const outputs: string[] = [];
  for (const id of network.outputs) emitter.attempt(id, () => outputs.push(readOut.value(id)));
  if (emitter.refused.size > 0) throw new NotConvertible();
  const { beta, steps, encoder } = options;
  const threshold = thresholdOf(options);
  const coding = { name: 'sws', args: { beta, steps, encoder, threshold } };
  return withoutDeadOps(emitter.to.finish(outputs, coding));
}

function copyFront(emitter: SpikeEmitter, op: Op, front: ReadonlyMap<string, string>): string {
  const params = copiedParams(emitter, op);
  const inputs = op.inputs.map((id) => front.get(id)!);
  return emitter.to.add({
    id: op.id,
    kind: op.kind,
    inputs,
    attrs: op.attrs,
    params,
    place: op.place,
    origin: op.origin,
  });
}

/** The parameters of an op of the quantised network, for an op about to be added under `id`. */
function copiedParams(emitter: SpikeEmitter, op: Op, id = op.id): Record<string, string> {
  const entries = Object.entries(op.params).map(([role, name]) => [
    role,
    emitter.param(id, role, present(emitter.from.params.get(name), `to-spikes: no parameter ${name}`)),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function emitEncoder(emitter: SpikeEmitter, op: Op<'quantize'>, real: string): void {
  const { beta, steps, encoder } = emitter.options;
  const threshold = thresholdOf(emitter.options);
  const { scale, zero, min, max } = op.attrs;
  const code = op.type.code;
  if (code.kind !== 'quant') throw new TypeError(`${op.id} is not a quantiser`);
  const { amplitude } = trainCode(code, emitter.options);
  const id = emitter.to.add({
    id: op.id,
    kind: 'encode',
    inputs: [real],
    attrs: { coding: 'sws', encoder, beta, steps, scale, zero, min, max, amplitude, threshold, ...roundingAttr(op) },
    place: op.place,
    origin: op.origin,
  });
  emitter.setTrain(op.id, emitter.trainOf(op, id));
}

function roundingAttr({ attrs }: Op<'quantize'>): { readonly rounding?: Rounding } {
  return attrs.rounding === undefined ? {} : { rounding: attrs.rounding };
}

/** Where TSA's last digit goes when exactly half a spike is left. */
const ties = { even: 0, odd: 2, up: 1, down: -1 } as const;

/**
 * A way of rounding as rounding to the nearest, which is what neurons do: floor(v) is v − ½ with halves up. A neuron
 * counts from the lower end of the code range, so that there an even code is an odd level if `zeroLevel` is odd.
 */
function nearest(rounding: Rounding, zeroLevel: number): { readonly shift: number; readonly ties: number } {
  const [even, odd] = zeroLevel % 2 === 0 ? [ties.even, ties.odd] : [ties.odd, ties.even];
  switch (rounding) {
    case 'half_even':
      return { shift: 0, ties: even };
    case 'half_odd':
      return { shift: 0, ties: odd };
    case 'half_up':
      return { shift: 0, ties: ties.up };
    case 'half_down':
      return { shift: 0, ties: ties.down };
    case 'floor':
      return { shift: -0.5, ties: ties.up };
    case 'ceil':
      return { shift: 0.5, ties: ties.down };
  }
}

function emitNeurons(emitter: SpikeEmitter, op: Op<'quantize'>): void {
  const code = op.type.code;
  if (code.kind !== 'quant') throw new TypeError(`${op.id} is not a quantiser`);
  const { beta, steps, rectified } = emitter.options;
  const threshold = thresholdOf(emitter.options);
  if (isQuantisedWhole(emitter.op(op.inputs[0]!))) return emitWhole(emitter, op);
  const { scale, offset, amplitude, limit } = trainCode(code, emitter.options);
  const { shift, ties } = nearest(op.attrs.rounding ?? 'half_even', Math.floor(code.zero) - code.min);
  // code − min = x/C_o + zero − min, in amplitudes θ_o
  const target = { factor: 1 / (scale * amplitude), constant: (shift - offset) / amplitude };
  const potential = emitPotential(emitter, op.inputs[0]!, target);
  const id = emitter.to.add({
    id: op.id,
    kind: 'neuron',
    inputs: [potential],
    attrs: {
      neuron: 'TSA',
      beta,
      steps,
      silent: 0,
      threshold,
      rectified: rectified ? 1 : 0,
      limit,
      amplitude,
      ...(ties === 0 ? {} : { ties }),
    },
    place: op.place,
    origin: op.origin,
  });
  emitter.setTrain(op.id, emitter.trainOf(op, id));
}

interface WholeInput {
  readonly id: string;
  readonly gain: number;
  readonly offset: number;
  readonly scale: number;
}

/** A whole input of neurons: a train's code less its zero point in units of `scale`, or a potential in real units. */
function wholeInput(emitter: SpikeEmitter, id: string): WholeInput {
  const train = emitter.train(id);
  if (train !== undefined) return { id: train.id, gain: train.step, offset: train.offset, scale: train.scale };
  const known = emitter.potentials.get(id) ?? emitPotential(emitter, id, { factor: 1, constant: 0 });
  emitter.potentials.set(id, known);
  return { id: known, gain: 1, offset: 0, scale: 1 };
}

/** What recoding and multiplying neurons have in common: the code that they fire, after all of their input. */
function firedCode(emitter: SpikeEmitter, op: Op): { min: number; max: number } & Attrs {
  const { beta, steps } = emitter.options;
  const { code } = op.type;
  if (code.kind !== 'quant') throw new TypeError(`${op.id} has no codes`);
  const { amplitude } = trainCode(code, emitter.options);
  return { beta, steps, min: code.min, max: code.max, amplitude };
}

/** A table: neurons that look their whole input up. */
function emitRecoding(emitter: SpikeEmitter, op: Op): void {
  const input = wholeInput(emitter, op.inputs[0]!);
  const thresholds = realValues(paramOf(emitter.from, op, 'thresholds')).map((t) => t / input.scale);
  const id = emitter.to.add({
    id: op.id,
    kind: 'recode',
    inputs: [input.id],
    attrs: { ...firedCode(emitter, op), gain: input.gain, offset: input.offset },
    params: {
      thresholds: emitter.param(op.id, 'thresholds', realParam([thresholds.length], thresholds)),
      levels: emitter.param(op.id, 'levels', paramOf(emitter.from, op, 'levels')),
    },
    place: op.place,
    origin: op.origin,
  });
  emitter.setTrain(op.id, emitter.trainOf(op, id));
}

/** Layers whose values are made of whole inputs at once, and then quantised. */
type Whole = Op<'mul' | 'matmul' | 'embedding' | GroupFunction>;

function isQuantisedWhole(op: Op): op is Whole {
  return roleOf(op) === 'product' || roleOf(op) === 'group-function';
}

/** A quantised product of two values, or a quantised function of all values along an axis: neurons that see whole inputs. */
function emitWhole(emitter: SpikeEmitter, op: Op<'quantize'>): void {
  const { rounding } = op.attrs;
  if (rounding !== undefined && rounding !== 'half_even') {
    const kind = `a quantiser behind ${emitter.op(op.inputs[0]!).kind} that rounds ${rounding}`;
    emitter.refuse('convert/no-spiking-form', { op: op.id, kind, coding: 'sws' }, op, {
      help: 'what neurons make of whole inputs is rounded half to even: quantise it with QuantizeLinear',
    });
  }
  const { scale, zero } = op.attrs;
  addWhole(emitter, op, { ...firedCode(emitter, op), scale, zero });
}

/** One digit of a value that no quantiser follows: neurons that see their whole input. */
function emitDigit(emitter: SpikeEmitter, op: Op<'digit'>): void {
  const source = emitter.op(op.inputs[0]!);
  const { scale, zero, max, base, place } = op.attrs;
  const { beta, steps } = emitter.options;
  const fired = { beta, steps, amplitude: 1, scale, zero, max, base, place };
  if (isQuantisedWhole(source)) return addWhole(emitter, op, { ...fired, min: 0 });
  const { id: wish, place: at, origin } = op;
  const input = wholeInput(emitter, isNonlinear(source) ? source.inputs[0]! : source.id);
  const [gain, offset] = [input.gain * input.scale, input.offset * input.scale];
  const attrs = { ...fired, gain, offset, ...functionAttrs(source) };
  const id = emitter.to.add({ id: wish, kind: 'digit_neuron', inputs: [input.id], attrs, place: at, origin });
  emitter.setTrain(op.id, emitter.trainOf(op, id));
}

/** The neurons in the place of `op`, a quantiser or a digit, that fire the codes of what it reads. */
function addWhole(
  emitter: SpikeEmitter,
  op: Op<'quantize' | 'digit'>,
  fired: Attrs & { readonly scale: number },
): void {
  const source = emitter.op(op.inputs[0]!) as Whole;
  const inputs = source.inputs.map((id) => wholeInput(emitter, id));
  const [a, b] = inputs;
  const { id, place, origin } = op;
  const add = (kind: OpKind, attrs: Attrs, params: Readonly<Record<string, string>> = {}): void => {
    emitter.to.add({ id, kind, inputs: inputs.map((input) => input.id), attrs, params, place, origin });
    emitter.setTrain(id, emitter.trainOf(op, id));
  };
  const product = (): Attrs => ({
    ...fired,
    gain: [a!.gain, b!.gain],
    offset: [a!.offset, b!.offset],
    scale: fired.scale / (a!.scale * b!.scale),
  });
  const group = (): Attrs => ({ ...fired, gain: a!.gain * a!.scale, offset: a!.offset * a!.scale });
  switch (source.kind) {
    case 'mul':
      return add('product', product());
    case 'matmul':
      return add('matrix_product', { ...product(), transpose: source.attrs.transpose });
    case 'embedding':
      return emitter.refuse('convert/no-spiking-form', { op: source.id, kind: source.kind, coding: 'sws' }, op, {
        help: 'rows for the ids that a network takes belong to its encoder; of values inside it there are none: leave it at the input',
      });
    // functions of a group
    default: {
      const params = copiedParams(emitter, source, id);
      return add('group_neuron', { ...group(), function: source.kind, ...source.attrs }, params);
    }
  }
}

/** The function that neurons apply; a bound is the range of their codes. */
function functionAttrs(op: Op): Attrs {
  if (op.kind === 'sigmoid') return { function: 'sigmoid' };
  if (op.kind !== 'function') return {};
  const { name, alpha, beta } = op.attrs;
  return {
    function: name,
    ...(alpha === undefined ? {} : { function_alpha: alpha }),
    ...(beta === undefined ? {} : { function_beta: beta }),
  };
}

/** Outputs: no neurons; what a potential adds up to is read, and what the ANN does behind it is done once. */
class ReadOut {
  /** old id → real value */
  readonly #values = new Map<string, string>();

  constructor(
    readonly emitter: SpikeEmitter,
    readonly tail: ReadonlySet<string>,
  ) {}

  value(id: string): string {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const { emitter, tail } = this;
    const op = emitter.op(id);
    const made = tail.has(id) && emitter.train(id) === undefined ? this.#behind(op) : this.#decoded(op);
    this.#values.set(id, made);
    return made;
  }

  #behind(op: Op): string {
    const { id, kind, attrs, place, origin } = op;
    const inputs = op.inputs.map((input) => this.value(input));
    return this.emitter.add({ id, kind, inputs, attrs, params: copiedParams(this.emitter, op), place, origin });
  }

  #decoded({ id, origin }: Op): string {
    const potential = emitPotential(this.emitter, id, { factor: 1, constant: 0 });
    const attrs = { coding: 'sws', beta: this.emitter.options.beta };
    return this.emitter.add({ id: `${id}.readout`, kind: 'decode', inputs: [potential], attrs, origin });
  }
}
