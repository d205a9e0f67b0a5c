import { type Tensor, elementCount, tensor } from '../../base/dtype.js';
import { deferredTensor } from '../../base/lazy-tensor.js';
import type { Layer } from '../../model/index.js';
import { type Attrs, type NetworkBuilder, isOpKind, opDef } from '../../network/index.js';
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
}

/** Adds a layer that is no input and no neuron; nothing to do with time. */
export function lowerLayer(layer: Layer, context: LayerContext): void {
  if (layer.weight !== undefined) return lowerWeighted(layer, layer.weight, context);
  switch (layer.kind) {
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
    case 'mixsteps':
      return lowerMixSteps(layer, context);
    case 'dropout':
      return plain(layer, 'dropout', pick(layer, ['rate']), context);
    case 'reshape':
      return plain(layer, 'reshape', pick(layer, ['shape']), context);
    case 'transpose':
      return plain(layer, 'transpose', pick(layer, ['perm']), context);
    case 'slice':
      return plain(layer, 'slice', pick(layer, ['axis', 'start', 'end', 'step']), context);
    case 'pad':
      return plain(layer, 'pad', pick(layer, ['pads', 'value']), context);
    case 'resample':
      return plain(layer, 'resample', pick(layer, ['rows', 'columns']), context);
    case 'function':
      return plain(layer, 'function', pick(layer, ['name']), context);
    case 'softmax':
      return plain(layer, 'softmax', pick(layer, ['axis']), context);
    case 'layernorm':
      return lowerLayernorm(layer, context);
    case 'learned':
      return lowerLearned(layer, context);
    case 'embedding':
      return lowerEmbedding(layer, context);
    case 'matmul':
      return plain(layer, 'matmul', pick(layer, ['transpose']), context);
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

/** Kinds without parameters. */
type PlainKind =
  | 'avgpool'
  | 'maxpool'
  | 'dropout'
  | 'reshape'
  | 'transpose'
  | 'slice'
  | 'pad'
  | 'resample'
  | 'function'
  | 'softmax'
  | 'matmul'
  | 'add'
  | 'mul'
  | 'concat'
  | 'relu'
  | 'sigmoid'
  | 'flatten'
  | 'globalavgpool';

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

/** Weight [steps, steps], uniform in ±1/√steps; a number a step that starts as it is told. */
function lowerMixSteps(layer: Layer, { builder, initialiser, idOf, steps }: LayerContext): void {
  const [weight, bias] = [`${layer.id}.weight`, `${layer.id}.bias`];
  const params = {
    weight: builder.param(weight, { tensor: initialiser.uniform(weight, [steps, steps], steps) }),
    bias: builder.param(bias, { tensor: filled([steps], Number(layer.attrs['start'])) }),
  };
  builder.add({ id: layer.id, kind: 'mix_steps', inputs: layer.inputs.map(idOf), params, place: layer.place });
}

/** Weight [outputs, inputs a group, …taps], uniform in ±1/√(inputs a group·taps); so is the bias. */
function lowerWeighted(layer: Layer, weight: readonly number[], context: LayerContext): void {
  const { builder, idOf } = context;
  const { kind } = layer;
  if (!isOpKind(kind)) throw new TypeError(`lowerLayer: ${layer.id} is of kind ${kind}`);
  const { params, attrs } = weights(layer, context, weight, elementCount(weight.slice(1)));
  const own = Object.keys(opDef(kind).attrs).filter((name) => name in layer.attrs);
  const all = { ...pick(layer, own), ...attrs };
  builder.add({ id: layer.id, kind, inputs: layer.inputs.map(idOf), attrs: all, params, place: layer.place });
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
  const step = (): number => (bits.plain ? rangeStep(tensor.data, first) : initialStep(tensor.data, first, true));
  params['weight_step'] = builder.param(`${layer.id}.weight_step`, {
    tensor: deferredTensor('f32', [1], () => Float32Array.of(step())),
  });
  if (typeof setting === 'object') {
    params['weight_bits'] = builder.param(`${layer.id}.weight_bits`, { tensor: filled([1], setting.init) });
  }
  return { params, attrs: { ...bitAttrs('weight_bits', setting), ...(bits.plain ? { weight_step_rule: 'max' } : {}) } };
}

function lowerBatchnorm(layer: Layer, { builder, idOf }: LayerContext): void {
  const axis = (layer.attrs['axis'] as number | undefined) ?? 0;
  const channels = [layer.shape[axis]!];
  const gamma = (layer.attrs['gamma'] as number | undefined) ?? 1;
  const start = { gamma, beta: 0, mean: 0, variance: 1 };
  const params = Object.fromEntries(
    Object.entries(start).map(([role, value]) => [
      role,
      builder.param(`${layer.id}.${role}`, { tensor: filled(channels, value) }),
    ]),
  );
  const attrs = pick(layer, ['epsilon', 'momentum', ...['threshold', 'axis'].filter((name) => name in layer.attrs)]);
  builder.add({ id: layer.id, kind: 'batchnorm', inputs: layer.inputs.map(idOf), attrs, params, place: layer.place });
}

function lowerLayernorm(layer: Layer, { builder, idOf }: LayerContext): void {
  const features = [layer.shape.at(-1)!];
  const params =
    layer.attrs['plain'] === true
      ? {}
      : {
          gamma: builder.param(`${layer.id}.gamma`, { tensor: filled(features, 1) }),
          beta: builder.param(`${layer.id}.beta`, { tensor: filled(features, 0) }),
        };
  const attrs = { axis: layer.shape.length - 1, ...pick(layer, ['epsilon']) };
  builder.add({ id: layer.id, kind: 'layernorm', inputs: layer.inputs.map(idOf), attrs, params, place: layer.place });
}

/** x·scale + shift: both learned, a number a channel; or a shift for each value, uniform with the given deviation. */
function lowerLearned(layer: Layer, { builder, initialiser, idOf }: LayerContext): void {
  const learned = layer.attrs['of'] as 'both' | 'shift';
  const param = (role: string, tensor: Tensor): string => builder.param(`${layer.id}.${role}`, { tensor });
  const channels = [layer.shape[0]!];
  const deviation = (layer.attrs['deviation'] as number | undefined) ?? 0;
  // of numbers uniform in ±b it is b/√3
  const drawn = (): Tensor =>
    deviation === 0
      ? filled(layer.shape, 0)
      : initialiser.uniform(`${layer.id}.shift`, layer.shape, 1 / (3 * deviation ** 2));
  const params =
    learned === 'both'
      ? { scale: param('scale', filled(channels, 1)), shift: param('shift', filled(channels, 0)) }
      : { scale: param('scale', filled([1], 1)), shift: param('shift', drawn()) };
  const inputs = layer.inputs.map(idOf);
  builder.add({ id: layer.id, kind: 'affine', inputs, attrs: { learned }, params, place: layer.place });
}

/** Weight [words, features], uniform in ±1. */
function lowerEmbedding(layer: Layer, { builder, initialiser, idOf }: LayerContext): void {
  const shape = [layer.attrs['words'] as number, layer.attrs['features'] as number];
  const name = `${layer.id}.weight`;
  const params = { weight: builder.param(name, { tensor: initialiser.uniform(name, shape, 1) }) };
  builder.add({ id: layer.id, kind: 'embedding', inputs: layer.inputs.map(idOf), params, place: layer.place });
}

/** Weight [k], uniform in ±1/√k. */
function lowerChannelConv(layer: Layer, { builder, initialiser, idOf }: LayerContext): void {
  const kernel = layer.attrs['kernel'] as number;
  const name = `${layer.id}.weight`;
  const params = { weight: builder.param(name, { tensor: initialiser.uniform(name, [kernel], kernel) }) };
  const inputs = layer.inputs.map(idOf);
  builder.add({ id: layer.id, kind: 'channel_conv', inputs, attrs: { kernel }, params, place: layer.place });
}

/** Constants: x·factor, or x + offset, or a factor for each place of an axis. */
function lowerAffine(layer: Layer, { builder, idOf }: LayerContext): void {
  const factor = (layer.attrs['factor'] as number | undefined) ?? 1;
  const factors = layer.attrs['factors'] as readonly number[] | undefined;
  const scale = factors === undefined ? filled([1], factor) : tensor('f32', [factors.length], factors);
  const attrs = factors === undefined ? {} : pick(layer, ['axis']);
  const offset = layer.attrs['offset'] as number | undefined;
  const params: Record<string, string> = {
    scale: builder.param(`${layer.id}.scale`, { tensor: scale }),
  };
  if (offset !== undefined) params['shift'] = builder.param(`${layer.id}.shift`, { tensor: filled([1], offset) });
  builder.add({ id: layer.id, kind: 'affine', inputs: layer.inputs.map(idOf), attrs, params, place: layer.place });
}
