import { expect, it, vi } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { phaseNames } from '../../src/equations/index.js';
import { lower } from '../../src/lower/program/index.js';
import { parseNetwork, printNetwork } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';

// A phase of a neuron's time step: a row of the table (and, for model files, a keyword of the grammar).

vi.mock('../../src/equations/phases.js', async (original) => {
  const { phaseTable } = await original<typeof import('../../src/equations/phases.js')>();
  const rows = { ...phaseTable, settle: { doc: 'what the membrane becomes before the next step' } };
  return { phaseTable: rows, phaseNames: Object.keys(rows), isPhaseName: (text: string) => Object.hasOwn(rows, text) };
});

const text = `network "toy" coding direct(steps=4)
  neuron Settling(keep = 0.5) {
    state u = 0
    charge u = u + x
    fire s = u >= 1
    reset u = u - s
    settle u = u * keep
  }
  %x        = input {shape=[2]}                                                        : real[2]
  %x.encode = encode %x {coding=direct, steps=4}                                       : real[2] @1..4
  %n        = neuron.Settling %x.encode {keep=0.5, levels=[0, 1], amplitude=1}          : spike{0..1}[2] @1..4
  %y        = decode %n {coding=direct}                                                : real[2]
  output %y
`;

it('a new phase has its text form and its time in the step', () => {
  expect(phaseNames).toEqual(['charge', 'fire', 'reset', 'settle']);
  const { value: network, diagnostics } = parseNetwork({ name: 'toy.ir', text }, new Map());
  expect(diagnostics).toEqual([]);
  expect(printNetwork(network!)).toContain('settle u = u * keep');
  const { program } = lower(network!, { probes: { trains: (id) => id === 'n' } });
  const run = evaluate(program, { x: tensor('f32', [1, 2], [0.75, 1.5]) });
  const expected: number[] = [];
  const u = [0, 0];
  for (let t = 0; t < 4; t++) {
    [0.75, 1.5].forEach((x, i) => {
      const charged = u[i]! + x;
      const s = charged >= 1 ? 1 : 0;
      u[i] = (charged - s) * 0.5;
      expected.push(s);
    });
  }
  expect([...run['train n']!.data]).toEqual(expected);
  expect(expected).toEqual([0, 1, 1, 1, 0, 1, 1, 1]);
});
