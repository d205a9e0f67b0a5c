import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { lowerModel } from '../../../src/lower/model-to-network/index.js';
import { lower } from '../../../src/lower/program/index.js';
import { type Config, checkModel } from '../../../src/model/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { evaluateNeuron } from '../../support/run-neuron.js';
import { testLoader } from '../../support/spike.js';

const uses = [
  'IF',
  'IF(theta: 0.7, soft: false)',
  'LIF(tau: 3, theta: 0.8)',
  'LIF(soft: true)',
  'PLIF(a: 0.4)',
  'MBLIF',
  'MBLIF(integer: 1, fraction: 2, soft: true)',
  'MBIF',
  'MLF',
  'MLF(k: 1, tau: 3)',
  'MLF(k: 4, theta: 0.3, spacing: 0.4)',
  'Ternary(alpha: 0.5)',
  'BackEI(feedback: -0.3)',
  'CubaLIF(theta: 0.8)',
  'ALIF(beta: 0.3)',
  'KLIF(k: 1.2)',
  'QIF',
  'EIF',
  'Izhikevich',
  'ILIF(D: 3)',
  'IBLIF',
  'IBRALIF',
  'Refined(bits: 2, theta: 0.5)',
  'Refined(bits: 3, theta: 0.25, signed: true)',
];

function config(use: string, steps: number): Config {
  const name = /^\w+/.exec(use)![0];
  const text = `use "spikec/neurons" { ${name} }
    network Net { input x: real[9] output x | spike }
    config c { network Net neuron ${use} coding direct(${steps}) }`;
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, testLoader());
  expect(diagnostics).toEqual([]);
  return value!.configs.get('c')!;
}

describe('standard neurons, lowered and evaluated, spike as their equations say', () => {
  const currents = [-2.1, -0.6, -0.13, 0, 0.21, 0.37, 0.77, 1.31, 4.03];

  for (const use of uses) {
    it(use, () => {
      // The means of 1, 2 … 6 steps together say what every step gave.
      for (let steps = 1; steps <= 6; steps++) {
        const checked = config(use, steps);
        const { value: network, diagnostics } = lowerModel(checked);
        expect(diagnostics).toEqual([]);
        const { program } = lower(network!);
        const { '0': mean } = evaluate(program, { x: tensor('f32', [1, 9], currents) });
        const { def, args } = checked.neuron!;
        currents.forEach((x, i) => {
          const spikes = evaluateNeuron(def, args, new Array<number>(steps).fill(Math.fround(x)));
          const expected = spikes.reduce((sum, s) => sum + s, 0) / steps;
          expect(mean!.data[i], `x = ${x}, ${steps} steps`).toBeCloseTo(expected, 5);
        });
      }
    });
  }
});
