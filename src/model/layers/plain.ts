import { elementCount } from '../../base/dtype.js';
import { mostSteps } from '../../base/limits.js';
import { readOuts } from '../../base/read-outs.js';
import { axisOf } from './shapes.js';
import { type LayerDef, axisDoc, numberOf, one, sameShape } from './layer-def.js';
import { differing } from './differing.js';

const epsilonDoc = 'what is added to the variance before it divides';

function elementwise(kind: string, doc: string): LayerDef {
  return {
    doc,
    inputs: one,
    parameters: [],
    build: (site, [input], _args, name) => site.add(name, kind, [input], input.shape),
  };
}

export const relu = elementwise('relu', 'max(x, 0), element by element');
export const sigmoid = elementwise('sigmoid', '1/(1 + e^−x), element by element');
export const gelu = named('gelu', 'x·Φ(x), Φ the normal distribution function, element by element');
export const silu = named('swish', 'x·σ(x), element by element');
export const tanh = named('tanh', 'the hyperbolic tangent, element by element');

/** A function of the network's table of functions. */
function named(of: string, doc: string): LayerDef {
  return {
    doc,
    inputs: one,
    parameters: [],
    build: (site, [input], _args, name) => site.add(name, 'function', [input], input.shape, { name: of }),
  };
}

export const softmax: LayerDef = {
  doc: 'e^x over the sum of e^x along an axis, of real values',
  inputs: one,
  parameters: [{ name: 'axis', doc: axisDoc, spec: { kind: 'int' }, default: -1 }],
  build(site, [input], args, name) {
    const axis = axisOf(site, input, args, -1);
    return axis === undefined ? undefined : site.add(name, 'softmax', [input], input.shape, { axis });
  },
};

export const layernorm: LayerDef = {
  doc: 'of each sample (and each token) over the last axis, with a gain and a shift a feature',
  inputs: one,
  parameters: [{ name: 'epsilon', doc: epsilonDoc, spec: { kind: 'real', above: 0 }, default: 1e-5 }],
  build: (site, [input], args, name) =>
    site.add(name, 'layernorm', [input], input.shape, { epsilon: numberOf(args, 'epsilon')! }),
};

export const groupnorm: LayerDef = {
  doc: 'of each sample over the channels of a group and all their places, with a gain and a shift a channel; `groupnorm(1)` over all, `groupnorm(C)` channel by channel',
  inputs: one,
  parameters: [
    { name: 'groups', doc: 'into how many groups the channels go', spec: { kind: 'int', min: 1 }, required: true },
    { name: 'epsilon', doc: epsilonDoc, spec: { kind: 'real', above: 0 }, default: 1e-5 },
  ],
  build(site, [input], args, name) {
    const groups = numberOf(args, 'groups')!;
    const [channels] = input.shape as [number, ...number[]];
    if (channels % groups !== 0) return site.wrongShape(`channels that ${groups} groups divide`, input);
    const rows = [groups, elementCount(input.shape) / groups];
    const grouped = site.add(`${name}.groups`, 'reshape', [input], rows, { shape: rows });
    const attrs = { epsilon: numberOf(args, 'epsilon')!, plain: true };
    const normal = site.add(`${name}.layernorm`, 'layernorm', [grouped], rows, attrs);
    const image = site.add(`${name}.reshape`, 'reshape', [normal], input.shape, { shape: input.shape });
    return site.add(name, 'learned', [image], input.shape, { of: 'both' });
  },
};

export const positions: LayerDef = {
  doc: 'a learned number for each value, added to it, alike for all samples and steps (positional encoding); `deviation` of the first ones',
  inputs: one,
  parameters: [
    {
      name: 'deviation',
      doc: 'the standard deviation of the numbers that training starts from',
      spec: { kind: 'real', min: 0 },
      default: 0.02,
    },
  ],
  build: (site, [input], args, name) =>
    site.add(name, 'learned', [input], input.shape, { of: 'shift', deviation: numberOf(args, 'deviation')! }),
};

