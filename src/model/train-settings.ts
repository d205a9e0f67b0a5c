import type { Parameter, Spec } from './schema.js';

const positive: Spec = { kind: 'real', above: 0 };
const fraction: Spec = { kind: 'real', min: 0, below: 1 };
const decay: Parameter = { name: 'weight_decay', spec: { kind: 'real', min: 0 }, default: 0 };
const adam: readonly Parameter[] = [
  { name: 'lr', spec: positive, default: 1e-3 },
  { name: 'beta1', spec: fraction, default: 0.9 },
  { name: 'beta2', spec: fraction, default: 0.999 },
  { name: 'epsilon', spec: positive, default: 1e-8 },
];

/** What images are normalised by, of a training or a whole config. */
export const normalizeSetting: Parameter = {
  name: 'normalize',
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
};

/** `train { … }` */
export const trainSettings: readonly Parameter[] = [
  { name: 'data', spec: { kind: 'label' } },
  {
    name: 'optimizer',
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
  },
  {
    name: 'schedule',
    spec: {
      kind: 'choice',
      of: {
        constant: [{ name: 'warmup', spec: { kind: 'int', min: 0 }, default: 0 }],
        step: [
          { name: 'every', spec: { kind: 'int', min: 1 }, required: true },
          { name: 'gamma', spec: positive, default: 0.1 },
          { name: 'warmup', spec: { kind: 'int', min: 0 }, default: 0 },
        ],
        cosine: [
          { name: 'min', spec: { kind: 'real', min: 0 }, default: 0 },
          { name: 'warmup', spec: { kind: 'int', min: 0 }, default: 0 },
        ],
      },
    },
  },
  {
    name: 'loss',
    spec: {
      kind: 'choice',
      of: {
        cross_entropy: [{ name: 'smoothing', spec: fraction, default: 0 }],
        tet: [
          { name: 'weight', spec: { kind: 'real', min: 0, max: 1 }, default: 0.05 },
          { name: 'mean', spec: { kind: 'real' }, default: 1 },
          { name: 'smoothing', spec: fraction, default: 0 },
        ],
        mse: [],
      },
    },
  },
  {
    name: 'augment',
    spec: {
      kind: 'list',
      of: {
        kind: 'choice',
        of: {
          flip: [],
          crop: [{ name: 'padding', spec: { kind: 'int', min: 0, max: 1024 }, default: 4 }],
        },
      },
    },
  },
  normalizeSetting,
  { name: 'layout', spec: { kind: 'words', words: ['nchw', 'nhwc'] } },
  { name: 'batchnorm', spec: { kind: 'words', words: ['plain', 'tdbn'] } },
  { name: 'batch', spec: { kind: 'int', min: 1 } },
  { name: 'epochs', spec: { kind: 'int', min: 1 } },
  { name: 'limit', spec: { kind: 'int', min: 1 } },
  { name: 'seed', spec: { kind: 'int', min: 0 } },
  { name: 'validation', spec: { kind: 'real', min: 0, below: 1 } },
  {
    name: 'early_stop',
    spec: { kind: 'choice', of: { patience: [{ name: 'epochs', spec: { kind: 'int', min: 1 }, required: true }] } },
  },
];

/** Penalties and learning rates of ABA §5.1 (CIFAR) where a config names none. */
function learnedBits(most: number, penalty: number, rate: number): Spec {
  const number: Spec = { kind: 'real', min: 1, max: most };
  const parameters: readonly Parameter[] = [
    { name: 'init', spec: number, required: true },
    { name: 'max', spec: { kind: 'int', min: 1, max: most }, required: true },
    { name: 'target', spec: number, required: true },
    { name: 'penalty', spec: { kind: 'real', min: 0 }, default: penalty },
    { name: 'rate', spec: positive, default: rate },
  ];
  return {
    kind: 'either',
    of: [
      { kind: 'choice', of: { learn: parameters } },
      { kind: 'int', min: 1, max: most },
    ],
  };
}

/** `layer "…" { … }` in `bits`. */
export const bitSettingsOfLayers: readonly Parameter[] = [
  { name: 'weights', spec: learnedBits(16, 4e-2, 1e-1) },
  { name: 'spikes', spec: learnedBits(16, 4e-2, 1e-1) },
  { name: 'steps', spec: learnedBits(64, 1e-2, 1e-2) },
];

/** `bits { … }` */
export const bitSettings: readonly Parameter[] = [
  ...bitSettingsOfLayers,
  { name: 'renewal', spec: { kind: 'words', words: ['spikes', 'weights', 'all', 'none'] } },
  { name: 'step_size', spec: { kind: 'words', words: ['learned', 'max'] } },
  { name: 'squeeze', spec: { kind: 'bool' } },
  { name: 'distance', spec: { kind: 'words', words: ['absolute', 'square'] } },
  { name: 'settle', spec: { kind: 'real', above: 0, below: 1 } },
];

/** `hardware { … }`: energies in pJ. */
export const hardwareSettings: readonly Parameter[] = [
  { name: 'e_mac', spec: { kind: 'real', min: 0 } },
  { name: 'e_ac', spec: { kind: 'real', min: 0 } },
  { name: 'e_read', spec: { kind: 'real', min: 0 } },
  { name: 'e_write', spec: { kind: 'real', min: 0 } },
];
