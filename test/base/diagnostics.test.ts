import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Code, diagnosticTable } from '../../src/base/diagnostics/index.js';
import { diagnosticsDocument } from '../../src/cli/explain.js';

const codes = Object.keys(diagnosticTable) as Code[];

it('codes are area/kebab-code', () => {
  for (const code of codes) expect(code).toMatch(/^[a-z]+\/[a-z0-9]+(-[a-z0-9]+)*$/);
});

it.each(codes)('%s has a page that says more than its message', (code) => {
  expect(diagnosticTable[code].explain.trim().length).toBeGreaterThan(40);
});

it('every code is expected by some test', () => {
  const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|spike|ir|txt)$/.test(name) && name !== join('base', 'diagnostics.test.ts'))
    .map((name) => readFileSync(join('test', name), 'utf8'))
    .join('\n');
  expect(codes.filter((code) => !tests.includes(code))).toEqual([]);
});

it('docs/diagnostics.md is up to date (npm run docs)', () => {
  expect(readFileSync('docs/diagnostics.md', 'utf8')).toBe(diagnosticsDocument());
});
