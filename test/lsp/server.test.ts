import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  DocumentSymbol,
  FoldingRange,
  Hover,
  InlayHint,
  Location,
  SemanticTokens,
  TextEdit,
  WorkspaceEdit,
} from 'vscode-languageserver-protocol';
import type { ShownGraph } from '../../src/lsp/graph.js';
import { Editor } from './client.js';

const model = `use "spikec/neurons" { LIF }

// A cell.
block Cell(channels: int, kernel = 3) {
  input x
  output x | conv(channels, kernel: kernel) | batchnorm | spike
}

network Small {
  input image: real[1, 8, 8]
  stem = image | Cell(4)
  output stem | flatten | linear(10)
}

config small {
  network Small
  neuron LIF(tau: 2, theta: 1)
  coding direct(steps: 3)
}

config longer extends small { coding direct(steps: 6) }
`;

function folder(files: Readonly<Record<string, string>> = {}): { readonly uri: (name: string) => string } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'spikec-lsp-')));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { uri: (name) => pathToFileURL(join(path, name)).href };
}

/** What is proposed at the cursor. */
async function completions(editor: Editor, text: string): Promise<string[]> {
  const uri = folder().uri('m.spike');
  const position = await editor.write(uri, text);
  return (await editor.ask<CompletionItem[]>('completion', uri, { position })).map(({ label }) => label);
}

it('a document is told what is wrong with it, and nothing once that is mended', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, model.replace('linear(10)', 'linaer(10)').replace('steps: 3', 'steps: 0'));
  const found = await editor.diagnostics(uri);
  expect(found.map(({ code }) => code)).toEqual(['model/unknown-name', 'model/argument-type']);
  expect(found[0]).toMatchObject({
    range: { start: { line: 11, character: 26 }, end: { line: 11, character: 32 } },
    severity: 1,
    source: 'spikec',
    message: expect.stringContaining('did you mean "linear"?') as string,
  });
  await editor.write(uri, model);
  expect(await editor.diagnostics(uri)).toEqual([]);
});

it('what a config needs to be compiled is said while it is written: its ONNX file, a coding that is lowered', async () => {
  const editor = await Editor.start();
  const { uri } = folder();
  await editor.write(uri('m.spike'), 'config a { network onnx("none.onnx") coding sws(steps: 8) }');
  expect((await editor.diagnostics(uri('m.spike'))).map(({ code }) => code)).toEqual(['file/missing']);
  await editor.write(uri('m.spike'), model.replace('direct(steps: 3)', 'ttfs(steps: 3)'));
  expect((await editor.diagnostics(uri('m.spike'))).map(({ code }) => code)).toContain('cli/not-lowered');
});

it('what a change of a neuron does to the configs that have it is said, wherever these have moved to', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  const own = (fire: string): string =>
    `neuron Own { state u = 0  charge u = u + x  fire s = ${fire}  reset u = u - s  surrogate atan }\n${model.replace('LIF(tau: 2, theta: 1)', 'Own').replace('use "spikec/neurons" { LIF }', '')}`;
  const said = async (text: string): Promise<(readonly [unknown, number])[]> => {
    await editor.write(uri, text);
    return (await editor.diagnostics(uri)).map(({ code, range }) => [code, range.start.line] as const);
  };
  expect(await said(own('u >= 1'))).toEqual([]);
  expect(await said(`// moved\n\n${own('u >= 1')}`)).toEqual([]);
  const text = `// moved\n\n\n${own('round(u)')}`;
  const at = text.split('\n').findIndex((line) => line.includes('neuron Own') && !line.includes('state'));
  expect(await said(text)).toContainEqual(['cli/not-lowered', at]);
  expect(await said(`\n${text}`)).toContainEqual(['cli/not-lowered', at + 1]);
  expect(await said(own('u >= 1'))).toEqual([]);
});

