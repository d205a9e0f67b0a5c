import { expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { expectDiagnostics, testLoader } from '../support/spike.js';

const head = `use "spikec/neurons" { IF, LIF, PLIF, MBLIF, MBIF, MLF, Ternary, BackEI, ILIF, IBLIF, IBRALIF }
  network N { input x: real[4] output x | spike }`;

function said(use: string): unknown {
  const text = `${head} config c { network N neuron ${use} coding direct(1) }`;
  const { diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
  return diagnostics.map(({ code, message, place }) => [
    code,
    message,
    place !== undefined && 'start' in place ? text.slice(place.start, place.end) : undefined,
  ]);
}

const refused: readonly [string, string, string][] = [
  ['MBLIF(theta: 0)', '`theta` of `MBLIF` must be a number greater than 0, not 0', '0'],
  ['MBLIF(theta: -0.6)', '`theta` of `MBLIF` must be a number greater than 0, not -0.6', '-0.6'],
  ['MBLIF(tau: 0)', '`tau` of `MBLIF` must be a number of at least 1, not 0', '0'],
  ['MBLIF(0.3)', '`tau` of `MBLIF` must be a number of at least 1, not 0.3', '0.3'],
  ['MBLIF(tau: fixed(0.3))', '`tau` of `MBLIF` must be a number of at least 1, not 0.3', 'fixed'],
  ['LIF(theta: learn(-1))', '`theta` of `LIF` must be a number greater than 0, not -1', 'learn'],
  ['IF(theta: 0)', '`theta` of `IF` must be a number greater than 0, not 0', '0'],
  ['Ternary(theta: -1)', '`theta` of `Ternary` must be a number greater than 0, not -1', '-1'],
  ['MBLIF(integer: -1, fraction: 3)', '`integer` of `MBLIF` must be an integer of at least 0, not -1', '-1'],
  ['MBLIF(fraction: 40, integer: -38)', '`integer` of `MBLIF` must be an integer of at least 0, not -38', '-38'],
  ['MBIF(fraction: -1)', '`fraction` of `MBIF` must be an integer of at least 0, not -1', '-1'],
  ['ILIF(D: 0)', '`D` of `ILIF` must be an integer of at least 1, not 0', '0'],
  ['IBRALIF(D: 1.5, N: 0)', '`N` of `IBRALIF` must be an integer of at least 1, not 0', '0'],
  ['IBRALIF(D: 0)', '`D` of `IBRALIF` must be a number greater than 0, not 0', '0'],
  ['MLF(k: 0)', '`k` of `MLF` must be an integer of at least 1, not 0', '0'],
];

it.each(refused)('%s is refused where it is written', (use, message, place) => {
  expect(said(use)).toEqual([['model/argument-type', message, expect.stringContaining(place)]]);
});

it.each(['LIF(tau: 1)', 'LIF(tau: 4 / 3)', 'MBLIF(integer: 0, fraction: 2)', 'MLF(k: 1)', 'IBRALIF(D: 0.1, N: 10)'])(
  '%s lies in range',
  (use) => {
    expect(said(use)).toEqual([]);
  },
);

it('a neuron of one’s own declares ranges; its default lies in them', () => {
  const [, , first] = expectDiagnostics(`
    neuron A(a = within(0, above: 0)) { state u = 0 charge u = u + x fire s = u > a } // error: model/argument-type
    neuron B(b: int = within(3, min: 1, max: 4)) { state u = 0 charge u = u + x fire s = u > b }
    network N { input x: real[4] output x | spike }
    config c { network N neuron B(b: 5) coding direct(1) } // error: model/argument-type
    config d { network N neuron B(b: 4) coding direct(1) }`);
  expect(first).toBeUndefined();
});
