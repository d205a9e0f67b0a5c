import type { Choices } from './schema.js';

// What optimizer, schedule, loss and augment of `train { … }` may be, with their arguments.

export const positive = { kind: 'real', above: 0 } as const;
export const fraction = { kind: 'real', min: 0, below: 1 } as const;
export const count = { kind: 'int', min: 0 } as const;
export const some = { kind: 'int', min: 1 } as const;
const share = { kind: 'real', above: 0, below: 1 } as const;
const chance = { kind: 'real', above: 0, max: 1 } as const;
const factor = { kind: 'real', min: 0 } as const;

const rate = { name: 'lr', doc: 'the learning rate' } as const;
const decay = { name: 'weight_decay', doc: 'how strongly weights are drawn to 0', spec: factor, default: 0 } as const;
const adam = [
  { ...rate, spec: positive, default: 1e-3 },
  { name: 'beta1', doc: 'how much the mean of the gradients keeps of itself a step', spec: fraction, default: 0.9 },
  { name: 'beta2', doc: 'how much the mean of their squares keeps of itself a step', spec: fraction, default: 0.999 },
  { name: 'epsilon', doc: 'what is added to the root that divides', spec: positive, default: 1e-8 },
] as const;

export const optimizers = {
  sgd: {
    doc: 'stochastic gradient descent',
    args: [
      { ...rate, spec: positive, default: 0.1 },
      { name: 'momentum', doc: 'how much of its last move a weight goes on with', spec: fraction, default: 0 },
      { name: 'nesterov', doc: 'whether the gradient counts once more ahead', spec: { kind: 'bool' }, default: false },
      decay,
    ],
  },
  adam: { doc: 'steps by the mean of gradients over the root of that of their squares', args: [...adam, decay] },
  adamw: { doc: 'Adam whose weight decay doesn’t pass its scaling', args: [...adam, { ...decay, default: 0.01 }] },
} as const satisfies Choices;

const warmup = { name: 'warmup', doc: 'epochs in which the rate rises evenly first', spec: count, default: 0 } as const;
const gamma = { name: 'gamma', doc: 'what the rate is multiplied with', spec: positive, default: 0.1 } as const;

export const schedules = {
  constant: { doc: 'the same rate in all epochs', args: [warmup] },
  step: {
    doc: 'times `gamma` every so many epochs',
    args: [{ name: 'every', doc: 'so many epochs', spec: some, required: true }, gamma, warmup],
  },
  milestones: {
    doc: 'times `gamma` at some epochs',
    args: [{ name: 'at', doc: 'the epochs', spec: { kind: 'list', of: some }, required: true }, gamma, warmup],
  },
  plateau: {
    doc: 'times `factor` when so many epochs were no better',
    args: [
      { name: 'factor', doc: 'what the rate is multiplied with', spec: share, default: 0.1 },
      { name: 'patience', doc: 'epochs without a better one that are waited for', spec: count, default: 10 },
      { name: 'min', doc: 'the least rate', spec: factor, default: 0 },
      warmup,
    ],
  },
  one_cycle: {
    doc: 'up from lr / start to lr, then down to lr / start / end, each along a cosine',
    args: [
      { name: 'rise', doc: 'the share of the training in which it rises', spec: share, default: 0.3 },
      { name: 'start', doc: 'how many times less than `lr` it begins with', spec: positive, default: 25 },
      { name: 'end', doc: 'how many times less than its first it ends with', spec: positive, default: 1e4 },
      warmup,
    ],
  },
  cosine: {
    doc: 'down along half a cosine to `min` in the last epoch',
    args: [{ name: 'min', doc: 'what is left at the end', spec: factor, default: 0 }, warmup],
  },
} as const satisfies Choices;

const mostNorm = { name: 'max', doc: 'the greatest length', spec: positive, default: 1 } as const;

export const clips = {
  norm: { doc: 'all gradients together, as one vector, have at most this length', args: [mostNorm] },
  value: { doc: 'each number lies between −max and max', args: [{ ...mostNorm, doc: 'the greatest size' }] },
} as const satisfies Choices;

const smoothing = {
  name: 'smoothing',
  doc: 'the share of a label that goes to all classes alike',
  spec: fraction,
  default: 0,
} as const;
const weights = {
  name: 'weights',
  doc: 'how much each class, or output, counts',
  spec: { kind: 'list', of: positive },
} as const;
const of = {
  name: 'of',
  doc: 'which of several outputs is meant, the first where it isn’t said',
  spec: { kind: 'label' },
} as const;
const target = {
  name: 'target',
  doc: 'what outputs are compared with: `labels`, or `reconstruction`, the input as it is normalised',
  spec: { kind: 'words', words: ['labels', 'reconstruction'] },
  default: 'labels',
} as const;

