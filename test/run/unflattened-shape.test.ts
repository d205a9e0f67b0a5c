import { expect, it } from 'vitest';
import { unflattenedShape } from '../../src/run/fit.js';
import { networkFrom } from '../support/train.js';

const shapeOf = (body: string): readonly number[] =>
  unflattenedShape(
    networkFrom(`
      use "spikec/neurons" { LIF }
      network N { input image: real[1, 4, 6]  output image | conv(2, kernel: 3) | spike | ${body} }
      config c { network N  neuron LIF  coding direct(steps: 2) }`),
  );

it('an output of masks is known in the shape of its pixels, though its numbers lie in a row', () => {
  expect(shapeOf('conv(3, kernel: 1) | flatten')).toEqual([3, 4, 6]);
  expect(shapeOf('conv(3, kernel: 1)')).toEqual([3, 4, 6]);
  // as many numbers as pixels, but of none of them
  expect(shapeOf('flatten | linear(24)')).toEqual([24]);
  expect(shapeOf('permute([1, 2, 0]) | flatten')).toEqual([4, 6, 2]);
});
