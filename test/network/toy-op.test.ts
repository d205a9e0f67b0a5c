import { expect, it, vi } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { costOf } from '../../src/cost/index.js';
import { NetworkBuilder, type OpKind, parseNetwork, printNetwork, traitsOf } from '../../src/network/index.js';

/** A layer of a test alone: each feature with its own weight, two inputs at the same time. */
vi.mock('../../src/network/ops/registry.js', async (original) => {
  const { networkOps } = await original<typeof import('../../src/network/ops/registry.js')>();
  const { defineOp } = await import('../../src/network/ops/define.js');
  const { number } = await import('../../src/network/ops/attributes.js');
  const toy = defineOp({
    ...networkOps.add,
    attrs: { twist: number() },
    params: ['weight'],
    traits: { ...networkOps.add.traits, weights: 'elements', macs: ({ output }) => 3 * output[0]!, relays: false },
    type: ({ inputs, attrs }) => (attrs.twist > 1 ? 'twists too much' : { ...inputs[0]!, code: { kind: 'psp' } }),
  });
  return { networkOps: { ...networkOps, toy } };
});

const kind = 'toy' as OpKind;

function toyNetwork() {
  const builder = new NetworkBuilder('toy');
  builder.param('w', { tensor: tensor('f32', [4], [1, 2, 3, 4]) });
  builder.add({ id: 'x', kind: 'input', attrs: { shape: [4] } });
  builder.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs: { coding: 'rate', steps: 2 } });
  builder.add({ id: 't', kind, inputs: ['e', 'e'], attrs: { twist: 1 }, params: { weight: 'w' } });
  builder.add({ id: 'y', kind: 'decode', inputs: ['t'], attrs: { coding: 'rate' } });
  return builder;
}

it('a kind of layer is a row: its type rule, attributes and parameters are checked', () => {
  const builder = toyNetwork();
  const add = (attrs: Record<string, number>, params = { weight: 'w' } as Record<string, string>) =>
    builder.tryAdd({ id: 'u', kind, inputs: ['e', 'e'], attrs, params });
  expect(builder.typeOf('t')).toEqual({ shape: [4], time: { start: 1, steps: 2 }, code: { kind: 'psp' } });
  expect(add({ twist: 2 })).toEqual({ problem: 'twists too much' });
  expect(add({})).toEqual({ problem: 'misses its attribute twist' });
  expect(add({ twist: 1 }, {})).toEqual({ problem: 'misses its weight' });
});

it('a kind of layer is a row: it is printed and read, and refused at its line', () => {
  const network = toyNetwork().finish(['y']);
  const text = printNetwork(network);
  const read = parseNetwork({ name: 'network.ir', text }, network.params);
  expect(read.diagnostics).toEqual([]);
  expect(printNetwork(read.value!)).toBe(text);
  const wrong = text.replace('twist=1', 'twist=flat');
  const { diagnostics } = parseNetwork({ name: 'network.ir', text: wrong }, network.params);
  expect(diagnostics.map(({ message }) => message)).toEqual(['%t attribute twist must be a number']);
  expect(diagnostics[0]!.place).toMatchObject({ start: wrong.indexOf('%t ') });
});

it('a kind of layer is a row: passes and costs ask its traits', () => {
  const network = toyNetwork().finish(['y']);
  expect(traitsOf({ kind }).join).toBe(true);
  const [layer, ...others] = costOf(network).layers;
  expect(others).toEqual([]);
  expect(layer).toMatchObject({ id: 't', input: 'spikes', macs: 12, params: 4 });
});
