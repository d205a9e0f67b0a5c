import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { type BitKind, type BitPenalty } from '../../src/lower/program/index.js';
import { type BitTraining, Settling, settlingProblem } from '../../src/train/index.js';
import { networkFrom } from '../support/train.js';

const network = networkFrom(`
  use "spikec/neurons" { Refined }
  network Tiny {
    input image: real[1, 8, 8]
    output image | conv(4, kernel: 3) | spike | conv(4, kernel: 3) | spike | flatten | linear(3)
  }
  config tiny {
    network Tiny  neuron Refined  coding direct(steps: 1)
    bits { weights learn(init: 4, max: 6, target: 2)  spikes learn(init: 4, max: 6, target: 2) }
  }`);
const layers: Readonly<Record<BitKind, readonly string[]>> = {
  weights: ['output.conv.weight_bits', 'output.conv_2.weight_bits', 'output.linear.weight_bits'],
  spikes: ['output.spike.bits', 'output.spike_2.bits'],
  steps: [],
};
const penalty = (kind: BitKind, target: number): BitPenalty => ({
  kind,
  target,
  penalty: 1,
  distance: 'absolute',
  ops: network.ops.map(({ id }) => id),
});
const bits = (settle: number | undefined, penalties: readonly BitPenalty[]): BitTraining => ({
  renewal: 'none',
  rateFactors: {},
  penalties,
  ...(settle === undefined ? {} : { settle }),
});
const all = (kinds: Partial<Record<BitKind, number>>): Map<string, Tensor> =>
  new Map(
    (Object.entries(kinds) as [BitKind, number][]).flatMap(([kind, value]) =>
      layers[kind].map((id) => [id, tensor('f32', [1], [value])] as const),
    ),
  );

describe('settling', () => {
  it('waits for its share of the training, then for a mean within 0.1 of the target', () => {
    const settling = new Settling(network, bits(0.5, [penalty('spikes', 2)]));
    expect(settling.look(all({ spikes: 2 }), 1, 0.49)).toEqual([]);
    expect(settling.staying.size).toBe(0);
    expect(settling.look(all({ spikes: 3 }), 2, 0.5)).toEqual([]);
    expect(settling.look(all({ spikes: 2.4 }), 3, 0.6)).toEqual([{ step: 3, kind: 'spikes', target: 2, mean: 2 }]);
    expect([...settling.staying]).toEqual(layers.spikes);
    expect(settling.look(all({ spikes: 4 }), 4, 0.7)).toEqual([]);
  });

  const settles = (target: number, seen: readonly [weights: number, share: number][]): readonly number[] => {
    const settling = new Settling(network, bits(0.5, [penalty('weights', target)]));
    return seen.map(([weights, share], i) => settling.look(all({ weights }), i + 1, share).length);
  };

  it('what goes to and fro out of reach stays where it is nearest', () => {
    // prettier-ignore
    const seen = settles(1, [[3, 0.2], [2, 0.3], [3, 0.4], [2, 0.45], [3, 0.5], [2, 0.55]]);
    expect(seen).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('a mean that it only came by on its way down doesn’t count', () => {
    // prettier-ignore
    expect(settles(3, [[3, 0.3], [2, 0.4], [1, 0.5], [2, 0.55]])).toEqual([0, 0, 0, 1]);
  });

  it('what is on its way goes on, till halfway from there to the end', () => {
    // prettier-ignore
    expect(settles(1, [[6, 0.3], [5, 0.45], [4, 0.5], [3, 0.6], [2, 0.7], [1, 0.74]])).toEqual([0, 0, 0, 0, 0, 1]);
    // prettier-ignore
    expect(settles(1, [[6, 0.3], [5, 0.45], [4, 0.5], [4, 0.7], [4, 0.74], [3, 0.75]])).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('each target settles by itself', () => {
    const settling = new Settling(network, bits(0.1, [penalty('weights', 2), penalty('spikes', 1)]));
    settling.look(all({ weights: 3, spikes: 2 }), 1, 0.05);
    expect(settling.look(all({ weights: 2, spikes: 3 }), 2, 0.5).map(({ kind }) => kind)).toEqual(['weights']);
    expect([...settling.staying]).toEqual(layers.weights);
    expect(settling.look(all({ weights: 4, spikes: 2 }), 3, 0.5).map(({ kind }) => kind)).toEqual(['spikes']);
    expect(settling.staying.size).toBe(5);
  });

  it('goes on from a checkpoint as if it had never stopped', () => {
    const value = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { maxLength: 20 }), fc.nat(20), (means, cut) => {
        const settings = bits(0.4, [penalty('weights', 2), penalty('spikes', 3)]);
        let settling = new Settling(network, settings);
        const broken = means.map(([weights, spikes], i) => {
          if (i === cut) {
            // a run's checkpoint is JSON
            settling = new Settling(network, settings, JSON.parse(JSON.stringify(settling.state)));
          }
          return settling.look(all({ weights, spikes }), i + 1, i / 20);
        });
        const whole = new Settling(network, settings);
        expect(broken).toEqual(
          means.map(([weights, spikes], i) => whole.look(all({ weights, spikes }), i + 1, i / 20)),
        );
      }),
    );
  });
});

it('what a checkpoint remembers of settling is looked at before a training goes on with it', () => {
  const training = bits(0.5, [penalty('weights', 2), penalty('spikes', 2)]);
  const { state } = new Settling(network, training);
  expect(settlingProblem(undefined, training)).toBeUndefined();
  expect(settlingProblem(state, training)).toBeUndefined();
  expect(settlingProblem([{ settled: true, before: 1, nearest: 0.5 }, state[1]], training)).toBeUndefined();
  for (const other of [null, {}, [], [state[0]], [...state, ...state]])
    expect(settlingProblem(other, training)).toContain('not those of the config');
  for (const one of [null, {}, { settled: 1 }, { settled: false, before: 'x' }, { settled: true, nearest: null }])
    expect(settlingProblem([one, state[1]], training)).toContain('damaged');
});
