import { numbersOfObject } from '../tensor/index.js';
import type { Box } from './box.js';

/** What a sample's labels say is there. */
export interface TrueObject {
  readonly label: number;
  readonly box: Box;
}

/** The objects of one sample's labels [objects · 5]; rows of class −1 fill them up. */
export function objectsOf(numbers: ArrayLike<number>): readonly TrueObject[] {
  const found: TrueObject[] = [];
  for (let at = 0; at + numbersOfObject <= numbers.length; at += numbersOfObject) {
    const label = numbers[at]!;
    if (label < 0) continue;
    const side = (i: number): number => numbers[at + 1 + i]!;
    found.push({ label, box: [side(0), side(1), side(2), side(3)] });
  }
  return found;
}
