import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';
import { bin } from '../data/events/writers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const pixels = Uint8Array.of(0, 51, 102, 153, 204, 255, 0, 0, 0, 0, 0, 0);
function model(): string {
  const path = join(temporaryFolder(), 'm.spike');
  writeFileSync(
    path,
    `use "spikec/neurons" { LIF }
network M { input x: real[1, 2, 3]
  output x | flatten | linear(4) | spike | linear(2) }
config c { network M neuron LIF coding direct(steps: 2) train { normalize channels(mean: [0.5], std: [0.5]) optimizer adam(lr: 1e-2) } }
`,
  );
  return path;
}

function dataOf(labels: Int32Array | Float32Array): ReturnType<typeof openDataset> {
  const path = join(temporaryFolder(), 'a.npz');
  const y = npyBytes(labels instanceof Int32Array ? "'<i4'" : "'<f4'", [2], bytesOf(labels));
  writeFileSync(
    path,
    zipBytes([
      { name: 'x.npy', data: npyBytes("'|u1'", [2, 6], pixels) },
      { name: 'y.npy', data: y },
    ]),
  );
  return openDataset(`npz:${path}`);
}

it('data says samples, shape, classes and ranges, worked by hand', async () => {
  const { value } = await driver.describeData({ dataset: dataOf(Int32Array.of(1, 0)), normalisation: {} });
  expect(value).toMatchObject({
    samples: 2,
    looked_at: 2,
    shape: [6],
    type: 'u1',
    labels: 'classes',
    classes: [
      { class: 0, samples: 1 },
      { class: 1, samples: 1 },
    ],
    raw: { min: 0, max: 255, mean: 63.75, zeros: 7 / 12 },
    values: { min: 0, max: 1 },
  });
  expect(value!.values!.mean).toBeCloseTo(0.25, 6);
  expect(value!.first.map(({ label }) => label)).toEqual([1, 0]);
});

it('data says what a network reads, normalised as its config says', async () => {
  const target = { path: model() };
  const { value } = await driver.describeData({ dataset: dataOf(Int32Array.of(1, 0)), normalisation: {}, target });
  expect(value?.network).toEqual({ input: [1, 2, 3], frames: false, outputs: 2 });
  expect(value?.values).toMatchObject({ min: -1, max: 1 });
  expect(value!.values!.mean).toBeCloseTo(-0.5, 6);
});

it('data says why a network can’t read it', async () => {
  const { value, diagnostics } = await driver.describeData({
    dataset: openDataset('mnist:test'),
    normalisation: {},
    limit: 2,
    target: { path: model() },
  });
  expect(value).toBeUndefined();
  expect(diagnostics.map(({ code }) => code)).toEqual(['data/shape-mismatch', 'data/class-mismatch']);
});

it('recordings that a network reads have the shape of its frames', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '0'));
  writeFileSync(join(folder, '0/a.bin'), bin([1, 2, 3].map((t) => ({ t, x: 1, y: 2, p: 1 }))));
  const path = join(folder, 'm.spike');
  writeFileSync(
    path,
    `use "spikec/neurons" { LIF }
network M { input x: real[2, 3, 4]
  output x | flatten | linear(4) | spike | linear(2) }
config c { network M neuron LIF coding events(steps: 5, by: number) }
`,
  );
  const dataset = openDataset(`events:${folder}`);
  const { value } = await driver.describeData({ dataset, normalisation: {}, target: { path } });
  expect(value).toMatchObject({ shape: [5, 2, 3, 4], type: 'counts', layout: 'nchw', raw: { max: 3 } });
  expect((await driver.describeData({ dataset, normalisation: {} })).value).toMatchObject({
    shape: [],
    type: 'events',
  });
});

it('labels that are numbers are described as such', async () => {
  const { value } = await driver.describeData({ dataset: dataOf(Float32Array.of(0.5, 1.5)), normalisation: {} });
  expect(value).toMatchObject({ labels: 'numbers', numbers: [{ min: 0.5, max: 1.5, mean: 1 }] });
  expect(value!.first[0]).toMatchObject({ numbers: [0.5] });
});
