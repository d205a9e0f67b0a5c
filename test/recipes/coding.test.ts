import { expect, it, vi } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { findCarrier, lower } from '../../src/lower/program/index.js';
import { parseNetwork } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';

// A coding: one file with its carrier (here `last`), one line of the registry.

vi.mock('../../src/lower/program/carriers/registry.js', async (original) => {
  const { carriers } = await original<typeof import('../../src/lower/program/carriers/registry.js')>();
  const { means } = await import('../../src/lower/program/carriers/means.js');
  const { folded } = await import('../../src/lower/program/context.js');
  const { stepsOf } = await import('../../src/lower/program/runnable.js');
  /** The input fades, x/t at step t; what counts is the last step. */
  const last = means({
    coding: 'last',
    doc: 'the input fades; the last step is read',
    encode: ({ builder, steps }, op, x) =>
      builder.at(op.id).concat(
        Array.from({ length: steps }, (_, t) => builder.div(x, t + 1)),
        0,
      ),
    readOut: ({ builder }, x) => builder.reshape(builder.step(x, stepsOf(x) - 1), folded(1, [2])),
  });
  return { carriers: [...carriers, last] };
});

const text = `network "toy" coding last(steps=4)
  neuron IF(theta = 1) {
    state u = 0
    charge u = u + x
    fire s = u >= theta
    reset u = u - s * theta
  }
  %x = input {shape=[2]} : real[2]
  %e = encode %x {coding=last, steps=4} : real[2] @1..4
  %n = neuron.IF %e {theta=1, levels=[0, 1], amplitude=1} : spike{0..1}[2] @1..4
  %y = decode %n {coding=last} : real[2]
  output %y
`;

it('a new coding is found by its name, encodes and reads out', () => {
  const { value: network, diagnostics } = parseNetwork({ name: 'toy.ir', text }, new Map());
  expect(diagnostics).toEqual([]);
  expect(findCarrier(network!)?.coding).toBe('last');
  const { program, steps, feeds } = lower(network!);
  expect([steps, feeds.image.steps]).toEqual([4, 1]);
  // membranes of the first, 0.9/t a step: 0.9, 1.35 → 0.35, 0.65, 0.875; of the second, 1.94/t: 1.94 → 0.94, 1.91 → 0.91,
  // 1.56 → 0.56, 1.04 → 0.04: it alone fires at the last step
  const found = evaluate(program, { x: tensor('f32', [1, 2], [0.9, 1.94]) })['0']!;
  expect([...found.data]).toEqual([0, 1]);
});
