import { expect, it } from 'vitest';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { lower } from '../../src/lower/program/index.js';
import { runInParts } from '../../src/run/in-parts.js';
import { drawnInputs } from '../../src/run/drawn-inputs.js';
import { networkFrom, tinyModel } from '../support/train.js';

const network = networkFrom(
  tinyModel({
    body: 'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | flatten | linear(20) | spike | linear(3)',
  }),
);

const dataset = drawnInputs(network, [1, 8, 8], 7, 5);

it('a network in parts gives every image what it gives whole, each output once', async () => {
  const runnable = lower(network, { probes: { trains: () => true } });
  const images = { dataset, normalisation: {}, count: 7, batch: 3 };
  const whole = new Map<string, readonly number[]>();
  await runInParts(runnable, fusedEngine, images, {
    threads: 1,
    take: (start, results) => {
      for (const [name, { data }] of Object.entries(results)) whole.set(`${start} ${name}`, [...data]);
    },
  });
  expect(whole.size).toBe(3 * Object.keys(runnable.program.outputs).length);
  expect([...whole.values()].flat().some((v) => v !== 0)).toBe(true);
  const found = new Map<string, readonly number[]>();
  const counted: number[] = [];
  await runInParts(runnable, fusedEngine, images, {
    threads: 1,
    mostBytes: 200,
    take: (start, results) => {
      for (const [name, { data }] of Object.entries(results)) {
        expect(found.has(`${start} ${name}`)).toBe(false);
        found.set(`${start} ${name}`, [...data]);
      }
    },
    counter: (done, total) => counted.push(done / total),
  });
  expect([...found.keys()].sort()).toEqual([...whole.keys()].sort());
  for (const [key, values] of whole) {
    values.forEach((v, i) => expect(Math.abs(found.get(key)![i]! - v), key).toBeLessThan(1e-4));
  }
  expect(counted.length).toBeGreaterThan(6);
  expect(counted.at(-1)).toBe(1);
});
