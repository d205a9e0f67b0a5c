import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import type { CostResult } from '../../src/commands/cost.js';

async function cost(path: string, config: string): Promise<CostResult> {
  const { value, diagnostics } = await driver.costOf({ path, config }, {});
  expect(diagnostics).toEqual([]);
  return value!;
}

const giga = (n: number, digits: number): string => (n / 1e9).toFixed(digits);
const mega = (n: number, digits = 2): string => (n / 1e6).toFixed(digits);

// ABA Tab. 1. 16/2/4 is printed as 330.24; W·S·T times the operations is 331.2.
it.each([
  ['w16s1t4', [16, 1, 4], 64, '165.58', 2, '34.55'],
  ['w16s2t4', [16, 2, 4], 128, '331.2', 1, '34.55'],
  ['w4s4t1', [4, 4, 1], 16, '41.40', 2, '8.64'],
  ['w4s4t2', [4, 4, 2], 32, '82.79', 2, '8.64'],
] as const)(
  'ResNet-20 %s has the figures of ABA Tab. 1',
  async (config, bits, budget, sAce, digits, size) => {
    const { layers, total } = await cost('models/adaptive/resnet20.spike', config);
    expect(giga(total.macs, 3)).toBe('2.587');
    expect(mega(total.params, 3)).toBe('17.277');
    expect([total.weight_bits, total.spike_bits, total.steps]).toEqual(bits);
    expect(total.bit_budget).toBe(budget);
    expect(giga(total.s_ace, digits)).toBe(sAce);
    expect(mega(total.size_bytes)).toBe(size);
    // a neuron codes the image: every layer reads spikes, the stem among them
    expect(layers.every((layer) => layer.input === 'spikes' && layer.bit_budget === budget)).toBe(true);
    expect(total.s_ace_squeezed).toBe(config === 'w4s4t2' ? total.s_ace / 2 : total.s_ace);
  },
  240_000,
);

it('SEW-ResNet-34 has the figures of ABA Tab. 2, its S-ACE without the stem', async () => {
  const { layers, total } = await cost('models/adaptive/sew-resnet34.spike', 'w16s1t4');
  const [stem, ...others] = layers;
  expect(stem).toMatchObject({ id: 'stem.conv', input: 'real' });
  expect(others.every((layer) => layer.input === 'spikes' && layer.bit_budget === 64)).toBe(true);
  expect(total.bit_budget).toBe(64);
  expect(giga(total.s_ace_spikes, 1)).toBe('226.9');
  expect(giga(total.s_ace_spikes, 2)).toBe('226.93');
  expect(total.s_ace_spikes).toBe(total.s_ace - stem!.s_ace);
  expect(mega(total.size_bytes)).toBe('43.56');
});
