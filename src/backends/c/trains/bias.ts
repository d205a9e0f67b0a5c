import type { Source } from '../unit.js';
import type { Extent } from './values.js';

export const biasType = `/* A constant a step: one, one a channel, or one a channel for each class of rows and columns. */
typedef struct {
  const spk_i64 *values;
  const uint8_t *rows, *columns;
  uint32_t width, classes, step;
} spk_bias;`;

/**
 * A layer's constant as a C definition of `bias`. Where it differs from place to place (what a border of the image adds), rows that are
 * alike share their numbers, and columns.
 */
export function biasOf(
  source: Source,
  id: string,
  [channels, height, width]: Extent,
  wide: boolean,
  at: (channel: number, pixel: number) => bigint,
): string {
  const numbers = (values: readonly bigint[]): string => source.numbers('i64', values, `bias of ${id}`).name;
  if (!wide) {
    const values = Array.from({ length: channels }, (_, c) => at(c, 0));
    const alike = values.every((value) => value === values[0]);
    const name = numbers(alike ? values.slice(0, 1) : values);
    return `static const spk_bias bias = {${name}, 0, 0, 1, 1, ${alike ? 0 : 1}};`;
  }
  const row = (y: number): string =>
    Array.from({ length: channels * width }, (_, i) => at(i % channels, y * width + Math.floor(i / channels))).join();
  const column = (x: number): string =>
    Array.from({ length: channels * height }, (_, i) => at(i % channels, Math.floor(i / channels) * width + x)).join();
  const [rows, columns] = [classesOf(height, row), classesOf(width, column)];
  const values = rows.first.flatMap((y) =>
    columns.first.flatMap((x) => Array.from({ length: channels }, (_, c) => at(c, y * width + x))),
  );
  const [r, c] = [rows, columns].map(
    ({ of }, i) => source.numbers('u8', of, `${i === 0 ? 'rows' : 'columns'} of ${id}`).name,
  );
  return `static const spk_bias bias = {${numbers(values)}, ${r}, ${c}, ${width}, ${columns.first.length}, 1};`;
}

/** Which of the lines are alike: the first of each class, and the class of each. */
function classesOf(
  count: number,
  line: (i: number) => string,
): { readonly first: readonly number[]; readonly of: readonly number[] } {
  const first: number[] = [];
  const known = new Map<string, number>();
  const of = Array.from({ length: count }, (_, i) => {
    const text = line(i);
    const found = known.get(text) ?? first.length;
    if (found === first.length) {
      first.push(i);
      known.set(text, found);
    }
    return found;
  });
  return { first, of };
}
