import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { costOf } from '../../../src/cost/index.js';
import { lower, outputNames } from '../../../src/lower/program/index.js';
import { parseNetwork, printNetwork, verifyNetwork } from '../../../src/network/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';

const [samples, steps, tau] = [3, 6, 4];
const text = (output: string): string => `
  use "spikec/neurons" { LIF, LI }
  network N { input x: real[4]
    h = x | linear(5) | spike
    output h | linear(2) | spike(LI(tau: ${tau})) ${output} }
  config c { network N  neuron LIF(theta: 0.3)  coding direct(steps: ${steps}) }`;

const next = random(3);
const x = tensor(
  'f32',
  [samples, 4],
  Float32Array.from({ length: 4 * samples }, () => 3 * next()),
);

it('a leaky integrator gives its membrane, read out as the language says', () => {
  for (const [readout, of] of [
    ['last', (values: readonly number[]) => values.at(-1)!],
    ['max', (values: readonly number[]) => Math.max(...values)],
    ['mean', (values: readonly number[]) => values.reduce((a, b) => a + b) / steps],
  ] as const) {
    const network = networkFrom(text(`| readout(${readout})`));
    const current = network.ops.find(({ kind, id }) => kind === 'linear' && id !== 'h.linear')!.id;
    const { program } = lower(network, { probes: { trains: () => true } });
    const results = evaluate(program, { x });
    const currents = results[outputNames.train(current)]!.data;
    for (let n = 0; n < samples; n++)
      for (let k = 0; k < 2; k++) {
        // u(t) = (1 − 1/τ)·u(t − 1) + x(t), by hand
        const membrane: number[] = [];
        for (let t = 0; t < steps; t++)
          membrane.push((1 - 1 / tau) * (membrane[t - 1] ?? 0) + currents[(t * samples + n) * 2 + k]!);
        expect(results['0']!.data[2 * n + k]!, readout).toBeCloseTo(of(membrane), 5);
      }
    expect(new Set(currents).size).toBeGreaterThan(3);
  }
});

it('a real output is a current in the IR, which prints and parses back, and counts as multiplications behind it', () => {
  const network = networkFrom(text('| linear(3)'));
  const printed = printNetwork(network);
  expect(printed).toMatch(/= neuron\.LI %\S+ +\{tau=4\} +: psp\[2\] @1\.\.6/);
  const { value, diagnostics } = parseNetwork({ name: 'n.ir', text: printed }, network.params);
  expect(diagnostics).toEqual([]);
  expect(printNetwork(value!)).toBe(printed);
  expect(verifyNetwork(network)).toEqual([]);
  const { layers } = costOf(network);
  expect(layers.map(({ input }) => input)).toEqual(['real', 'spikes', 'real']);
});

it('levels that equations don’t give, or that aren’t said, are refused in the IR', () => {
  const network = networkFrom(text(''));
  const printed = printNetwork(network);
  const problems = (changed: string): readonly string[] =>
    parseNetwork({ name: 'n.ir', text: changed }, network.params).diagnostics.map(({ message }) => message);
  expect(problems(printed.replace('{tau=4}', '{levels=[0, 1], amplitude=1, tau=4}')).join()).toMatch(
    /declares levels, but the equations of LI give no finite ones/,
  );
  expect(problems(printed.replace('levels=[0, 1], amplitude=1, ', '')).join()).toMatch(
    /declares no levels, the equations of LIF give 0 … 1/,
  );
});
