import { expect, it } from 'vitest';
import { predictedClasses, regression, scoreOf } from '../../../src/run/metrics/index.js';
import { tensor } from '../../../src/base/dtype.js';

it('distances are those of the definitions, worked by hand', () => {
  // differences 1, −1, 2, 0 of the numbers 0, 2, 4, 2: Σ|d| = 4, Σd² = 6, Σ(n − 2)² = 8
  const outputs = { classes: 1, data: Float64Array.of(1, 1, 6, 2) };
  const found = regression(outputs, Float64Array.of(0, 2, 4, 2));
  expect(found.mae).toBe(1);
  expect(found.rmse).toBeCloseTo(Math.sqrt(1.5), 12);
  expect(found.r2).toBeCloseTo(1 - 6 / 8, 12);
});

it('several outputs are given by themselves and together', () => {
  const outputs = { classes: 2, data: Float64Array.of(1, 0, 3, 0) };
  const found = regression(outputs, Float64Array.of(0, 0, 4, 0));
  expect(found).toMatchObject({
    mae: 0.5,
    outputs: [
      { mae: 1, rmse: 1, r2: 1 - 2 / 8 },
      { mae: 0, rmse: 0 },
    ],
  });
  expect(found.r2).toBeUndefined();
  expect(found.rmse).toBeCloseTo(Math.sqrt(0.5), 12);
});

it('a single output is class 1 above the threshold', () => {
  expect([...predictedClasses(tensor('f32', [3, 1], Float32Array.of(-1, 0, 0.1)))]).toEqual([0, 0, 1]);
  expect([...predictedClasses(tensor('f32', [3, 1], Float32Array.of(0.4, 0.5, 0.6)), 0.5)]).toEqual([0, 0, 1]);
  expect(scoreOf({ kind: 'classes', classes: Int32Array.of(0, 1) }, { classes: Int32Array.of(0, 0) })).toEqual({
    accuracy: 0.5,
  });
});

it('masks: outputs on the right side of a half and the intersection over union of all, of logits by their σ', () => {
  // wanted 1 1 0 0, found 1 0 1 0: two are right, one is in both, three are in either
  const truth = { kind: 'numbers', numbers: Float64Array.of(1, 1, 0, 0) } as const;
  const run = { classes: new Int32Array(0), outputs: { classes: 2, data: Float64Array.of(0.9, 0.2, 0.6, -3) } };
  expect(scoreOf(truth, run).regression!.masks).toEqual({ accuracy: 0.5, iou: 1 / 3 });
  // σ(0.2) is above a half
  const { masks, mae } = scoreOf(truth, run, true).regression!;
  expect(masks).toEqual({ accuracy: 0.75, iou: 2 / 3 });
  const sigma = (z: number): number => 1 / (1 + Math.exp(-z));
  expect(mae).toBeCloseTo((1 - sigma(0.9) + 1 - sigma(0.2) + sigma(0.6) + sigma(-3)) / 4, 12);
  expect(regression({ classes: 2, data: Float64Array.of(0, 0) }, Float64Array.of(0, 0)).masks).toEqual({ accuracy: 1 });
  expect(regression({ classes: 2, data: Float64Array.of(0, 0) }, Float64Array.of(0, 0.5)).masks).toBeUndefined();
});
