import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Network, parseNetwork, printNetwork } from '../../src/network/index.js';
import { damagedText, fixedNetwork, learningNetwork, ownBitsNetwork, useText, withValues } from '../support/damage.js';
import { randomNetwork } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

const networks: readonly (readonly [string, Network])[] = [
  ['with learned bits', learningNetwork()],
  ['with fixed bits', fixedNetwork()],
  ['whose neuron learns bits of its own', ownBitsNetwork()],
  ['of a conversion', convert(randomNetwork(3, 2), sws()).spiking],
  ['of a quantised ANN', randomNetwork(3, 3)],
];

describe.each(networks)('a network %s', (_, network) => {
  it('is read, counted and lowered as it is', () => {
    expect(useText(printNetwork(network), network.params)).toEqual([]);
  });
  it('with any attribute or parameter of an op removed or changed ends in diagnostics', () => {
    fc.assert(
      fc.property(damagedText(network), (text) => {
        useText(text, network.params);
      }),
      { numRuns: 150 },
    );
  });
  it('with any parameter of one value throughout ends in diagnostics', () => {
    const names = fc.constantFrom(...network.params.keys());
    const value = fc.constantFrom(NaN, Infinity, -Infinity, 0, -5, 1e30);
    fc.assert(
      fc.property(names, value, (name, put) => {
        const text = printNetwork(network);
        useText(text, withValues(network, name, put));
      }),
      { numRuns: 60 },
    );
  });
});

const learning = learningNetwork();
const fixed = fixedNetwork();

/** The first problem of the text with an edit, its op and what is to be done. */
function problemOf(network: Network, from: string | RegExp, to: string, params = network.params) {
  const text = printNetwork(network);
  const edited = text.replace(from, to);
  if (from !== '') expect(edited).not.toBe(text);
  const { diagnostics } = parseNetwork({ name: 'network.ir', text: edited }, params);
  for (const { place, message } of diagnostics) {
    if (place === undefined || !('start' in place)) throw new Error(`no place in the text: ${message}`);
    expect(message.split(' ')[0]).toBe(edited.slice(place.start, place.end));
  }
  return diagnostics.map(({ code, message, help }) => `${code}: ${message}${help === undefined ? '' : ' / help'}`)[0];
}

const spiking = convert(randomNetwork(3, 2), sws()).spiking;

