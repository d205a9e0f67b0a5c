import pc from 'picocolors';
import { type Table, diffJson, ratio } from '../diff/index.js';
import { printable } from './render.js';
import { table } from './table.js';
import type { DiffMatrix, DiffResult } from '../commands/diff.js';

const costs = { macs: 'MACs', s_ace: 'S-ACE', size_bytes: 'bytes', latency_steps: 'latency' } as const;

/** A row a configuration: what differs from the base, and what that costs. */
export function matrixTable({ base, configs }: DiffMatrix): Table {
  const head = [`against ${base}`, 'changed', 'added', 'removed', 'renamed', 'parameters', ...Object.values(costs)];
  const rows = configs.map((row) =>
    'result' in row ? [row.config, ...figures(row.result)] : [row.config, 'not compiled'],
  );
  return { head, rows };
}

function figures({ view: { diff, cost } }: DiffResult): readonly string[] {
  const changed = new Set(diff.changed.map(({ id }) => id)).size;
  const weights = diff.weights.filter(({ equal }) => !equal).length;
  const sides = Object.keys(costs).map((name) => cost[name] ?? { from: 0, to: 0 });
  return [
    ...[changed, diff.added.length, diff.removed.length, diff.renamed.length, weights].map(String),
    ...sides.map(({ from, to }) => ratio(from, to)),
  ];
}

export function matrixText(matrix: DiffMatrix, colour: boolean): string {
  const c = pc.createColors(colour);
  const { head, rows } = matrixTable(matrix);
  const [first = '', ...lines] = table(
    [head, ...rows],
    head.map((_, i) => (i === 0 ? 'left' : 'right')),
  ).split('\n');
  const errors = matrix.configs.flatMap((row) =>
    'error' in row ? [`${row.config}: ${c.red(printable(row.error))}\n`] : [],
  );
  return `${c.bold(first)}\n${lines.join('\n')}${errors.length === 0 ? '' : `\n${errors.join('')}`}`;
}

export function matrixJson({ base, configs }: DiffMatrix): object {
  return {
    identical: configs.every((row) => 'result' in row && row.result.identical),
    base,
    configs: configs.map((row) =>
      'result' in row ? { config: row.config, ...diffJson(row.result.view), identical: row.result.identical } : row,
    ),
  };
}
