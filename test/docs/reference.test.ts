import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { networkReference, passReference } from '../../docs/reference.js';

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

it('docs/network-ir.md is what the table of layers says (npm run docs)', () => {
  expect(page('network-ir.md')).toBe(networkReference());
});

it('docs/passes.md is what the passes do (npm run docs)', () => {
  expect(page('passes.md')).toBe(passReference());
});
