import { expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { evaluateNeuron } from '../support/run-neuron.js';
import { libraryText, testLoader } from '../support/spike.js';
import { random } from '../tensor/cases.js';

const { value } = checkModel({ name: 'neurons.spike', text: libraryText('neurons') }, testLoader());
const next = random(12);
const input = Array.from({ length: 200 }, () => 1.2 * next());

it('AdEx is one Euler step a time step of Brette and Gerstner’s equations', () => {
  const [tau, tauW, theta, delta, rheobase, back, a, b] = [2, 8, 1, 0.5, 0.6, -0.2, 0.3, 0.4];
  const args = { tau, tau_w: tauW, theta, sharpness: delta, rheobase, back, a, b };
  const found = evaluateNeuron(value!.neurons.get('AdEx')!, args, input);
  let [u, w] = [back, 0];
  const expected = input.map((x) => {
    u += (x - u + delta * Math.exp((u - rheobase) / delta) - w) / tau;
    const fired = u >= theta;
    w += (a * u - w) / tauW + (fired ? b : 0);
    if (fired) u = back;
    return fired ? 1 : 0;
  });
  expect(found).toEqual(expected);
  const spikes = expected.reduce((sum: number, s) => sum + s, 0);
  expect(spikes).toBeGreaterThan(5);
  expect(spikes).toBeLessThan(150);
  // adaptation: fewer spikes than without
  const without = evaluateNeuron(value!.neurons.get('AdEx')!, { ...args, a: 0, b: 0 }, input);
  expect(without.reduce((sum, s) => sum + s, 0)).toBeGreaterThan(spikes);
});

it('a resonating neuron answers pulses of its own period, and not those of another', () => {
  const def = value!.neurons.get('ResonateAndFire')!;
  const omega = 0.5;
  const period = Math.round((2 * Math.PI) / (2 * Math.asin(omega / 2)));
  const spikes = (every: number): number => {
    const pulses = Array.from({ length: 240 }, (_, t) => (t % every === 0 ? 0.6 : 0));
    return evaluateNeuron(def, { omega, damping: 0.02, theta: 1 }, pulses).reduce((sum, s) => sum + s, 0);
  };
  expect(spikes(period)).toBeGreaterThan(10);
  expect(spikes(Math.round(period / 2))).toBe(0);
});

it('a refractory neuron takes nothing in for so many steps after a spike', () => {
  const def = value!.neurons.get('RefractoryLIF')!;
  const found = evaluateNeuron(def, { tau: 2, theta: 1, rest: 3 }, input);
  let [u, waiting] = [0, 0];
  const expected = input.map((x) => {
    if (waiting > 0) {
      waiting--;
      return 0;
    }
    u = u / 2 + x;
    if (u < 1) return 0;
    [u, waiting] = [0, 3];
    return 1;
  });
  expect(found).toEqual(expected);
  const times = expected.flatMap((s, t) => (s === 1 ? [t] : []));
  expect(times.length).toBeGreaterThan(10);
  expect(Math.min(...times.slice(1).map((t, i) => t - times[i]!))).toBe(4);
});
