import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

it.each([
  ['sws', 8, 10],
  ['rate', 64, 64],
  ['mbif', 16, 16],
  ['ibra', 1, 1],
] as const)(
  'a network whose logits are codes converts (%s), and its folder evaluates and costs as its model file does',
  async (coding, steps, latency) => {
    const folder = temporaryFolder();
    const { images, labels } = tinyImages(20);
    writeFileSync(join(folder, 'images'), images);
    writeFileSync(join(folder, 'labels'), labels);
    const source = join(folder, 'tiny.onnx');
    writeFileSync(source, tinyQuantised({ logits: 'codes' }));
    const outDir = join(folder, 'out');
    const { model } = valueOf(
      await driver.convertOnnx(source, { coding, steps, outDir, ...(coding === 'sws' ? { silent: 2 } : {}) }),
    );
    const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
    const data = { dataset, normalisation: {} };
    const [ofModel, ofFolder] = [
      valueOf(await driver.evaluateTarget({ path: model }, data)),
      valueOf(await driver.evaluateTarget({ path: outDir }, data)),
    ];
    const measured = ({ accuracy, spikes_per_neuron, opf, latency_steps }: typeof ofModel) => [
      accuracy,
      spikes_per_neuron,
      opf,
      latency_steps,
    ];
    expect(measured(ofFolder)).toEqual(measured(ofModel));
    expect(ofFolder.spikes_per_neuron).toBeGreaterThan(0.2);
    // sws: Tc + Ts·L, one hidden layer (SWS eq. 6)
    expect(ofFolder.latency_steps).toBe(latency);
    expect(ofModel.source!.agreement).toBeGreaterThan(0.85);
    const costs = [
      valueOf(await driver.costOf({ path: model }, { data })),
      valueOf(await driver.costOf({ path: outDir }, { data })),
    ];
    dataset.close();
    expect(costs[1]!.layers).toEqual(costs[0]!.layers);
    expect(costs[1]!.total).toEqual(costs[0]!.total);
    expect(costs[1]!.layers).toHaveLength(2);
  },
  240_000,
);
