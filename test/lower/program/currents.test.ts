import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { lower } from '../../../src/lower/program/index.js';
import { parseNetwork } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';

/** A neuron that takes its input in twice, with two memories of it, before it decides. */
const text = (charge: string) => `network "toy" coding direct(steps=4)
  neuron Two() {
    state u = 0
    state w = 0
    charge u = u + x
    charge w = ${charge}
    fire s = u + w >= 2
    reset u = u - s
  }
  %image  = input {shape=[3]} : real[3]
  %encode = encode %image {coding=direct, steps=4} : real[3] @1..4
  %n      = neuron.Two %encode {levels=[0, 1], amplitude=1, silent=2} : spike{0..1}[3] @3..6
  %y      = decode %n {coding=direct} : real[3]
  output %y
`;

it.each([
  ['w * 0.5 + x', (w: number, x: number) => w * 0.5 + x],
  ['w + x * t', (w: number, x: number, t: number) => w + x * t],
])('silent steps merge only where every reader takes the same sum of them: w = %s', (charge, next) => {
  const { value: network, diagnostics } = parseNetwork({ name: 'toy.ir', text: text(charge) }, new Map());
  expect(diagnostics).toEqual([]);
  const { program } = lower(network!, { probes: { trains: (id) => id === 'n' } });
  const image = [0.2, 0.35, 0.9];
  const found = evaluate(program, { image: tensor('f32', [1, 3], image) })['train n']!.data;
  const expected = image.map((x) => {
    let [u, w] = [0, 0];
    const train: number[] = [];
    for (let t = 1; t <= 6; t++) {
      const now = t <= 4 ? x : 0;
      u += now;
      w = next(w, now, t);
      // its equations hold at silent steps too: what they fire there goes nowhere
      const s = u + w >= 2 ? 1 : 0;
      u -= s;
      if (t > 2) train.push(s);
    }
    return train;
  });
  expect([...found]).toEqual([0, 1, 2, 3].flatMap((k) => expected.map((train) => train[k])));
  expect(new Set([...found]).size).toBe(2);
});
