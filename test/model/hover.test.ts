import { expect, it } from 'vitest';
import { checkModel, hoverAt, indexProject, memoryLoader } from '../../src/model/index.js';
import { libraryText } from '../support/spike.js';

const text = `use "spikec/neurons" { LIF }
block Cell(n: int, stride: int = 1) { input x  y = x | conv(n, stride: stride)  output y | spike }
neuron Own(theta = 1) { state u = 0  charge u = u + abs(x)  fire s = u >= theta  reset u = where(s, 0, u) }
network Net { input image: real[1, 8, 8]  stem = image | Cell(4, stride: 2)  output stem | flatten | linear(10) }
config base {
  network Net
  neuron  LIF(tau: 2)
  coding  direct(steps: 3) { layer "stem" { range 2 } }
  bits    { weights learn(init: 4, max: 6, target: 2)  layer "stem" { weights 2 } }
  train   { optimizer sgd(lr: 0.1)  batch 32 }
}
`;

const loader = memoryLoader({ 'spikec/neurons': libraryText('neurons') });
const project = indexProject({ name: 'm.spike', text }, loader)!;
const model = checkModel({ name: 'm.spike', text }, loader).value;

/** What is shown at the first place of a text, at its last character. */
function shown(at: string): string | undefined {
  expect(text).toContain(at);
  return hoverAt(project, model, 'm.spike', text.indexOf(at) + at.length - 1);
}

it('a name shows how it is declared, a parameter its type and default', () => {
  expect(shown('image | Cell')).toBe('block Cell(n: int, stride: int = 1)');
  expect(shown('Cell(4, stride')).toBe('stride: int = 1');
  expect(shown('neuron  LIF')).toMatch(/^neuron LIF\(/);
  expect(shown('>= theta')).toBe('theta = 1');
  expect(shown('state u')).toBe('state u, in `neuron Own(theta = 1)`');
  expect(shown('config base')).toBe('config base');
});

it('a value of a network shows its shape, in its statement as in a pattern', () => {
  expect(shown('  stem')).toBe('value stem: [4, 4, 4], in `network Net`');
  expect(shown('bits    { weights learn(init: 4, max: 6, target: 2)  layer "stem')).toBe(
    'value stem: [4, 4, 4], in `network Net`',
  );
  expect(shown('input image')).toBe('input image: [1, 8, 8], in `network Net`');
  expect(shown('input x  y')).toBe('value y, in `block Cell(n: int, stride: int = 1)`');
});

it('a setting, a choice and an argument show what they say and may be', () => {
  expect(shown(' batch')).toBe('batch: an integer of at least 1; without it: `64`\nimages a step');
  expect(shown('sgd')).toBe('sgd(lr: 0.1, momentum: 0, nesterov: false, weight_decay: 0)\nstochastic gradient descent');
  expect(shown('sgd(lr')).toBe('lr: a number greater than 0; without it: `0.1`\nthe learning rate');
  expect(shown('learn(init: 4, max')).toBe('max: an integer between 1 and 16\nthe greatest number');
  expect(shown('layer "stem" { range')).toMatch(/^range: a number greater than 0\nthe activation/);
  expect(shown('layer "stem" { weights')).toMatch(/bits of weights$/);
  expect(shown('direct(steps')).toBe('steps: an integer between 1 and 4096\nhow many time steps');
  expect(shown('  coding')).toMatch(/^coding: `direct`, `rate`, /);
});

it('a layer shows its arguments, a function of equations what it gives', () => {
  expect(shown('x | conv')).toMatch(/^conv\(channels, kernel/);
  expect(shown('flatten')).toBe('flatten\nany shape → [features], channels slowest');
  expect(shown('abs')).toBe('abs(x)\nx without its sign');
  expect(shown('network Net {')).toBeUndefined();
});
