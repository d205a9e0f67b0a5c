import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import type { CompletionItem, Hover } from 'vscode-languageserver-protocol';
import { dataSets, fileForms } from '../../src/base/data-forms.js';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { openDataset } from '../../src/data/index.js';
import { equationFunctions } from '../../src/equations/index.js';
import { layerTable } from '../../src/model/layers/index.js';
import type { Spec } from '../../src/model/schema.js';
import { type SettingBlock, configBlock, innerBlock } from '../../src/model/settings-tree.js';
import { Editor } from './client.js';

/** What the language's tables have, a writer is offered and told of: a new row with neither fails here. */
let editor: Editor;
const uri = pathToFileURL(join(realpathSync(mkdtempSync(join(tmpdir(), 'spikec-lsp-'))), 'm.spike')).href;

beforeEach(async () => {
  editor = await Editor.start();
});

async function offered(text: string): Promise<string[]> {
  const position = await editor.write(uri, text);
  return (await editor.ask<CompletionItem[]>('completion', uri, { position })).map(({ label }) => label);
}

async function hover(text: string): Promise<string> {
  const position = await editor.write(uri, text);
  const found = await editor.ask<Hover | null>('hover', uri, { position });
  return (found?.contents as { value: string } | undefined)?.value ?? '';
}

it('every layer, and every argument of one', async () => {
  const graph = (layer: string): string => `network N { input image: real[1, 8, 8] output image | ${layer} }`;
  expect(await offered(graph('▮'))).toEqual(expect.arrayContaining(Object.keys(layerTable)));
  for (const [name, { parameters }] of Object.entries(layerTable)) {
    expect(await hover(graph(`${name}▮()`)), name).toContain(`\n${name}`);
    const labels = await offered(graph(`${name}(▮)`));
    expect(labels, name).toEqual(expect.arrayContaining(parameters.map((one) => `${one.name}:`)));
  }
}, 60_000);

it('every function of equations', async () => {
  const neuron = (value: string): string => `neuron A { state u = 0 charge u = ${value} fire s = u reset u = u }`;
  expect(await offered(neuron('▮'))).toEqual(expect.arrayContaining(Object.keys(equationFunctions)));
  for (const [name, { doc }] of Object.entries(equationFunctions)) {
    expect(await hover(neuron(`${name}▮(x)`)), name).toContain(doc);
  }
}, 60_000);

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

/** Named things that a setting may be, with the names of their arguments. */
function choices(spec: Spec): [string, readonly string[]][] {
  if (spec.kind === 'choice' || spec.kind === 'sum')
    return Object.entries(spec.of).map(([name, rows]) => [name, rows.map((one) => one.name)]);
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
      if (doc !== undefined) expect(said, name).toContain(doc);
      const value = (text: string): string => around(`${name} ${isList(spec) ? `[${text}]` : text}`);
      const all = choices(spec);
      if (all.length > 0)
        expect(await offered(value('▮')), name).toEqual(expect.arrayContaining(all.map(([one]) => one)));
      for (const [one, args] of all) {
        expect(await hover(value(`${one}▮`)), `${name} ${one}`).toContain(one);
        const labels = await offered(value(`${one}(▮)`));
        expect(labels, `${name} ${one}`).toEqual(expect.arrayContaining(args.map((arg) => `${arg}:`)));
      }
    }
  },
  120_000,
);

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
