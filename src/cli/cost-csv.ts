import { printable } from './render.js';
import type { CostResult, CostRow } from '../commands/cost.js';

const plain = [
  'id',
  'kind',
  'input',
  'macs',
  'params',
  'weight_bits',
  'spike_bits',
  'steps',
  'bit_budget',
  's_ace',
  's_ace_squeezed',
  'size_bytes',
  'real_macs',
  'ann_bits',
] as const satisfies readonly (keyof CostRow)[];

const measured = ['firing_rate', 'sops', 'energy_pj', 'ns_ace'] as const satisfies readonly (keyof CostRow)[];

/**
 * The layers and the total as CSV (RFC 4180, but lines end with a newline): columns under the keys of `--json`,
 * the measured ones where there was data; a cell without a figure is empty.
 */
export function costCsv({ layers, total, measured: run }: CostResult): string {
  const columns = run === undefined ? plain : [...plain, ...measured];
  const sums: Readonly<Record<string, unknown>> = { id: 'total', ...total };
  const rows = [...layers, sums].map((row) => columns.map((key) => cell((row as Record<string, unknown>)[key])));
  return [columns, ...rows].map((row) => `${row.join(',')}\n`).join('');
}

function cell(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const given = typeof value === 'string' ? printable(value) : '';
  // a spreadsheet takes such a name for a formula
  const text = /^[=+\-@]/.test(given) ? `'${given}` : given;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
