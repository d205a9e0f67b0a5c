import type { NeuronDef } from '../equations/index.js';
import type { CodeRange } from '../base/code-range.js';
import type { InputShape } from '../base/input-shape.js';
import type { Span } from '../base/source.js';
import type { ModelFile } from '../syntax/index.js';
import type { CodingValuesOfLayer, codings } from './codings.js';
import type { BitValuesOfLayer, HardwareValues, Normalize, TrainValues, WrittenBits } from './settings.js';
import type { ChoiceOf } from './typed-settings.js';
import type { NeuronUse } from './values.js';

/** Everything a model file says, checked. */
export interface Model {
  readonly file: ModelFile;
  /** The file's own configs, in its order. */
  readonly configs: ReadonlyMap<string, Config>;
  /** The file's own networks, with the defaults of their parameters; those that need arguments are left out. */
  readonly networks: ReadonlyMap<string, OwnNetwork>;
  /** Neurons the file declares or imports, by the name it knows them by. */
  readonly neurons: ReadonlyMap<string, NeuronDef>;
}

export interface Config {
  readonly name: string;
  readonly place: Span;
  readonly network: OnnxNetwork | OwnNetwork;
  readonly neuron?: NeuronUse;
  readonly coding?: CodingChoice;
  readonly bits?: Bits;
  readonly train?: Train;
  readonly hardware?: Hardware;
  /** `normalize channels(…)`: what images are normalised by, unless `train` says it. */
  readonly normalize?: Normalize;
}

/** `network onnx("file.onnx")` */
export interface OnnxNetwork {
  readonly kind: 'onnx';
  /** As written. */
  readonly path: string;
  /** Folder of the model file it is written in, as in the source's name. */
  readonly folder: string;
  /** Folder and path joined. */
  readonly resolved: string;
  /** The output to take, of several. */
  readonly output?: string;
  /** The integers that float inputs hold. */
  readonly inputCodes?: CodeRange;
  /** Sizes of inputs that the file leaves free. */
  readonly inputShapes?: readonly InputShape[];
  readonly place: Span;
}

/** A network of the language, expanded to single layers. */
export interface OwnNetwork {
  readonly kind: 'network';
  readonly name: string;
  /** In topological order, but for delays that close a cycle. */
  readonly layers: readonly Layer[];
  /** What the network gives: one, or several with names. */
  readonly outputs: readonly [NetworkOutput, ...NetworkOutput[]];
  readonly place: Span;
}

export interface NetworkOutput {
  /** As `output NAME = …` says it; `output` without. */
  readonly name: string;
  /** Id of the layer whose result it is. */
  readonly layer: string;
  readonly place: Span;
}

export type LayerAttr = number | boolean | string | readonly number[];

/**
 * One layer, ready to become an op. Kinds and attrs are those of the Network IR; parameters
 * (weights) follow from kind, attrs and the input's shape:
 *
 * | kind | attrs |
 * | --- | --- |
 * | input | |
 * | conv | channels, kernel [h,w], stride [h,w], pads [t,l,b,r], dilation [h,w], groups, bias |
 * | conv3d | as conv, sizes of three axes, six pads |
 * | transposed_conv | as conv |
 * | linear | features, bias |
 * | batchnorm | epsilon, momentum, axis (0 where missing) |
 * | spike | (`neuron`, where it is fixed in place) |
 * | relu, sigmoid, flatten, globalavgpool, identity | |
 * | add, mul (two inputs, equal shapes, or [C,1,1] on one side of mul), concat (n inputs, axis 0) | |
 * | matmul (two inputs) | transpose |
 * | reshape | shape |
 * | transpose | perm |
 * | pad | pads [t,l,b,r], value |
 * | resample | rows, columns |
 * | function | name |
 * | softmax | axis |
 * | layernorm | epsilon, plain (without gain and shift) |
 * | learned | of: both (a gain and a shift a channel), shift (one a value, with its first deviation) |
 * | embedding | words, features |
 * | slice | axis, start, end, step |
 * | scale | factor, or factors along an axis |
 * | shift | offset |
 * | avgpool, maxpool | kernel, stride, pads |
 * | dropout | rate |
 * | readout (the output alone) | of: mean, sum, last, max, first_spike, membrane |
 * | delay (may read a layer that stands later) | steps |
 * | mixsteps (sums over all time steps) | start (of its number a step) |
 * | channelconv (1-D convolution along the channels of [C,1,1], zero padding, as ECA has it) | kernel |
 */
export interface Layer {
  /** From its place in the source: `stage2.0.pre.conv`. */
  readonly id: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, LayerAttr>>;
  /** Of its result: [channels, height, width] or [features]. */
  readonly shape: readonly number[];
  /** Shape of its weight, [outputs, inputs a group, …taps], where it has one. */
  readonly weight?: readonly number[];
  readonly neuron?: NeuronUse;
  readonly place: Span;
}

/** The coding with all arguments (defaults filled in), and what single layers do differently. */
export type CodingChoice = ChoiceOf<typeof codings> & {
  readonly layers: readonly LayerSettings<CodingValuesOfLayer>[];
};

export type SwsCoding = Extract<CodingChoice, { readonly name: 'sws' }>;

/** Steps of a train; of event frames they may be missing. */
export function stepsOf(coding: CodingChoice | undefined): number | undefined {
  return coding !== undefined && 'steps' in coding.args ? coding.args.steps : undefined;
}

/** `layer "pattern" { … }`; later ones win. */
export interface LayerSettings<S = Readonly<Record<string, unknown>>> {
  readonly pattern: string;
  readonly settings: S;
  readonly place: Span;
}

export interface Bits {
  /** As written: an imported network has no use for some. */
  readonly settings: WrittenBits;
  readonly layers: readonly LayerSettings<BitValuesOfLayer>[];
  readonly place: Span;
}

export interface Train {
  readonly settings: TrainValues;
  readonly place: Span;
}

export interface Hardware {
  /** Energies in pJ. */
  readonly settings: HardwareValues;
  readonly place: Span;
}