export const losses = {
  cross_entropy: { doc: '−ln softmax(z)_y of classes y', args: [smoothing, weights, of] },
  tet: {
    doc: 'the mean over the steps of their cross-entropies, with the logits pulled to `mean` (temporal efficient training)',
    args: [
      {
        name: 'weight',
        doc: 'the share of the pull in the loss',
        spec: { kind: 'real', min: 0, max: 1 },
        default: 0.05,
      },
      { name: 'mean', doc: 'what logits are pulled to', spec: { kind: 'real' }, default: 1 },
      smoothing,
      of,
    ],
  },
  mse: { doc: 'the mean of (z − y)²; of classes y is 1 at the class and 0 elsewhere', args: [of, target] },
  l1: { doc: 'the mean of |z − y|', args: [of, target] },
  huber: {
    doc: 'the mean of d²/2 where d = |z − y| ≤ δ, of δ·(d − δ/2) beyond',
    args: [{ name: 'delta', doc: 'δ, from where it grows evenly', spec: positive, default: 1 }, of, target],
  },
  bce: {
    doc: 'the mean of −w·y·ln σ(z) − (1 − y)·ln(1 − σ(z)), each output by itself, y from 0 to 1',
    args: [weights, of, target],
  },
  yolo: {
    doc: 'of a detector, against boxes: CIoU, distributions of distances, classes',
    args: [
      { name: 'bins', doc: 'numbers a side of a box', spec: { kind: 'int', min: 2, max: 256 }, default: 16 },
      { name: 'box', doc: 'how much 1 − CIoU counts', spec: factor, default: 7.5 },
      { name: 'cls', doc: 'how much the classes count', spec: factor, default: 0.5 },
      { name: 'dfl', doc: 'how much the distributions of distances count', spec: factor, default: 1.5 },
      {
        name: 'top',
        doc: 'how many places at most learn a box',
        spec: { kind: 'int', min: 1, max: 100 },
        default: 10,
      },
      { name: 'alpha', doc: 'the power of the score by which they are chosen', spec: factor, default: 0.5 },
      { name: 'beta', doc: 'the power of the CIoU by which they are chosen', spec: factor, default: 6 },
    ],
  },
  firing: {
    doc: 'the mean over layers of (r − target)², r what a neuron fires in a step (in levels), on average over the batch',
    args: [{ name: 'target', doc: 'what a neuron shall fire in a step', spec: factor, required: true }],
  },
  distill: {
    doc: 'T²·KL(softmax(t/T) ‖ softmax(z/T)), t the outputs of an ONNX file, the teacher',
    args: [
      {
        name: 'teacher',
        doc: 'an ONNX file, which takes samples as the network gets them',
        spec: { kind: 'string' },
        required: true,
      },
      { name: 'temperature', doc: 'T: the higher, the more small outputs count', spec: positive, default: 4 },
      of,
    ],
  },
} as const satisfies Choices;

/** α of the Beta(α, α) that shares are drawn from. */
const spread = {
  name: 'alpha',
  doc: 'the share is drawn from Beta(α, α)',
  spec: { kind: 'real', min: 0.01, max: 4 },
} as const;

export const augmentations = {
  flip: { doc: 'left and right are exchanged in half of the images, drawn anew each time', args: [] },
  crop: {
    doc: 'a window as large as the image somewhere on it, after a border of zeros',
    args: [{ name: 'padding', doc: 'how wide the border is', spec: { kind: 'int', min: 0, max: 1024 }, default: 4 }],
  },
  scale: {
    doc: 'everything becomes larger or smaller about the middle',
    args: [
      {
        name: 'by',
        doc: 'from 1 − by to 1 + by times as large',
        spec: { kind: 'real', above: 0, max: 0.9 },
        default: 0.5,
      },
    ],
  },
  erase: {
    doc: 'a rectangle of some images becomes 0 (random erasing)',
    args: [
      { name: 'probability', doc: 'the share of images', spec: chance, default: 0.5 },
      { name: 'min', doc: 'the least share of the area', spec: chance, default: 0.02 },
      { name: 'max', doc: 'the greatest share of the area', spec: chance, default: 0.33 },
    ],
  },
  drop: {
    doc: 'events of recordings are left out, each by chance',
    args: [{ name: 'share', doc: 'the probability with which an event goes', spec: share, default: 0.1 }],
  },
  jitter: {
    doc: 'recordings begin some steps earlier or later',
    args: [{ name: 'steps', doc: 'so many steps at most', spec: { kind: 'int', min: 1, max: 1024 }, default: 1 }],
  },
  mixup: {
    doc: 'a weighted mean of two samples, and of their losses',
    args: [{ ...spread, default: 0.2 }],
  },
  cutmix: {
    doc: 'a rectangle of another sample, which counts by its area',
    args: [{ ...spread, default: 1 }],
  },
} as const satisfies Choices;
