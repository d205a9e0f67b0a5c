import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { codings } from '../../src/model/codings.js';
import { libraryText } from '../support/spike.js';

const doc = readFileSync(new URL('../../docs/neurons.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

/** `NAME(parameters)` of every neuron of the standard library, on one line. */
const signatures = [...libraryText('neurons').matchAll(/^neuron (\w+)\(((?:[^()]|\([^()]*\))*)\) \{/gm)].map(
  ([, name, parameters]) => [name!, `${name}(${parameters!.replaceAll(/\s+/g, ' ').replace(/^ |,? $/g, '')})`] as const,
);

it('finds the neurons of the standard library', () => {
  expect(signatures.length).toBe(libraryText('neurons').match(/^neuron /gm)!.length);
});

it.each(signatures)('docs/neurons.md has %s as it is declared', (name, signature) => {
  expect(doc).toContain(`| [${name}](#`);
  // in code, so that a line may break in it
  expect(doc).toContain(`\`${signature}\``);
});

it.each(Object.keys(codings))('docs/neurons.md has the coding %s', (name) => {
  expect(doc).toContain(`| \`${name}\` |`);
});
