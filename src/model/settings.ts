import { dataSets, fileForms } from '../base/data-forms.js';
import type { Setting, Spec } from './schema.js';
import { type ArgsOf, type ValueOf, type Written, withDefaults } from './typed-settings.js';

const positive = { kind: 'real', above: 0 } as const;
const fraction = { kind: 'real', min: 0, below: 1 } as const;
const count = { kind: 'int', min: 0 } as const;
const some = { kind: 'int', min: 1 } as const;
const decay = { name: 'weight_decay', spec: { kind: 'real', min: 0 }, default: 0 } as const;
const warmup = { name: 'warmup', spec: count, default: 0 } as const;
const smoothing = { name: 'smoothing', spec: fraction, default: 0 } as const;
/** α of the Beta(α, α) that shares are drawn from. */
const mixingSpread = { kind: 'real', min: 0.01, max: 4 } as const;
/** A number for each class, or output. */
const perClass = { name: 'weights', spec: { kind: 'list', of: positive } } as const;
/** Of several outputs the one that is meant, the first where it isn't said; and what it is compared with. */
const ofOutput = { name: 'of', spec: { kind: 'label' } } as const;
const comparedTo = {
  name: 'target',
  spec: { kind: 'words', words: ['labels', 'reconstruction'] },
  default: 'labels',
} as const;
const adam = [
  { name: 'lr', spec: positive, default: 1e-3 },
  { name: 'beta1', spec: fraction, default: 0.9 },
  { name: 'beta2', spec: fraction, default: 0.999 },
  { name: 'epsilon', spec: positive, default: 1e-8 },
] as const;

