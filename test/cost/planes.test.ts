import { expect, it } from 'vitest';
import { elementCount } from '../../src/base/dtype.js';
import { type TrainCounts, costOf, defaultHardware, measuredCost } from '../../src/cost/index.js';
import { opsById } from '../../src/network/index.js';
import { countedSpikes } from '../support/counted-spikes.js';
import { runPasses, withRandomNorms } from '../support/planes.js';
import { networkFrom } from '../support/train.js';

const image = [2, 4, 4];

it.each([
  'matmul(two, two) | conv(3)',
  'two * three | conv(3)',
  'one * one | conv(3)',
  'two * three | maxpool(2) | conv(3)',
  '(one + three) | avgpool(2) | conv(3)',
  'concat(unary, two) | conv(3)',
])('%s: additions are counted on the network that runs as its planes make them, and none is left out', (body) => {
  const trained = networkFrom(`
    use "spikec/neurons" { LIF, MBLIF, ILIF, IBLIF }
    network N {
      input image: real[${image.join(', ')}]
      one   = image | conv(4) | batchnorm | spike(LIF)
      two   = image | conv(4) | batchnorm | spike(MBLIF(integer: 1, fraction: 1, theta: 0.1))
      three = image | conv(4) | batchnorm | spike(ILIF(D: 3))
      unary = image | conv(4) | batchnorm | spike(IBLIF(D: 3))
      output ${body} | spike | flatten | linear(3)
    }
    config c { network N  neuron LIF(theta: 0.1)  coding direct(steps: 2) }`);
  const split = runPasses(runPasses(withRandomNorms(trained, 3), 'ann'), 'planes');
  const fused = runPasses(split, 'fuse');
  const { counter } = countedSpikes(fused, 2);
  const cost = costOf(split);
  const ofFused = measuredCost(fused, cost, (id) => counter.countsOf(id), 2, defaultHardware, split);
  // on the split network: the ones of a train reach what its planes reach
  const byId = opsById(split);
  const ofPlanes = (id: string): TrainCounts => {
    const { kind, type } = byId.get(id)!;
    if (kind !== 'planes') return counter.countsOf(id);
    return { ones: new Float64Array(elementCount(type.shape)), fired: 0, outputs: 1 };
  };
  const ofSplit = measuredCost(split, cost, ofPlanes, 2, defaultHardware);
  for (const { id, input } of cost.layers) {
    expect(ofFused.layers.get(id)!.sops, id).toBe(ofSplit.layers.get(id)!.sops);
    expect(input === 'real' || ofFused.layers.get(id)!.sops > 0, id).toBe(true);
  }
  expect(ofFused.total.join_sops).toBe(ofSplit.total.join_sops);
  // the image alone is multiplied
  const real = cost.layers.filter((layer) => layer.input === 'real').map(({ id }) => id.split('.')[0]);
  expect(real.every((id) => id !== 'output')).toBe(true);
});
