import type { Source } from '../unit.js';
import type { Extent } from './values.js';

/** Whole numbers of 64 bits as flash holds them: in as few bytes as the widest of them needs. */
export const numbersType = `/* Whole numbers, the lowest byte first: of how many bytes, and 1, or 0 where all channels have the same. */
typedef struct {
  const uint8_t *bytes;
  uint8_t each, step;
} spk_numbers;

static int64_t spk_number(const spk_numbers *numbers, uint32_t i) {
  const uint8_t *const bytes = numbers->bytes + i * numbers->step * numbers->each;
  uint32_t k = numbers->each - 1u;
  int64_t value = (int64_t)(bytes[k] ^ 128u) - 128;
  while (k > 0u) value = value * 256 + bytes[--k];
  return value;
}`;

export const biasType = `/* A constant a step: one, one a channel, or one a channel for each class of rows and columns. */
typedef struct {
  spk_numbers values;
  const uint8_t *rows, *columns;
  uint32_t width, classes;
} spk_bias;`;

/** Numbers in flash, as an initializer of `spk_numbers`; where all are the same, one of them. */
export function numbersOf(source: Source, label: string, given: readonly bigint[]): string {
  const values = given.every((value) => value === given[0]) ? given.slice(0, 1) : given;
  let each = 1;
  while (values.some((value) => BigInt.asIntN(8 * each, value) !== value)) each++;
  const bytes = values.flatMap((value) =>
    Array.from({ length: each }, (_, k) => Number(BigInt.asUintN(8, value >> BigInt(8 * k)))),
  );
  return `{${source.numbers('u8', bytes, `${label}: of ${each} bytes`).name}, ${each}, ${values.length > 1 ? 1 : 0}}`;
}

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
  const numbers = (values: readonly bigint[]): string => numbersOf(source, `bias of ${id}`, values);
  if (!wide) {
    const values = Array.from({ length: channels }, (_, c) => at(c, 0));
    return `static const spk_bias bias = {${numbers(values)}, 0, 0, 1, 1};`;
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
  return `static const spk_bias bias = {${numbers(values)}, ${r}, ${c}, ${width}, ${columns.first.length}};`;
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
