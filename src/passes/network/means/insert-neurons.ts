import {
  type Attrs,
  type Network,
  type Op,
  type OpRole,
  type Rewriter,
  consumersOf,
  boundsOf,
  nameOf,
  realParam,
  rewrite,
  roleOf,
} from '../../../network/index.js';
import { type Conversion, conversionOf } from '../../../lower/program/index.js';
import {
  type NeuronChoice,
  type PerLayer,
  codingChoice,
  neuronChoice,
  oneOf,
  optional,
  perLayer,
  reals,
  required,
  whole,
} from '../../options/index.js';
import { type PassContext, definePass } from '../../pass.js';
import { type MeanNeuron, outputsOfMeans } from './carries-means.js';
import { meanNeuron } from './mean-neuron.js';
import { readOutTail } from '../read-out.js';

/** What stands in a network of means: beside what it gives neurons for (`bound`, `maximum`) all that is linear and has no time. */
const mayStand: Readonly<Record<OpRole, boolean>> = {
  input: true,
  weighted: true,
  scaling: true,
  sum: true,
  concatenation: true,
  average: true,
  maximum: true,
  reshape: true,
  border: true,
  bound: true,
  encoder: false,
  'read-out': false,
  neurons: false,
  mixing: false,
  norm: false,
  'running-maximum': false,
  function: false,
  'group-function': false,
  quantiser: false,
  table: false,
  'whole-input': false,
  product: false,
  same: false,
  delay: false,
  lag: false,
  'step-mixing': false,
  planes: false,
  gather: false,
  squeeze: false,
};

/** Whether trains that carry means have a form for an op. */
export const meansCarry = (op: Op): boolean => mayStand[roleOf(op)];

/**
 * Neurons stand for the activations (docs/conversion.md). With clip(x, 0, λ) and neurons whose outputs reach `top`, the
 * current is x·top/λ and a train's mean stands for mean·λ/top. The input is a constant current, the read-out
 * the mean of the logits over the steps. Max pooling becomes the running maximum of spike counts,
 * M_t = max_i Σ_{τ≤t} s_i,τ, s_t = M_t − M_t−1: a train with the same levels, whose mean is the maximum.
 */
export const insertNeurons = definePass({
  name: 'insert-neurons',
  doc: 'Puts layers of neurons in the place of clip(x, 0, λ), the input as a constant current, the mean of the logits as the read-out; max pooling becomes the running maximum of spike counts.',
  options: {
    neuron: required(neuronChoice, 'The neurons that stand for activations.'),
    steps: required(whole(1, 4096), 'Time steps T.'),
    coding: optional(
      codingChoice,
      'What the trains are; `direct` where missing. Its neurons are those of `neuron`, its arguments those of the language.',
    ),
    encoder: optional(oneOf(['bernoulli', 'regular']), 'How an input of `rate` fires.'),
    ranges: optional(
      perLayer(reals(0)),
      'The activation that the largest spike of each channel stands for, in the place of the layer’s λ.',
    ),
  },
  run: (network, { neuron: chosen, steps, coding: wish, encoder, ranges }, context) => {
    const coding = codingOf(wish, steps, encoder);
    const neuron = meanNeuron(chosen, context);
    if (neuron === undefined) return network;
    const tail = readOutTail(network);
    if (!isConvertible(network, tail, coding.name, context)) return network;
    if (coding.conversion === undefined && !carriesMeans(neuron, steps, context)) return network;
    if (!areChannels(network, ranges, context)) return network;
    const emitter = new MeanEmitter(neuron, coding, ranges);
    const result = rewrite(network, (op, inputs, to) => {
      if (op.kind === 'input') return emitter.input(op, to);
      if (tail.has(op.id)) {
        const real = inputs.map((id) => emitter.decoded(id, to));
        return to.copy(op, real);
      }
      const made = emitter.emit(op, inputs, to);
      return network.outputs.includes(op.id) ? emitter.decoded(made, to) : made;
    });
    const { name, args } = coding;
    return { ...result, coding: { name, args: { ...args, ...(encoder === undefined ? {} : { encoder }) } } };
  },
});

/** The coding of the trains that neurons fire. */
interface Coding {
  readonly name: string;
  readonly args: Readonly<Record<string, number>> & { readonly steps: number };
  readonly conversion: Conversion | undefined;
  readonly encoder: string | undefined;
}

function codingOf(wish: NeuronChoice | undefined, steps: number, encoder: string | undefined): Coding {
  const name = wish?.name ?? 'direct';
  return { name, args: { ...wish?.args, steps }, conversion: conversionOf(name), encoder };
}

/** Reports lists of another length than a layer has channels. */
function areChannels(network: Network, ranges: PerLayer<readonly number[]> | undefined, context: PassContext): boolean {
  const wrong = network.ops.filter((op) => {
    const own = roleOf(op) === 'bound' ? ranges?.of(op.id) : undefined;
    return own !== undefined && own.length !== op.type.shape[0];
  });
  for (const op of wrong) {
    const reason = `${ranges!.of(op.id)!.length} ranges are given for the ${op.type.shape[0]} channels of %${op.id}`;
    context.report('convert/bad-coding', { reason }, op, { help: 'give each channel one, or the layer one `range`' });
  }
  return wrong.length === 0;
}

/** A train and what a mean of 1 stands for, of all channels or of each. */
interface Carrier {
  readonly train: string;
  readonly unit: number | readonly number[];
}

function scaled(id: string, from: string, factor: number | readonly number[], to: Rewriter): string {
  const factors = typeof factor === 'number' ? [factor] : factor;
  const scale = to.param(`${id}.scale`, realParam([factors.length], factors));
  return to.builder.add({ id, kind: 'affine', inputs: [from], params: { scale } });
}

