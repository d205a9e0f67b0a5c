import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type FoundBox, driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import type { EpochRecord } from '../../src/train/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinySet } from '../support/tiny-training.js';
import { detectorModel as model, rectangles } from '../support/rectangles.js';

/** Intersection over union of boxes [left, top, width, height]. */
function shared([x, y, w, h]: FoundBox['bbox'], [u, v, s, t]: FoundBox['bbox']): number {
  const [across, down] = [Math.min(x + w, u + s) - Math.max(x, u), Math.min(y + h, v + t) - Math.max(y, v)];
  const both = Math.max(0, across) * Math.max(0, down);
  return both / (w * h + s * t - both);
}

async function codes(work: () => Promise<Outcome<unknown>>): Promise<string> {
  const { value, diagnostics } = await work();
  expect(value).toBeUndefined();
  return diagnostics.map(({ code, message }) => `${code}: ${message}`).join('\n');
}

it(
  'a detector learns boxes; its run folder is evaluated by mean average precision, class by class',
  { timeout: 180_000 },
  async () => {
    const folder = temporaryFolder();
    const data = rectangles(folder);
    const run = join(folder, 'run');
    const records: EpochRecord[] = [];
    const target = {
      path: model(folder, 'loss yolo(bins: 4)  augment [crop(padding: 4), scale(by: 0.2)]  epochs 30  validation 0.25'),
    };
    const { value } = await driver.trainTarget(target, { data, run, onEpoch: (record) => records.push(record) });
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss / 2);
    expect(records.at(-1)!).not.toHaveProperty('accuracy');
    expect(records.at(-1)!.val_map50).toBeGreaterThan(0.6);
    expect(records.at(-1)!.val_map).toBeLessThanOrEqual(records.at(-1)!.val_map50!);
    expect(value!.best).toMatchObject({ map50: expect.any(Number), validated: true });

    const dataset = openDataset(data);
    const evaluated = await driver.evaluateTarget({ path: run }, { dataset, normalisation: {} });
    const { map50, map, class_precision: classes = [] } = evaluated.value!;
    expect(evaluated.value).not.toHaveProperty('accuracy');
    expect(evaluated.value).not.toHaveProperty('regression');
    expect(map50).toBeGreaterThan(0.6);
    expect(classes.map(({ name }) => name)).toEqual(['red', 'blue']);
    expect(classes.reduce((sum, one) => sum + one.map!, 0) / 2).toBeCloseTo(map!, 12);
    // a batch of another size sees the same boxes
    const again = await driver.evaluateTarget({ path: run }, { dataset, normalisation: {}, batch: 5 });
    expect(again.value!.map).toBe(map);

    // images of another size are scaled to the network's input, and boxes found are written in their own pixels
    const wide = openDataset(rectangles(join(folder, 'wide'), 24, 96));
    const boxFile = join(folder, 'found.json');
    const scaled = await driver.evaluateTarget({ path: run }, { dataset: wide, normalisation: {}, boxFile });
    expect(scaled.value!.map50).toBeGreaterThan(0.3);
    const found = JSON.parse(readFileSync(boxFile, 'utf8')) as FoundBox[];
    const { annotations } = JSON.parse(readFileSync(join(folder, 'wide', 'boxes.json'), 'utf8')) as {
      readonly annotations: readonly Pick<FoundBox, 'image_id' | 'category_id' | 'bbox'>[];
    };
    expect(found.every(({ bbox: [x, y, w, h] }) => x >= 0 && y >= 0 && x + w <= 96 && y + h <= 64)).toBe(true);
    const met = annotations.filter((one) =>
      found.some(
        ({ image_id: id, category_id: category, bbox, score }) =>
          score > 0.1 && id === one.image_id && category === one.category_id && shared(bbox, one.bbox) > 0.5,
      ),
    );
    expect(met.length / annotations.length).toBeGreaterThan(0.5);
    const taken = await driver.evaluateTarget(
      { path: run },
      { dataset: wide, normalisation: {}, boxFile: join(folder, 'boxes.json') },
    );
    expect(taken.diagnostics.map(({ code }) => code)).toEqual(['file/would-replace']);

    const outFile = join(folder, 'boxes.svg');
    const drawn = await driver.drawPicture(
      { path: run },
      { kind: 'boxes', dataset, normalisation: {}, sample: 1, outFile },
    );
    expect(drawn.value).toMatchObject({ kind: 'boxes', layers: [] });
    const svg = readFileSync(outFile, 'utf8');
    expect(svg).toContain('data:image/png;base64,');
    expect(svg).toMatch(/(red|blue) 0\.\d\d/);
    const page = join(folder, 'report.html');
    const reported = await driver.reportTargets([{ path: run }], { dataset, normalisation: {}, outFile: page });
    expect(reported.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(readFileSync(page, 'utf8')).toMatch(/mAP@50.*dashed what is there/s);
    const plain = { path: model(folder, 'loss mse') };
    const none = await driver.drawPicture(plain, { kind: 'boxes', dataset, normalisation: {}, outFile });
    expect(none.diagnostics.map(({ code }) => code)).toEqual(['report/no-detector']);

    const tiny = openDataset(writeTinySet(folder, (i) => i % 3));
    expect(await codes(() => driver.evaluateTarget({ path: run }, { dataset: tiny, normalisation: {} }))).toMatch(
      /data\/(no-boxes|shape)/,
    );
    const described = await driver.describeData({ dataset, normalisation: {}, target: { path: run } });
    expect(described.value).toMatchObject({
      labels: 'boxes',
      boxes: { objects: { min: 0, max: 2 } },
      first: [{ objects: [{ box: expect.any(Array) }] }, {}, {}, { objects: [] }, {}],
    });
    expect(described.value!.classes!.map(({ name }) => name)).toEqual(['red', 'blue']);
  },
);