/** What images are normalised by, of a training or a whole config. */
export const normalizeSetting = {
  name: 'normalize',
  doc: 'what images are normalised by, a number for all channels or one each',
  spec: {
    kind: 'choice',
    of: {
      channels: [
        { name: 'mean', spec: { kind: 'list', of: { kind: 'real' } }, required: true },
        { name: 'std', spec: { kind: 'list', of: positive }, required: true },
      ],
      none: [],
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
    spec: {
      kind: 'choice',
      of: {
        sgd: [
          { name: 'lr', spec: positive, default: 0.1 },
          { name: 'momentum', spec: fraction, default: 0 },
          { name: 'nesterov', spec: { kind: 'bool' }, default: false },
          decay,
        ],
        adam: [...adam, decay],
        adamw: [...adam, { ...decay, default: 0.01 }],
      },
    },
    otherwise: 'needed to train',
  },
  {
    name: 'schedule',
    doc: 'how the learning rate goes from epoch to epoch; `warmup` and `every` count epochs',
    spec: {
      kind: 'choice',
      of: {
        constant: [warmup],
        step: [{ name: 'every', spec: some, required: true }, { name: 'gamma', spec: positive, default: 0.1 }, warmup],
        milestones: [
          { name: 'at', spec: { kind: 'list', of: some }, required: true },
          { name: 'gamma', spec: positive, default: 0.1 },
          warmup,
        ],
        plateau: [
          { name: 'factor', spec: { kind: 'real', above: 0, below: 1 }, default: 0.1 },
          { name: 'patience', spec: count, default: 10 },
          { name: 'min', spec: { kind: 'real', min: 0 }, default: 0 },
          warmup,
        ],
        one_cycle: [
          { name: 'rise', spec: { kind: 'real', above: 0, below: 1 }, default: 0.3 },
          { name: 'start', spec: positive, default: 25 },
          { name: 'end', spec: positive, default: 1e4 },
          warmup,
        ],
        cosine: [{ name: 'min', spec: { kind: 'real', min: 0 }, default: 0 }, warmup],
      },
    },
    otherwise: '`constant`',
  },
  {
    name: 'clip',
    doc: 'what gradients are held to: all of them together to a length, or each number to a range',
    spec: {
      kind: 'choice',
      of: {
        norm: [{ name: 'max', spec: positive, default: 1 }],
        value: [{ name: 'max', spec: positive, default: 1 }],
      },
    },
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
          layers: [
            { name: 'pattern', spec: { kind: 'string' }, required: true },
            { name: 'rate', spec: positive, default: 1 },
            { name: 'decay', spec: { kind: 'real', min: 0 }, default: 1 },
          ],
        },
      },
    },
    otherwise: 'all the same',
  },
  {
    name: 'average',
    doc: 'what is measured and written: a moving average of the weights, which keeps the share `decay` of itself at each step',
    spec: { kind: 'choice', of: { ema: [{ name: 'decay', spec: fraction, default: 0.999 }] } },
    otherwise: 'the weights themselves',
  },
  {
    name: 'loss',
    doc: 'what is made small: of classes, of boxes (`yolo`), or where labels are numbers of their distance from the outputs ([how](training.md#losses))',
    spec: {
      kind: 'sum',
      of: {
        cross_entropy: [smoothing, perClass, ofOutput],
        tet: [
          { name: 'weight', spec: { kind: 'real', min: 0, max: 1 }, default: 0.05 },
          { name: 'mean', spec: { kind: 'real' }, default: 1 },
          smoothing,
          ofOutput,
        ],
        mse: [ofOutput, comparedTo],
        l1: [ofOutput, comparedTo],
        huber: [{ name: 'delta', spec: positive, default: 1 }, ofOutput, comparedTo],
        bce: [perClass, ofOutput, comparedTo],
        yolo: [
          { name: 'bins', spec: { kind: 'int', min: 2, max: 256 }, default: 16 },
          { name: 'box', spec: { kind: 'real', min: 0 }, default: 7.5 },
          { name: 'cls', spec: { kind: 'real', min: 0 }, default: 0.5 },
          { name: 'dfl', spec: { kind: 'real', min: 0 }, default: 1.5 },
          { name: 'top', spec: { kind: 'int', min: 1, max: 100 }, default: 10 },
          { name: 'alpha', spec: { kind: 'real', min: 0 }, default: 0.5 },
          { name: 'beta', spec: { kind: 'real', min: 0 }, default: 6 },
        ],
        firing: [{ name: 'target', spec: { kind: 'real', min: 0 }, required: true }],
        distill: [
          { name: 'teacher', spec: { kind: 'string' }, required: true },
          { name: 'temperature', spec: positive, default: 4 },
          ofOutput,
        ],
      },
    },
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
    spec: {
      kind: 'list',
      of: {
        kind: 'choice',
        of: {
          flip: [],
          crop: [{ name: 'padding', spec: { kind: 'int', min: 0, max: 1024 }, default: 4 }],
          scale: [{ name: 'by', spec: { kind: 'real', above: 0, max: 0.9 }, default: 0.5 }],
          erase: [
            { name: 'probability', spec: { kind: 'real', above: 0, max: 1 }, default: 0.5 },
            { name: 'min', spec: { kind: 'real', above: 0, max: 1 }, default: 0.02 },
            { name: 'max', spec: { kind: 'real', above: 0, max: 1 }, default: 0.33 },
          ],
          drop: [{ name: 'share', spec: { kind: 'real', above: 0, below: 1 }, default: 0.1 }],
          jitter: [{ name: 'steps', spec: { kind: 'int', min: 1, max: 1024 }, default: 1 }],
          mixup: [{ name: 'alpha', spec: mixingSpread, default: 0.2 }],
          cutmix: [{ name: 'alpha', spec: mixingSpread, default: 1 }],
        },
      },
    },
    otherwise: 'nothing',
  },
  {
    ...normalizeSetting,
    doc: `${normalizeSetting.doc}; \`measured\`: by the mean and deviation of each channel of the samples that are trained on`,
    spec: { kind: 'choice', of: { ...normalizeSetting.spec.of, measured: [] } },
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
    spec: { kind: 'choice', of: { patience: [{ name: 'epochs', spec: some, required: true }] } },
    otherwise: 'never',
  },
] as const satisfies readonly Setting[];

/** Penalties and learning rates of ABA §5.1 (CIFAR) where a config names none. */
function learnedBits(most: number, penalty: number, rate: number) {
  const number = { kind: 'real', min: 1, max: most } as const;
  const parameters = [
    { name: 'init', spec: number, required: true },
    { name: 'max', spec: { kind: 'int', min: 1, max: most }, required: true },
    { name: 'target', spec: number, required: true },
    { name: 'penalty', spec: { kind: 'real', min: 0 }, default: penalty },
    { name: 'rate', spec: positive, default: rate },
  ] as const;
  return {
    kind: 'either',
    of: [
      { kind: 'choice', of: { learn: parameters } },
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
