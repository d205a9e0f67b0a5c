import type { FieldValue } from './types.js';

/** A number with at most so many digits that people read. */
export function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** A whole number with separators, another with at most six digits. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? value.toLocaleString('en') : shortNumber(value);
}

export function showValue(value: FieldValue, exact = false): string {
  if (value === null) return '–';
  if (typeof value === 'number') return exact ? String(value) : shortNumber(value);
  if (typeof value === 'object') {
    return `[${value.map((v) => (typeof v === 'number' && !exact ? shortNumber(v) : String(v))).join(', ')}]`;
  }
  const text = String(value);
  // types hold numbers too: spike{0..64, step=0.015625}
  const short = exact ? text : text.replaceAll(/\d+\.\d{7,}/g, (digits) => shortNumber(Number(digits)));
  return text === '' ? '""' : short;
}

/** Both values, with all digits where fewer don't tell them apart. */
export function showBoth(from: FieldValue, to: FieldValue): { readonly from: string; readonly to: string } {
  const short = { from: showValue(from), to: showValue(to) };
  return short.from === short.to ? { from: showValue(from, true), to: showValue(to, true) } : short;
}

/** `%a, %b, %c and 17 more` */
export function someOf(ids: readonly string[], most: number): string {
  const shown = ids.slice(0, most).map((id) => `%${id}`);
  const left = ids.length - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} more` : shown.join(', ');
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}

/** `× 1`, `× 0.125`, `× 24.5`; nothing where there is nothing to compare with. */
export function ratio(from: number, to: number): string {
  if (from === to) return '=';
  return from === 0 ? '' : `× ${Number((to / from).toPrecision(3))}`;
}
