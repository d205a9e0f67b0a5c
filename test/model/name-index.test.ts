import { expect, it } from 'vitest';
import { indexNames } from '../../src/model/index.js';
import { parseWhatHolds } from '../../src/syntax/index.js';

const text = `use "spikec/neurons" { LIF, PLIF as Learned }
block Cell(n: int, m: int = n) {
  input x
  y = x | conv(n) | spike(Learned)
  output y | conv(m)
}
neuron Own(theta = 1) {
  state u = 0
  charge u = u + x
  fire s = u >= theta
  reset u = where(s, 0, u)
}
network Net(k: int = 2) {
  input x: real[k, 8, 8]
  output x | Cell(k, m: 3) | flatten
}
config a { network Net(k: 3) neuron Own(theta: 2) coding direct(steps: 2) }
config b extends a { neuron LIF(tau: 2) }`;

const { symbols, definitionAt } = indexNames(parseWhatHolds({ name: 'm.spike', text }).value!);

/** The offset of the nth mention of a word. */
function at(word: string, nth = 1): number {
  return [...text.matchAll(new RegExp(`\\b${word}\\b`, 'g'))][nth - 1]!.index;
}

it('every mention of a name leads to its definition', () => {
  for (const [word, mention, definition] of [
    ['Cell', 2, 1],
    ['Learned', 2, 1],
    ['LIF', 2, 1],
    ['Net', 2, 1],
    ['Own', 2, 1],
    ['theta', 2, 1],
    ['theta', 3, 1],
    ['u', 3, 1],
    ['u', 6, 1],
    ['s', 2, 1],
    ['m', 2, 1],
    ['m', 3, 1],
    ['n', 2, 1],
    ['k', 2, 1],
    ['k', 4, 1],
    ['y', 2, 1],
    ['a', 2, 1],
  ] as const) {
    expect(definitionAt(at(word, mention))?.span.start, `${word} ${mention}`).toBe(at(word, definition));
  }
  // each x is its own graph's; a neuron's x is given
  expect(definitionAt(at('x', 2))?.span.start).toBe(at('x', 1));
  expect(definitionAt(at('x', 5))?.span.start).toBe(at('x', 4));
  expect(definitionAt(at('x', 3))).toBeUndefined();
  expect(definitionAt(at('conv'))).toBeUndefined();
});

it('every name of the file is a symbol, with what it stands in and where it is mentioned', () => {
  const list = symbols.map(
    ({ name, kind, within }) => `${within === undefined ? '' : `${within.name}.`}${name} ${kind}`,
  );
  expect(list).toEqual([
    ...['LIF import', 'Learned import', 'Cell block', 'Cell.n parameter', 'Cell.m parameter', 'Cell.x input'],
    ...['Cell.y value', 'Own neuron', 'Own.theta parameter', 'Own.u state', 'Own.s value', 'Net network'],
    ...['Net.k parameter', 'Net.x input', 'a config', 'b config'],
  ]);
  const k = symbols.find(({ name }) => name === 'k')!;
  expect(k.references.map(({ start }) => start)).toEqual([at('k', 2), at('k', 3), at('k', 4)]);
});

it('damaged declarations are left out, the others are indexed', () => {
  const broken = text.replace('input x\n', 'input = x\n');
  const index = indexNames(parseWhatHolds({ name: 'm.spike', text: broken }).value!);
  expect(index.symbols.map(({ name }) => name)).not.toContain('Cell');
  expect(index.definitionAt(broken.indexOf('Net(k: 3)'))?.span.start).toBe(broken.indexOf('Net('));
});
