import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { ChannelErrors } from '../../src/run/balance.js';
import { localThresholds } from '../../src/run/local-thresholds.js';
import { readBatch } from '../../src/data/index.js';
import { NetworkBuilder, realParam } from '../../src/network/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
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
      ...(balance ? { balance: 'search' as const } : {}),
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
});

it('local thresholds rise by twice the mean of what exceeds them, layer by layer on activations that are cut off', async () => {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(14);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  const shape = dataset.shape;
  const random = seeded(8);
  const drawn = (n: number): Float32Array => Float32Array.from({ length: n }, () => 2 * random() - 0.8);
  const builder = new NetworkBuilder('two');
  builder.param('w1', realParam([3, shape[0]!, 3, 3], drawn(27 * shape[0]!)));
  builder.param('w2', realParam([4, 3, 3, 3], drawn(108)));
  const image = builder.add({ id: 'image', kind: 'input', attrs: { shape } });
  const conv = { kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
  const one = builder.add({ id: 'c1', kind: 'conv', inputs: [image], attrs: conv, params: { weight: 'w1' } });
  const first = builder.add({ id: 'r1', kind: 'relu', inputs: [one] });
  const two = builder.add({ id: 'c2', kind: 'conv', inputs: [first], attrs: conv, params: { weight: 'w2' } });
  const second = builder.add({ id: 'r2', kind: 'relu', inputs: [two] });
  const network = builder.finish([second]);
  const sites = network.ops.filter(({ kind }) => kind === 'relu');
  const [count, batch, passes] = [14, 4, 2];
  const found = await localThresholds(
    network,
    sites,
    { dataset, normalisation: {}, count, batch },
    passes,
    () => undefined,
  );

  const wanted = new Map(sites.map(({ id, type }) => [id, new Array<number>(type.shape[0]!).fill(0)]));
  for (let pass = 0; pass < passes; pass++) {
    for (let start = 0; start < count; start += batch) {
      const size = Math.min(batch, count - start);
      const { data } = readBatch(dataset, start, size, {}).images;
      const pixels = data.length / size;
      const each = Array.from({ length: size }, (_, n) => Float64Array.from(data.slice(n * pixels, (n + 1) * pixels)));
      const cut = each.map(() => new Map<string, Float64Array>());
      for (const { id, type } of sites) {
        const theta = wanted.get(id)!;
        const values = each.map((x, n) => evaluateAnn(network, x, cut[n]!).get(id)!);
        const inner = values[0]!.length / type.shape[0]!;
        theta.forEach((was, c) => {
          let over = 0;
          for (const v of values) for (let i = 0; i < inner; i++) over += Math.max(0, v[c * inner + i]! - was);
          theta[c] = Math.max(1e-6, was + (2 * over) / (size * inner));
        });
        values.forEach((v, n) =>
          cut[n]!.set(
            id,
            v.map((x, i) => Math.min(x, theta[Math.floor(i / inner)]!)),
          ),
        );
      }
    }
  }
  for (const { id } of sites) {
    found.get(id)!.forEach((theta, c) => expect(theta / wanted.get(id)![c]!).toBeCloseTo(1, 4));
    expect(Math.max(...wanted.get(id)!)).toBeGreaterThan(0.1);
  }
  dataset.close();
});
