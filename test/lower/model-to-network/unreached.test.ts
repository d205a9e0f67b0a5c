import { expect, it } from 'vitest';
import { lowerModel } from '../../../src/lower/model-to-network/index.js';
import { evaluateNeuron } from '../../support/run-neuron.js';
import { loadNeuron } from '../../../src/model/index.js';
import { libraryText } from '../../support/spike.js';
import { configFrom } from '../../support/train.js';

const found = (body: string, steps = 4, declarations = ''): readonly string[] =>
  lowerModel(
    configFrom(`use "spikec/neurons" { IF, LIF, MBLIF, ILIF } ${declarations}
      network N { input x: real[1, 8, 8]  output x | conv(2) | spike | ${body} | flatten | linear(3) }
      config c { network N  neuron LIF  coding direct(steps: ${steps})  train { data mnist } }`),
    { blank: true },
  ).diagnostics.map(({ code, message }) => `${code}: ${message}`);

it('a threshold that sums of bounded spikes never come near to is warned of, with what the membrane reaches', () => {
  const { value } = loadNeuron({ name: 'spikec/neurons', text: libraryText('neurons') }, 'LIF');
  // the largest membrane by hand: a spike at every step, none fired
  let u = 0;
  for (let t = 0; t < 4; t++) u = u / 2 + 1;
  expect(evaluateNeuron(value!, { tau: 2, theta: u }, [1, 1, 1, 1])).toEqual([0, 0, 0, 1]);
  expect(found('avgpool(2) | spike(LIF(tau: 2, theta: 4))')).toEqual([
    `model/surrogate-unreached: no membrane of output.spike_2 comes near to the surrogate of \`LIF\`: \`u - theta\` stays between -4 and ${u - 4}, and \`rectangle\` is 0 outside of -0.5 … 0.5`,
  ]);
});

it('what comes within its width isn’t warned of', () => {
  expect(found('avgpool(2) | spike(LIF(tau: 2, theta: 2.3))')).toEqual([]);
  // 1.875 + 0.5, where it ends
  expect(found('avgpool(2) | spike(LIF(tau: 2, theta: 2.375))')).toHaveLength(1);
  expect(found('avgpool(2) | spike(IF(theta: 4))')).toEqual([]);
  expect(found('avgpool(2) | spike(IF(theta: 4))', 3)).toHaveLength(1);
});

it('weights, norms and what is learned have no bounds', () => {
  expect(found('conv(2) | spike(LIF(theta: 40))')).toEqual([]);
  expect(found('batchnorm | spike(LIF(theta: 40))')).toEqual([]);
  expect(found('avgpool(2) | spike(LIF(theta: learn(40)))')).toEqual([]);
});

it('levels have a surrogate at each boundary, and ste one where it rounds', () => {
  expect(found('avgpool(2) | spike(MBLIF(tau: 2, theta: 10))')).toHaveLength(1);
  expect(found('avgpool(2) | spike(MBLIF(tau: 2, theta: 2))')).toEqual([]);
  expect(found('avgpool(2) | spike(ILIF)')).toEqual([]);
});

it('equations that bound their membrane are warned of behind weights, too', () => {
  const bounded = (theta: number): string => `neuron B(theta = ${theta}) {
    state u = 0
    charge u = sigmoid(x)
    fire s = u >= theta
    reset u = where(s, 0, u)
    surrogate triangle(width: 0.5)
  }`;
  expect(found('conv(2) | spike(B)', 4, bounded(2))).toHaveLength(1);
  expect(found('conv(2) | spike(B)', 4, bounded(1.2))).toEqual([]);
});

it('a parameter with a value for each step can’t be read in a first value, nor a width come out below 0', () => {
  expect(found('conv(2) | spike(IF(theta: learn(1, per: step)))')).toEqual([
    'model/conflict: a first value of `IF` reads `theta`, which has a value for each step',
  ]);
  expect(found('conv(2) | spike(LIF(theta: learn(1, per: step)))')).toEqual([]);
  const narrow = `neuron W(w = 2) {
    state u = 0
    charge u = u + x
    fire s = u >= 1
    reset u = where(s, 0, u)
    surrogate rectangle(width: w - 1)
  }`;
  expect(found('conv(2) | spike(W(w: 0.5))', 4, narrow)).toEqual([
    'model/argument-type: `width` of `rectangle`, the surrogate of `W` must be a number greater than 0, not -0.5',
  ]);
});
