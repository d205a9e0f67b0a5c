import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { formatText } from '../../src/syntax/index.js';
import { testLoader } from '../support/spike.js';

const folder = new URL('../../docs/tutorials/', import.meta.url);
const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');

describe('the tutorials', () => {
  it.each(pages)('%s builds up a model file that checks without a word and is formatted', (page) => {
    const parts = [...readFileSync(new URL(page, folder), 'utf8').matchAll(/```spike\n([\s\S]*?)```/g)];
    expect(parts.length).toBeGreaterThan(0);
    const text = parts.map((part) => part[1]!).join('\n');
    const { diagnostics } = checkModel({ name: page, text }, testLoader());
    expect(diagnostics.map((one) => `${one.code}: ${one.message}`)).toEqual([]);
    expect(formatText({ name: page, text }).value).toBe(text);
  });

  it('are all in the index', () => {
    const index = readFileSync(new URL('README.md', folder), 'utf8');
    expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([]);
    expect(pages).toHaveLength(9);
  });

  it.each([...pages, 'README.md'])('%s links to files that are there', (page) => {
    const links = [...readFileSync(new URL(page, folder), 'utf8').matchAll(/\]\(([^)#]+)/g)].map((link) => link[1]!);
    expect(links.filter((link) => !existsSync(new URL(link, folder)))).toEqual([]);
  });
});
