import type { Layer } from '../../model/index.js';
import type { Attrs, NetworkBuilder } from '../../network/index.js';
import { type BitPlan, bitAttrs, initialBits } from './bits.js';
import { type Initialiser, filled } from './initialise.js';
import { initialStep, rangeStep } from '../../base/quantiser.js';

/** What lowering a layer needs. */
export interface LayerContext {
  readonly builder: NetworkBuilder;
  readonly initialiser: Initialiser;
  readonly bits: BitPlan;
  /** Steps of the coding. */
  readonly steps: number;
  /** Id in the network of a layer's result. */
  readonly idOf: (layer: string) => string;
  /** Shape of a layer's input. */
  readonly shapeOf: (layer: string) => readonly number[];
}

const windowAttrs = ['kernel', 'stride', 'pads', 'dilation', 'groups'] as const;

/** Adds a layer that is no input and no neuron; nothing to do with time. */
export function lowerLayer(layer: Layer, context: LayerContext): void {
  switch (layer.kind) {
    case 'conv':
      return lowerConv(layer, context);
    case 'linear':
      return lowerLinear(layer, context);
    case 'batchnorm':
      return lowerBatchnorm(layer, context);
    case 'channelconv':
      return lowerChannelConv(layer, context);
    case 'scale':
    case 'shift':
      return lowerAffine(layer, context);
    case 'avgpool':
      return plain(layer, 'avgpool', { ...pick(layer, ['kernel', 'stride', 'pads']), include_pad: true }, context);
    case 'maxpool':
      return plain(layer, 'maxpool', pick(layer, ['kernel', 'stride', 'pads']), context);
    case 'delay':
      return lowerDelay(layer, context);
    case 'dropout':
      return plain(layer, 'dropout', pick(layer, ['rate']), context);
    case 'add':
    case 'mul':
    case 'concat':
    case 'relu':
    case 'sigmoid':
    case 'flatten':
    case 'globalavgpool':
      return plain(layer, layer.kind, {}, context);
    default:
      throw new TypeError(`lowerLayer: ${layer.id} is of kind ${layer.kind}`);
  }
}

type PlainKind =
  'avgpool' | 'maxpool' | 'dropout' | 'add' | 'mul' | 'concat' | 'relu' | 'sigmoid' | 'flatten' | 'globalavgpool';

function plain(layer: Layer, kind: PlainKind, attrs: Attrs, { builder, idOf }: LayerContext): void {
  builder.add({ id: layer.id, kind, inputs: layer.inputs.map(idOf), attrs, place: layer.place });
}

function pick(layer: Layer, names: readonly string[]): Attrs {
  return Object.fromEntries(names.map((name) => [name, layer.attrs[name]!]));
}

/** It may read a layer that stands later, whose type isn't known yet. */
function lowerDelay(layer: Layer, { builder, idOf, steps }: LayerContext): void {
  const ahead = { shape: layer.shape, time: { start: 1, steps }, code: { kind: 'psp' } } as const;
  const attrs = pick(layer, ['steps']);
  builder.add({ id: layer.id, kind: 'lag', inputs: layer.inputs.map(idOf), attrs, ahead, place: layer.place });
}

/** Weight [out, in/groups, kh, kw], uniform in ±1/√(in/groups·kh·kw); so is the bias. */
function lowerConv(layer: Layer, context: LayerContext): void {
  const { builder, idOf, shapeOf } = context;
  const [kh, kw] = layer.attrs['kernel'] as readonly [number, number];
  const channels = layer.attrs['channels'] as number;
  const within = shapeOf(layer.inputs[0]!)[0]! / (layer.attrs['groups'] as number);
  const { params, attrs } = weights(layer, context, [channels, within, kh, kw], within * kh * kw);
  const inputs = layer.inputs.map(idOf);
  const all = { ...pick(layer, windowAttrs), ...attrs };
  builder.add({ id: layer.id, kind: 'conv', inputs, attrs: all, params, place: layer.place });
}

