import { elementCount } from '../../base/dtype.js';
import { mostSteps } from '../../base/limits.js';
import { readOuts } from '../../base/read-outs.js';
import { axisOf } from './shapes.js';
import { type LayerDef, numberOf, one, sameShape } from './layer-def.js';

function elementwise(kind: string): LayerDef {
  return {
    inputs: one,
    parameters: [],
    build: (site, [input], _args, name) => site.add(name, kind, [input], input.shape),
  };
}

export const relu = elementwise('relu');
export const sigmoid = elementwise('sigmoid');
export const gelu = named('gelu');
export const silu = named('swish');
export const tanh = named('tanh');

/** A function of the network's table of functions. */
function named(of: string): LayerDef {
  return {
    inputs: one,
    parameters: [],
    build: (site, [input], _args, name) => site.add(name, 'function', [input], input.shape, { name: of }),
  };
}

/** `softmax(axis: -1)` of real values. */
export const softmax: LayerDef = {
  inputs: one,
  parameters: [{ name: 'axis', spec: { kind: 'int' }, default: -1 }],
  build(site, [input], args, name) {
    const axis = axisOf(site, input, args, -1);
    return axis === undefined ? undefined : site.add(name, 'softmax', [input], input.shape, { axis });
  },
};

/** `layernorm(epsilon: 1e-5)`: of each sample (and each token) over the last axis, with a gain and a shift a feature. */
export const layernorm: LayerDef = {
  inputs: one,
  parameters: [{ name: 'epsilon', spec: { kind: 'real', above: 0 }, default: 1e-5 }],
  build: (site, [input], args, name) =>
    site.add(name, 'layernorm', [input], input.shape, { epsilon: numberOf(args, 'epsilon')! }),
};

/** `groupnorm(groups, epsilon: 1e-5)`: of each sample over the channels of a group and all places, with a gain and a shift a channel. */
export const groupnorm: LayerDef = {
  inputs: one,
  parameters: [
    { name: 'groups', spec: { kind: 'int', min: 1 }, required: true },
    { name: 'epsilon', spec: { kind: 'real', above: 0 }, default: 1e-5 },
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

/**
 * `positions(deviation: 0.02)`: a learned number for each value, added to it, whatever the sample and the time step (positional
 * encoding); `deviation` is the standard deviation of the first ones.
 */
export const positions: LayerDef = {
  inputs: one,
  parameters: [{ name: 'deviation', spec: { kind: 'real', min: 0 }, default: 0.02 }],
  build: (site, [input], args, name) =>
    site.add(name, 'learned', [input], input.shape, { of: 'shift', deviation: numberOf(args, 'deviation')! }),
};

/** `embedding(words, features)`: a learned row for each value, a whole number from 0 to words − 1: [tokens] → [tokens, features]. */
export const embedding: LayerDef = {
  inputs: one,
  parameters: [
    { name: 'words', spec: { kind: 'int', min: 1, max: 1 << 20 }, required: true },
    { name: 'features', spec: { kind: 'int', min: 1, max: 65536 }, required: true },
  ],
  build(site, [input], args, name) {
    if (input.shape.length > 2) return site.wrongShape('[tokens] or [rows, tokens]', input);
    const [words, features] = [numberOf(args, 'words')!, numberOf(args, 'features')!];
    return site.add(name, 'embedding', [input], [...input.shape, features], { words, features });
  },
};

/** `flatten`: any shape → [features], channels slowest. */
export const flatten: LayerDef = {
  inputs: one,
  parameters: [],
  build: (site, [input], _args, name) => site.add(name, 'flatten', [input], [elementCount(input.shape)]),
};

/** `dropout(rate)`: in training only; in a spiking network one mask for all time steps. */
export const dropout: LayerDef = {
  inputs: one,
  parameters: [{ name: 'rate', spec: { kind: 'real', min: 0, below: 1 }, default: 0.5 }],
  build: (site, [input], args, name) =>
    site.add(name, 'dropout', [input], input.shape, { rate: numberOf(args, 'rate')! }),
};

/**
 * `delay(n)`: what the value was n time steps before, 0 before there was any. A connection back passes one:
 * `h = (x | linear(64)) + (h | delay(1) | linear(64)) | spike`.
 */
export const delay: LayerDef = {
  inputs: one,
  readsAhead: true,
  parameters: [{ name: 'steps', spec: { kind: 'int', min: 1, max: mostSteps }, default: 1 }],
  build: (site, [input], args, name) =>
    site.add(name, 'delay', [input], input.shape, { steps: numberOf(args, 'steps')! }),
};

/** `readout(last)` at the end of an output: what is read of its time steps. */
export const readout: LayerDef = {
  inputs: one,
  parameters: [{ name: 'of', spec: { kind: 'words', words: readOuts } }],
  build(site, [input], args, name) {
    const of = args.get('of');
    return site.add(name, 'readout', [input], input.shape, { of: of?.kind === 'string' ? of.value : 'mean' });
  },
};

/**
 * `spike` is the config's neuron, `spike(LIF(tau: 4))` a neuron fixed in place; a neuron with further input currents takes
 * them in the order of its declaration: `soma | spike(dendrite, TwoCompartment)`.
 */
export const spike: LayerDef = {
  inputs: { min: 1, max: 8 },
  shapeWithout: ([first]) => first?.shape,
  parameters: [{ name: 'neuron', spec: { kind: 'neuron' } }],
  build(site, inputs, args, name) {
    const neuron = args.get('neuron');
    const [input] = inputs;
    const odd = inputs.find(({ shape }) => !sameShape(shape, input.shape));
    if (odd !== undefined) return site.mismatch(input, odd);
    return site.add(name, 'spike', inputs, input.shape, {}, neuron?.kind === 'neuron' ? neuron.use : undefined);
  },
};
