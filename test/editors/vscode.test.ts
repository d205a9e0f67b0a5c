import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createProtocolConnection } from 'vscode-languageserver-protocol/node';
import { Editor } from '../lsp/client.js';

let folder = '';
let manifest: {
  readonly main: string;
  readonly browser: string;
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly grammars: readonly { readonly path: string }[];
    readonly snippets: readonly { readonly path: string }[];
    readonly languages: readonly { readonly configuration: string }[];
  };
};

/** Packs the extension and unpacks it as an editor does. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spikec-vscode-'));
  const vsix = join(folder, 'spikec.vsix');
  const { status, stderr } = spawnSync(process.execPath, ['editors/vscode/pack.mjs', vsix], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(vsix)))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  manifest = JSON.parse(readFileSync(join(folder, 'extension', 'package.json'), 'utf8')) as typeof manifest;
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('everything that the manifest names is in the package', () => {
  const { contributes, main, browser } = manifest;
  const paths = [
    main,
    browser,
    ...contributes.grammars.map(({ path }) => path),
    ...contributes.snippets.map(({ path }) => path),
    ...contributes.languages.map(({ configuration }) => configuration),
  ];
  for (const path of paths) expect(readFileSync(join(folder, 'extension', path)).length).toBeGreaterThan(0);
  expect(readFileSync(join(folder, 'extension.vsixmanifest'), 'utf8')).toContain('Id="spikec"');
});

it('the packed server runs by itself and knows the standard library', async () => {
  const child = spawn(process.execPath, [join(folder, 'extension', 'out', 'server.mjs')], { cwd: folder });
  const editor = await Editor.over(createProtocolConnection(child.stdout, child.stdin));
  await editor.write('untitled:Untitled-1', 'use "spikec/neurons" { LFI }\n');
  const [found] = await editor.diagnostics('untitled:Untitled-1');
  expect(found!.message).toContain('did you mean "LIF"?');
  child.kill();
}, 30_000);

it('both forms of the extension register every command of the manifest', () => {
  const named = manifest.contributes.commands.map(({ command }) => command);
  for (const path of [manifest.main, manifest.browser]) expect(registeredBy(path).sort()).toEqual(named.sort());
});

/** The commands that a packed extension registers in an editor of which nothing else is there. */
function registeredBy(path: string): string[] {
  const file = join(folder, 'extension', path);
  const registered: string[] = [];
  const commands = { registerCommand: (command: string) => void registered.push(command) };
  const editor: Readonly<Record<string, unknown>> = { commands, version: '1.100.0' };
  const vscode = new Proxy(editor, { get: (_, name: string) => editor[name] ?? whatever() });
  const load = createRequire(file);
  const module = { exports: {} as { activate(context: object): Promise<void> } };
  const run = compileFunction(readFileSync(file, 'utf8'), ['require', 'module', 'exports', 'Worker']) as (
    ...globals: unknown[]
  ) => void;
  run((id: string): unknown => (id === 'vscode' ? vscode : load(id)), module, module.exports, whatever());
  // the server doesn't start
  module.exports.activate({ subscriptions: [], extensionUri: whatever() }).catch(() => undefined);
  return registered;
}

/** A value that may be read, called, made and extended, and gives such values. */
function whatever(): unknown {
  const one: object = new Proxy(function () {}, {
    get: (target, name) => {
      if (name === 'prototype') return target.prototype as object;
      if (name === Symbol.toPrimitive) return () => '';
      return name === 'then' || name === Symbol.iterator ? undefined : whatever();
    },
    apply: () => whatever(),
    construct: (_, __, made) =>
      made === one ? (whatever() as object) : (Reflect.construct(Object, [], made) as object),
  });
  return one;
}

it('every snippet is a text that holds, with its places filled in', async () => {
  const { checkModel, memoryLoader } = await import('../../src/core.js');
  const library = { 'spikec/neurons': readFileSync('models/neurons.spike', 'utf8') };
  const snippets = JSON.parse(readFileSync('editors/vscode/snippets.json', 'utf8')) as Record<
    string,
    { body: string[] }
  >;
  for (const [name, { body }] of Object.entries(snippets)) {
    const filled = body.join('\n').replaceAll(/\$\{\d+:([^}]*)\}/g, '$1');
    const text = name === 'Learned bits' ? modelWith(filled) : filled;
    const { diagnostics } = checkModel({ name: 'm.spike', text }, memoryLoader(library), {});
    expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([]);
  }
});

function modelWith(bits: string): string {
  return `
    use "spikec/neurons" { Refined }
    network N { input image: real[1, 8, 8] output image | conv(4) | spike | flatten | linear(10) }
    config c { network N neuron Refined coding direct(steps: 2) ${bits} }
  `;
}
