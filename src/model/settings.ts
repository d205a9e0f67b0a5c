import { dataSets, fileForms } from '../base/data-forms.js';
import type { Setting, Spec } from './schema.js';
import {
  augmentations,
  clips,
  count,
  fraction,
  losses,
  optimizers,
  positive,
  schedules,
  some,
} from './train-choices.js';
import { type ArgsOf, type ValueOf, type Written, withDefaults } from './typed-settings.js';

/** What images are normalised by, of a training or a whole config. */
export const normalizeSetting = {
  name: 'normalize',
  doc: 'what images are normalised by, a number for all channels or one each',
  spec: {
    kind: 'choice',
    of: {
      channels: {
        doc: '(x − mean) / std, x from 0 to 1',
        args: [
          {
            name: 'mean',
            doc: 'what is taken away, a number a channel',
            spec: { kind: 'list', of: { kind: 'real' } },
            required: true,
          },
          {
            name: 'std',
            doc: 'what divides, a number a channel',
            spec: { kind: 'list', of: positive },
            required: true,
          },
        ],
      },
      none: { doc: 'values stay as they are read', args: [] },
    },
  },
  otherwise: 'that of the config, or nothing',
} as const satisfies Setting;

/** `train { … }` */
export const trainSettings = [
  {
    name: 'data',
    doc: 'the data set, by name (`mnist`, `cifar10`) or as `"npz:digits.npz"`',
    spec: { kind: 'label', known: { ...dataSets, ...fileForms } },
    otherwise: 'what `--data` says',
  },
  {
    name: 'layout',
    doc: 'how channels lie in an NPZ or IDX file: first or last',
    spec: { kind: 'words', words: ['nchw', 'nhwc'] },
    otherwise: 'what the shapes say',
  },
  {
    name: 'optimizer',
    doc: 'how weights follow their gradients, with the learning rate `lr`',
    spec: { kind: 'choice', of: optimizers },
    otherwise: 'needed to train',
  },
  {
    name: 'schedule',
    doc: 'how the learning rate goes from epoch to epoch; `warmup` and `every` count epochs',
    spec: { kind: 'choice', of: schedules },
    otherwise: '`constant`',
  },
  {
    name: 'clip',
    doc: 'what gradients are held to: all of them together to a length, or each number to a range',
    spec: { kind: 'choice', of: clips },
    otherwise: 'nothing',
  },
  {
    name: 'freeze',
    doc: 'layers whose weights stay as they are, by patterns of ids: `freeze ["stem", "stage1"]`',
    spec: { kind: 'list', of: { kind: 'string' } },
    otherwise: 'none',
  },
  {
    name: 'groups',
    doc: 'layers whose learning rate and weight decay are the others’ times a factor, by patterns of ids: `groups [layers("stem", rate: 0.1)]`',
    spec: {
      kind: 'list',
      of: {
        kind: 'choice',
        of: {
          layers: {
            doc: 'layers by a pattern of ids, with their factors',
            args: [
              { name: 'pattern', doc: 'which layers', spec: { kind: 'string' }, required: true },
              { name: 'rate', doc: 'what their learning rate is multiplied with', spec: positive, default: 1 },
              {
                name: 'decay',
                doc: 'what their weight decay is multiplied with',
                spec: { kind: 'real', min: 0 },
                default: 1,
              },
            ],
          },
        },
      },
    },
    otherwise: 'all the same',
  },
  {
    name: 'average',
    doc: 'what is measured and written: a moving average of the weights, which keeps the share `decay` of itself at each step',
    spec: {
      kind: 'choice',
      of: {
        ema: {
          doc: 'an exponential moving average',
          args: [{ name: 'decay', doc: 'the share of itself that it keeps a step', spec: fraction, default: 0.999 }],
        },
      },
    },
    otherwise: 'the weights themselves',
  },
  {
    name: 'loss',
    doc: 'what is made small: of classes, of boxes (`yolo`), or where labels are numbers of their distance from the outputs ([how](training.md#losses))',
    spec: { kind: 'sum', of: losses },
    otherwise: '`cross_entropy` of classes, `mse` of numbers',
  },
  {
    name: 'target',
    doc: '`reconstruction`: the outputs shall be the input itself, as it is normalised (an autoencoder)',
    spec: { kind: 'words', words: ['labels', 'reconstruction'] },
    default: 'labels',
  },
  {
    name: 'augment',
    doc: 'what happens to each image before it is learned from',
    spec: { kind: 'list', of: { kind: 'choice', of: augmentations } },
    otherwise: 'nothing',
  },
  {
    ...normalizeSetting,
    doc: `${normalizeSetting.doc}; \`measured\`: by the mean and deviation of each channel of the samples that are trained on`,
    spec: {
      kind: 'choice',
      of: {
        ...normalizeSetting.spec.of,
        measured: { doc: 'by mean and deviation of each channel of the samples that are trained on', args: [] },
      },
    },
  },
  {
    name: 'batchnorm',
    doc: '`tdbn` scales by what the neuron’s `fire` compares with, or its `theta`',
    spec: { kind: 'words', words: ['plain', 'tdbn'] },
    default: 'plain',
  },
  { name: 'batch', doc: 'images a step', spec: some, default: 64 },
  {
    name: 'memory',
    doc: '`low`: a step keeps few values of its forward pass, and computes the others again: the same numbers in less memory and more time',
    spec: { kind: 'words', words: ['normal', 'low'] },
    default: 'normal',
  },
  { name: 'epochs', doc: 'how often all images are learned from', spec: some, default: 10 },
  { name: 'limit', doc: 'only so many images, from the first', spec: some, otherwise: 'all' },
  { name: 'seed', doc: 'of weights, order, augmentation and masks', spec: count, default: 1 },
  { name: 'validation', doc: 'the share of the images that is held back to measure on', spec: fraction, default: 0 },
  {
    name: 'early_stop',
    doc: 'the training ends after so many epochs without a better validation accuracy (or loss, without validation)',
    spec: {
      kind: 'choice',
      of: {
        patience: {
          doc: 'so many epochs are waited for a better one',
          args: [{ name: 'epochs', doc: 'how many epochs', spec: some, required: true }],
        },
      },
    },
    otherwise: 'never',
  },
] as const satisfies readonly Setting[];

