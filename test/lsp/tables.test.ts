import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import type { CompletionItem, Hover } from 'vscode-languageserver-protocol';
import { dataSets, fileForms } from '../../src/base/data-forms.js';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { openDataset } from '../../src/data/index.js';
import {
  equationFunctions,
  planeDocs,
  planeForms,
  surrogateArgumentDocs,
  surrogateTable,
} from '../../src/equations/index.js';
import { layerTable } from '../../src/model/layers/index.js';
import { libraryFiles } from '../../src/model/library-files.js';
import { argumentForms, defaultForms } from '../../src/model/neuron-parameters.js';
import type { Setting, Spec } from '../../src/model/schema.js';
import { type SettingBlock, configBlock, innerBlock } from '../../src/model/settings-tree.js';
import { parseText } from '../../src/syntax/index.js';
import { libraryText } from '../support/spike.js';
import { Editor } from './client.js';

/** What the language's tables have, a writer is offered and told of: a new row with neither fails here. */
let editor: Editor;
const uri = pathToFileURL(join(realpathSync(mkdtempSync(join(tmpdir(), 'spikec-lsp-'))), 'm.spike')).href;

beforeEach(async () => {
  editor = await Editor.start();
});

async function items(text: string): Promise<CompletionItem[]> {
  const position = await editor.write(uri, text);
  return editor.ask<CompletionItem[]>('completion', uri, { position });
}

async function offered(text: string): Promise<string[]> {
  return (await items(text)).map(({ label }) => label);
}

async function hover(text: string): Promise<string> {
  const position = await editor.write(uri, text);
  const found = await editor.ask<Hover | null>('hover', uri, { position });
  return (found?.contents as { value: string } | undefined)?.value ?? '';
}

/** A sentence says more than a name. */
function sentence(doc: string | undefined, of: string): string {
  expect((doc ?? '').length, of).toBeGreaterThan(8);
  expect(doc, of).not.toBe(of);
  return doc!;
}

function words(spec: Spec): readonly string[] {
  if (spec.kind === 'words') return spec.words;
  if (spec.kind === 'either') return spec.of.flatMap(words);
  return spec.kind === 'list' ? words(spec.of) : [];
}

it('every layer, and every argument of one, with what it is', async () => {
  const graph = (layer: string): string => `network N { input image: real[1, 8, 8] output image | ${layer} }`;
  expect(await offered(graph('▮'))).toEqual(expect.arrayContaining(Object.keys(layerTable)));
  for (const [name, { parameters, doc }] of Object.entries(layerTable)) {
    expect(await hover(graph(`${name}▮()`)), name).toContain(`\n${name}`);
    expect(await hover(graph(`${name}▮()`)), name).toContain(sentence(doc, name));
    const found = await items(graph(`${name}(▮)`));
    for (const one of parameters) {
      const said = sentence(one.doc, `${name} ${one.name}`);
      expect(found.find(({ label }) => label === `${one.name}:`)?.detail, name).toContain(said);
      expect(await hover(graph(`${name}(${one.name}▮: 1)`)), name).toContain(said);
      for (const word of words(one.spec))
        expect(await hover(graph(`${name}(${one.name}: ${word}▮)`)), `${name} ${word}`).toContain(said);
    }
  }
  const told = new Map((await items(graph('▮'))).map((one) => [one.label, one.documentation]));
  for (const [name, { doc }] of Object.entries(layerTable)) expect(told.get(name), name).toBe(doc);
});

it('every function of equations', async () => {
  const neuron = (value: string): string => `neuron A { state u = 0 charge u = ${value} fire s = u reset u = u }`;
  expect(await offered(neuron('▮'))).toEqual(expect.arrayContaining(Object.keys(equationFunctions)));
  for (const [name, { doc }] of Object.entries(equationFunctions)) {
    expect(await hover(neuron(`${name}▮(x)`)), name).toContain(doc);
  }
});

/** The blocks of settings with what stands around what is in them. */
function blocks(): [string, SettingBlock, (inside: string) => string][] {
  const found: [string, SettingBlock, (inside: string) => string][] = [
    ['config', configBlock, (inside) => `config c { ${inside} }`],
  ];
  for (const name of ['train', 'bits', 'hardware'] as const) {
    const block = innerBlock(configBlock, name)!;
    found.push([name, block, (inside) => `config c { ${name} { ${inside} } }`]);
    const layer = innerBlock(block, 'layer');
    if (layer !== undefined)
      found.push([`${name}, layer`, layer, (inside) => `config c { ${name} { layer "a" { ${inside} } } }`]);
  }
  return found;
}

/** Named things that a setting may be, with what they are and their arguments. */
function choices(spec: Spec): [string, { readonly doc: string; readonly args: readonly Setting[] }][] {
  if (spec.kind === 'choice' || spec.kind === 'sum') return Object.entries(spec.of);
  if (spec.kind === 'either') return spec.of.flatMap(choices);
  return spec.kind === 'list' ? choices(spec.of) : [];
}

const isList = (spec: Spec): boolean => spec.kind === 'list' || (spec.kind === 'either' && spec.of.some(isList));

