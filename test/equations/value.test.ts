import { expect, it } from 'vitest';
import { TokenStream } from '../../src/base/tokens.js';
import { parseExpr, valueOf } from '../../src/equations/index.js';

const known = new Map(Object.entries({ a: 3, b: -2, zero: 0 }));
const value = (text: string): number | undefined => valueOf(parseExpr(new TokenStream({ name: 'n.ir', text })), known);

it('an expression of known names is a number, and a truth value is 0 or 1', () => {
  expect(value('a * b + a ^ 2 / 4 - 1')).toBe(-4.75);
  expect([value('a > b'), value('a <= b'), value('a == 3'), value('a != 3')]).toEqual([1, 0, 1, 0]);
  expect([value('not a'), value('not zero'), value('-b')]).toEqual([0, 1, 2]);
  expect([value('a and zero'), value('a and b'), value('zero or zero'), value('zero or b')]).toEqual([0, 1, 0, 1]);
  expect([value('max(a, b)'), value('floor(a / 2)'), value('clip(a, 0, 1)')]).toEqual([3, 1, 1]);
});

it('levels are counted in steps and cut off at their bounds, one of 1 where none is said', () => {
  expect(value('levels(a / 4)')).toBe(0);
  expect(value('levels(a)')).toBe(1);
  expect(value('levels(a - 1, max: 7)')).toBe(2);
  expect(value('levels(a, min: b, max: 4, step: 0.5)')).toBe(2);
  // 0.57 · 100 in floats is 56.99…
  expect(value('levels(100, max: 0.57 * 100)')).toBe(57);
  expect(value('levels(-a, min: b, max: 4, step: 0.5)')).toBe(-1);
});

it('what needs an unknown name is unknown, but for the branch that isn’t taken', () => {
  expect([value('x + a'), value('a and x'), value('max(a, x)'), value('levels(x)')]).toEqual(Array(4).fill(undefined));
  expect([value('-x'), value('levels(a, max: x)'), value('where(x, 1, 2)')]).toEqual(Array(3).fill(undefined));
  expect([value('where(a, 5, x)'), value('where(zero, x, 6)'), value('where(a, x, 6)')]).toEqual([5, 6, undefined]);
});
