import { expect, it } from 'vitest';
import { type NeuronDef, phasesOf } from '../../../src/equations/index.js';
import { type Tensor, elementCount, tensor } from '../../../src/base/dtype.js';
import { lowerForTraining } from '../../../src/lower/program/index.js';
import { type Network, NetworkBuilder } from '../../../src/network/index.js';
import { type LossSpec, autodiff, evaluate } from '../../../src/tensor/index.js';
import { random } from '../../tensor/cases.js';
import { forwardFeeds } from '../../support/train.js';

const name = (text: string) => ({ kind: 'name', name: text }) as const;
const number = (value: number) => ({ kind: 'number', value }) as const;
const binary = (op: '+' | '-' | '*' | '>=', left: object, right: object) =>
  ({ kind: 'binary', op, left, right }) as never;
const call = (callee: string, ...args: object[]) => ({ kind: 'call', callee, args, named: {} }) as never;

/** A neuron without jumps, so that finite differences are its gradient: s = σ(4(u − θ)), leak and θ learned. */
const smooth: NeuronDef = {
  name: 'Smooth',
  params: [
    { name: 'a', default: 0.3, learn: {} },
    { name: 'theta', default: 0.7, learn: {} },
  ],
  states: [{ name: 'u', initial: number(0) }],
  phases: phasesOf({
    charge: [
      {
        target: 'u',
        value: binary('+', binary('*', binary('-', number(1), call('sigmoid', name('a'))), name('u')), name('x')),
      },
    ],
    fire: [{ target: 's', value: call('sigmoid', binary('*', number(4), binary('-', name('u'), name('theta')))) }],
    reset: [{ target: 'u', value: binary('-', name('u'), binary('*', name('s'), name('theta'))) }],
  }),
};

const conv = { stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };

/** conv – batch norm – neurons – (grouped conv – batch norm with shortcut) – neurons – max pool – dropout – linear. */
function smoothNetwork(coding: string, steps: number): Network {
  const next = random(5);
  const b = new NetworkBuilder('smooth');
  b.neuron(smooth);
  const weight = (id: string, shape: number[], spread = 0.5): string =>
    b.param(id, {
      tensor: tensor(
        'f32',
        shape,
        Array.from({ length: elementCount(shape) }, () => (2 * next() - 1) * spread),
      ),
    });
  const norm = (id: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries({ gamma: 1.2, beta: 0.4, mean: 0.1, variance: 0.8 }).map(([role, value]) => [
        role,
        b.param(`${id}.${role}`, { tensor: tensor('f32', [4], [value, value + 0.1, value, value - 0.1]) }),
      ]),
    );
  const spike = (id: string, from: string): void => {
    const learned = { a: b.param(`${id}.a`, { tensor: tensor('f32', [1], [0.3]) }) };
    const theta = b.param(`${id}.theta`, { tensor: tensor('f32', [1], [0.7]) });
    const attrs = { neuron: 'Smooth', levels: [0, 1], amplitude: 1 };
    b.add({ id, kind: 'neuron', inputs: [from], attrs, params: { ...learned, theta } });
  };
  b.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  b.add({ id: 'encode', kind: 'encode', inputs: ['image'], attrs: { coding, steps } });
  const first = { weight: weight('c1.w', [4, 2, 3, 3]), bias: weight('c1.b', [4]) };
  b.add({ id: 'c1', kind: 'conv', inputs: ['encode'], attrs: { ...conv, kernel: [3, 3] }, params: first });
  const attrs = { epsilon: 1e-5, momentum: 0.1 };
  b.add({ id: 'b1', kind: 'batchnorm', inputs: ['c1'], attrs, params: norm('b1') });
  spike('s1', 'b1');
  const second = { weight: weight('c2.w', [4, 2, 3, 3]) };
  b.add({ id: 'c2', kind: 'conv', inputs: ['s1'], attrs: { ...conv, kernel: [3, 3], groups: 2 }, params: second });
  const threshold = { ...attrs, threshold: 0.7 };
  b.add({ id: 'b2', kind: 'batchnorm', inputs: ['c2'], attrs: threshold, params: norm('b2') });
  b.add({ id: 'sum', kind: 'add', inputs: ['b2', 'b1'] });
  spike('s2', 'sum');
  const pool = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
  b.add({ id: 'pool', kind: 'maxpool', inputs: ['s2'], attrs: pool });
  b.add({ id: 'mean', kind: 'globalavgpool', inputs: ['sum'] });
  b.add({
    id: 'attention',
    kind: 'channel_conv',
    inputs: ['mean'],
    attrs: { kernel: 3 },
    params: { weight: weight('eca', [3]) },
  });
  b.add({ id: 'gate', kind: 'sigmoid', inputs: ['attention'] });
  b.add({ id: 'gated', kind: 'mul', inputs: ['pool', 'gate'] });
  b.add({ id: 'both', kind: 'concat', inputs: ['gated', 'pool'] });
  b.add({ id: 'flat', kind: 'flatten', inputs: ['both'] });
  b.add({ id: 'drop', kind: 'dropout', inputs: ['flat'], attrs: { rate: 0.25 } });
  const last = { weight: weight('fc.w', [3, 72]), bias: weight('fc.b', [3]) };
  b.add({ id: 'fc', kind: 'linear', inputs: ['drop'], params: last });
  b.add({ id: 'decode', kind: 'decode', inputs: ['fc'], attrs: { coding } });
  return b.finish(['decode'], { name: coding, args: { steps } });
}

const cases: readonly [string, string, LossSpec][] = [
  ['direct', 'cross-entropy with smoothing', { kind: 'cross_entropy', smoothing: 0.1 }],
  ['rate', 'TET', { kind: 'tet', lambda: 0.1, phi: 0.8 }],
  ['events', 'MSE', { kind: 'mse' }],
];

it.each(cases)('gradients of a whole network equal finite differences: coding %s, %s', (coding, _, loss) => {
  const lowered = lowerForTraining(smoothNetwork(coding, 3), loss);
  const feeds = forwardFeeds(lowered, 4);
  const { program, gradients, unreached } = autodiff(
    lowered.program,
    lowered.program.outputs['loss']!,
    lowered.learned,
  );
  expect(unreached).toEqual([]);
  const at = (changed?: { id: string; index: number; by: number }): Record<string, Tensor> => {
    const params = program.params.map((param) => {
      if (param.id !== changed?.id) return param;
      const data = Float64Array.from(param.data.data);
      data[changed.index]! += changed.by;
      return { ...param, data: { dtype: 'f64', shape: param.data.shape, data } as Tensor };
    });
    return evaluate({ ...program, params }, feeds, { precision: 'f64' });
  };
  const found = at();
  const next = random(9);
  const step = 1e-6;
  for (const { id, data } of program.params.filter((param) => gradients[param.id] !== undefined)) {
    for (let k = 0; k < 3; k++) {
      const index = Math.floor(next() * data.data.length);
      const high = at({ id, index, by: step })['loss']!.data[0]!;
      const low = at({ id, index, by: -step })['loss']!.data[0]!;
      const gradient = found[`grad.${id}`]!.data[index]!;
      expect(Math.abs(gradient - (high - low) / (2 * step)), `${id}[${index}]`).toBeLessThan(
        1e-6 + 1e-4 * Math.abs(gradient),
      );
    }
  }
});
