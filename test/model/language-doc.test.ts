import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codings } from '../../src/model/codings.js';
import { equationFunctions } from '../../src/equations/index.js';
import { constantFunctions } from '../../src/model/evaluate.js';
import { layerTable } from '../../src/model/layers/index.js';
import { maxExpansion, surrogates } from '../../src/model/index.js';
import { bitSettings, hardwareSettings, trainSettings } from '../../src/model/settings.js';
import type { Parameter, Spec } from '../../src/model/schema.js';
import { maxBracketDepth, maxSourceLength, parseText } from '../../src/syntax/index.js';
import { tokens } from '../../grammar/index.js';
import { expectDiagnostics, libraryText } from '../support/spike.js';

const page = readFileSync(new URL('../../docs/language.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```spike\n([\s\S]*?)```/g)].map((match) => match[1]!);

/** Every name a parameter's type knows, with those of its arguments. */
function words(spec: Spec): string[] {
  if (spec.kind === 'words') return [...spec.words];
  if (spec.kind === 'list') return words(spec.of);
  if (spec.kind === 'either') return spec.of.flatMap(words);
  if (spec.kind !== 'choice') return [];
  return Object.entries(spec.of).flatMap(([name, { args }]) => [name, ...names(args)]);
}

function names(parameters: readonly Parameter[]): string[] {
  return parameters.flatMap(({ name, spec }) => [name, ...words(spec)]);
}

describe('docs/language.md', () => {
  it('has examples that are right', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
    for (const example of examples) {
      const text = example.startsWith('bits') ? `config a { network onnx("a.onnx")\n${example} }` : example;
      // Patterns need no layer to match in an imported network.
      expectDiagnostics(text);
    }
  });

  it('names every layer, coding, setting, surrogate, function and standard neuron', () => {
    const neurons = parseText({ name: 'neurons', text: libraryText('neurons') }).value!.declarations;
    const all = [
      ...Object.keys(layerTable),
      ...Object.values(layerTable).flatMap((layer) => names(layer.parameters)),
      ...Object.keys(codings),
      ...Object.values(codings).flatMap(({ args }) => names(args)),
      ...names(trainSettings),
      ...names(bitSettings),
      ...names(hardwareSettings),
      ...Object.entries(surrogates).flatMap(([name, args]) => [name, ...Object.keys(args)]),
      ...Object.keys(equationFunctions),
      ...constantFunctions,
      ...tokens.keywords.map((keyword) => keyword.name.toLowerCase()),
      ...neurons.map((neuron) => (neuron.kind === 'neuron' ? neuron.name.text : '')),
    ];
    const missing = all.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
    expect(missing).toEqual([]);
  });

  it('states the limits that hold', () => {
    expect(page).toContain(`${maxSourceLength.toLocaleString('en')} characters`);
    expect(page).toContain(`at most ${maxBracketDepth} deep`);
    expect(page).toContain(`${maxExpansion.toLocaleString('en')} layers`);
  });
});
