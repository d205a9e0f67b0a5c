import { expect, it } from 'vitest';
import { confusionOf } from '../../src/run/metrics/index.js';

it('a confusion matrix counts predictions by the class that samples have', () => {
  const { classes, confusion } = confusionOf(Int32Array.of(0, 0, 1, 2, 2, 2), Int32Array.of(0, 1, 1, 0, 2, 2), 4);
  expect(confusion).toEqual([
    [1, 1, 0, 0],
    [0, 1, 0, 0],
    [1, 0, 2, 0],
    [0, 0, 0, 0],
  ]);
  expect(classes).toEqual([
    { class: 0, samples: 2, accuracy: 1 / 2 },
    { class: 1, samples: 1, accuracy: 1 },
    { class: 2, samples: 3, accuracy: 2 / 3 },
    { class: 3, samples: 0 },
  ]);
  // one output tells two classes apart
  expect(confusionOf(Int32Array.of(0, 1), Int32Array.of(1, 1), 1).confusion).toEqual([
    [0, 1],
    [0, 1],
  ]);
});
