import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import type { Cost } from '../../src/cost/index.js';
import type { Network, Op } from '../../src/network/index.js';
import { bitsOf } from '../../src/report/index.js';

const op = (id: string, kind: string, inputs: string[], shape: number[], rest: Partial<Op> = {}): Op =>
  ({ id, kind, inputs, attrs: {}, params: {}, type: { shape, code: { kind: 'real' } }, ...rest }) as unknown as Op;

function cost(...ids: string[]): Cost {
  const layers = ids.map((id) => ({ id, kind: 'conv', weight_bits: 32, spike_bits: 1, steps: 4 }));
  return { layers, total: {} } as unknown as Cost;
}

const scalar = (value: number): { tensor: ReturnType<typeof tensor> } => ({ tensor: tensor('f32', [1], [value]) });

it('bits are read from attributes, from learned parameters, and else from the cost', () => {
  const network = {
    ops: [
      op('input', 'input', [], [2, 4, 4]),
      op('plain', 'conv', ['input'], [2, 4, 4], { params: { weight: 'w' } }),
      op('fixed.spike', 'neuron', ['plain'], [2, 4, 4], { attrs: { bits: 3 } }),
      op('fixed', 'conv', ['fixed.spike'], [4, 2, 2], { attrs: { weight_bits: 5 }, params: { weight: 'w' } }),
      op('learned.spike', 'neuron', ['fixed'], [4, 2, 2], { attrs: { bits_max: 6 }, params: { bits: 'b' } }),
      op('squeezed', 'squeeze', ['learned.spike'], [4, 2, 2], { attrs: { steps_max: 3 }, params: { steps: 't' } }),
      op('flat', 'flatten', ['squeezed'], [16]),
      op('learned', 'linear', ['flat'], [10], {
        attrs: { weight_bits_max: 6 },
        params: { weight: 'v', weight_bits: 'bw' },
      }),
    ],
    params: new Map([
      ['w', { tensor: tensor('f32', [10], new Float32Array(10)) }],
      ['v', { tensor: tensor('f32', [20], new Float32Array(20)) }],
      ['b', scalar(2.4)],
      ['t', scalar(0.2)],
      ['bw', scalar(9)],
    ]),
  } as unknown as Network;
  expect(bitsOf(network, cost('plain', 'fixed', 'learned'))).toEqual([
    { id: 'plain', weight_bits: 32, spike_bits: 1, steps: 4, learned: [], weights: 0.25, features: 32 / 80 },
    { id: 'fixed', weight_bits: 5, spike_bits: 3, steps: 4, learned: [], weights: 0.25, features: 32 / 80 },
    {
      id: 'learned',
      weight_bits: 6,
      spike_bits: 2,
      steps: 1,
      learned: ['weight_bits', 'spike_bits', 'steps'],
      weights: 0.5,
      features: 16 / 80,
    },
  ]);
});
