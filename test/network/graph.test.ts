import { expect, it } from 'vitest';
import { latencyOf } from '../../src/network/index.js';
import { networkFrom } from '../support/train.js';

const text = (config: string): string => `
  use "spikec/neurons" { LIF, Refined }
  network Tiny {
    input image: real[1, 8, 8]
    a = image | conv(4) | spike
    b = a | conv(4) | spike | conv(4) | spike
    output a + b | flatten | linear(3)
  }
  config tiny { network Tiny  ${config} }`;

it('steps of one coding run at the same time everywhere', () => {
  expect(latencyOf(networkFrom(text('neuron LIF  coding direct(steps: 4)')))).toBe(4);
});

it('squeezed trains are waited for: the latency is the longest path’s sum of steps', () => {
  const bits = 'bits { steps 2  layer "b" { steps 3 } }';
  expect(latencyOf(networkFrom(text(`neuron Refined  coding direct(steps: 1)  ${bits}`)))).toBe(2 + 3 + 3);
});
