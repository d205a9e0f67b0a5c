import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { lower } from '../../src/lower/program/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { configFrom } from '../support/train.js';

const [samples, steps, width, behind] = [6, 3, 8, 5];
const model = `use "spikec/neurons" { LIF, IBLIF }
network N {
  input image: real[12]
  a = image | linear(${width}) | spike(IBLIF(D: 3, alpha: 1))
  b = image | linear(${width}) | spike(IBLIF(D: 3, alpha: 1))
  output (a + b) | linear(${behind}) | spike | linear(3)
}
config c { network N  neuron LIF(theta: 0.2)  coding direct(steps: ${steps}) }
`;

const ones = (code: number): number => code.toString(2).replaceAll('0', '').length;

it('measured, a sum of trains is sent as the ones of its codes, and each spike is added to it once', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'n.spike');
  writeFileSync(path, model);
  const images = Float32Array.from({ length: samples * 12 }, (_, i) => ((i * 7) % 11) / 2);
  const members = [
    { name: 'x.npy', data: npyBytes("'<f4'", [samples, 12], bytesOf(images)) },
    { name: 'y.npy', data: npyBytes("'<i4'", [samples], bytesOf(Int32Array.from([0, 1, 2, 0, 1, 2]))) },
  ];
  writeFileSync(join(folder, 'd.npz'), zipBytes(members));
  const dataset = openDataset(`npz:${join(folder, 'd.npz')}`);
  const data = { dataset, normalisation: {} };
  const { value: planes, diagnostics } = await driver.costOf({ path }, { planes: true, data });
  expect(diagnostics.map(({ code }) => code)).toEqual([]);
  const { value: plain } = await driver.costOf({ path }, { data });
  dataset.close();
  // the same from the trains of the network as it is written
  const network = lowerModel(configFrom(model), { seed: 1 }).value!;
  const { program } = lower(network, { probes: { trains: () => true } });
  const found = evaluate(program, { image: tensor('f32', [samples, 12], images) });
  const [a, b] = ['a', 'b'].map((id) => [...found[`train ${id}.spike`]!.data]) as [number[], number[]];
  const sum = (values: readonly number[]): number => values.reduce((all, v) => all + v, 0) / samples;
  const together = sum(a.map((s, i) => ones(s + b[i]!)));
  const apart = sum([...a, ...b].map(ones));
  expect(together).not.toBe(apart);
  const row = (layers: readonly { readonly id: string; readonly sops?: number }[]) =>
    layers.find(({ id }) => id === 'output.linear')!.sops;
  expect(row(planes!.layers)).toBeCloseTo(together * behind, 9);
  expect(row(plain!.layers)).toBeCloseTo(apart * behind, 9);
  expect([planes!.total, plain!.total].map((total) => total.join_sops)).toEqual([apart, 0]);
});