it.each([
  [
    'an encoder of another coding',
    fixed,
    'encode %image {coding=direct',
    'encode %image {coding=events',
    /^network\/invalid: %\S+ has coding events, the network direct$/,
  ],
  [
    'an encoder without what its digits follow from',
    spiking,
    /(encode %\S+ \{.*)beta=2, /,
    '$1',
    /^network\/invalid: %\S+ misses its attribute beta, which coding sws has$/,
  ],
  [
    'a read-out without the weight of its steps',
    spiking,
    /(decode %\S+ \{coding=sws), beta=2/,
    '$1',
    /^network\/invalid: %\S+\.readout misses its attribute beta, which coding sws has$/,
  ],
  [
    'learned bits without a bound',
    learning,
    ', bits_max=6',
    '',
    '%coded.spike learns `bits` (parameter coded.spike.bits) without a bound: attribute bits_max is missing / help',
  ],
  [
    'learned weight bits without a bound',
    learning,
    ', weight_bits_max=6',
    '',
    '%first.conv learns `weight_bits` (parameter first.conv.weight_bits) without a bound: ' +
      'attribute weight_bits_max is missing / help',
  ],
  [
    'learned steps without a bound',
    learning,
    ' {steps_max=3}',
    '',
    '%coded.spike.squeeze learns `steps` (parameter coded.spike.steps) without a bound: ' +
      'attribute steps_max is missing / help',
  ],
  [
    'a step size without bits',
    learning,
    ', weight_bits=first.conv.weight_bits',
    '',
    '%first.conv has a step size of weights (parameter first.conv.weight_step), but no bits / help',
  ],
  [
    'bits without a step size',
    learning,
    'weight_step=first.conv.weight_step, ',
    '',
    '%first.conv learns `weight_bits` (parameter first.conv.weight_bits) without a step size / help',
  ],
  [
    'a neuron without the bits it learns',
    learning,
    'Refined(bits =',
    'Refined(bitz =',
    '%coded.spike learns `bits`, but its neuron Refined has no parameter of this name / help',
  ],
  [
    'bits that are many numbers',
    learning,
    'bits=coded.spike.bits',
    'bits=first.batchnorm.gamma',
    '%coded.spike learned `bits` (parameter first.batchnorm.gamma) must be one number, is 4',
  ],
  [
    'a bound too high',
    learning,
    'weight_bits_max=6',
    'weight_bits_max=2000',
    '%first.conv attribute weight_bits_max must be a whole number from 1 to 16, is 2000',
  ],
  [
    'negative weight bits',
    fixed,
    /weight_bits=\d/,
    'weight_bits=-1',
    '%first.conv attribute weight_bits must be a whole number from 1 to 16, is -1',
  ],
  [
    'too many weight bits',
    fixed,
    /weight_bits=\d/,
    'weight_bits=40',
    '%first.conv attribute weight_bits must be a whole number from 1 to 16, is 40',
  ],
  ['a list of bits', fixed, / bits=\d/, ' bits=[1, 2]', '%coded.spike attribute bits must be a number'],
  [
    'a step size that is no number',
    fixed,
    / theta=[^,]*/,
    ' theta=NaN',
    '%coded.spike its step size `theta` (attribute theta) must be finite and above 0, is NaN',
  ],
] as const)('reading refuses %s', (_, network, from, to, expected) => {
  const found = problemOf(network, from, to);
  if (typeof expected === 'string') expect(found).toBe(`network/invalid: ${expected}`);
  else expect(found).toMatch(expected);
});

it.each([
  ['coded.spike.bits', NaN, '%coded.spike learned `bits` (parameter coded.spike.bits) must be finite, is NaN'],
  [
    'coded.spike.steps',
    NaN,
    '%coded.spike.squeeze learned `steps` (parameter coded.spike.steps) must be finite, is NaN',
  ],
  [
    'first.conv.weight_bits',
    Infinity,
    '%first.conv learned `weight_bits` (parameter first.conv.weight_bits) must be finite, is Infinity',
  ],
  [
    'first.conv.weight_step',
    NaN,
    '%first.conv its step size `weight_step` (parameter first.conv.weight_step) must be finite and above 0, is NaN',
  ],
  [
    'coded.spike.theta',
    0,
    '%coded.spike its step size `theta` (parameter coded.spike.theta) must be finite and above 0, is 0',
  ],
] as const)('reading refuses %s of %d', (name, value, expected) => {
  const problem = problemOf(learning, '', '', withValues(learning, name, value));
  expect(problem).toBe(`network/invalid: ${expected} / help`);
});

it('reading refuses scales of weights that are no numbers', () => {
  const params = new Map(
    [...fixed.params].map(([name, param]) => {
      const { quant } = param;
      return [name, quant === undefined ? param : { ...param, quant: { ...quant, scale: quant.scale.map(() => NaN) } }];
    }),
  );
  expect(problemOf(fixed, '', '', params)).toMatch(
    /^network\/invalid: %first\.conv scales .* must be finite, one is NaN/,
  );
});

it('a text that begins with no token is refused there', () => {
  const { diagnostics } = parseNetwork({ name: 'network.ir', text: '\u0000' }, new Map());
  expect(diagnostics.map(({ code }) => code)).toEqual(['network/ir-syntax']);
  expect(diagnostics[0]!.place).toMatchObject({ start: 0 });
});

it('reading refuses equations with an argument too few, whatever asks for their levels', () => {
  const text = printNetwork(spiking);
  // each call in the equations, without its last argument
  const calls = [...text.matchAll(/(?:where|clip|levels|min|max|floor|abs)\([^()]*, [^()]*\)/g)];
  expect(calls.length).toBeGreaterThan(0);
  for (const { index, 0: call } of calls) {
    const damaged = text.slice(0, index) + call.replace(/, [^,()]*\)$/, ')') + text.slice(index + call.length);
    const { value, diagnostics } = parseNetwork({ name: 'network.ir', text: damaged }, spiking.params);
    expect(value).toBeUndefined();
    expect(diagnostics.map(({ message }) => message)).toContainEqual(expect.stringMatching(/argument\(s\) instead of/));
  }
});
