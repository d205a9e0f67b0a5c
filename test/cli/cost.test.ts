import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { costCsv } from '../../src/cli/cost-csv.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { spikec } from './fake.js';
import type { CostOptions, CostResult, CostRow } from '../../src/commands/cost.js';

const row: CostRow = {
  id: 'a,"b"',
  kind: 'conv',
  input: 'spikes',
  macs: 1000,
  params: 60,
  weight_bits: 4,
  spike_bits: 2,
  steps: 2,
  bit_budget: 16,
  s_ace: 16_000,
  s_ace_squeezed: 8000,
  size_bytes: 30,
  real_macs: 0,
  ann_bits: 3,
};
const sums = { macs: 2000, params: 120, bit_budget: 16, s_ace: 32_000, s_ace_squeezed: 24_000, s_ace_spikes: 16_000 };
const plain: CostResult = {
  layers: [{ ...row, id: 'stem', input: 'real', spike_bits: 32, real_macs: 1000 }, row],
  total: {
    ...sums,
    size_bytes: 60,
    latency_steps: 2,
    real_macs: 1000,
    weight_bits: 4,
    spike_bits: 2,
    steps: 2,
    largest_spike: 3,
  },
  hardware: { e_mac: 4.6, e_ac: 0.9 },
  ann: { macs: 2000, energy_pj: 9200, bits: 3, quantised_energy_pj: 7300 },
};
const measured: CostResult = {
  ...plain,
  layers: [
    { ...plain.layers[0]!, sops: 0, energy_pj: 4600, ns_ace: 16_000 },
    { ...row, firing_rate: 0.25, sops: 500, energy_pj: 450, ns_ace: 4000 },
  ],
  total: { ...plain.total, firing_rate: 0.25, sops: 520, join_sops: 20, energy_pj: 5068, ns_ace: 20_000 },
  measured: { samples: 100, accuracy: 0.5, seconds: 1, engine: 'fused' },
};

it('CSV has the layers under the keys of --json, and the total; commas and quotes are quoted', async () => {
  const ran = await spikec(['cost', 'a.spike', '--csv'], {
    costOf: () => Promise.resolve({ value: measured, diagnostics: [] }),
  });
  expect(ran.out).toMatchInlineSnapshot(`
    "id,kind,input,macs,params,weight_bits,spike_bits,steps,bit_budget,s_ace,s_ace_squeezed,size_bytes,real_macs,ann_bits,firing_rate,sops,energy_pj,ns_ace
    stem,conv,real,1000,60,4,32,2,16,16000,8000,30,1000,3,,0,4600,16000
    "a,""b""",conv,spikes,1000,60,4,2,2,16,16000,8000,30,0,3,0.25,500,450,4000
    total,,,2000,120,4,2,2,16,32000,24000,60,1000,,0.25,520,5068,20000
    "
  `);
  expect(costCsv(plain)).not.toContain('sops');
});

it('-o writes the CSV to a file, whole or not at all', async () => {
  const folder = temporaryFolder();
  const costOf = () => Promise.resolve({ value: plain, diagnostics: [] });
  const file = join(folder, 'new', 'cost.csv');
  expect((await spikec(['cost', 'a.spike', '-o', file], { costOf })).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(costCsv(plain));
  writeFileSync(join(folder, 'file'), '');
  const ran = await spikec(['cost', 'a.spike', '-o', join(folder, 'file', 'cost.csv')], { costOf });
  expect(ran.code).toBe(2);
  expect(ran.err).toContain('error[');
  expect(existsSync(join(folder, 'file', 'cost.csv'))).toBe(false);
});

it('measured figures stand in columns of their own, energies in a unit that fits', async () => {
  const ran = await spikec(['cost', 'a.spike'], {
    costOf: () => Promise.resolve({ value: measured, diagnostics: [] }),
  });
  expect(ran.out).toMatchInlineSnapshot(`
    "layer  kind   MACs  params  W     S  T  budget   S-ACE  squeezed  bytes   firing  SOPs     nJ  NS-ACE
    stem   conv  1,000      60  4  real  2      16  16,000     8,000     30              0  4.600  16,000
    a,"b"  conv  1,000      60  4     2  2      16  16,000     8,000     30  25.00 %   500  0.450   4,000
    total        2,000     120                  16  32,000    24,000     60  25.00 %   520  5.068  20,000

    latency              2 steps
    W/S/T                4/2/2 on average
    MACs on real values  1,000 an image
    measured on          100 images, accuracy 50.00 %
    SOPs                 520 an image, 20 of them at joins
    energy               5.068 nJ an image (4.6 pJ a MAC, 0.9 pJ an AC)
    ANN                  9.200 nJ, with 3-bit activations at most 7.300 nJ
    "
  `);
});

it('energies, steps and data reach the driver', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'i'), Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9));
  writeFileSync(join(folder, 'l'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 2));
  let seen: CostOptions | undefined;
  const data = `idx:${join(folder, 'i')},${join(folder, 'l')}`;
  await spikec(['cost', 'a.spike', '--data', data, '--limit', '7', '--e-ac', '0.03', '--every-step', '--mean', '0.5'], {
    costOf: (_, options) => {
      seen = options;
      return Promise.resolve({ value: measured, diagnostics: [] });
    },
  });
  expect(seen).toMatchObject({ everyStep: true, planes: false, hardware: { e_ac: 0.03 } });
  expect(seen!.data).toMatchObject({ limit: 7, normalisation: { mean: [0.5] } });
  expect(seen!.data!.dataset.length).toBe(1);
});
