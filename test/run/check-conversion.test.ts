import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostics/index.js';
import { driver } from '../../src/commands/index.js';
import type { ConvertOptions } from '../../src/commands/convert.js';
import { openDataset } from '../../src/data/index.js';
import { drawnInputs } from '../../src/run/drawn-inputs.js';
import { Findings } from '../../src/workspace/findings.js';
import { importFile } from '../../src/workspace/target.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { deepQuantised, tinyFloat, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

function written(bytes: Uint8Array): { path: string; outDir: string; images: string } {
  const folder = temporaryFolder();
  const path = join(folder, 'net.onnx');
  writeFileSync(path, bytes);
  const { images, labels } = tinyImages(12);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return { path, outDir: join(folder, 'out'), images: `idx:${join(folder, 'images')},${join(folder, 'labels')}` };
}

const codesOf = (diagnostics: readonly Diagnostic[]): string[] => diagnostics.map(({ code }) => code);

it('a conversion is run on drawn inputs: where every layer sees its whole input, no code differs', async () => {
  const { path, outDir } = written(deepQuantised(6));
  const { value, diagnostics } = await driver.convertOnnx(path, { coding: 'sws', silent: 7, outDir });
  expect(diagnostics).toEqual([]);
  expect(value!.check).toEqual({
    inputs: 'drawn',
    seed: 3,
    samples: 20,
    agreement: 1,
    codes: 20 * 6 * 8,
    differing: 0,
    ties: 0,
    layers: [],
    passed: true,
  });
  expect(value!.verified!.compared).toBe(value!.verified!.layers);
});

it('a conversion that decides too early is a warning with a remedy; the remedy mends it', async () => {
  const { path, outDir } = written(deepQuantised(6));
  const { value, diagnostics } = await driver.convertOnnx(path, { coding: 'sws', silent: 0, outDir });
  expect(codesOf(diagnostics)).toEqual(['convert/snn-differs']);
  expect(diagnostics[0]!.severity).toBe('warning');
  expect(diagnostics[0]!.help).toContain('--silent 7');
  const { check } = value!;
  expect(check!.passed).toBe(false);
  expect(check!.first).toBe(check!.layers![0]!.id);
  expect(diagnostics[0]!.message).toContain(`%${check!.first}`);
  expect(check!.differing).toBe(check!.layers!.reduce((sum, { differing }) => sum + differing, 0));
});

it('with --strict the same is an error, and nothing is written', async () => {
  const { path, outDir } = written(deepQuantised(6));
  const options: ConvertOptions = { coding: 'sws', silent: 0, strict: true, outDir };
  const { value, diagnostics } = await driver.convertOnnx(path, options);
  expect(value).toBeUndefined();
  expect(diagnostics).toMatchObject([{ code: 'convert/snn-differs', severity: 'error' }]);
  expect(existsSync(outDir)).toBe(false);
  expect((await driver.convertOnnx(path, { ...options, verify: 'none' })).value!.check).toBeUndefined();
});

it('the check on calibration images counts what eval --stages counts', async () => {
  const { path, outDir, images } = written(tinyQuantised());
  const dataset = openDataset(images);
  const { value } = await driver.convertOnnx(path, { coding: 'sws', silent: 0, calibrate: dataset, outDir });
  const { check, model } = value!;
  expect(check).toMatchObject({ inputs: 'calibration', data: dataset.name, samples: 12 });
  const options = { dataset, normalisation: {}, stages: true };
  const { layers, source } = (await driver.evaluateTarget({ path: model }, options)).value!;
  const differing = layers!.filter((layer) => layer.differing > 0);
  expect(differing.length).toBeGreaterThan(0);
  expect(check!.layers).toEqual(
    differing.map(({ id, codes, differing: count, max_difference }) => ({
      id,
      codes,
      differing: count,
      max_difference,
    })),
  );
  expect(check!.agreement).toBe(source!.agreement);
  dataset.close();
});

it('a network whose trains carry means is checked by its predictions', async () => {
  const { path, outDir, images } = written(tinyFloat());
  const dataset = openDataset(images);
  const convert = async (steps: number) =>
    (await driver.convertOnnx(path, { coding: 'rate', steps, calibrate: dataset, percentile: 100, outDir })).value!;
  const { check } = await convert(64);
  expect(check).toMatchObject({ inputs: 'calibration', samples: 12 });
  expect(check!.codes).toBeUndefined();
  expect(check!.agreement).toBeGreaterThan(0.8);
  dataset.close();
});

it('drawn inputs fill the range of the input’s quantiser, are the same for a seed, and hold even squares', () => {
  const { path } = written(tinyQuantised());
  const { network } = importFile(path, new Findings()).imported;
  const read = (seed: number) => drawnInputs(network, [1, 6, 6], 3, seed).read(0, 3).images;
  const images = read(1);
  expect(images).toEqual(read(1));
  expect(images).not.toEqual(read(2));
  expect(Math.min(...images)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...images)).toBeLessThanOrEqual(1);
  expect(new Set(images.slice(0, 36)).size).toBe(4);
  expect(new Set(images.slice(36, 72)).size).toBe(36);
  expect(new Set(images.slice(72)).size).toBe(1);
});
