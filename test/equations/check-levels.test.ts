import { expect, it } from 'vitest';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { problemsOf } from '../support/problems.js';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { type Model, checkModel } from '../../src/model/index.js';
import { testLoader } from '../support/spike.js';

function modelOf(neuron: string, coding: string): Outcome<Model> {
  const text = `use "spikec/neurons" { IF, ILIF, IBLIF, IBRALIF, MBIF, MBLIF }
    neuron Own(n = 2.5) {
      state u = 0
      charge u = u + x
      fire s = levels(u, integer: n, fraction: 0)
    }
    network N {
      input x: real[4]
      output x | linear(4) | spike | linear(4) | spike | linear(2)
    }
    config c { network N  neuron ${neuron}  coding ${coding} }
    config d extends c { }`;
  return checkModel({ name: 'm.spike', text }, testLoader());
}

/** What `check` says of the file, and compiling it; both say the same. */
function codesOf(neuron: string, coding = 'direct(steps: 2)'): string[] {
  const { value, diagnostics } = modelOf(neuron, coding);
  expect(diagnostics).toEqual([]);
  const found = lowerModel(value!.configs.get('c')!).diagnostics.map(({ code }) => code);
  const checked = problemsOf(value!).map(({ code }) => code);
  expect(found).toEqual(checked);
  return found;
}

it('D·N must be an integer', () => {
  expect(codesOf('IBRALIF(D: 1.55, N: 10)')).toEqual(['model/uneven-levels']);
  expect(codesOf('IBRALIF(D: 0.7, N: 3)')).toEqual(['model/uneven-levels']);
  for (const [d, n] of [
    [1.5, 10],
    [5.11, 100],
    [0.3, 10],
    [0.7, 10],
    [4, 1],
  ]) {
    expect(codesOf(`IBRALIF(D: ${d}, N: ${n})`), `${d}·${n}`).toEqual([]);
  }
});

it('a spike has at least one bit and at most 16', () => {
  expect(codesOf('MBLIF(integer: 0, fraction: 0)')).toEqual(['model/no-levels']);
  expect(codesOf('MBIF(integer: 9, fraction: 8)')).toEqual(['model/too-many-levels']);
  expect(codesOf('MBLIF(integer: 8, fraction: 8)')).toEqual([]);
  expect(codesOf('ILIF(D: 65536)')).toEqual(['model/too-many-levels']);
});

it('many unary planes a spike are remarked on; how full binary ones would be is not their concern', () => {
  expect(codesOf('ILIF(D: 32)')).toEqual([]);
  expect(codesOf('ILIF(D: 33)')).toEqual(['model/many-unary-planes']);
  expect(codesOf('IBLIF(D: 33)')).toEqual([]);
  const { value } = modelOf('ILIF(D: 100)', 'direct(steps: 2)');
  expect(problemsOf(value!).map(({ message }) => message)).toEqual([
    'a spike of `ILIF` is sent in 100 unary planes; 7 binary ones would carry it',
  ]);
});

it('says what would do', () => {
  const help = (neuron: string): unknown =>
    problemsOf(modelOf(neuron, 'direct(steps: 2)').value!).map((one) => one.help);
  const full = '2^B − 1 steps use B bits fully: 15 or 31';
  expect(help('IBRALIF(D: 1.55, N: 10)')).toEqual([
    `15 or 16 steps would do, as with \`D: 1.5\` or \`D: 1.6\`; ${full}`,
  ]);
  expect(help('Own')).toEqual([
    '4 or 5 steps would do, as with `n: 2` or `n: 3`; 2^B − 1 steps use B bits fully: 3 or 7',
  ]);
  expect(help('Own(n: 0)')).toEqual(['raise the upper bound by a step at least, above 0']);
  expect(help('Own(n: -1)')).toEqual(['raise the upper bound above 0, or lower the lower one']);
  expect(help('MBLIF(integer: 0, fraction: 0)')).toEqual(['`integer` + `fraction` must be at least 1']);
  expect(help('MBLIF(integer: 9, fraction: 8)')).toEqual(['`integer` + `fraction` can be 16 at most']);
  expect(help('ILIF(D: 70000)')).toEqual([
    'these are 70000 steps from the lowest to the highest level, 65535 at most: bound them closer or make them larger',
  ]);
});

it('many levels are counted, however many', () => {
  const said = (neuron: string): unknown => problemsOf(modelOf(neuron, 'direct(steps: 2)').value!)[0]?.message;
  const message = (neuron: string, bits: number): string =>
    `the spikes of \`${neuron}\` need ${bits} bits; at most 16 are possible`;
  for (const exponent of [17, 20, 21, 25, 29, 30, 31, 40, 50]) {
    expect(said(`ILIF(D: ${2 ** exponent - 1})`), `${exponent}`).toBe(message('ILIF', exponent));
  }
  expect(said('ILIF(D: 10000000)')).toBe(message('ILIF', 24));
  expect(said('ILIF(D: 1000000000)')).toBe(message('ILIF', 30));
  expect(said('IBRALIF(D: 10000, N: 1000)')).toBe(message('IBRALIF', 24));
});

it('bounds that hold nothing, and widths that are no whole number of bits, are refused', () => {
  expect(codesOf('Own(n: -1)')).toEqual(['model/empty-levels']);
  expect(codesOf('Own(n: 0)')).toEqual(['model/no-levels']);
  expect(codesOf('Own(n: 2)')).toEqual([]);
  expect(codesOf('Own')).toEqual(['model/uneven-levels']);
  const { diagnostics } = modelOf('MBLIF(integer: 1.5, fraction: 1)', 'direct(steps: 2)');
  expect(diagnostics.map(({ code, message }) => [code, /integer/.test(message)])).toEqual([
    ['model/argument-type', true],
  ]);
});

it('D·N that isn’t 2^B − 1 is remarked on, once a place', () => {
  const warned = ['model/levels-not-full'];
  expect(codesOf('IBRALIF(D: 1.4, N: 10)')).toEqual(warned);
  expect(codesOf('IBRALIF(D: 0.5, N: 10)')).toEqual(warned);
  // whole levels are what integer neurons have
  expect(codesOf('ILIF(D: 4)')).toEqual([]);
  const { value } = modelOf('IBRALIF(D: 1.4, N: 10)', 'direct(steps: 2)');
  const [said, ...more] = problemsOf(value!);
  expect([said!.severity, said!.message, more]).toEqual([
    'warning',
    'the spikes of `IBRALIF` have 15 levels; 4 bits could carry 16',
    [],
  ]);
});

it('a coding that networks of layers don’t have is said alone', () => {
  expect(codesOf('IF', 'offset(steps: 8, look: 4)')).toEqual(['cli/not-lowered']);
});

it('ranges are for imported networks', () => {
  expect(codesOf('IF', 'direct(steps: 2) { layer "output" { range 2 } }')).toEqual(['model/conflict']);
});
