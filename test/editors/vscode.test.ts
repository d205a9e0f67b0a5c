import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createProtocolConnection } from 'vscode-languageserver-protocol/node';
import { GraphFollower, graphHtml } from '../../editors/vscode/graph-follower.js';
import type { FromGraphPage, ToGraphPage } from '../../editors/vscode/graph-messages.js';
import type { ShownGraph } from '../../src/lsp/graph.js';
import { Editor } from '../lsp/client.js';
import { seriousViolations } from '../support/axe.js';
import { hasChromium, launchChromium, patience } from '../support/chromium.js';

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
});

it('both forms of the extension register every command of the manifest', () => {
  const named = manifest.contributes.commands.map(({ command }) => command);
  for (const path of [manifest.main, manifest.browser]) expect(registeredBy(path).sort()).toEqual(named.sort());
});

const graphText = `network N {
  input image: real[1, 8, 8]
  stem = image | conv(4) | relu
  output stem | flatten | linear(3)
}
config c { network N }
`;

it('the graph follows the cursor and goes where a chosen layer is written; what is drawn isn’t sent again', async () => {
  const editor = await Editor.start();
  const uri = 'file:///nowhere/m.spike';
  const posts: ToGraphPage[] = [];
  const revealed: unknown[] = [];
  const follower = new GraphFollower({
    ask: (document, position) => editor.ask('spikec/graph', document, { position }, ''),
    post: (message) => void posts.push(message),
    reveal: (place) => void revealed.push(place),
  });
  const follow = async (text: string): Promise<void> => follower.follow(uri, await editor.write(uri, text));
  await follow(graphText.replace('relu', '▮relu'));
  expect(posts.map(({ kind }) => kind)).toEqual(['graph', 'here']);
  expect(posts[1]).toEqual({ kind: 'here', ids: ['stem.relu'] });
  await follow(graphText.replace('lin', 'lin▮'));
  expect(posts.slice(2)).toEqual([{ kind: 'here', ids: ['output.linear'] }]);
  await follow(graphText.replace('conv(4)', 'conv(▮8)'));
  expect(posts.slice(3).map(({ kind }) => kind)).toEqual(['graph', 'here']);
  // while it is being written it holds no network: the last one stays
  await follow(graphText.replace('conv(4)', 'conv(▮'));
  expect(posts).toHaveLength(5);
  follower.receive({ kind: 'chosen', id: 'output.linear' });
  follower.receive({ kind: 'chosen', id: 'constructor' });
  expect(revealed).toEqual([
    expect.objectContaining({ uri, range: { start: { line: 3, character: 26 }, end: { line: 3, character: 35 } } }),
  ]);
  follower.receive({ kind: 'ready' });
  expect(posts.slice(5).map(({ kind }) => kind)).toEqual(['graph', 'here']);
});

