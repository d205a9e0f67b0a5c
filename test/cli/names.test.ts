import { expect, it } from 'vitest';
import { costCsv } from '../../src/cli/cost-csv.js';
import { table } from '../../src/cli/table.js';
import type { CostResult } from '../../src/commands/index.js';

it('a layer’s name is no formula in CSV and steers no terminal', () => {
  const names = ['=1+1', '+a', '-b', '@c', 'plain', 'a\u001b[2Jb'];
  const result = { layers: names.map((id) => ({ id })), total: {} } as unknown as CostResult;
  const ids = costCsv(result)
    .split('\n')
    .slice(1, 7)
    .map((line) => line.split(',')[0]);
  expect(ids).toEqual(["'=1+1", "'+a", "'-b", "'@c", 'plain', 'a\ufffd[2Jb']);
  expect(table([['a\u001b[2Jb', '1']], ['left', 'right'])).toBe('a\ufffd[2Jb  1\n');
});
