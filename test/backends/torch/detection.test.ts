import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { driver } from '../../../src/commands/index.js';
import { openDataset } from '../../../src/data/index.js';
import type { EpochRecord } from '../../../src/train/index.js';
import { hasModules, hasTorch, python, runPython } from '../../support/pytorch.js';
import { detectorModel, rectangles } from '../../support/rectangles.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

async function trained(path: string, data: string, run: string, engine: string): Promise<readonly EpochRecord[]> {
  const records: EpochRecord[] = [];
  const { value, diagnostics } = await driver.trainTarget(
    { path },
    { data, run, engine, python, onEpoch: (record) => void records.push(record) },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(value).toBeDefined();
  return records;
}

const near = (found: number | undefined, wanted: number | undefined): number =>
  Math.abs(found! - wanted!) / Math.max(1e-3, Math.abs(wanted!));

describe.skipIf(!hasTorch)('a detector in PyTorch', () => {
  it('has the losses of the other engines, step by step, and the same precision', { timeout: 240_000 }, async () => {
    const folder = temporaryFolder();
    const data = rectangles(folder, 12, 80);
    const small = 'loss yolo(bins: 4)  augment [flip, crop(padding: 6)]  epochs 5  validation 0.33';
    const path = detectorModel(folder, small);
    const [wanted, found] = [
      await trained(path, data, join(folder, 'own'), 'onnxruntime'),
      await trained(path, data, join(folder, 'torch'), 'torch'),
    ];
    // an epoch is a step
    expect(found).toHaveLength(5);
    found.forEach(({ loss, val_map50: map50, val_map: map, accuracy }, i) => {
      expect(near(loss, wanted[i]!.loss)).toBeLessThan(1e-5);
      expect(near(map50, wanted[i]!.val_map50)).toBeLessThan(1e-4);
      expect(near(map, wanted[i]!.val_map)).toBeLessThan(1e-4);
      expect(accuracy).toBeUndefined();
    });
    expect(wanted.at(-1)!.loss).toBeLessThan(wanted[0]!.loss);

    if (!hasModules('images in PyTorch', 'PIL')) return;
    // the emitted program reads the images itself
    const outDir = join(folder, 'emitted');
    const { diagnostics } = await driver.compileTarget(
      { path: detectorModel(folder, `${small}  data "${data}"`) },
      { emit: ['torch'], outDir },
    );
    expect(diagnostics.map(({ code }) => code)).not.toContain('torch/left-out');
    runPython(outDir, ['train.py', '--run', 'run', '--said']);
    const log = readFileSync(join(outDir, 'run', 'log.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const alone = log.map((line) => JSON.parse(line) as EpochRecord);
    alone.forEach(({ loss }, i) => expect(near(loss, wanted[i]!.loss)).toBeLessThan(1e-5));
    const evaluated = await driver.evaluateTarget(
      { path: join(outDir, 'run') },
      { dataset: openDataset(data), normalisation: {} },
    );
    expect(evaluated.value!.map50).toBeGreaterThanOrEqual(0);
  });
});
