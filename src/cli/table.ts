import { printable } from './render.js';

/** Rows in columns two spaces apart, without trailing spaces. */
export function table(cells: readonly (readonly string[])[], alignment: readonly ('left' | 'right')[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = alignment.map((_, c) => Math.max(0, ...rows.map((row) => (row[c] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => (alignment[c] === 'right' ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
