import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Detection, PrecisionCounter, type TrueObject } from '../../src/detection/index.js';
import { randomStream } from '../../src/train/index.js';
import { hasModules, runPython } from '../support/pytorch.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const script = new URL('average_precision.py', import.meta.url).pathname;
const hasPython = hasModules('the second computation of mean average precision', 'json');

interface Image {
  readonly found: readonly Detection[];
  readonly truth: readonly TrueObject[];
}

function scoreOf(images: readonly Image[], classes: number) {
  const counter = new PrecisionCounter(classes);
  for (const { found, truth } of images)
    counter.add(
      found.toSorted((a, b) => b.score - a.score),
      truth,
    );
  return counter.result();
}

/** Images whose boxes are the objects moved about, missed, doubled, of another class, or made up. */
function drawn(seed: number, count: number, classes: number, away: number): readonly Image[] {
  const random = randomStream(seed, 'boxes');
  const box = () => {
    const [left, top] = [80 * random(), 80 * random()];
    return [left, top, left + 5 + 40 * random(), top + 5 + 40 * random()] as const;
  };
  const label = () => Math.floor(random() * classes);
  return Array.from({ length: count }, () => {
    const truth = Array.from({ length: Math.floor(6 * random()) }, () => ({ label: label(), box: box() }));
    const near = truth.flatMap((one) =>
      Array.from({ length: Math.floor(3 * random()) }, () => {
        const shift = (side: number) => side + away * (random() - 0.5);
        const [left, top, right, bottom] = one.box;
        return {
          label: random() < 0.1 ? label() : one.label,
          score: random(),
          box: [shift(left), shift(top), shift(right), shift(bottom)] as const,
        };
      }),
    );
    const made = Array.from({ length: Math.floor(3 * random()) }, () => ({
      label: label(),
      score: random(),
      box: box(),
    }));
    return { truth, found: [...near, ...made] };
  });
}

it.each([
  { seed: 1, count: 30, classes: 3, away: 10 },
  { seed: 2, count: 50, classes: 1, away: 4 },
  // some classes have no objects
  { seed: 3, count: 4, classes: 12, away: 6 },
  // more boxes of a class than count
  { seed: 4, count: 3, classes: 2, away: 8 },
])('mean average precision is that of COCO’s rule by plain loops: $seed', ({ seed, count, classes, away }) => {
  if (!hasPython) return;
  const images = drawn(seed, count, classes, away).map((image) =>
    seed === 4
      ? {
          ...image,
          found: Array.from({ length: 80 }, () => image.found)
            .flat()
            .map((one, i) => ({ ...one, score: one.score / (1 + i) })),
        }
      : image,
  );
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'case.json'), JSON.stringify({ images, classes }));
  const wanted = JSON.parse(runPython(folder, [script, 'case.json'])) as { map50: number; map: number };
  const found = scoreOf(images, classes);
  expect(wanted.map50).toBeGreaterThan(0);
  expect(found.map50).toBeCloseTo(wanted.map50, 12);
  expect(found.map).toBeCloseTo(wanted.map, 12);
});

const square = (at: number, side = 10): readonly [number, number, number, number] => [at, at, at + side, at + side];

it('boxes that are all right have a precision of 1, and an image without boxes or objects counts for nothing', () => {
  const right: Image = {
    truth: [{ label: 0, box: square(5) }],
    found: [{ label: 0, score: 0.3, box: square(5) }],
  };
  expect(scoreOf([right, { truth: [], found: [] }], 1)).toMatchObject({ map50: 1, map: 1 });
});

it('of two boxes on one object the better one is right, and the other wrong', () => {
  const image: Image = {
    truth: [{ label: 0, box: square(5) }],
    found: [
      { label: 0, score: 0.9, box: square(6) },
      { label: 0, score: 0.8, box: square(5) },
    ],
  };
  // IoU of the first: 81 / 119 = 0.68: right up to 0.65, and then the second is, at a precision of 1/2
  expect(scoreOf([image], 1).map50).toBe(1);
  expect(scoreOf([image], 1).map).toBeCloseTo((4 * 1 + 6 * 0.5) / 10, 12);
});

it('without objects there is nothing to be right about', () => {
  expect(scoreOf([{ truth: [], found: [{ label: 0, score: 1, box: square(0) }] }], 1)).toMatchObject({
    map50: 0,
    classes: [{ class: 0, objects: 0 }],
  });
});
