import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { type OpRole, opKinds, traitsOf } from '../../src/network/index.js';
import { loweringOf } from '../../src/network/ops/index.js';

const root = new URL('../../src/', import.meta.url).pathname;

/** Where kinds of layers are named because that is what the file is about. */
const tables: readonly string[] = ['network/ops/', 'frontends/onnx/'];

/** Files that name several kinds all the same, and why. */
const allowed: Readonly<Record<string, string>> = {
  'lower/program/carriers/means.ts':
    'the answer of a coding for every kind that has to do with time, exhaustive by its type',
  'lower/program/carriers/stepwise.ts': 'as means.ts',
  'lower/model-to-network/layers.ts': 'kinds of layers of the language, not of the network',
  'passes/network/fold-affine.ts': 'what a shift gives at a border is worked out for convolutions alone',
  'passes/network/means/insert-neurons.ts': 'names roles, some of which are called like kinds',
  'passes/network/sws/pointwise.ts': 'evaluates single layers on single values: what each kind computes',
  'testing/ann-evaluate.ts': 'an evaluator by loops that tests compare with: it must not share what it judges',
};

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : path.endsWith('.ts') ? [path] : [];
  });
}

const kind = `'(?:${opKinds.join('|')})'`;
const sets = [
  // a list of kinds
  new RegExp(`\\[\\s*${kind}\\s*,\\s*${kind}`, 'g'),
  // cases of several kinds in a row
  new RegExp(`case ${kind}:\\s*case ${kind}:`, 'g'),
  // one kind or another
  new RegExp(`kind [!=]== ${kind}\\s*(?:\\|\\||&&)[^;\\n]*kind [!=]== ${kind}`, 'g'),
];

it('no set of kinds of layers is written by hand: passes, costs and lowerings ask a row of the table', () => {
  const found = files(root).flatMap((path) => {
    const file = relative(root, path);
    if (tables.some((folder) => file.startsWith(folder)) || file in allowed) return [];
    // primitives of the Tensor IR have names of their own, some of them alike
    if (/^(?:tensor|backends|engines|equations|syntax|model)\//.test(file)) return [];
    const text = readFileSync(path, 'utf8');
    return sets.flatMap((set) => [...text.matchAll(set)].map(([match]) => `${file}: ${match.replace(/\s+/g, ' ')}`));
  });
  expect(found).toEqual([]);
});

it('the exceptions still have one', () => {
  for (const file of Object.keys(allowed)) {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text.match(new RegExp(`(?:case |=== |\\[)${kind}`)), file).not.toBeNull();
  }
});

it('exactly the kinds whose role a coding gives its meaning are lowered by the carrier', () => {
  const timed: ReadonlySet<OpRole> = new Set([
    'input',
    'encoder',
    'read-out',
    'neurons',
    'whole-input',
    'running-maximum',
    'delay',
    'lag',
    'planes',
    'gather',
    'squeeze',
    'step-mixing',
  ]);
  for (const one of opKinds) {
    expect(loweringOf({ kind: one }).role === 'time', one).toBe(timed.has(traitsOf({ kind: one }).role));
  }
});

it('a layer with weights has its outputs on the first axis of its weight, and says where its windows lie', () => {
  for (const one of opKinds.filter((op) => traitsOf({ kind: op }).role === 'weighted')) {
    const { weights, macs, reach, linear } = traitsOf({ kind: one });
    expect([weights, typeof macs, reach, linear], one).toEqual(['matrix', 'function', 'own', true]);
  }
});
