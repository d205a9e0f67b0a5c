import { expect, it } from 'vitest';
import { configProblems } from '../../src/lower/model-to-network/index.js';
import { evaluateNeuron } from '../support/run-neuron.js';
import { checkModel } from '../../src/model/index.js';
import { expectDiagnostics, testLoader } from '../support/spike.js';
import { configFrom } from '../support/train.js';
import { random } from '../tensor/cases.js';

it('random numbers stand in phases alone', () => {
  expectDiagnostics(`neuron N(theta = 1) {
  state u = uniform(0, 1) // error: model/equation
  charge u = u + x * uniform(0, 1)
  fire s = u >= theta + normal(0, 0.1)
  reset u = where(s, normal(0, 0.1), u)
  surrogate rectangle(width: normal(1, 0.1)) // error: model/equation, model/argument-type
}`);
});

it('an input current has a name of its own, and is read', () => {
  expectDiagnostics(`neuron N(theta = 1) {
  input dendrite
  input theta // error: model/duplicate-name
  input x // error: model/duplicate-name
  input other // warning: model/unused-parameter
  state u = 0
  charge u = u + x + dendrite + theta
  fire s = u >= theta
  reset u = where(s, 0, u)
}`);
  expectDiagnostics(`neuron N(theta = 1) {
  input dendrite
  state u = 0
  charge dendrite = x // error: model/assignment
         u = u + dendrite
  fire s = u >= theta
  reset u = where(s, 0, u)
}`);
});

it('a layer is given as many currents as its neuron has', () => {
  const problems = (spike: string, neuron = 'TwoCompartment'): readonly string[] =>
    configProblems(
      configFrom(`use "spikec/neurons" { LIF, TwoCompartment }
      network N { input x: real[4]  a = x | linear(3)  b = x | linear(3)  output ${spike} | linear(2) }
      config n { network N  neuron ${neuron}  coding direct(steps: 4)  train { optimizer sgd } }`),
    ).map(({ code, message }) => `${code}: ${message}`);
  expect(problems('spike(a, b)')).toEqual([]);
  expect(problems('a | spike(b)')).toEqual([]);
  expect(problems('spike(a, b, TwoCompartment(up: 0.3))', 'LIF')).toEqual([]);
  expect(problems('spike(a)')).toEqual([
    'model/conflict: `spike` is given 1 input current, `TwoCompartment` has 2: x, dendrite',
  ]);
  expect(problems('spike(a, b)', 'LIF')).toEqual(['model/conflict: `spike` is given 2 input currents, `LIF` has 1: x']);
  const { diagnostics } = checkModel(
    {
      name: 'model.spike',
      text: `use "spikec/neurons" { TwoCompartment }
        network N { input x: real[4]  output spike(x | linear(3), x | linear(2), TwoCompartment()) }
        config n { network N  coding direct(steps: 4) }`,
    },
    testLoader(),
  );
  expect(diagnostics.map(({ code }) => code)).toContain('model/shape-mismatch');
});

it('T may stand in first values and in arguments of surrogates', () => {
  const { value, diagnostics } = checkModel(
    {
      name: 'model.spike',
      text: `neuron N(theta = 1) {
        state u = theta / T
        charge u = u + x
        fire s = clip(round(u), 0, T)
        reset u = u - s
        surrogate ste(lo: 0, hi: T)
      }`,
    },
    testLoader(),
  );
  expect(diagnostics).toEqual([]);
  const next = random(2);
  const input = Array.from({ length: 8 }, () => 3 * next());
  let u = 1 / 8;
  const wanted = input.map((x) => {
    u += x;
    const s = Math.min(8, Math.max(0, Math.round(u)));
    u -= s;
    return s;
  });
  expect(evaluateNeuron(value!.neurons.get('N')!, {}, input)).toEqual(wanted);
});
