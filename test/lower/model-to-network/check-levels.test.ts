import { expect, it } from 'vitest';
import { lowerModel } from '../../../src/lower/model-to-network/index.js';
import { checkModel } from '../../../src/model/index.js';
import { testLoader } from '../../support/spike.js';

function codesOf(neuron: string, coding = 'direct(steps: 2)'): string[] {
  const text = `use "spikec/neurons" { IF, ILIF, IBRALIF, MBIF, MBLIF }
    network N {
      input x: real[4]
      output x | linear(4) | spike | linear(4) | spike | linear(2)
    }
    config c { network N  neuron ${neuron}  coding ${coding} }`;
  const { value, diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
  expect(diagnostics).toEqual([]);
  return lowerModel(value!.configs.get('c')!).diagnostics.map(({ code }) => code);
}

it('D·N must be an integer', () => {
  expect(codesOf('IBRALIF(D: 1.55, N: 10)')).toEqual(['model/uneven-levels']);
  expect(codesOf('IBRALIF(D: 0.7, N: 3)')).toEqual(['model/uneven-levels']);
  for (const [d, n] of [
    [1.5, 10],
    [5.11, 100],
    [0.3, 10],
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

it('ranges are for imported networks', () => {
  expect(codesOf('IF', 'direct(steps: 2) { layer "output" { range 2 } }')).toEqual(['model/conflict']);
});
