import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import type { ConvertOptions } from '../../src/commands/convert.js';
import { openDataset } from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { deepQuantised, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

function written(bytes: Uint8Array, edge = 6): { path: string; outDir: string; images: string } {
  const folder = temporaryFolder();
  const path = join(folder, 'net.onnx');
  writeFileSync(path, bytes);
  const { images, labels } = tinyImages(12, edge);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return { path, outDir: join(folder, 'out'), images: `idx:${join(folder, 'images')},${join(folder, 'labels')}` };
}

async function converted(path: string, options: Omit<ConvertOptions, 'coding'>) {
  const { value, diagnostics } = await driver.convertOnnx(path, { coding: 'sws', ...options });
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return { ...value, diagnostics };
}

it('without --silent every layer gets the least period with which no code differs on drawn inputs; other inputs agree', async () => {
  const { path, outDir } = written(deepQuantised(6));
  const { silence, check, diagnostics, latency_steps: latency, model } = await converted(path, { outDir });
  expect(diagnostics).toEqual([]);
  expect(silence).toMatchObject({ inputs: 'drawn', seed: 2, samples: 60, kept: 'codes', margin: 1.5 });
  expect(check).toMatchObject({ seed: 3, agreement: 1, differing: 0, passed: true });
  for (const { silent, proven } of silence!.layers) expect(silent).toBeLessThanOrEqual(proven);
  // a chain: SWS eq. 6 with a period of its own for each layer
  expect(latency).toBe(8 + silence!.layers.reduce((sum, { silent }) => sum + silent, 0));
  expect(silence!.latency_steps).toBe(latency);
  expect(silence!.proven_latency_steps).toBe(8 + silence!.layers.reduce((sum, { proven }) => sum + proven, 0));
  const text = readFileSync(model, 'utf8');
  for (const { id, silent } of silence!.layers) expect(text).toContain(`layer "${id}" { silent ${silent} }`);
});

// 4·136² neurons run in two portions, the second of them not full
it.each([6, 136])(
  'the least period of the only layer is that from which on eval --stages finds no differing code (images of %i rows)',
  async (size) => {
    const { path, outDir, images } = written(tinyQuantised({ size }), size);
    const dataset = openDataset(images);
    const calibrate = size > 6 ? { ...dataset, length: 2 } : dataset;
    const { silence } = await converted(path, { outDir, calibrate, margin: 1 });
    expect(silence).toMatchObject({ inputs: 'calibration', samples: calibrate.length, data: dataset.name });
    const found = silence!.layers[0]!.silent;
    const differing = async (silent: number): Promise<number> => {
      const { model } = await converted(path, { outDir, silent });
      const result = await driver.evaluateTarget(
        { path: model },
        { dataset: calibrate, normalisation: {}, stages: true },
      );
      return result.value!.layers!.reduce((sum, layer) => sum + layer.differing, 0);
    };
    expect(await differing(found)).toBe(0);
    expect(found).toBeGreaterThan(0);
    expect(await differing(found - 1)).toBeGreaterThan(0);
    dataset.close();
  },
);

it('on fewer than 4 inputs the margin is larger', async () => {
  const { path, outDir, images } = written(tinyQuantised());
  const dataset = openDataset(images);
  const margin = async (length: number): Promise<number | undefined> =>
    (await converted(path, { outDir, calibrate: { ...dataset, length } })).silence!.margin;
  expect([await margin(3), await margin(4)]).toEqual([2, 1.5]);
  dataset.close();
});

it('on fewer than 4 inputs a layer of which few codes are seen gets a larger margin again, unless the margin is said', async () => {
  const periods = async (options: Partial<ConvertOptions>, size: number): Promise<number> => {
    const { path, outDir, images } = written(tinyQuantised({ size }), size);
    const dataset = openDataset(images);
    const { silence } = await converted(path, { outDir, calibrate: { ...dataset, length: 2 }, ...options });
    dataset.close();
    return silence!.layers[0]!.silent;
  };
  // 2 · 4 · 6² codes
  expect(await periods({}, 6)).toBe(await periods({ margin: 4 }, 6));
  expect(await periods({}, 6)).toBeGreaterThan(await periods({ margin: 2 }, 6));
  // 2 · 4 · 40²
  expect(await periods({}, 40)).toBe(await periods({ margin: 2 }, 40));
});

it('a larger margin gives longer periods, predictions alone shorter ones, proven the longest', async () => {
  const { path, outDir } = written(deepQuantised(6));
  const latency = async (options: Partial<ConvertOptions>): Promise<number> =>
    (await converted(path, { outDir, ...options })).latency_steps!;
  const [predictions, codes, careful, proven] = [
    await latency({ keep: 'predictions', margin: 1 }),
    await latency({ margin: 1 }),
    await latency({ margin: 3 }),
    await latency({ silent: 'proven' }),
  ];
  expect(predictions).toBeLessThanOrEqual(codes);
  expect(codes).toBeLessThan(careful);
  expect(careful).toBeLessThanOrEqual(proven);
});

it('a period that is said stays for all layers, as it was', async () => {
  const { path, outDir } = written(deepQuantised(3));
  const { silence, model } = await converted(path, { outDir, silent: 2 });
  expect(silence).toBeUndefined();
  expect(readFileSync(model, 'utf8')).toContain('  coding  sws(beta: 2, steps: 8, silent: 2)\n}');
});

it('codes of 16 bits get 16 steps; of 8 that were asked for it is said what they lose', async () => {
  const { outDir } = written(tinyQuantised());
  const path = 'test/support/uint16.onnx';
  const chosen = await converted(path, { outDir });
  expect(chosen.diagnostics).toEqual([]);
  expect(readFileSync(chosen.model, 'utf8')).toContain('sws(beta: 2, steps: 16');
  expect(chosen.check).toMatchObject({ differing: 0, agreement: 1 });
  const { diagnostics } = await converted(path, { outDir, steps: 8, silent: 8 });
  expect(diagnostics[0]).toMatchObject({ code: 'convert/coarse-codes', severity: 'note' });
  // 65535 / 255
  expect(diagnostics[0]!.message).toContain('up to 257 codes');
  expect(diagnostics[0]!.help).toContain('--steps 16');
});

it('where the most steps there are carry too few codes, these are taken, and it is said; codes of a broken base aren’t blamed on the file', async () => {
  const { path, outDir } = written(tinyQuantised());
  const { diagnostics, model } = await converted(path, { outDir, beta: 1.05 });
  expect(readFileSync(model, 'utf8')).toContain('sws(beta: 1.05, steps: 24');
  expect(diagnostics[0]).toMatchObject({ code: 'convert/coarse-codes', help: expect.stringContaining('--beta') });
  const broken = await converted(path, { outDir: `${outDir}-broken`, beta: 1.2 });
  expect(broken.diagnostics.map(({ code }) => code)).toEqual(['convert/snn-differs']);
  expect(broken.diagnostics[0]!.help).toContain('--beta 2 carries each');
});
