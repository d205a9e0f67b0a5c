import { expect, it } from 'vitest';
import { sameNumbers } from './same-numbers.js';

const numbers = (at: number, value: number): number[] =>
  Array.from({ length: 40 }, (_, i) => (i === at ? value : i / 3));

it('says that long arrays of the same numbers are the same, and leaves all else to toEqual', () => {
  expect(sameNumbers(numbers(7, Number.NaN), numbers(7, Number.NaN))).toBe(true);
  expect(sameNumbers(Float32Array.from(numbers(7, 1)), Float32Array.from(numbers(7, 1)))).toBe(true);
  expect(sameNumbers(new BigInt64Array(40), new BigInt64Array(40))).toBe(true);
  expect(sameNumbers(numbers(39, 1), numbers(39, 2))).toBeUndefined();
  expect(sameNumbers(numbers(7, 0), numbers(7, -0))).toBeUndefined();
  expect(sameNumbers(numbers(7, 1), Float64Array.from(numbers(7, 1)))).toBeUndefined();
  expect(sameNumbers(Float32Array.from(numbers(7, 1)), Float64Array.from(numbers(7, 1)))).toBeUndefined();
  expect(sameNumbers(Array(40).fill('a'), Array(40).fill('a'))).toBeUndefined();
  expect(sameNumbers(numbers(7, 1), [...numbers(7, 1), 1])).toBeUndefined();
});

it('is what toEqual asks, within objects too', () => {
  expect({ a: numbers(7, 1) }).toEqual({ a: numbers(7, 1) });
  expect({ a: numbers(7, 1) }).not.toEqual({ a: numbers(7, 2) });
  expect({ a: numbers(7, 0) }).not.toEqual({ a: numbers(7, -0) });
});
