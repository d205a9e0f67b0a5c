import { expect, it } from 'vitest';
import { costOf } from '../../src/cost/index.js';
import { bitsOf, bitsPlot } from '../../src/report/index.js';
import { networkFrom } from '../support/train.js';

it('bits of weights, of the spikes a layer reads and of its time, with its part of the network', () => {
  const network = networkFrom(`
    use "spikec/neurons" { Refined }
    network N {
      input image: real[1, 4, 4]
      a = image | conv(2, kernel: 3) | spike
      b = a | conv(3, kernel: 1) | spike
      output b | flatten | linear(2)
    }
    config c {
      network N  neuron Refined()  coding direct(steps: 4)
      bits {
        weights 4
        spikes  learn(init: 3, max: 6, target: 2)
        steps   2
        squeeze true
        layer "a.conv" { weights 8 }
      }
    }
  `);
  const bits = bitsOf(network, costOf(network));
  // weights 2·1·9, 3·2, 2·48; values read 16, 32, 48
  expect(bits.map(({ weights, features }) => [weights * 120, features * 96])).toEqual([
    [expect.closeTo(18), expect.closeTo(16)],
    [expect.closeTo(6), expect.closeTo(32)],
    [expect.closeTo(96), expect.closeTo(48)],
  ]);
  expect(bits.map(({ id, weight_bits, spike_bits }) => [id, weight_bits, spike_bits])).toEqual([
    ['a.conv', 8, 32],
    ['b.conv', 4, 3],
    ['output.linear', 4, 3],
  ]);
  expect(bits.slice(1).map(({ steps }) => steps)).toEqual([2, 2]);
  const [bars] = bitsPlot(bits)['vconcat'] as unknown as [{ data: { values: { id: string; kind: string }[] } }];
  const kinds = (layer: string): string[] => bars.data.values.filter(({ id }) => id === layer).map(({ kind }) => kind);
  expect(kinds('a.conv')).toEqual(['weights', 'steps']);
  expect(kinds('b.conv')).toEqual(['weights', 'spikes', 'steps']);
});
