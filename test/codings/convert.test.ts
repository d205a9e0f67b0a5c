import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { driver } from '../../src/commands/index.js';
import type { ConvertOptions } from '../../src/commands/convert.js';
import { codingPoints } from '../../src/convert/coding-points.js';
import { type Dataset, openDataset } from '../../src/data/index.js';
import { spikec } from '../cli/fake.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

const count = 40;

function project(): { readonly folder: string; readonly data: () => Dataset } {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(count);
  writeFileSync(join(folder, 'tiny.onnx'), tinyFloat());
  writeFileSync(join(folder, 'quantised.onnx'), tinyQuantised());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return { folder, data: () => openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`) };
}

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

it.each([
  ['phase', { steps: 256 }, 256],
  ['burst', { steps: 128, theta: 0.25 }, 128],
  ['tsc', { steps: 256 }, 256],
  ['pattern', { steps: 10 }, undefined],
  ['ttfs', { steps: 128 }, undefined],
  ['ttfs', { steps: 128, tau: 30 }, undefined],
] as const)(
  'convert --coding %s %j: float and quantised networks; the model file and the compiled folder do the same',
  async (coding, options: Partial<ConvertOptions> & { steps: number }, latency) => {
    const { folder, data } = project();
    for (const name of ['tiny.onnx', 'quantised.onnx']) {
      const calibrate = data();
      const outDir = join(folder, `${coding}-${name}`);
      const { model } = valueOf(
        await driver.convertOnnx(join(folder, name), { coding, calibrate, outDir, percentile: 100, ...options }),
      );
      const text = readFileSync(model, 'utf8');
      expect(text).toMatch(new RegExp(`coding +${coding}\\(steps: ${options.steps}.*input: [\\d.]+\\)`));
      expect((await driver.checkFile({ path: model }, {})).diagnostics).toEqual([]);
      const found = valueOf(await driver.evaluateTarget({ path: model }, { dataset: calibrate, normalisation: {} }));
      expect(found.source!.agreement).toBeGreaterThan(0.85);
      const again = valueOf(await driver.evaluateTarget({ path: outDir }, { dataset: calibrate, normalisation: {} }));
      expect([again.accuracy, again.opf, again.spikes_per_neuron]).toEqual([
        found.accuracy,
        found.opf,
        found.spikes_per_neuron,
      ]);
      // a layer that reads whole trains passes on its own one train later
      const { total, layers } = valueOf(await driver.costOf({ path: model }, {}));
      expect(total.latency_steps).toBe(latency ?? options.steps * layers.length);
      if (coding === 'ttfs') expect(found.spikes_per_neuron).toBeLessThanOrEqual(1);
      calibrate.close();
    }
  },
  240_000,
);

it('convert --coding binary: the model file and the folder are the integer neuron of ibra with its planes', async () => {
  const { folder, data } = project();
  const calibrate = data();
  const bits = 5;
  const options = { calibrate, percentile: 100, coding: 'binary', steps: bits } as const;
  for (const name of ['tiny.onnx', 'quantised.onnx']) {
    const outDir = join(folder, `binary-${name}`);
    const { model } = valueOf(await driver.convertOnnx(join(folder, name), { ...options, outDir }));
    expect(readFileSync(model, 'utf8')).toMatch(/coding +binary\(bits: 5\)/);
    expect((await driver.checkFile({ path: model }, {})).diagnostics).toEqual([]);
    const found = valueOf(await driver.evaluateTarget({ path: model }, { dataset: calibrate, normalisation: {} }));
    const folderFound = valueOf(
      await driver.evaluateTarget({ path: outDir }, { dataset: calibrate, normalisation: {} }),
    );
    expect(folderFound).toMatchObject({ accuracy: found.accuracy, opf: found.opf, latency_steps: bits });
    // the same network as neurons of 2^5 − 1 levels in one step, split by --planes
    const by = { calibrate, percentile: 100, coding: 'ibra', largest: 31, perUnit: 1 } as const;
    const other = valueOf(
      await driver.convertOnnx(join(folder, name), { ...by, outDir: join(folder, `ibra-${name}`) }),
    );
    const planes = await driver.compileTarget(
      { path: other.model },
      { outDir: join(folder, `planes-${name}`), emit: ['ir'], planes: true },
    );
    expect(planes.value).toBeDefined();
    expect(irOf(outDir)).toBe(irOf(join(folder, `planes-${name}`)));
  }
  calibrate.close();
});

const irOf = (folder: string): string => readFileSync(join(folder, 'network.ir'), 'utf8').replace(/ at .*/g, '');

it('trains that can carry nothing are refused by name, with what would do', async () => {
  const { folder, data } = project();
  const calibrate = data();
  for (const [coding, options, help] of [
    ['phase', { steps: 12, period: 8 }, 'write steps: 16, or another period'],
    ['burst', { steps: 4, theta: 0.01 }, 'more steps, a larger theta or beta, or longer bursts'],
    ['ttfs', { steps: 4, tau: 100 }, 'more steps, or a smaller tau; tau: 0 falls evenly'],
    ['ttfs', { steps: 128, tau: 1 }, 'fewer steps, or a larger tau; tau: 0 falls evenly'],
  ] as const) {
    const outDir = join(folder, 'refused');
    const { value, diagnostics } = await driver.convertOnnx(join(folder, 'tiny.onnx'), {
      coding,
      calibrate,
      outDir,
      ...options,
    });
    expect(value).toBeUndefined();
    expect(diagnostics.map((d) => [d.code, d.help])).toEqual([['convert/bad-coding', help]]);
    expect(existsSync(outDir)).toBe(false);
  }
  calibrate.close();
  for (const [flags, said] of [
    [['--coding', 'phase', '--encoder', 'drive'], 'it is spikes or real'],
    [['--coding', 'burst', '--beta', '1'], 'A number above 1'],
    [['--coding', 'tsc', '--period', '8'], '--period'],
  ] as const) {
    const { code, err } = await spikec(['convert', join(folder, 'tiny.onnx'), ...flags]);
    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
  }
});

it('steps of ttfs_dynamic that tell a network’s codes nothing are warned of by convert and compile', async () => {
  const { folder } = project();
  for (const [steps, said] of [
    [15, 'use steps: 16 at least'],
    [16, undefined],
    [255, undefined],
    [256, 'use steps: 255 at most'],
  ] as const) {
    const outDir = join(folder, `dynamic-${steps}`);
    const options = { coding: 'ttfs_dynamic', steps, outDir, verify: false, emit: [] } as const;
    const { value, diagnostics } = await driver.convertOnnx(join(folder, 'quantised.onnx'), options);
    const target = { path: value!.model };
    const compiled = await driver.compileTarget(target, { emit: ['ir'], outDir: join(folder, `compiled-${steps}`) });
    for (const found of [diagnostics, compiled.diagnostics]) {
      const warned = found.filter(({ code }) => code === 'convert/useless-steps');
      expect(warned.map(({ severity, help }) => [severity, help])).toEqual(
        said === undefined ? [] : [['warning', expect.stringContaining(said)]],
      );
    }
  }
});

it('compare-codings measures each coding as eval does, and counts operations by SWS eq. 10', async () => {
  const { folder, data } = project();
  const dataset = data();
  const file = join(folder, 'quantised.onnx');
  const outFile = join(folder, 'codings.html');
  const codings = 'sws:8/2,rate:16,mbif:2,phase:16,ttfs:16,pattern:8';
  const options = { dataset, normalisation: {}, within: 2.5, outFile };
  const compared = valueOf(await driver.compareCodings(file, { ...options, codings }));
  expect(compared.refused).toEqual([]);
  expect(compared.points.map(({ name }) => name)).toEqual([
    'sws 8/2',
    'rate 16',
    'mbif 2',
    'phase 16',
    'ttfs 16',
    'pattern 8',
  ]);
  for (const point of compared.points) {
    const { coding, steps, silent } = point;
    const outDir = join(folder, `one-${coding}`);
    const given = { coding, steps, outDir, ...(silent === undefined ? {} : { silent }) };
    const { model } = valueOf(await driver.convertOnnx(file, given));
    const alone = valueOf(await driver.evaluateTarget({ path: model }, { dataset, normalisation: {} }));
    expect(point.accuracy).toBe(alone.accuracy);
    if (coding === 'mbif') {
      // two steps of spikes of four bits, which a layer sends when it has them whole: as layers that send patterns do, behind the input's
      const layers = compared.points.find((one) => one.coding === 'pattern')!.latency_steps / 8 - 1;
      expect([point.latency_steps, alone.latency_steps]).toEqual([8, 2]);
      expect(point.critical_path_steps).toBe((2 + layers - 1) * 4);
      continue;
    }
    expect(point.critical_path_steps).toBe(point.latency_steps);
    expect(point.latency_steps).toBe(alone.latency_steps);
    expect(point.synaptic_operations + point.membrane_updates).toBeCloseTo(alone.opf, 6);
    expect(point.operations - point.synaptic_operations).toBe(coding === 'sws' ? point.membrane_updates : 0);
    expect(point.energy_pj).toBeCloseTo(0.9 * point.operations + 4.6 * point.macs, 6);
  }
  for (const { coding, latency_steps: latency, critical_path_steps: path } of compared.best) {
    const good = compared.points.filter(
      (p) => p.coding === coding && p.accuracy >= compared.ann.accuracy - 0.025 - 1e-9,
    );
    expect(latency).toBe(good.length === 0 ? undefined : Math.min(...good.map((p) => p.latency_steps)));
    expect(path).toBe(good.length === 0 ? undefined : Math.min(...good.map((p) => p.critical_path_steps)));
  }
  const page = readFileSync(outFile, 'utf8');
  expect(page.match(/<svg/g)).toHaveLength(3);
  expect(page).toContain('pattern 8');
  dataset.close();
});

it('compare-codings --residuals: what neurons keep with θ or θ/2 and Ts = 0 or 2, as a plain histogram has it', async () => {
  const { folder, data } = project();
  const dataset = data();
  const file = join(folder, 'quantised.onnx');
  const outFile = join(folder, 'residuals.html');
  const compared = valueOf(
    await driver.compareCodings(file, { dataset, normalisation: {}, within: 1, residuals: true, outFile }),
  );
  expect(compared.points.map(({ name }) => name)).toEqual(['sws 8/0 θ', 'sws 8/0', 'sws 8/2 θ', 'sws 8/2']);
  for (const { residuals } of compared.points) {
    const { density, width, beyond } = residuals!;
    expect(density.reduce((sum, one) => sum + one * width, beyond)).toBeCloseTo(1, 9);
  }
  // one layer: eval --stages says the mean of the same residuals
  const outDir = join(folder, 'stages');
  const { model } = valueOf(await driver.convertOnnx(file, { coding: 'sws', steps: 8, silent: 2, outDir }));
  const stages = valueOf(await driver.evaluateTarget({ path: model }, { dataset, normalisation: {}, stages: true }));
  const hidden = stages.layers!.filter(({ mean_residual: mean }) => mean > 0);
  expect(hidden).toHaveLength(1);
  expect(compared.points[3]!.residuals!.mean).toBeCloseTo(hidden[0]!.mean_residual, 6);
  // decided at θ what is kept lies below θ, at θ/2 below θ/2
  const upTo = (n: number, most: number): number => {
    const { density, width } = compared.points[n]!.residuals!;
    return density.slice(0, Math.round(most / width)).reduce((sum, one) => sum + one * width, 0);
  };
  expect(upTo(3, 0.525)).toBeGreaterThan(0.99);
  expect(upTo(2, 0.525)).toBeLessThan(0.7);
  expect(upTo(2, 1.025)).toBeGreaterThan(0.9);
  expect(readFileSync(outFile, 'utf8').match(/<svg/g)).toHaveLength(5);
  expect(codingPoints('sws:6/3/full')).toEqual([{ coding: 'sws', steps: 6, silent: 3, threshold: 'full' }]);
  dataset.close();
});

it('what a network doesn’t convert to is said with its reason, and the others are measured', async () => {
  const { folder, data } = project();
  const dataset = data();
  const options = { dataset, calibrate: dataset, normalisation: {}, within: 1 };
  const { points, refused } = valueOf(
    await driver.compareCodings(join(folder, 'tiny.onnx'), { ...options, codings: 'phase:12,tsc:8' }),
  );
  expect(points.map(({ name }) => name)).toEqual(['tsc 8']);
  expect(refused).toEqual([
    {
      coding: 'phase',
      steps: 12,
      name: 'phase 12',
      reason: expect.stringContaining('no whole number of periods') as string,
      help: 'write steps: 16, or another period',
    },
  ]);
  dataset.close();
  const idx = `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
  const compare = (...flags: readonly string[]) =>
    spikec(['compare-codings', join(folder, 'tiny.onnx'), '--data', idx, ...flags], driver);
  const some = await compare('--calibrate', idx, '--codings', 'phase:12,tsc:8', '-q');
  expect([some.code, some.out]).toEqual([0, expect.stringMatching(/tsc 8[^]*phase 12: [^]*help: write steps: 16/)]);
  // nothing to compare: what is in the way, each once
  const none = await compare('--codings', 'tsc:4,tsc:8,rate:4');
  expect([none.code, none.out, none.err.match(/--calibrate DATA/g)?.length]).toEqual([1, '', 1]);
  expect(codingPoints('sws:6/3, ttfs:9')).toEqual([
    { coding: 'sws', steps: 6, silent: 3 },
    { coding: 'ttfs', steps: 9 },
  ]);
  for (const text of ['rates', 'rate:0', 'rate:8/2', 'sws:', '']) {
    expect(() => codingPoints(text)).toThrow('is no coding to compare');
  }
});
