import { expect, it } from 'vitest';
import { present } from '../../../src/base/invariant.js';
import { costOf, defaultHardware, fanOuts, measuredCost } from '../../../src/cost/index.js';
import { forInference } from '../../../src/workspace/compiled.js';
import { Findings } from '../../../src/workspace/findings.js';
import { SpikeCounter } from '../../../src/run/metrics/index.js';
import { lower, outputNames } from '../../../src/lower/program/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import type { Tensor } from '../../../src/base/dtype.js';
import { pooledNetwork } from '../../support/pooled.js';
import { forwardFeeds } from '../../support/train.js';

const images = 3;

/** Every value of a pooled network on noisy images, by the reference evaluator, and what counting makes of them. */
function run(pooled: string) {
  const { network } = forInference(pooledNetwork(pooled), new Findings());
  const lowered = lower(network, { probes: { trains: () => true } });
  const { labels: _labels, ...feeds } = forwardFeeds(lowered, images);
  const results = evaluate(lowered.program, feeds);
  const counter = new SpikeCounter(network);
  const read = new Set(counter.ids);
  const train = (id: string): Tensor => present(results[outputNames.train(id)], id);
  counter.add((id) => {
    expect(read).toContain(id);
    return train(id);
  });
  const cost = costOf(network);
  const measured = measuredCost(network, cost, (id) => counter.countsOf(id), images, defaultHardware);
  return { network, counter, train, conv: measured.layers.get('d.conv')! };
}

/** By the digits of its text. */
const ones = (code: number): number => Math.round(code).toString(2).replaceAll('0', '').length;

it('a maximum over joined trains of different step sizes counts as one of each train', () => {
  const [joined, apart] = [run('concat(a, b) | maxpool(2)'), run('concat(a | maxpool(2), b | maxpool(2))')];
  expect(joined.conv.sops).toBeGreaterThan(0);
  expect(joined.conv.sops).toBeCloseTo(apart.conv.sops, 9);
  expect(joined.conv.energy_pj).toBeCloseTo(apart.conv.energy_pj, 9);
  expect(joined.conv.firing_rate).toBeCloseTo(apart.conv.firing_rate!, 12);
});

it('a maximum over a sum of trains fires the ones of both summands where the sum is greatest', () => {
  const { network, counter, train, conv } = run('a + b | maxpool(2)');
  const [a, b] = ['a', 'b'].map((id) => train(`${id}.spike.squeeze`).data) as [Tensor['data'], Tensor['data']];
  // squeezed codes count halves of the thresholds
  const onesAt = (i: number): number => ones(a[i]! / 0.15) + ones(b[i]! / 0.1);
  const expected = new Array<number>(2 * 4 * 4).fill(0);
  for (let image = 0; image < images; image++) {
    for (let out = 0; out < expected.length; out++) {
      const [c, y, x] = [Math.floor(out / 16), Math.floor(out / 4) % 4, out % 4];
      const window = [0, 1, 8, 9].map((at) => ((image * 2 + c) * 8 + 2 * y) * 8 + 2 * x + at);
      const most = Math.max(...window.map((i) => a[i]! + b[i]!));
      expected[out]! += onesAt(window.find((i) => a[i]! + b[i]! === most)!);
    }
  }
  const pool = network.ops.find(({ kind }) => kind === 'maxpool')!.id;
  expect(expected.some((n) => n > 0)).toBe(true);
  expect([...counter.countsOf(pool).ones]).toEqual(expected);
  const reach = fanOuts(network)(pool);
  expect(conv.sops * images).toBeCloseTo(
    expected.reduce((sum, n, i) => sum + n * reach[i]!, 0),
    9,
  );
});

it('a maximum over an average of a sum fires the ones of all that was averaged', () => {
  const { train, counter, network } = run('a + b | global_avgpool | maxpool(1)');
  const sumOf = (id: string, step: number): number => {
    const { data } = train(`${id}.spike.squeeze`);
    return Array.from(data, (value) => ones(value / step)).reduce((sum, n) => sum + n, 0);
  };
  const pool = network.ops.find(({ kind }) => kind === 'maxpool')!.id;
  const counted = counter.countsOf(pool).ones.reduce((sum, n) => sum + n, 0);
  expect(counted).toBe(sumOf('a', 0.15) + sumOf('b', 0.1));
});