/** Emits the spiking form of single ops. */
class MeanEmitter {
  /** value with time → its read-out */
  readonly #decoded = new Map<string, string>();
  /** id of a train's value → the train and its unit */
  readonly #carriers = new Map<string, Carrier>();

  readonly #top: number;

  constructor(
    readonly neuron: MeanNeuron,
    readonly coding: Coding,
    readonly ranges: PerLayer<readonly number[]> | undefined,
  ) {
    const { levels } = neuron;
    this.#top = coding.conversion?.top(coding.args) ?? levels.max * levels.step;
  }

  /** The real input as a current, or with an `input` in the coding's arguments in spikes of its neurons' kind. */
  input(op: Op, to: Rewriter): string {
    const { name, args, conversion, encoder } = this.coding;
    const scale = args['input'] ?? 0;
    const attrs: Attrs = {
      coding: name,
      steps: args.steps,
      ...(scale > 0 ? { scale } : {}),
      ...(args['seed'] === undefined ? {} : { seed: args['seed'] }),
      ...(encoder === undefined ? {} : { encoder }),
    };
    const id = `${op.id}.encode`;
    const train = to.builder.add({ id, kind: 'encode', inputs: [to.copy(op, [])], attrs });
    if (scale === 0) return train;
    // of its neurons' kind, the mean of the largest is what theirs is; otherwise it is its share
    return this.#value(op.id, { train, unit: conversion === undefined ? scale : scale / this.#top }, to);
  }

  /** The mean over the steps of a value with time; any other as it is. */
  decoded(id: string, to: Rewriter): string {
    if (to.builder.typeOf(id).time === undefined) return id;
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    const made = to.builder.add({
      id: `${id}.readout`,
      kind: 'decode',
      inputs: [id],
      attrs: { coding: this.coding.name },
    });
    this.#decoded.set(id, made);
    return made;
  }

  emit(op: Op, inputs: readonly string[], to: Rewriter): string {
    if (roleOf(op) === 'bound') return this.#value(op.id, this.#neurons(op, inputs, to), to);
    const carrier = this.#carriers.get(inputs[0]!);
    if (roleOf(op) !== 'maximum' || carrier === undefined) return to.copy(op, inputs);
    const train = to.copy(op, [carrier.train], { kind: 'maxprefix', attrs: { ...op.attrs, beta: 1 } });
    return this.#value(op.id, { ...carrier, train }, to);
  }

  #value(id: string, carrier: Carrier, to: Rewriter): string {
    const value = scaled(`${id}.value`, carrier.train, carrier.unit, to);
    this.#carriers.set(value, carrier);
    return value;
  }

  #neurons(op: Op, inputs: readonly string[], to: Rewriter): Carrier {
    const { def, args } = this.neuron;
    to.builder.neuron(def);
    const ranges = this.ranges?.of(op.id);
    const unit = ranges?.map((range) => range / this.#top) ?? boundsOf(op)![1] / this.#top;
    const factor = typeof unit === 'number' ? 1 / unit : unit.map((one) => 1 / one);
    const current = scaled(`${op.id}.current`, inputs[0]!, factor, to);
    const attrs: Attrs = { neuron: def.name, ...args };
    return { train: to.copy(op, [current], { kind: 'neuron', attrs }), unit };
  }
}

/** Roles that trains of weighted spikes carry exactly, behind a quantiser, and means don't. */
const curved: ReadonlySet<OpRole> = new Set(['function', 'group-function', 'product', 'table']);

/** Reports every op without a spiking form. */
function isConvertible(network: Network, tail: ReadonlySet<string>, coding: string, context: PassContext): boolean {
  let sound = true;
  const spiking = new Set<string>();
  const consumers = consumersOf(network);
  for (const op of network.ops) {
    if (tail.has(op.id)) continue;
    if (roleOf(op) === 'bound' || (roleOf(op) === 'maximum' && spiking.has(op.inputs[0]!))) spiking.add(op.id);
    const badPool = roleOf(op) === 'maximum' && !spiking.has(op.id);
    const badPad = op.kind === 'pad' && op.attrs.value !== 0;
    const badOutput = network.outputs.includes(op.id) && consumers.get(op.id)!.length > 0;
    if (mayStand[roleOf(op)] && (boundsOf(op)?.[1] ?? 0) < Infinity && !badPool && !badPad && !badOutput) continue;
    sound = false;
    context.report('convert/no-spiking-form', { op: op.id, kind: nameOf(op), coding }, op, {
      help: curved.has(roleOf(op))
        ? 'means carry no such function: convert the quantised network with --coding sws, where it is exact, or train with relus'
        : 'replace the layer in the network by relus, poolings and weighted layers, and export it again',
      ...(badPad ? { help: 'only padding with 0 keeps spikes apart: pad with 0' } : {}),
      ...(badOutput ? { help: 'an output that other layers read can’t be read out' } : {}),
      ...(badPool ? { help: 'max pooling has to read the result of a relu: put the relu before it' } : {}),
    });
  }
  return sound;
}

/** Reports neurons whose mean output doesn't follow their input. */
function carriesMeans(neuron: MeanNeuron, steps: number, context: PassContext): boolean {
  const wrong = outputsOfMeans(neuron, steps);
  if (wrong === undefined) return true;
  const args = { neuron: neuron.def.name, steps, current: wrong.current, mean: wrong.mean };
  const oneStep = steps > 1 && outputsOfMeans(neuron, 1) === undefined ? `; ${neuron.def.name} does it at 1 step` : '';
  context.report('convert/neuron-loses-mean', args, neuron, {
    help: `use IF(start: 0.5), or MBIF(integer: 1, fraction: 3, start: 0.0625)${oneStep}`,
  });
  return false;
}
