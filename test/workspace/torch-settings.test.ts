import { expect, it } from 'vitest';
import type { TrainSettings } from '../../src/train/index.js';
import { unknownSetting } from '../../src/workspace/torch-training.js';
import { networkFrom, tinyModel } from '../support/train.js';

const network = networkFrom(tinyModel());
const plain: TrainSettings = {
  optimizer: { kind: 'sgd' },
  rate: 0.1,
  schedule: { kind: 'constant', warmup: 0 },
  loss: { kind: 'mse' },
  augment: { flip: false, crop: 0 },
  normalisation: {},
  batch: 8,
  epochs: 1,
  seed: 1,
  validation: 0,
};
const bits = { penalties: [], renewal: 'none', rateFactors: {} } as const;
const flip = { flip: true, crop: 0 };

it.each<readonly [Partial<TrainSettings>, string]>([
  [{ average: 0.9, bits }, 'the setting `average` beside learned bits'],
  [{ labels: 'numbers', augment: flip }, '`flip` in `augment` of images whose labels are numbers'],
  [{ labels: 'boxes', augment: { ...flip, scale: 0.5 } }, '`scale` in `augment` of images with boxes'],
])('what train.py doesn’t know beside something else is said: %o', (more, said) => {
  expect(unknownSetting({ network, settings: { ...plain, ...more } })).toBe(said);
  for (const key of Object.keys(more)) {
    const { [key as keyof typeof more]: _left, ...rest } = more;
    expect(unknownSetting({ network, settings: { ...plain, ...rest } }), `without ${key}`).toBeUndefined();
  }
});