it.each(blocks())(
  'every setting of %s, all that it may be, and every argument of that',
  async (_, block, around) => {
    expect(await offered(around('▮'))).toEqual(expect.arrayContaining(block.rows.map(({ name }) => name)));
    for (const { name, spec, doc } of block.rows) {
      const said = await hover(around(`${name}▮ x`));
      expect(said, name).toContain(name);
      expect(said, name).toContain(sentence(doc, name));
      const value = (text: string): string => around(`${name} ${isList(spec) ? `[${text}]` : text}`);
      const all = choices(spec);
      if (all.length > 0)
        expect(await offered(value('▮')), name).toEqual(expect.arrayContaining(all.map(([one]) => one)));
      for (const word of words(spec)) expect(await hover(value(`${word}▮`)), `${name} ${word}`).toContain(doc);
      const told = new Map((await items(value('▮'))).map((one) => [one.label, one.documentation]));
      for (const [one, { doc: what, args }] of all) {
        const place = `${name} ${one}`;
        expect(await hover(value(`${one}▮`)), place).toContain(sentence(what, place));
        expect(told.get(one), place).toBe(what);
        const found = await items(value(`${one}(▮)`));
        for (const arg of args) {
          const text = sentence(arg.doc, `${place} ${arg.name}`);
          expect(found.find(({ label }) => label === `${arg.name}:`)?.detail, place).toContain(text);
          expect(await hover(value(`${one}(${arg.name}▮: 1)`)), place).toContain(text);
          for (const word of words(arg.spec))
            expect(await hover(value(`${one}(${arg.name}: ${word}▮)`)), `${place} ${word}`).toContain(text);
        }
      }
    }
  },
  120_000,
);

it('every surrogate and every argument of one, every form of planes', async () => {
  const neuron = (text: string): string => `neuron A { state u = 0 charge u = x fire s = u >= 1 ${text} }`;
  const told = new Map((await items(neuron('surrogate ▮'))).map((one) => [one.label, one.documentation]));
  for (const [name, { doc, args }] of Object.entries(surrogateTable)) {
    expect(await hover(neuron(`surrogate ${name}▮`)), name).toContain(sentence(doc, name));
    expect(told.get(name), name).toContain(doc);
    for (const arg of Object.keys(args)) {
      const what = sentence(surrogateArgumentDocs[arg as keyof typeof surrogateArgumentDocs], arg);
      expect(await hover(neuron(`surrogate ${name}(${arg}▮: 1)`)), `${name} ${arg}`).toContain(what);
    }
  }
  for (const form of planeForms)
    expect(await hover(neuron(`planes ${form}▮`)), form).toContain(sentence(planeDocs[form], form));
});

it('every form of a neuron’s argument and of its default', async () => {
  const real = { kind: 'real' } as const;
  const use = 'use "spikec/neurons" { LIF }\n';
  const inConfig = (text: string): string => `${use}config c { neuron LIF(tau: ${text}) }`;
  const inGraph = (text: string): string =>
    `${use}network N { input x: real[4] output x | linear(2) | spike(LIF(tau: ${text})) }`;
  const asDefault = (text: string): string => `neuron A(a = ${text}) { state u = 0 charge u = a fire s = u }`;
  expect(await offered(inConfig('▮'))).toEqual(expect.arrayContaining(Object.keys(argumentForms(real))));
  for (const [around, forms] of [
    [inConfig, argumentForms(real)],
    [inGraph, argumentForms(real)],
    [asDefault, defaultForms(real)],
  ] as const)
    for (const [name, { doc, args }] of Object.entries(forms)) {
      expect(await hover(around(`${name}▮(1)`)), around('')).toContain(sentence(doc, name));
      for (const arg of args) {
        const said = sentence(arg.doc, arg.name);
        expect(await hover(around(`${name}(${arg.name}▮: 1)`)), around(name)).toContain(said);
      }
    }
});

it('every neuron and block of the library, by the comment above it', async () => {
  for (const file of libraryFiles) {
    const text = libraryText(file);
    for (const one of parseText({ name: file, text }).value!.declarations) {
      if (one.kind !== 'neuron' && one.kind !== 'block') continue;
      const name = one.name.text;
      const said = await hover(`use "spikec/${file}" { ${name}▮ }`);
      const above = text.slice(0, one.span.start).trimEnd().split('\n').at(-1)!;
      expect(above, name).toMatch(/^\/\/ /);
      expect(said, name).toContain(above.replace('// ', ''));
    }
  }
});

it('every data set and every form of data, which are those that --data takes', async () => {
  const names = [...Object.keys(dataSets), ...Object.keys(fileForms)];
  expect(await offered('config c { train { data ▮ } }')).toEqual(expect.arrayContaining(names));
  for (const [name, doc] of Object.entries(dataSets))
    expect(await hover(`config c { train { data ${name}▮ } }`), name).toContain(doc);
  for (const [form, doc] of Object.entries(fileForms))
    expect(await hover(`config c { train { data "${form}▮" } }`), form).toContain(doc);
  const help = (): string | undefined => {
    try {
      openDataset('zzzzzzzz');
      return undefined;
    } catch (error) {
      return error instanceof DiagnosticError ? error.diagnostics[0]!.help : String(error);
    }
  };
  expect(help()).toContain(`sets are ${Object.keys(dataSets).join(', ')} (`);
  expect(help()).toContain(`files are ${Object.keys(fileForms).join(', ')}`);
});