it('what another open document says counts before what is on the disk', async () => {
  const editor = await Editor.start();
  const { uri } = folder({ 'parts.spike': 'block Old { input x output x | relu }' });
  const main = 'use "parts.spike" { New }\nnetwork N { input x: real[4] output x | New }\n';
  await editor.write(uri('m.spike'), main);
  expect((await editor.diagnostics(uri('m.spike'))).map(({ code }) => code)).toEqual(['model/not-exported']);
  await editor.write(uri('parts.spike'), 'block New { input x output x | relu }');
  expect(await editor.diagnostics(uri('m.spike'))).toEqual([]);
  await editor.connection.sendNotification('textDocument/didClose', { textDocument: { uri: uri('parts.spike') } });
  expect((await editor.diagnostics(uri('m.spike'))).map(({ code }) => code)).toEqual(['model/not-exported']);
});

it.each([
  ['a slip', 'linaer(10)', 'linear(10)', model.replace('linear(10)', 'linaer(10)'), model],
  ['another tool’s layer', 'dense', 'linear', model.replace('linear(10)', 'dense(10)'), model],
  ['an argument', 'kernle', 'kernel', model.replace('(channels, kernel:', '(channels, kernle:'), model],
  ['a setting', 'netwrok', 'network', model.replace('  network Small\n', '  netwrok Small\n'), model],
  [
    'a neuron of another library name',
    'use',
    'LIF',
    model.replace('use "spikec/neurons" { LIF }\n\n', ''),
    model.replace('\n// A', '// A').replace('}\n// A', '}\n\n// A'),
  ],
  [
    'one more of a library',
    'use',
    'PLIF',
    model.replace('LIF(tau: 2, theta: 1)', 'PLIF'),
    model.replace('LIF(tau: 2, theta: 1)', 'PLIF').replace('{ LIF }', '{ LIF, PLIF }'),
  ],
])('%s is mended by its remedy', async (_, _from, _to, text, mended) => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, text);
  const [first] = await editor.diagnostics(uri);
  const actions = await editor.ask<CodeAction[]>('codeAction', uri, {
    range: first!.range,
    context: { diagnostics: [first] },
  });
  expect(actions).toHaveLength(1);
  expect(actions[0]!.diagnostics![0]!.code).toBe(first!.code);
  const after = editor.edited(uri, actions[0]!.edit!.changes![uri]!);
  expect(after).toBe(mended);
  await editor.write(uri, after);
  expect((await editor.diagnostics(uri)).filter(({ severity }) => severity === 1)).toEqual([]);
});

it('a binding that nothing uses can be taken out', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, model.replace('  stem =', '  more = image | relu\n  stem ='));
  const [first] = await editor.diagnostics(uri);
  expect(first).toMatchObject({ code: 'model/unused', tags: [1] });
  const actions = await editor.ask<CodeAction[]>('codeAction', uri, {
    range: first!.range,
    context: { diagnostics: [] },
  });
  expect(editor.edited(uri, actions[0]!.edit!.changes![uri]!)).toBe(model);
});

