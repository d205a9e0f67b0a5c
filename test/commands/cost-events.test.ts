import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

const [samples, steps, size] = [3, 2, 5];
const text = `use "spikec/neurons" { LIF }
network E { input x: real[2, ${size}, ${size}]
  output x | conv(4, kernel: 3, stride: 2, pad: 1) | spike | flatten | linear(3) }
config ev { network E neuron LIF(tau: 2, theta: 0.5) coding events(steps: ${steps}) }
`;

/** Costs on frames [samples, steps, 2, 5, 5] of these values. */
async function costOn(value: (i: number) => number, normalisation = {}) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'e.spike'), text);
  const frames = Float32Array.from({ length: samples * steps * 2 * size * size }, (_, i) => value(i));
  const x = npyBytes("'<f4'", [samples, steps, 2, size, size], bytesOf(frames));
  const y = npyBytes("'<i4'", [samples], bytesOf(Int32Array.of(0, 1, 2)));
  writeFileSync(
    join(folder, 'a.npz'),
    zipBytes([
      { name: 'x.npy', data: x },
      { name: 'y.npy', data: y },
    ]),
  );
  const data = { dataset: openDataset(`npz:${join(folder, 'a.npz')}`), normalisation };
  const cost = valueOf(await driver.costOf({ path: join(folder, 'e.spike') }, { data }));
  return { cost, frames, first: cost.layers[0]! };
}

/** Additions of the 3×3 convolution of stride 2 with a border of 1, output by output. */
function additions(frames: Float32Array, worth: (value: number) => number): number {
  let sum = 0;
  for (let plane = 0; plane < frames.length / (size * size); plane++)
    for (let oy = 0; oy < 3; oy++)
      for (let ox = 0; ox < 3; ox++)
        for (let ky = 0; ky < 3; ky++)
          for (let kx = 0; kx < 3; kx++) {
            const [y, x] = [2 * oy + ky - 1, 2 * ox + kx - 1];
            if (y < 0 || x < 0 || y >= size || x >= size) continue;
            sum += 4 * worth(frames[(plane * size + y) * size + x]!);
          }
  return sum / samples;
}

it('event frames of zeros and ones are added, the multiplications that they save stand beside', async () => {
  const { cost, frames, first } = await costOn((i) => ((i * i) % 3) % 2);
  const sops = additions(frames, (v) => v);
  expect(first).toMatchObject({ input: 'spikes', real_macs: 0, sops, spike_bits: 1 });
  expect(first.energy_pj).toBeCloseTo(0.9 * sops, 6);
  const macs = 2 * 9 * 4 * 9 * steps;
  expect(cost.events).toMatchObject({ min: 0, max: 1, as_real: { real_macs: macs } });
  const others = cost.total.energy_pj! - first.energy_pj!;
  expect(cost.events!.as_real.energy_pj).toBeCloseTo(others + 4.6 * macs, 6);
});

it('counts are worth the ones of their code', async () => {
  const { frames, first } = await costOn((i) => i % 4);
  expect(first).toMatchObject({ input: 'spikes', spike_bits: 2, sops: additions(frames, (v) => [0, 1, 1, 2][v]!) });
});

it('event frames of other numbers, and normalised ones, are real values', async () => {
  for (const { cost, first } of [await costOn((i) => (i % 3) / 2), await costOn((i) => i % 2, { mean: [0.5] })]) {
    expect(first.input).toBe('real');
    expect(cost.events).toBeUndefined();
  }
});

const cases = '../shared/cases/turn2/spike';
if (!existsSync(cases)) console.warn(`skipped: the cases in ${cases} are absent`);
it.skipIf(!existsSync(cases))(
  'en.spike#ev on its event frames: 3.8 nJ in the first layer, less than the ANN in all',
  async () => {
    const dataset = openDataset(`npz:${cases}/en_ev.npz`);
    const cost = valueOf(
      await driver.costOf({ path: `${cases}/en.spike`, config: 'ev' }, { data: { dataset, normalisation: {} } }),
    );
    expect(cost.layers[0]!.energy_pj! / 1000).toBeCloseTo(3.8, 1);
    expect(cost.total.energy_pj!).toBeLessThan(cost.ann.energy_pj);
    expect(cost.events!.as_real.energy_pj).toBeGreaterThan(cost.ann.energy_pj);
  },
  240_000,
);

it('a report has the same energy as cost', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'e.spike');
  writeFileSync(path, text);
  const frames = Float32Array.from({ length: samples * steps * 2 * size * size }, (_, i) => ((i * i) % 3) % 2);
  const x = npyBytes("'<f4'", [samples, steps, 2, size, size], bytesOf(frames));
  const y = npyBytes("'<i4'", [samples], bytesOf(Int32Array.of(0, 1, 2)));
  writeFileSync(
    join(folder, 'a.npz'),
    zipBytes([
      { name: 'x.npy', data: x },
      { name: 'y.npy', data: y },
    ]),
  );
  const dataset = openDataset(`npz:${join(folder, 'a.npz')}`);
  const cost = valueOf(await driver.costOf({ path }, { data: { dataset, normalisation: {} } }));
  const outFile = join(folder, 'r.html');
  valueOf(await driver.reportTargets([{ path }], { dataset, normalisation: {}, outFile }));
  const picojoules = cost.total.energy_pj!;
  expect(cost.events!.as_real.energy_pj).toBeGreaterThan(2 * picojoules);
  expect(picojoules).toBeLessThan(1000);
  expect(readFileSync(outFile, 'utf8')).toContain(`${Number(picojoules.toPrecision(3))} pJ`);
});