it('a detector and its labels must fit: losses, augmentation, classes, bins and images', async () => {
  const folder = temporaryFolder();
  const data = rectangles(folder, 10);
  let count = 0;
  const train = (settings: string, classes = 2) =>
    codes(() =>
      driver.trainTarget({ path: model(folder, settings, classes) }, { data, run: join(folder, `run${count++}`) }),
    );
  expect(await train('loss yolo(bins: 4) + mse')).toMatch(/model\/conflict: `yolo` compares boxes/);
  expect(await train('loss yolo(bins: 4)  augment [flip, mixup]')).toMatch(
    /model\/conflict: `mixup` mixes images, and `yolo` has no boxes of two images/,
  );
  expect(await train('loss mse')).toMatch(/data\/boxes/);
  expect(await train('epochs 1')).toMatch(/data\/boxes/);
  expect(await train('loss yolo(bins: 3)')).toMatch(
    /data\/detector-mismatch: .*has 2 classes: a detector with 3 bins of 84 places has 1176 outputs for them, and the network has 1512/,
  );
  expect(await train('loss yolo(bins: 8)')).toMatch(
    /model\/conflict: `yolo` with 8 bins has 32 outputs for each of the 84 places .* the network has 1512/,
  );
  expect(await train('loss yolo(bins: 4)', 3)).toMatch(/data\/detector-mismatch/);
  const other = writeTinySet(folder, (i) => i % 3);
  const run = join(folder, 'other');
  expect(
    await codes(() => driver.trainTarget({ path: model(folder, 'loss yolo(bins: 4)') }, { data: other, run })),
  ).toMatch(/data\/no-boxes/);
  const inTorch = { data, run: join(folder, 'torch'), engine: 'torch', python: 'python3' };
  const refused = await codes(() =>
    driver.trainTarget({ path: model(folder, 'loss yolo(bins: 4)  augment [scale]') }, inTorch),
  );
  expect(refused).toMatch(/torch\/.*`scale`/);
  const untrained = model(folder, 'loss mse');
  const dataset = openDataset(data);
  expect(await codes(() => driver.evaluateTarget({ path: untrained }, { dataset, normalisation: {} }))).toMatch(
    /data\/boxes/,
  );
});
