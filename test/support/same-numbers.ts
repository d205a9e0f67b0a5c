/** Arrays of this length or more are compared number by number: `toEqual` makes a string of every index. */
const long = 32;

type Numbers = ArrayLike<number | bigint> & object;

function isNumbers(value: unknown): value is Numbers {
  if (Array.isArray(value)) return value.length >= long;
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && (value as unknown as Numbers).length >= long;
}

/**
 * For `expect.addEqualityTesters`: whether two long arrays of numbers, plain or typed, are the same, as `toEqual` says it (0
 * isn't −0). Only a yes is said; all else, and what differs, is the business of `toEqual`.
 */
export function sameNumbers(a: unknown, b: unknown): true | undefined {
  // one and the same: toEqual sees that at once
  if (a === b || !isNumbers(a) || !isNumbers(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b))
    return undefined;
  if (a.length !== b.length) return undefined;
  const isTyped = ArrayBuffer.isView(a);
  for (let i = 0; i < a.length; i++) {
    if ((!isTyped && typeof a[i] !== 'number') || !Object.is(a[i], b[i])) return undefined;
  }
  return true;
}
