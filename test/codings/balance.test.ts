import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { ChannelErrors } from '../../src/run/balance.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { seeded } from '../support/random-network.js';
import { tinyFloat, tinyImages } from '../support/tiny-onnx.js';

it('a channel’s threshold is the part of its largest activation with which T steps say its activations best', () => {
  const random = seeded(5);
  const [samples, channels, inner, steps] = [6, 3, 10, 4];
  // the last channel is never active, the first has a long tail
  const values = Float32Array.from({ length: samples * channels * inner }, (_, i) => {
    const channel = Math.floor(i / inner) % channels;
    return channel === 2 ? -1 : channel === 0 ? 5 * random() ** 6 : 2 * random() - 0.5;
  });
  const errors = new ChannelErrors(channels, steps);
  const all = tensor('f32', [samples, channels, inner], values);
  errors.largest(all);
  errors.add(all);
  const found = errors.thresholds();
  const best = [0, 1].map((channel) => {
    const own = [...values].filter((v, i) => Math.floor(i / inner) % channels === channel && v > 0);
    const error = (theta: number): number =>
      own.reduce((sum, a) => {
        // what a neuron with soft reset that starts at θ/2 fires under a constant current, by hand
        let [u, fired] = [theta / 2, 0];
        for (let t = 0; t < steps; t++) {
          u += a;
          if (u >= theta) {
            u -= theta;
            fired++;
          }
        }
        return sum + (a - (theta * fired) / steps) ** 2;
      }, 0);
    const parts = Array.from({ length: 39 }, (_, n) => (Math.max(...own) * (n + 2)) / 40);
    return parts.reduce((a, b) => (error(b) < error(a) - 1e-12 ? b : a));
  });
  expect(found[0]).toBeCloseTo(best[0]!, 4);
  expect(found[1]).toBeCloseTo(best[1]!, 4);
  expect(found[2]).toBe(Math.max(found[0]!, found[1]!));
  expect(found[0]! / Math.max(...values)).toBeLessThan(0.99);
});

it('convert --coding rate --balance writes a range for each channel, and the folder stands alone', async () => {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  writeFileSync(join(folder, 'tiny.onnx'), tinyFloat());
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  const convert = (outDir: string, balance: boolean) =>
    driver.convertOnnx(join(folder, 'tiny.onnx'), {
      coding: 'rate',
      steps: 16,
      calibrate: dataset,
      percentile: 100,
      outDir: join(folder, outDir),
      balance,
    });
  const { value } = await convert('balanced', true);
  const text = readFileSync(value!.model, 'utf8');
  expect(text).toMatch(/layer "Relu[^"]*" \{ ranges \[[\d.]+(?:, [\d.]+)+\] \}/);
  expect((await driver.checkFile({ path: value!.model }, {})).diagnostics).toEqual([]);
  const options = { dataset, normalisation: {} };
  const balanced = await driver.evaluateTarget({ path: value!.model }, options);
  const compiled = await driver.evaluateTarget({ path: join(folder, 'balanced') }, options);
  expect(compiled.value?.opf).toBe(balanced.value?.opf);
  const { value: plain } = await convert('plain', false);
  const largest = await driver.evaluateTarget({ path: plain!.model }, options);
  const agreed = (outcome: typeof largest): number => outcome.value!.source!.agreement!;
  expect(agreed(balanced)).toBeGreaterThanOrEqual(agreed(largest));

  // the same ranges for all channels are the layer's range
  const alike = (write: (range: string, channels: number) => string): string => {
    const config = readFileSync(plain!.model, 'utf8');
    const channels = [...text.matchAll(/ranges \[([^\]]*)\]/g)].map(([, list]) => list!.split(',').length);
    let n = 0;
    return config.replaceAll(/range ([\d.]+)/g, (_, range: string) => write(range, channels[n++]!));
  };
  const path = join(folder, 'plain', 'alike.spike');
  writeFileSync(
    path,
    alike((range, channels) => `ranges [${new Array<string>(channels).fill(range).join(', ')}]`),
  );
  const same = await driver.evaluateTarget({ path }, options);
  expect([same.value?.accuracy, same.value?.opf]).toEqual([largest.value?.accuracy, largest.value?.opf]);
  writeFileSync(
    path,
    alike((range) => `ranges [${range}, ${range}, ${range}]`),
  );
  const wrong = await driver.evaluateTarget({ path }, options);
  expect(wrong.diagnostics[0]?.code).toBe('convert/bad-coding');
  expect(wrong.diagnostics[0]?.message).toMatch(/^3 ranges are given for the \d+ channels of %Relu/);
  dataset.close();
}, 60_000);
