import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { copiesOf } from '../../src/workspace/model-copies.js';
import { driver } from '../../src/commands/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const neuron = (name: string): string =>
  `neuron ${name} {\n  state u = 0\n  charge u = u + x\n  fire s = u >= 1\n  reset u = u - s\n  surrogate rectangle(width: 1)\n}\n`;

const files: Readonly<Record<string, string>> = {
  'project/main.spike': `use "./model.spike" { A }
use "parts/b.spike" { B, C as D }
use "../outside/e.spike" { E }
use "spikec/neurons" { LIF }
`,
  'project/model.spike': neuron('A'),
  'project/parts/b.spike': `use "./c.spike" { C as Other }\n${neuron('B')}${neuron('C')}`,
  'project/parts/c.spike': `use "../main.spike" { A as Main }\n${neuron('C')}`,
  'outside/e.spike': `use "./parts/f.spike" { F }\n${neuron('E')}`,
  'outside/parts/f.spike': neuron('F'),
};

function project(): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, 'project', 'main.spike');
}

it('all used files lie in one folder, under names that the texts have', () => {
  const copies = copiesOf({ path: project(), text: files['project/main.spike']!, name: 'model.spike' }, true);
  expect([...copies.keys()].sort()).toEqual([
    'model.spike',
    'parts/b.spike',
    'parts/c.spike',
    'used/e.spike',
    'used/f.spike',
    'used/model.spike',
  ]);
  expect(copies.get('model.spike')).toBe(`use "./used/model.spike" { A }
use "parts/b.spike" { B, C as D }
use "./used/e.spike" { E }
use "spikec/neurons" { LIF }
`);
  expect(copies.get('used/e.spike')).toContain('use "./f.spike" { F }');
  expect(copies.get('parts/b.spike')).toBe(files['project/parts/b.spike']);
  expect(copies.get('parts/c.spike')).toContain('use "../model.spike" { A as Main }');
});

it('the copy checks by itself; without leave nothing from outside is read', async () => {
  const path = project();
  const text = files['project/main.spike']!.replace('{ A }', '{ A as A1 }');
  const folder = temporaryFolder();
  for (const [name, copy] of copiesOf({ path, text, name: 'model.spike' }, true)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), copy);
  }
  const { diagnostics } = await driver.checkFile({ path: join(folder, 'model.spike') }, {});
  const codes = diagnostics.map(({ code }) => code);
  expect(codes).not.toContain('model/file-not-found');
  expect(codes).not.toContain('model/outside-folder');
  const inside = copiesOf({ path, text, name: 'model.spike' }, false);
  expect([...inside.keys()].filter((name) => /[ef]\.spike$/.test(name))).toEqual([]);
  expect(inside.get('model.spike')).toContain('"../outside/e.spike"');
});
