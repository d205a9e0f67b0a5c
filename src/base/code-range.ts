/** Integers from `min` to `max`. */
export interface CodeRange {
  readonly min: number;
  readonly max: number;
}

/** The most codes that one spike train carries. */
const mostCodes = 2 ** 16;

/** `0..255`, `-8..7`; undefined where a text is no such range, or one of more than 65,536 integers. */
export function codeRangeOf(text: string): CodeRange | undefined {
  const [, least, most] = /^\s*([-−]?\d{1,9})\s*\.\.\s*([-−]?\d{1,9})\s*$/.exec(text) ?? [];
  if (least === undefined || most === undefined) return undefined;
  const [min, max] = [least, most].map((digits) => Number(digits.replace('−', '-'))) as [number, number];
  return min < max && max - min < mostCodes ? { min, max } : undefined;
}

/** `0..255` */
export function codeRangeText({ min, max }: CodeRange): string {
  return `${min}..${max}`;
}