it.each<[string, string, readonly string[], readonly string[]]>([
  ['an empty file', '▮', ['use', 'network', 'block', 'neuron', 'config'], ['linear']],
  ['a library', 'use "▮', ['spikec/neurons', 'spikec/blocks'], []],
  ['names of a library', 'use "spikec/neurons" { LIF, ▮ }', ['PLIF', 'MBLIF'], ['LIF']],
  [
    'behind a pipe',
    model.replace('stem | flatten', 'stem | ▮flatten'),
    ['conv', 'linear', 'Cell', 'repeat'],
    ['image', 'LIF'],
  ],
  ['the start of an expression', model.replace('output stem', 'output ▮'), ['image', 'stem'], ['input']],
  ['a statement of a network', model.replace('  stem =', '  ▮\n  stem ='), ['input', 'output', 'image'], ['config']],
  ['arguments of a layer', model.replace('linear(10)', 'linear(10, ▮)'), ['features:', 'bias:'], []],
  ['arguments of a block', model.replace('Cell(4)', 'Cell(▮)'), ['channels:', 'kernel:'], []],
  [
    'parameters of a block',
    model.replace('conv(channels', 'conv(▮'),
    ['channels:', 'channels', 'kernel', 'x'],
    ['image'],
  ],
  ['a value of an argument', model.replace('kernel: kernel)', 'kernel: 3, bias: ▮)'), ['true', 'false'], []],
  [
    'a setting of a config',
    model.replace('  network Small\n', '  network Small\n  ▮\n'),
    ['bits', 'train', 'normalize'],
    ['network'],
  ],
  [
    'a setting of a block',
    model.replace('steps: 3)', 'steps: 3) train { epochs 3 ▮ }'),
    ['batch', 'optimizer'],
    ['epochs', 'network'],
  ],
  ['a coding', model.replace('coding direct(steps: 3)', 'coding ▮'), ['direct', 'rate', 'sws', 'events'], ['linear']],
  ['arguments of a coding', model.replace('steps: 3', '▮'), ['steps:'], ['seed:']],
  ['a neuron', model.replace('neuron LIF(tau: 2, theta: 1)', 'neuron ▮'), ['LIF'], ['Small']],
  ['parameters of a neuron', model.replace('LIF(tau: 2, ', 'LIF(tau: 2, ▮'), ['theta:', 'soft:'], ['tau:']],
  ['a network', model.replace('network Small\n  neuron', 'network ▮\n  neuron'), ['Small', 'onnx'], ['Cell']],
  ['a choice of a setting', model.replace('steps: 3)', 'steps: 3) train { optimizer ▮ }'), ['sgd', 'adamw'], []],
  [
    'arguments of a choice',
    model.replace('steps: 3)', 'steps: 3) train { optimizer sgd(lr: 0.1, ▮) }'),
    ['momentum:'],
    ['lr:'],
  ],
  ['a config to extend', model.replace('longer extends small', 'longer extends ▮'), ['small'], ['Small']],
  [
    'layers of a pattern',
    model.replace('steps: 3)', 'steps: 3) bits { weights 4 layer "▮" { weights 8 } }'),
    ['stem', 'output'],
    ['image'],
  ],
  ['equations', 'neuron A(tau = 2) { state u = 0 charge u = ▮ }', ['u', 'tau', 'x', 'where', 'exp'], ['conv']],
  ['statements of a neuron', 'neuron A(tau = 2) { state u = 0 ▮ }', ['charge', 'fire', 'reset', 'surrogate'], ['conv']],
  ['surrogates', 'neuron A { state u = 0 surrogate ▮ }', ['rectangle', 'atan'], []],
  ['a comment', '// use ▮', [], ['use', 'network']],
])('completion: %s', async (_, text, there, absent) => {
  const labels = await completions(await Editor.start(), text);
  expect(labels).toEqual(expect.arrayContaining([...there]));
  expect(labels.filter((label) => absent.includes(label))).toEqual([]);
});

it('items have places to fill in for editors that know them, and plain text for others', async () => {
  const conv = async (client: object): Promise<CompletionItem> => {
    const editor = await Editor.start(undefined, client);
    const uri = folder().uri('m.spike');
    const position = await editor.write(uri, model.replace('stem | flatten', 'stem | ▮flatten'));
    const items = await editor.ask<CompletionItem[]>('completion', uri, { position });
    return items.find(({ label }) => label === 'conv')!;
  };
  const knows = { textDocument: { completion: { completionItem: { snippetSupport: true } } } };
  expect(await conv(knows)).toMatchObject({ insertText: 'conv(${1:channels})', insertTextFormat: 2 });
  const plain = await conv({});
  expect(plain.insertText).toBe('conv(channels)');
  expect(plain.insertTextFormat).toBeUndefined();
});

it('hovers say what a name is, what a layer costs, and what a setting may be', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  const hover = async (text: string): Promise<string> => {
    const position = await editor.write(uri, text);
    const found = await editor.ask<Hover | null>('hover', uri, { position });
    return (found?.contents as { value: string } | undefined)?.value ?? '';
  };
  expect(await hover(model.replace('| Cell', '| ▮Cell'))).toContain('block Cell(channels: int, kernel = 3)');
  // 10 · 4·8·8 weights and 10 biases
  const linear = await hover(model.replace('linear', 'lin▮ear'));
  expect(linear).toContain('linear(features');
  expect(linear).toContain('2,560 MACs a step, 2,570 parameters');
  expect(await hover(model.replace('steps: 3', 'st▮eps: 3'))).toContain('an integer between 1 and 4096');
});

