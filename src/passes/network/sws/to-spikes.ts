import { type Network, type Op, consumersOf, roleOf, withoutDeadOps } from '../../../network/index.js';
import { present } from '../../../base/invariant.js';
import { isRearranged } from '../front.js';
import { readOutTail } from '../read-out.js';
import { type PassContext, definePass } from '../../pass.js';
import { trainCode } from './codes.js';
import { NotConvertible, SpikeEmitter } from './emitter.js';
import { type SwsOptions, swsOptions, thresholdOf } from './options.js';
import { emitPotential } from './potentials.js';

/** What may stand between the input and the first quantiser: it belongs to the encoder. */
function mayEncode(op: Op): boolean {
  return isRearranged(op) || roleOf(op) === 'bound';
}

/**
 * Quantised ANN → spiking network (docs/sws.md): the input's quantiser becomes the encoder, every other
 * quantiser a layer of TSA neurons with the id of the quantiser, synapses are scaled (eq. 16–19), max
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
        help: 'quantise the network first, or choose another coding: rate, mbif or ibra take float networks',
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
    }
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
  const params = Object.fromEntries(
    Object.entries(op.params).map(([role, name]) => [
      role,
      emitter.param(op.id, role, present(emitter.from.params.get(name), `to-spikes: no parameter ${name}`)),
    ]),
  );
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

function emitEncoder(emitter: SpikeEmitter, op: Op, real: string): void {
  const { beta, steps, encoder } = emitter.options;
  const threshold = thresholdOf(emitter.options);
  const { scale, zero, min, max } = op.attrs as Record<'scale' | 'zero' | 'min' | 'max', number>;
  const code = op.type.code;
  if (code.kind !== 'quant') throw new TypeError(`${op.id} is not a quantiser`);
  const { amplitude } = trainCode(code, emitter.options);
  const id = emitter.to.add({
    id: op.id,
    kind: 'encode',
    inputs: [real],
    attrs: { coding: 'sws', encoder, beta, steps, scale, zero, min, max, amplitude, threshold },
    place: op.place,
    origin: op.origin,
  });
  emitter.setTrain(op.id, emitter.trainOf(op, id));
}

function emitNeurons(emitter: SpikeEmitter, op: Op): void {
  const code = op.type.code;
  if (code.kind !== 'quant') throw new TypeError(`${op.id} is not a quantiser`);
  const { beta, steps, rectified } = emitter.options;
  const threshold = thresholdOf(emitter.options);
  const { scale, offset, amplitude, limit } = trainCode(code, emitter.options);
  // code − min = x/C_o + zero − min, in amplitudes θ_o
  const target = { factor: 1 / (scale * amplitude), constant: -offset / amplitude };
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
      levels: [-1, 1],
      amplitude,
    },
    place: op.place,
    origin: op.origin,
  });
  emitter.setTrain(op.id, emitter.trainOf(op, id));
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
    return this.emitter.add({ id, kind, inputs: op.inputs.map((input) => this.value(input)), attrs, place, origin });
  }

  #decoded({ id, origin }: Op): string {
    const potential = emitPotential(this.emitter, id, { factor: 1, constant: 0 });
    const attrs = { coding: 'sws', beta: this.emitter.options.beta };
    return this.emitter.add({ id: `${id}.readout`, kind: 'decode', inputs: [potential], attrs, origin });
  }
}
