import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { formatText } from '../../src/syntax/index.js';
import { testLoader } from '../support/spike.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = ['models', 'examples']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(root, folder, path)),
  )
  .filter((path) => path.endsWith('.spike') && !path.includes('node_modules'));

describe('every model file that is shipped', () => {
  it.each(files.map((path) => relative(root, path)))('%s checks without a word and is formatted', (path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const { diagnostics } = checkModel({ name: path, text }, testLoader());
    expect(diagnostics.map((one) => `${one.code}: ${one.message}`)).toEqual([]);
    expect(formatText({ name: path, text }).value).toBe(text);
  });

  it('is found', () => {
    expect(files.length).toBeGreaterThanOrEqual(2);
  });
});