it('a layer says what it costs in each config that has it, a config what it costs as a whole', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  const hover = async (text: string): Promise<string> => {
    const position = await editor.write(uri, text);
    const found = await editor.ask<Hover | null>('hover', uri, { position });
    return (found?.contents as { value: string } | undefined)?.value ?? '';
  };
  const lines = (await hover(model.replace('linear', 'lin▮ear')))
    .split('\n')
    .filter((line) => line.startsWith('`output'));
  expect(lines[0]).toMatch(/^`output\.linear` in `small`: \[10\] × 3/);
  expect(lines[1]).toMatch(/^`output\.linear` in `longer`: \[10\] × 6/);
  // what is the same in both stands once
  const same = `${model}config other extends small { }\n`;
  expect(await hover(same.replace('linear', 'lin▮ear'))).toContain('in `small`, `other`: [10] × 3');
  // 4·9 + 4 of the convolution, 4 + 4 of batch norm which is folded, 2,570 of the linear layer
  expect(await hover(model.replace('config longer', 'config lon▮ger'))).toMatch(
    /2,6\d\d parameters, .* MACs, S-ACE .*, latency \d+ steps/,
  );
});

it('the graph of the config at the cursor: its layers with their types, where they are written, and those of the line', async () => {
  const editor = await Editor.start();
  const { uri: of } = folder({ 'parts.spike': 'block Part { input x output x | flatten | linear(5) }\n' });
  const uri = of('m.spike');
  const graphAt = async (text: string): Promise<ShownGraph | null> =>
    editor.ask('spikec/graph', uri, { position: await editor.write(uri, text) }, '');
  const text = `use "parts.spike" { Part }\n${model.replace('flatten | linear(10)', 'Part')}`;
  const graph = await graphAt(text.replace('batchnorm', 'batch▮norm'));
  expect(graph!.config).toBe('small');
  expect(graph!.ops.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['image', 'stem.0.output.conv', 'stem.0.output.spike']),
  );
  expect(graph!.ops.find(({ id }) => id === 'stem.0.output.conv')!.type.shape).toEqual([4, 8, 8]);
  expect(graph!.here).toEqual(['stem.0.output.batchnorm']);
  const line = text.split('\n').findIndex((one) => one.includes('batchnorm'));
  expect(graph!.places['stem.0.output.conv']).toMatchObject({ uri, range: { start: { line }, end: { line } } });
  // a block of another file stands there
  expect(Object.values(graph!.places).map((place) => place.uri)).toContain(of('parts.spike'));
  // in a config, this one's: it has its own number of steps
  expect((await graphAt(text.replace('steps: 6', 'steps: ▮6')))!.config).toBe('longer');
  expect(await graphAt('config a { network onnx("a.onnx") }')).toBeNull();
});

it('behind a line stands what its values are: shape, steps, levels', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, model);
  const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
  const hints = await editor.ask<InlayHint[]>('inlayHint', uri, { range });
  expect(hints.map(({ position: { line }, label }) => `${line} ${label as string}`)).toEqual([
    '9 → [1, 8, 8]',
    '5 → [4, 8, 8] × 3 · {0, 1}',
    '11 → [10] × 3',
  ]);
});

it('definitions, references and renaming go across files; what a library defines stays as it is', async () => {
  const editor = await Editor.start();
  const { uri } = folder({ 'parts.spike': 'block Part(n) { input x output x | linear(n) }\n' });
  const main = 'use "parts.spike" { Part }\nnetwork N { input x: real[4] output x | Part(n: 3) }\n';
  await editor.write(uri('m.spike'), main);
  const position = { line: 1, character: main.split('\n')[1]!.indexOf('Part') + 1 };
  const [definition] = await editor.ask<Location[]>('definition', uri('m.spike'), { position });
  expect(definition).toEqual({
    uri: uri('parts.spike'),
    range: { start: { line: 0, character: 6 }, end: { line: 0, character: 10 } },
  });
  const references = await editor.ask<Location[]>('references', uri('m.spike'), {
    position,
    context: { includeDeclaration: true },
  });
  expect(references.map((one) => one.uri)).toEqual([uri('parts.spike'), uri('m.spike'), uri('m.spike')]);
  const edit = await editor.ask<WorkspaceEdit>('rename', uri('m.spike'), { position, newName: 'Piece' });
  expect(editor.edited(uri('m.spike'), edit.changes![uri('m.spike')]!)).toBe(main.replaceAll('Part', 'Piece'));
  expect(edit.changes![uri('parts.spike')]).toHaveLength(1);

  const lif = await editor.write(uri('l.spike'), model.replace('{ LIF }', '{ L▮IF }'));
  expect(await editor.ask('prepareRename', uri('l.spike'), { position: lif })).toBeNull();
  const [library] = await editor.ask<Location[]>('definition', uri('l.spike'), { position: lif });
  expect(library!.uri).toMatch(/models\/neurons\.spike$/);
});

