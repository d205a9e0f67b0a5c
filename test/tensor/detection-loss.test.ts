import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import {
  type DetectionLoss,
  ProgramBuilder,
  autodiff,
  detectionPlaces,
  evaluate,
  lossOf,
} from '../../src/tensor/index.js';
import { hasTorch, runPython } from '../support/pytorch.js';
import { randomStream } from '../../src/train/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const spec: DetectionLoss = {
  kind: 'yolo',
  image: [64, 96],
  bins: 6,
  box: 7.5,
  cls: 0.5,
  dfl: 1.5,
  top: 10,
  alpha: 0.5,
  beta: 6,
};
const classes = 3;
const script = new URL('detection_loss.py', import.meta.url).pathname;

type Objects = readonly (readonly number[])[];

/** The loss and its gradient here. */
function found(images: readonly Objects[], outputs: readonly (readonly number[])[], most: number, given = spec) {
  const n = images.length;
  const b = new ProgramBuilder('loss');
  const width = outputs[0]!.length;
  const x = b.param('x', tensor('f64', [n, width], outputs.flat()));
  const labels = b.input('labels', 'f64', [{ batch: 1 }, 5 * most]);
  // a batch axis for the parameter
  const all = b.matmul(b.input('eye', 'f64', [{ batch: 1 }, n]), x);
  lossOf(b, given, all, labels);
  const rows = images.flatMap((objects) => [
    ...objects.flat(),
    ...Array.from({ length: most - objects.length }, () => [-1, 0, 0, 0, 0]).flat(),
  ]);
  b.output('loss', b.value('loss'));
  const forward = b.build();
  const { program } = autodiff(forward, forward.outputs['loss']!, ['x']);
  const results = evaluate(program, { labels: tensor('f64', [n, 5 * most], rows), eye: unit(n) });
  return { loss: results['loss']!.data[0]!, gradient: [...results['grad.x']!.data] };
}
const unit = (n: number) =>
  tensor(
    'f64',
    [n, n],
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
  );

function drawn(n: number, seed: number, spread: number): number[][] {
  const random = randomStream(seed, 'outputs');
  const width = detectionPlaces(spec.image) * (4 * spec.bins + classes);
  return Array.from({ length: n }, () => Array.from({ length: width }, () => spread * (2 * random() - 1)));
}

const pictures: Readonly<Record<string, readonly Objects[]>> = {
  'objects of all sizes': [
    [
      [0, 3, 4, 30.5, 28],
      [2, 20, 10, 90, 60],
      [1, 70.25, 8, 84, 20.5],
    ],
    [[1, 0, 0, 96, 64]],
  ],
  'objects on one another, two of them the same': [
    [
      [0, 10, 10, 60, 50],
      [1, 12, 8, 58, 52],
      [1, 12, 8, 58, 52],
      [2, 30, 20, 50, 40],
    ],
  ],
  'an image without objects beside one with': [[], [[2, 5, 5, 25, 60]]],
  'no objects at all': [[], []],
  'an object that no place lies in, one wider than the bins reach': [
    [
      [0, 41, 41, 43.5, 43.5],
      [1, 0, 20, 96, 30],
    ],
  ],
};

const spreads = [0.1, 3];
const cases = Object.values(pictures).flatMap((images) =>
  spreads.map((spread) => ({ spec, images, outputs: drawn(images.length, 5, spread) })),
);

it.runIf(hasTorch)('the loss of a detector is that of PyTorch, and its gradient', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
  const wanted = JSON.parse(runPython(folder, [script, 'cases.json'])) as { loss: number; gradient: number[] }[];
  expect(wanted).toHaveLength(2 * Object.keys(pictures).length);
  cases.forEach(({ images, outputs }, i) => {
    const here = found(images, outputs, 5);
    const { loss, gradient } = wanted[i]!;
    expect(here.loss).toBeGreaterThan(0);
    expect(Math.abs(here.loss / loss - 1)).toBeLessThan(1e-6);
    const largest = Math.max(...gradient.map(Math.abs));
    expect(Math.max(...gradient.map((g, k) => Math.abs(g - here.gradient[k]!))) / largest).toBeLessThan(1e-5);
  });
});

it('rows of the labels without an object change nothing', () => {
  const images = pictures['objects of all sizes']!;
  const outputs = drawn(2, 9, 1);
  const few = found(images, outputs, 3);
  const many = found(images, outputs, 8);
  expect(many.loss).toBeCloseTo(few.loss, 12);
});
