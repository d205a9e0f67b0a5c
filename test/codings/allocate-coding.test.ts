import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { type Dataset, openDataset } from '../../src/data/index.js';
import { spikec } from '../cli/fake.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

function project(): { readonly folder: string; readonly file: string; readonly dataset: Dataset } {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  const file = join(folder, 'net.onnx');
  writeFileSync(file, tinyQuantised());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return { folder, file, dataset: openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`) };
}

it('allocate chooses the coding that does best within its bounds, and eval of what it writes says the same', async () => {
  const { folder, file, dataset } = project();
  for (const [name, goal, codings] of [
    ['latency', { max_latency: 11 }, ['sws', 'mbif']],
    ['operations', { max_operations: 2000 }, ['mbif', 'ttfs']],
    ['accuracy', { min_accuracy: 0.3 }, ['sws']],
  ] as const) {
    const outDir = join(folder, name);
    const { value, diagnostics } = await driver.allocateCoding(file, {
      codings,
      engine: 'fused',
      goal,
      dataset,
      normalisation: {},
      outDir,
    });
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { chosen, points, refused } = value!;
    const bounds = { max_latency: Infinity, max_operations: Infinity, min_accuracy: 0, ...goal };
    const good = points.filter(
      (p) =>
        p.latency_steps <= bounds.max_latency &&
        p.operations <= bounds.max_operations &&
        p.accuracy >= bounds.min_accuracy,
    );
    expect(good.length).toBeGreaterThan(1);
    expect(good).toContain(chosen);
    // what comes first decides, then what comes behind it
    const rank = ({ accuracy, latency_steps: steps, operations }: (typeof good)[number]): readonly number[] =>
      name === 'accuracy' ? [steps, operations] : [-accuracy, steps, operations];
    for (const other of good) {
      const differences = rank(other).map((value, i) => value - rank(chosen)[i]!);
      expect(differences.find((difference) => difference !== 0) ?? 0).toBeGreaterThanOrEqual(0);
    }
    if (name !== 'operations') {
      expect(points.some(({ layers }) => layers !== undefined)).toBe(true);
      if (name === 'latency') expect(refused.some(({ reason }) => /its latency is \d+ steps/.test(reason))).toBe(true);
    }
    const found = await driver.evaluateTarget({ path: value!.model! }, { dataset, normalisation: {} });
    expect(found.value!.accuracy).toBe(chosen.accuracy);
    if (chosen.coding !== 'mbif') expect(found.value!.latency_steps).toBe(chosen.latency_steps);
  }
  dataset.close();
}, 240_000);

it('silent periods that are alike in all layers stand in the model file as they were measured', async () => {
  const { folder, file, dataset } = project();
  const { value } = await driver.convertOnnx(file, {
    coding: 'sws',
    steps: 8,
    silent: 0,
    periods: [{ id: 'Relu_9.quant', silent: 3 }],
    outDir: join(folder, 'periods'),
    verify: false,
  });
  expect(readFileSync(value!.model, 'utf8')).toContain('silent: 3');
  dataset.close();
});

it('bounds that nothing holds are refused with the nearest, and so are flags that don’t go together', async () => {
  const { folder, file, dataset } = project();
  const outDir = join(folder, 'none');
  const { value, diagnostics } = await driver.allocateCoding(file, {
    codings: ['sws', 'rate'],
    goal: { max_latency: 4, min_accuracy: 1 },
    dataset,
    normalisation: {},
    outDir,
  });
  expect(value).toBeUndefined();
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ['allocate/bound', expect.stringMatching(/a latency of 4 with an accuracy of 100.00 %.*the best is (sws|rate) \d/)],
  ]);
  expect(existsSync(outDir)).toBe(false);
  dataset.close();
  const data = ['--data', `idx:${join(folder, 'images')},${join(folder, 'labels')}`];
  for (const [flags, said] of [
    [['--codings', 'sws'], '--codings needs a bound'],
    [['--max-latency', '8', '--weight-bits', '4'], 'leave out the budgets of bits'],
    [['--max-latency', '8', '--codings', 'swss'], 'swss'],
    [['--min-accuracy', '2'], 'between 0 and 1'],
  ] as const) {
    const { code, err } = await spikec(['allocate', file, ...data, ...flags]);
    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
  }
  writeFileSync(join(folder, 'float.onnx'), tinyFloat());
  const float = join(folder, 'float.onnx');
  const unmeasured = await spikec(['allocate', float, ...data, '--max-latency', '8', '--codings', 'tsc,mbif'], driver);
  expect([unmeasured.code, unmeasured.err]).toEqual([1, expect.stringContaining('--calibrate DATA')]);
  const short = await spikec(['allocate', file, ...data, '--max-latency', '7', '--codings', 'tsc,ttfs'], driver);
  expect([short.code, short.out]).toEqual([0, expect.stringMatching(/ttfs 4: its latency is \d+ steps\n/)]);
  const { code, err } = await spikec(['allocate', 'net.spike', ...data, '--max-latency', '8']);
  expect([code, err]).toEqual([2, expect.stringContaining('an ONNX file')]);
});

it('what allocate says of spikes of several bits is what eval says of their planes', async () => {
  const { folder, file, dataset } = project();
  dataset.close();
  const data = ['--data', `idx:${join(folder, 'images')},${join(folder, 'labels')}`];
  const written = join(folder, 'written');
  const planes = await spikec(
    ['allocate', file, ...data, '--max-latency', '4', '--codings', 'mbif', '-o', written],
    driver,
  );
  expect([planes.code, planes.out]).toEqual([
    0,
    expect.stringMatching(/Next: spikec compile .*net\.spike --planes -o DIR/),
  ]);
  const compiled = join(folder, 'planes');
  await spikec(['compile', join(written, 'net.spike'), '--planes', '-o', compiled], driver);
  const again = await spikec(['eval', compiled, ...data], driver);
  const [, operations] = /eval says ([\d,]+) operations/.exec(planes.out)!;
  const [, accuracy, latency] = /mbif \d+ {2}← +([\d.]+ %) +(\d+)/.exec(planes.out)!;
  const said = (name: string): string => new RegExp(`${name} +(.*)`).exec(again.out)![1]!;
  expect([said('accuracy'), said('latency'), said('operations per frame')]).toEqual([
    accuracy,
    `${latency} steps`,
    operations,
  ]);
}, 240_000);