it('outline, folding and formatting', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, model);
  const symbols = await editor.ask<DocumentSymbol[]>('documentSymbol', uri);
  expect(symbols.map(({ name, children }) => [name, ...children!.map((one) => one.name)])).toEqual([
    ['Cell', 'channels', 'kernel', 'x'],
    ['Small', 'image', 'stem'],
    ['small'],
    ['longer'],
  ]);
  const folds = await editor.ask<FoldingRange[]>('foldingRange', uri);
  expect(folds.map(({ startLine, endLine }) => [startLine, endLine])).toEqual([
    [3, 6],
    [8, 12],
    [14, 18],
  ]);
  const edits = await editor.ask<TextEdit[]>('formatting', uri, { options: { tabSize: 2, insertSpaces: true } });
  const formatted = editor.edited(uri, edits);
  expect(formatted).toContain('  neuron  LIF(tau: 2, theta: 1)\n');
  await editor.write(uri, formatted);
  expect(await editor.ask('formatting', uri, { options: { tabSize: 2, insertSpaces: true } })).toEqual([]);
});

it('names are coloured by what they mean', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, 'block B(n) { input x output x | linear(n) }\n');
  const { data } = await editor.ask<SemanticTokens>('semanticTokens/full', uri);
  const { tokenTypes } = editor.initialised.capabilities.semanticTokensProvider!.legend;
  const tokens = Array.from({ length: data.length / 5 }, (_, i) => data.slice(5 * i, 5 * i + 5));
  expect(tokens.map(([, , length, type, modifiers]) => [length, tokenTypes[type!], modifiers])).toEqual([
    [1, 'function', 1],
    [1, 'parameter', 1],
    [1, 'variable', 1],
    [1, 'variable', 0],
    [1, 'parameter', 0],
  ]);
});

it('above a config stand its cost and its commands', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  await editor.write(uri, model);
  const lenses = await editor.ask<CodeLens[]>('codeLens', uri);
  const seen = (lens: CodeLens): Promise<CodeLens> => editor.connection.sendRequest('codeLens/resolve', lens);
  const shown = await Promise.all(lenses.map(async (lens) => (lens.command === undefined ? await seen(lens) : lens)));
  expect(shown.map(({ command }) => command!.title)).toEqual([
    // 4·9 of the convolution and 2,570 of the linear layer; 4·8·8·9 + 2,560 MACs
    expect.stringMatching(/^2,606 parameters · 4,864 MACs · S-ACE /),
    'report',
    expect.stringMatching(/^2,606 parameters/),
    'diff with small',
    'report',
  ]);
  expect(shown[3]!.command!.arguments).toEqual([{ uri, config: 'longer', base: 'small' }]);
});

it('whatever a text is, the server answers', async () => {
  const editor = await Editor.start();
  const uri = folder().uri('m.spike');
  for (const text of [
    '',
    '"',
    '{{{{',
    'network',
    'config a extends a { }',
    '('.repeat(500),
    '\u0000\uFFFF',
    'x'.repeat(262_145),
    model.slice(0, 150),
  ]) {
    const position = await editor.write(uri, text);
    const range = { start: { line: 0, character: 0 }, end: position };
    for (const [method, more] of [
      ['completion', { position }],
      ['hover', { position }],
      ['definition', { position }],
      ['rename', { position, newName: 'a' }],
      ['documentSymbol', {}],
      ['foldingRange', {}],
      ['formatting', { options: { tabSize: 2, insertSpaces: true } }],
      ['codeAction', { range, context: { diagnostics: [] } }],
      ['codeLens', {}],
      ['inlayHint', { range }],
      ['semanticTokens/full', {}],
    ] as const) {
      await expect(editor.ask(method, uri, more), `${method} of ${text.slice(0, 20)}`).resolves.toBeDefined();
    }
  }
});
