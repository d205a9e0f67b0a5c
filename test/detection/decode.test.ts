import { expect, it } from 'vitest';
import { decodeDetections, objectsOf, overlapOf } from '../../src/detection/index.js';
import { detectionPlaces } from '../../src/tensor/index.js';

const detector = { image: [32, 64], bins: 4, classes: 2 } as const;
const width = 4 * 4 + 2;

/** Outputs where nothing is there, but at some places: logits of the sides' bins and of the classes. */
function outputsWith(
  places: Readonly<Record<number, { readonly sides: readonly number[]; readonly classes: readonly number[] }>>,
) {
  const outputs = new Float32Array(detectionPlaces(detector.image) * width).fill(-20);
  for (const [place, { sides, classes }] of Object.entries(places)) {
    const at = Number(place) * width;
    // all of a side's distribution on one bin
    sides.forEach((bin, side) =>
      outputs.set(
        [0, 1, 2, 3].map((i) => (i === bin ? 60 : 0)),
        at + 4 * side,
      ),
    );
    outputs.set(classes, at + 16);
  }
  return outputs;
}

it('places go scale by scale and row by row: strides 8, 16 and 32', () => {
  expect(detectionPlaces([32, 64])).toBe(4 * 8 + 2 * 4 + 1 * 2);
  const [one] = decodeDetections(outputsWith({ [8 + 2]: { sides: [1, 0, 2, 3], classes: [-20, 1] } }), detector);
  // row 1, column 2 of stride 8: its centre is (20, 12)
  expect(one).toMatchObject({ label: 1, box: [12, 12, 36, 36] });
  expect(one!.score).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
  const [coarse] = decodeDetections(
    outputsWith({ [32 + 8 + 1]: { sides: [1, 1, 0, 0], classes: [0, -20] } }),
    detector,
  );
  expect(coarse!.box).toEqual([16, -16, 48, 16]);
});

it('a side is the expectation of its bins', () => {
  const outputs = outputsWith({ 0: { sides: [0, 0, 0, 0], classes: [0, -20] } });
  outputs.set([0, 0, 0, 0], 8);
  const [, , right] = decodeDetections(outputs, detector)[0]!.box;
  expect(right).toBeCloseTo(4 + 8 * 1.5, 5);
});

it('a box that overlaps a better one of its class by more than 0.7 is dropped; one of another class stays', () => {
  // [0, 0, 28, 28] from two places beside each other, and again as another class
  const outputs = outputsWith({
    0: { sides: [0, 0, 3, 3], classes: [2, 1] },
    1: { sides: [1, 0, 2, 3], classes: [1, -20] },
  });
  const found = decodeDetections(outputs, detector);
  expect(found.map(({ label }) => label)).toEqual([0, 1]);
  expect(decodeDetections(outputs, detector, { score: 0.001, overlap: 1, most: 300 })).toHaveLength(3);
  expect(decodeDetections(outputs, detector, { score: 0.8, overlap: 0.7, most: 300 })).toHaveLength(1);
  expect(decodeDetections(outputs, detector, { score: 0.001, overlap: 0.7, most: 1 })).toHaveLength(1);
});

it('numbers that are none give no boxes', () => {
  const outputs = outputsWith({});
  outputs.fill(Number.NaN);
  expect(decodeDetections(outputs, detector)).toEqual([]);
});

it('overlaps are shared areas over those of both together', () => {
  expect(overlapOf([0, 0, 10, 10], [5, 5, 15, 15])).toBeCloseTo(25 / 175, 12);
  expect(overlapOf([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
  expect(overlapOf([0, 0, 0, 10], [0, 0, 0, 10])).toBe(0);
});

it('labels are rows of class and box; rows of class −1 are none', () => {
  expect(objectsOf([1, 2, 3, 4, 5, -1, 0, 0, 0, 0, 0, 6, 7, 8, 9])).toEqual([
    { label: 1, box: [2, 3, 4, 5] },
    { label: 0, box: [6, 7, 8, 9] },
  ]);
});