export const embedding: LayerDef = {
  doc: '[tokens] → [tokens, features]: a learned row for each value, a whole number from 0 to words − 1 (zeros for any other); the data are not normalised then',
  inputs: one,
  parameters: [
    { name: 'words', doc: 'how many rows there are', spec: { kind: 'int', min: 1, max: 1 << 20 }, required: true },
    { name: 'features', doc: 'how long a row is', spec: { kind: 'int', min: 1, max: 65536 }, required: true },
  ],
  build(site, [input], args, name) {
    if (input.shape.length > 2) return site.wrongShape('[tokens] or [rows, tokens]', input);
    const [words, features] = [numberOf(args, 'words')!, numberOf(args, 'features')!];
    return site.add(name, 'embedding', [input], [...input.shape, features], { words, features });
  },
};

export const flatten: LayerDef = {
  doc: 'any shape → [features], channels slowest',
  inputs: one,
  parameters: [],
  build: (site, [input], _args, name) => site.add(name, 'flatten', [input], [elementCount(input.shape)]),
};

export const dropout: LayerDef = {
  doc: 'zeros in place of some values, in training only; in a spiking network one mask for all time steps',
  inputs: one,
  parameters: [
    {
      name: 'rate',
      doc: 'the share of values that become zero',
      spec: { kind: 'real', min: 0, below: 1 },
      default: 0.5,
    },
  ],
  build: (site, [input], args, name) =>
    site.add(name, 'dropout', [input], input.shape, { rate: numberOf(args, 'rate')! }),
};

/** A connection back passes one: `h = (x | linear(64)) + (h | delay(1) | linear(64)) | spike`. */
export const delay: LayerDef = {
  doc: 'what the value was so many time steps before, 0 before there was any; it may read a name that is bound on its own line or below (see Recurrence)',
  inputs: one,
  readsAhead: true,
  parameters: [
    { name: 'steps', doc: 'how many time steps', spec: { kind: 'int', min: 1, max: mostSteps }, default: 1 },
  ],
  build: (site, [input], args, name) =>
    site.add(name, 'delay', [input], input.shape, { steps: numberOf(args, 'steps')! }),
};

/** The charge of the parallel spiking neuron: every step reads all of them. */
export const mixSteps: LayerDef = {
  doc: 'at each time step a learned sum over all time steps, those to come too, the same for every value, plus a learned number a step (what PSN has for a membrane)',
  inputs: one,
  parameters: [{ name: 'start', doc: 'what the numbers of the steps start from', spec: { kind: 'real' }, default: 0 }],
  build: (site, [input], args, name) =>
    site.add(name, 'mixsteps', [input], input.shape, { start: numberOf(args, 'start')! }),
};

export const readout: LayerDef = {
  doc: '`readout(last)` at the end of an output: what is read of its time steps (`mean`, `sum`, `last`, `max`, of neurons `first_spike` and `membrane`); the loss is of it (`tet` of every step)',
  inputs: one,
  parameters: [
    {
      name: 'of',
      doc: 'their mean, their sum, the last, the largest; of neurons in front of it `first_spike`, how early it comes, or `membrane`, what they compare at the last step',
      otherwise: '`mean`',
      spec: { kind: 'words', words: readOuts },
    },
  ],
  build(site, [input], args, name) {
    const of = args.get('of');
    return site.add(name, 'readout', [input], input.shape, { of: of?.kind === 'string' ? of.value : 'mean' });
  },
};

export const spike: LayerDef = {
  doc: 'neurons: the config’s, or `spike(LIF(tau: 4))` one fixed in place; a neuron of several input currents takes them in their order: `spike(soma, dendrite, TwoCompartment())`',
  inputs: { min: 1, max: 8 },
  shapeWithout: ([first]) => first?.shape,
  parameters: [{ name: 'neuron', doc: 'the neuron that fires', otherwise: 'the config’s', spec: { kind: 'neuron' } }],
  build(site, inputs, args, name) {
    const neuron = args.get('neuron');
    const [input] = inputs;
    const odd = inputs.find(({ shape }) => !sameShape(shape, input.shape));
    if (odd !== undefined) return site.mismatch(input, odd, differing(input, odd));
    return site.add(name, 'spike', inputs, input.shape, {}, neuron?.kind === 'neuron' ? neuron.use : undefined);
  },
};