/** Penalties and learning rates of ABA §5.1 (CIFAR) where a config names none. */
function learnedBits(most: number, penalty: number, rate: number) {
  const number = { kind: 'real', min: 1, max: most } as const;
  const parameters = [
    { name: 'init', doc: 'the number that training starts from', spec: number, required: true },
    { name: 'max', doc: 'the greatest number', spec: { kind: 'int', min: 1, max: most }, required: true },
    { name: 'target', doc: 'what the mean over the layers shall become', spec: number, required: true },
    {
      name: 'penalty',
      doc: 'how much the distance from it counts in the loss',
      spec: { kind: 'real', min: 0 },
      default: penalty,
    },
    { name: 'rate', doc: 'the learning rate of the numbers', spec: positive, default: rate },
  ] as const;
  return {
    kind: 'either',
    of: [
      { kind: 'choice', of: { learn: { doc: 'a number a layer that is learned with the weights', args: parameters } } },
      { kind: 'int', min: 1, max: most },
    ],
  } as const satisfies Spec;
}

/** `layer "…" { … }` in `bits`. */
export const bitSettingsOfLayers = [
  {
    name: 'weights',
    doc: 'bits of weights',
    spec: learnedBits(16, 4e-2, 1e-1),
    otherwise: 'real weights',
  },
  {
    name: 'spikes',
    doc: 'bits of the neurons, which need a parameter `bits` (as `Refined` has); a neuron without one may be said to fire the bits that it has',
    spec: learnedBits(16, 4e-2, 1e-1),
    otherwise: 'those of the neuron',
  },
  {
    name: 'steps',
    doc: 'steps of the layers of neurons; with it trains are squeezed to their mean, so `coding` must be `direct`',
    spec: learnedBits(64, 1e-2, 1e-2),
    otherwise: 'those of the coding',
  },
] as const satisfies readonly Setting[];

/** `bits { … }` */
export const bitSettings = [
  ...bitSettingsOfLayers,
  {
    name: 'renewal',
    doc: 'which step sizes are renewed when their bits change',
    spec: { kind: 'words', words: ['spikes', 'weights', 'all', 'none'] },
    otherwise: '`spikes`, where their step sizes learn',
  },
  {
    name: 'step_size',
    doc: 'of weights with fixed bits; `max`: max \\|w\\| over the highest code, plain uniform quantisation',
    spec: { kind: 'words', words: ['learned', 'max'] },
    default: 'learned',
  },
  {
    name: 'squeeze',
    doc: '`true`: trains are squeezed, with the coding’s steps where `steps` says nothing; `false`: never',
    spec: { kind: 'bool' },
    otherwise: '`true` where `steps` is set',
  },
  {
    name: 'distance',
    doc: 'of the mean bits to their target in the loss',
    spec: { kind: 'words', words: ['absolute', 'square'] },
    default: 'absolute',
  },
  {
    name: 'settle',
    doc: 'share of the training; from there on the learned numbers of each target stay once their mean is near it ([how](training.md#learned-bits))',
    spec: { kind: 'real', above: 0, below: 1 },
    otherwise: 'they never do',
  },
] as const satisfies readonly Setting[];

/** `hardware { … }`: energies in pJ. */
export const hardwareSettings = [
  { name: 'e_mac', doc: 'of a multiplication with its addition', spec: { kind: 'real', min: 0 }, otherwise: '4.6' },
  { name: 'e_ac', doc: 'of an addition', spec: { kind: 'real', min: 0 }, otherwise: '0.9' },
  { name: 'e_read', doc: 'of a read from memory: kept, not used', spec: { kind: 'real', min: 0 } },
  { name: 'e_write', doc: 'of a write to memory: kept, not used', spec: { kind: 'real', min: 0 } },
] as const satisfies readonly Setting[];

export type Normalize = ValueOf<typeof normalizeSetting.spec> | TrainValues['normalize'];
export type WrittenTrain = Written<typeof trainSettings>;
export type WrittenBits = Written<typeof bitSettings>;
/** `train { … }` with its defaults. */
export type TrainValues = ArgsOf<typeof trainSettings>;
/** `bits { … }` with its defaults. */
export type BitValues = ArgsOf<typeof bitSettings>;
export type BitValuesOfLayer = ArgsOf<typeof bitSettingsOfLayers>;
export type HardwareValues = ArgsOf<typeof hardwareSettings>;

/** What holds of `bits { … }`, written or not. */
export function bitValues(written: WrittenBits): BitValues {
  return withDefaults(bitSettings, written);
}