/** Weight [out, in], uniform in ±1/√in; so is the bias. */
function lowerLinear(layer: Layer, context: LayerContext): void {
  const { builder, idOf, shapeOf } = context;
  const features = layer.attrs['features'] as number;
  const within = shapeOf(layer.inputs[0]!)[0]!;
  const { params, attrs } = weights(layer, context, [features, within], within);
  builder.add({ id: layer.id, kind: 'linear', inputs: layer.inputs.map(idOf), attrs, params, place: layer.place });
}

interface Weights {
  readonly params: Record<string, string>;
  /** Fixed bits, or the bound of learned ones. */
  readonly attrs: Attrs;
}

function weights(
  layer: Layer,
  { builder, initialiser, bits }: LayerContext,
  shape: readonly number[],
  fanIn: number,
): Weights {
  const tensor = initialiser.uniform(`${layer.id}.weight`, shape, fanIn);
  const params: Record<string, string> = { weight: builder.param(`${layer.id}.weight`, { tensor }) };
  if (layer.attrs['bias'] === true) {
    const bias = initialiser.uniform(`${layer.id}.bias`, [shape[0]!], fanIn);
    params['bias'] = builder.param(`${layer.id}.bias`, { tensor: bias });
  }
  const setting = bits.of('weights', layer.id);
  if (setting === undefined) return { params, attrs: {} };
  const first = Math.round(initialBits(setting));
  const step = bits.plain ? rangeStep(tensor.data, first) : initialStep(tensor.data, first, true);
  params['weight_step'] = builder.param(`${layer.id}.weight_step`, { tensor: filled([1], step) });
  if (typeof setting === 'object') {
    params['weight_bits'] = builder.param(`${layer.id}.weight_bits`, { tensor: filled([1], setting.init) });
  }
  return { params, attrs: { ...bitAttrs('weight_bits', setting), ...(bits.plain ? { weight_step_rule: 'max' } : {}) } };
}

function lowerBatchnorm(layer: Layer, { builder, idOf }: LayerContext): void {
  const channels = [layer.shape[0]!];
  const gamma = (layer.attrs['gamma'] as number | undefined) ?? 1;
  const start = { gamma, beta: 0, mean: 0, variance: 1 };
  const params = Object.fromEntries(
    Object.entries(start).map(([role, value]) => [
      role,
      builder.param(`${layer.id}.${role}`, { tensor: filled(channels, value) }),
    ]),
  );
  const attrs = pick(layer, ['epsilon', 'momentum', ...('threshold' in layer.attrs ? ['threshold'] : [])]);
  builder.add({ id: layer.id, kind: 'batchnorm', inputs: layer.inputs.map(idOf), attrs, params, place: layer.place });
}

/** Weight [k], uniform in ±1/√k. */
function lowerChannelConv(layer: Layer, { builder, initialiser, idOf }: LayerContext): void {
  const kernel = layer.attrs['kernel'] as number;
  const name = `${layer.id}.weight`;
  const params = { weight: builder.param(name, { tensor: initialiser.uniform(name, [kernel], kernel) }) };
  const inputs = layer.inputs.map(idOf);
  builder.add({ id: layer.id, kind: 'channel_conv', inputs, attrs: { kernel }, params, place: layer.place });
}

/** Constants of the model file: x·factor, or x + offset. */
function lowerAffine(layer: Layer, { builder, idOf }: LayerContext): void {
  const factor = (layer.attrs['factor'] as number | undefined) ?? 1;
  const offset = layer.attrs['offset'] as number | undefined;
  const params: Record<string, string> = {
    scale: builder.param(`${layer.id}.scale`, { tensor: filled([1], factor) }),
  };
  if (offset !== undefined) params['shift'] = builder.param(`${layer.id}.shift`, { tensor: filled([1], offset) });
  builder.add({ id: layer.id, kind: 'affine', inputs: layer.inputs.map(idOf), params, place: layer.place });
}