it.skipIf(!hasChromium('the graph’s page'))(
  'the graph’s page draws a network, marks the layers at the cursor, and says which one is clicked',
  async () => {
    const editor = await Editor.start();
    const uri = 'file:///nowhere/m.spike';
    const position = await editor.write(uri, graphText.replace('relu', '▮relu'));
    const graph = (await editor.ask<ShownGraph | null>('spikec/graph', uri, { position }, ''))!;
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    await page.addInitScript(() => {
      const said: unknown[] = [];
      Object.assign(globalThis, { said, acquireVsCodeApi: () => ({ postMessage: (one: unknown) => said.push(one) }) });
    });
    const said = (): Promise<FromGraphPage[]> => page.evaluate('said');
    const script = readFileSync(join(folder, 'extension', 'out', 'graph-page.js'), 'utf8');
    await page.route('http://panel.test/**', async (route) => {
      const isScript = route.request().url().endsWith('.js');
      await route.fulfill(
        isScript
          ? { contentType: 'text/javascript', body: script }
          : { contentType: 'text/html', body: graphHtml('http://panel.test/graph-page.js', 'http://panel.test') },
      );
    });
    await page.goto('http://panel.test/');
    expect(await said()).toEqual([{ kind: 'ready' }]);
    const send = (message: ToGraphPage): Promise<void> => page.evaluate(`postMessage(${JSON.stringify(message)}, '*')`);
    await send({ kind: 'graph', config: graph.config, ops: graph.ops });
    await send({ kind: 'here', ids: graph.here });
    await page.locator('.op.chosen').waitFor();
    expect(await page.locator('.op').count()).toBe(graph.ops.length);
    expect(await page.locator('.op.chosen').textContent()).toContain('stem.relu');
    await page.locator('.op').filter({ hasText: 'stem.conv' }).click();
    await page.locator('.op').filter({ hasText: 'output' }).last().press('Enter');
    expect((await said()).slice(1)).toEqual([
      { kind: 'chosen', id: 'stem.conv' },
      { kind: 'chosen', id: graph.ops.findLast(({ id }) => id.startsWith('output'))!.id },
    ]);
    expect(await seriousViolations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  },
  patience,
);

it.skipIf(!hasChromium('the packed server of the web extension'))(
  'the packed server of the web extension answers as a worker of a browser: diagnostics, fixes, hovers, completion, the graph',
  async () => {
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const script = readFileSync(join(folder, 'extension', manifest.browser, '..', 'server-web.js'), 'utf8');
    await page.route('http://editor.test/**', async (route) => {
      const isScript = route.request().url().endsWith('.js');
      await route.fulfill(
        isScript
          ? { contentType: 'text/javascript', body: script }
          : { contentType: 'text/html', body: '<title>a</title>' },
      );
    });
    await page.goto('http://editor.test/');
    await page.evaluate(`
      const worker = new Worker('server-web.js');
      const waiting = new Map();
      const told = [];
      worker.onmessage = ({ data }) => {
        if (data.method === undefined) waiting.get(data.id)?.(data.result);
        else told.push(data);
      };
      worker.onerror = ({ message }) => told.push({ method: 'failed', params: message });
      globalThis.said = told;
      globalThis.tell = (method, params) => worker.postMessage({ jsonrpc: '2.0', method, params });
      globalThis.ask = (method, params) =>
        new Promise((resolve) => {
          const id = waiting.size + 1;
          waiting.set(id, resolve);
          worker.postMessage({ jsonrpc: '2.0', id, method, params });
        });`);
    const ask = <T>(method: string, params: object): Promise<T> =>
      page.evaluate(`ask(${JSON.stringify(method)}, ${JSON.stringify(params)})`);
    const tell = (method: string, params: object): Promise<void> =>
      page.evaluate(`tell(${JSON.stringify(method)}, ${JSON.stringify(params)})`);
    await ask('initialize', { processId: null, rootUri: null, capabilities: {} });
    await tell('initialized', {});
    const uri = 'file:///m.spike';
    const text = graphText.replace('linear', 'linaer');
    await tell('textDocument/didOpen', { textDocument: { uri, languageId: 'spike', version: 1, text } });
    await page.waitForFunction("said.some(({ method }) => method === 'textDocument/publishDiagnostics')");
    const said: { method: string; params: { diagnostics?: { code: string }[] } }[] = await page.evaluate('said');
    expect(said.filter(({ method }) => method === 'failed')).toEqual([]);
    expect(said.flatMap(({ params }) => params.diagnostics ?? []).map(({ code }) => code)).toEqual([
      'model/unknown-name',
    ]);
    const textDocument = { uri };
    const range = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
    const [fix] = await ask<{ edit: { changes: Record<string, { newText: string }[]> } }[]>('textDocument/codeAction', {
      textDocument,
      range,
      context: { diagnostics: [] },
    });
    expect(fix!.edit.changes[uri]![0]!.newText).toBe('linear');
    await tell('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ text: graphText }] });
    const position = { line: 2, character: graphText.split('\n')[2]!.indexOf('conv') + 1 };
    const hover = await ask<{ contents: { value: string } }>('textDocument/hover', { textDocument, position });
    expect(hover.contents.value).toContain('convolution of [C, H, W]');
    const items = await ask<{ label: string }[]>('textDocument/completion', { textDocument, position });
    expect(items.map(({ label }) => label)).toContain('maxpool');
    expect((await ask<ShownGraph>('spikec/graph', { textDocument, position })).here).toEqual(['stem.conv']);
  },
  patience,
);

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
