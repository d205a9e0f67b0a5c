import { expect, it } from 'vitest';
import {
  type Network,
  NetworkBuilder,
  type UncheckedOp,
  checkedOp,
  printType,
  verifyNetwork,
} from '../../src/network/index.js';
import { chain, withSkip } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

function changed(network: Network, id: string, change: Partial<UncheckedOp>): string[] {
  const ops = network.ops.map((op) => (op.id === id ? checkedOp({ ...op, ...change }) : op));
  return verifyNetwork({ ...network, ops }).map(({ op, message }) => `${op}: ${message}`);
}

it('accepts what the builder makes', () => {
  expect(verifyNetwork(chain(3))).toEqual([]);
  expect(verifyNetwork(convert(withSkip(), sws()).spiking)).toEqual([]);
});

it('finds an op without its delay line: operands that arrive at different times', () => {
  const { spiking } = convert(withSkip(), sws({ silent: 2 }));
  const add = spiking.ops.find((op) => op.kind === 'add')!;
  const delay = spiking.ops.find((op) => op.kind === 'delay')!;
  const inputs = add.inputs.map((id) => (id === delay.id ? delay.inputs[0]! : id));
  expect(changed(spiking, add.id, { inputs }).join()).toMatch(
    /operands arrive at different times: @\d+\.\.\d+ and @\d+\.\.\d+/,
  );
});

it('finds a concatenation whose operands arrive at different times', () => {
  const { spiking } = convert(withSkip(), sws({ silent: 2 }));
  const add = spiking.ops.find((op) => op.kind === 'add')!;
  const delay = spiking.ops.find((op) => op.kind === 'delay')!;
  const inputs = add.inputs.map((id) => (id === delay.id ? delay.inputs[0]! : id));
  expect(changed(spiking, add.id, { kind: 'concat', inputs }).join()).toMatch(
    /operands arrive at different times: @\d+\.\.\d+ and @\d+\.\.\d+/,
  );
  expect(changed(spiking, add.id, { kind: 'concat' }).join()).not.toContain('arrive at different times');
});

it('finds wrong attributes, arity, parameters, neurons, ids and outputs', () => {
  const network = chain(2);
  expect(changed(network, 'q1', { attrs: { scale: 1 } })[0]).toBe('q1: misses its attribute zero');
  expect(changed(network, 'q1', { attrs: { scale: 1, zero: 0, min: 0, max: 'x' } })[0]).toBe(
    'q1: attribute max must be a number',
  );
  expect(changed(network, 'q1', { attrs: { scale: 1, zero: 0, min: 0, max: 255, odd: 1 } })[0]).toBe(
    'q1: has no attribute odd',
  );
  expect(changed(network, 'q1', { inputs: [] })[0]).toBe('q1: takes 1 input(s), has 0');
  const conv = network.ops.find((op) => op.kind === 'conv')!;
  expect(changed(network, conv.id, { params: {} })[0]).toBe(`${conv.id}: misses its weight`);
  expect(changed(network, 'q1', { id: 'q0' }).join()).toContain('q0: two ops have this id');
  expect(verifyNetwork({ ...network, outputs: ['gone'] })).toEqual([{ op: 'gone', message: 'an output names no op' }]);
  const { spiking } = convert(network, sws());
  expect(verifyNetwork({ ...spiking, neurons: new Map() })[0]!.message).toBe('names an unknown neuron TSA');
});

it('prints types that disagree as the text form does', () => {
  const { spiking } = convert(chain(2), sws());
  const neuron = spiking.ops.find((op) => op.kind === 'neuron')!;
  const wrong = { ...neuron.type, shape: [1, 2, 3] };
  expect(changed(spiking, neuron.id, { type: wrong })[0]).toBe(
    `${neuron.id}: has type ${printType(wrong)}, its inputs give ${printType(neuron.type)}`,
  );
  expect(printType(wrong)).toMatch(/^spike\{-1\.\.1.*\}\[1,2,3\] @\d+\.\.\d+$/);
});

it('the builder refuses what has no type', () => {
  const builder = new NetworkBuilder('n');
  builder.add({ id: 'x', kind: 'input', attrs: { shape: [1, 4, 4] } });
  const window = { kernel: [5, 5], stride: [1, 1], pads: [0, 0, 0, 0] };
  expect(builder.tryAdd({ id: 'p', kind: 'maxpool', inputs: ['x'], attrs: window })).toEqual({
    problem: "a 5x5 window doesn't fit into [1,4,4] with pads 0,0,0,0",
  });
  expect(() => builder.add({ id: 'x', kind: 'input', attrs: { shape: [1] } })).toThrow('id x exists');
});
