import { expect, it } from 'vitest';
import type { CodeAction } from 'vscode-languageserver-protocol';
import { type Code, diagnosticTable } from '../../src/base/diagnostics/index.js';
import { Editor } from './client.js';

const head = 'use "spikec/neurons" { LIF }\n';
const network = 'network N {\n  input x: real[4]\n  output x | linear(2)\n}\n';

/** A text with one fault, and the text after the editor's remedy. */
const mended: readonly (readonly [Code, string, string])[] = [
  ['syntax/character', `# A network.\n${network}`, `// A network.\n${network}`],
  ['syntax/character', network.replace('(2)', '(2);'), network],
  [
    'syntax/character',
    "config c { network onnx('a.onnx') coding sws(steps: 8) }\n",
    'config c { network onnx("a.onnx") coding sws(steps: 8) }\n',
  ],
  [
    'syntax/character',
    'neuron A { state u = 0 charge u = x fire s = u > 0 && x > 0 surrogate atan }\n',
    'neuron A { state u = 0 charge u = x fire s = u > 0 and x > 0 surrogate atan }\n',
  ],
  [
    'syntax/character',
    'neuron A { state u = 0 charge u = x fire s = !(u > 0) surrogate atan }\n',
    'neuron A { state u = 0 charge u = x fire s = not (u > 0) surrogate atan }\n',
  ],
  ['syntax/unclosed', network.replace('\n}\n', '\n'), network.trimEnd() + '\n'],
  [
    'syntax/unclosed',
    `${network.replace('\n}\n', '\n')}\n${network.replace('N', 'M')}`,
    `${network}\n${network.replace('N', 'M')}`,
  ],
  ['syntax/unopened', `${network}}\n`, `${network}\n`],
  ['syntax/unterminated-string', 'use "spikec/neurons\n{ LIF }\n', 'use "spikec/neurons"\n{ LIF }\n'],
  ['syntax/unexpected', network.replace('(2)', '(features = 2)'), network.replace('(2)', '(features: 2)')],
  [
    'syntax/unexpected',
    `${network}config c { network N train { epochs = 3 batch: 4 } }\n`,
    `${network}config c { network N train { epochs 3 batch 4 } }\n`,
  ],
  [
    'syntax/unexpected',
    'neuron A { state u = 0 charge u = x ** 2 fire s = u > 0 surrogate atan }\n',
    'neuron A { state u = 0 charge u = x ^ 2 fire s = u > 0 surrogate atan }\n',
  ],
  ['model/unknown-name', network.replace('linear', 'linaer'), network],
  ['model/not-exported', head.replace('{ LIF', '{ LFI'), head],
  ['model/argument-unknown', network.replace('(2)', '(faetures: 2)'), network.replace('(2)', '(features: 2)')],
  [
    'model/argument-type',
    network.replace('[4]', '[1, 8, 8]').replace('linear(2)', 'conv(2, pad: smae)'),
    network.replace('[4]', '[1, 8, 8]').replace('linear(2)', 'conv(2, pad: same)'),
  ],
  [
    'model/duplicate-name',
    `${head}use "spikec/neurons" { IF as LIF }\n`,
    `${head}use "spikec/neurons" { IF as OtherIF }\n`,
  ],
  ['model/setting-missing', `${network}config c {\n}\n`, `${network}config c {\n  network N\n}\n`],
  [
    'model/setting-missing',
    `${head}${network.replace('linear(2)', 'spike | linear(2)')}config c {\n  network N\n  neuron LIF\n}\n`,
    `${head}${network.replace('linear(2)', 'spike | linear(2)')}config c {\n  network N\n  neuron LIF\n  coding direct(steps: 4)\n}\n`,
  ],
  [
    'model/pattern',
    `${network}config c { network N bits { layer "ouput" { weights 4 } } }\n`,
    `${network}config c { network N bits { layer "output" { weights 4 } } }\n`,
  ],
  ['model/graph-form', network.replace(': real[4]', ''), network.replace('[4]', '[3, 32, 32]')],
  ['model/graph-form', network.replace('real', 'int'), network],
  ['model/graph-form', 'block B {\n  output 1\n}\n', 'block B {\n  input x\n  output 1\n}\n'],
  [
    'model/unknown-name',
    'network N {\n  input x: real[4]\n  a = b | relu\n  b = x | linear(2)\n  output a\n}\n',
    'network N {\n  input x: real[4]\n  b = x | linear(2)\n  a = b | relu\n  output a\n}\n',
  ],
  [
    'model/argument-type',
    `${head}${network.replace('linear(2)', 'spike | linear(2)')}config c {\n  network N\n  neuron LIF(tau: 0.02)\n  coding direct(steps: 4)\n}\n`,
    `${head}${network.replace('linear(2)', 'spike | linear(2)')}config c {\n  network N\n  neuron LIF(tau: 20)\n  coding direct(steps: 4)\n}\n`,
  ],
  [
    'model/unconditional-reset',
    'neuron A { state u = 0 charge u = u + x fire s = u >= 1 reset u = 0 surrogate atan }\n',
    'neuron A { state u = 0 charge u = u + x fire s = u >= 1 reset u = where(s, 0, u) surrogate atan }\n',
  ],
  [
    'model/assignment',
    'neuron A { state u[3] = 0 charge u = u + x fire s = u >= 1 reset u = u - s surrogate atan }\n',
    'neuron A { state u[3] = 0 charge u = u + x fire s = sum(u >= 1) reset u = u - s surrogate atan }\n',
  ],
  [
    'model/conflict',
    `${network}config c { network N bits { weights learn(init: 8, max: 6, target: 2) } }\n`,
    `${network}config c { network N bits { weights learn(init: 6, max: 6, target: 2) } }\n`,
  ],
  [
    'model/argument-missing',
    `${head}${network.replace('linear(2)', 'spike | linear(2)')}config c {\n  network N\n  neuron LIF\n  coding events\n}\n`,
    `${head}${network.replace('linear(2)', 'spike | linear(2)')}config c {\n  network N\n  neuron LIF\n  coding events(steps: 4)\n}\n`,
  ],
  [
    'convert/bad-coding',
    'config c { network onnx("a.onnx")\n}\n',
    'config c { network onnx("a.onnx")\n  coding sws(beta: 2, steps: 8, silent: 2)\n}\n',
  ],
  [
    'convert/bad-coding',
    'config c { network onnx("a.onnx") coding sws(steps: 8, silent: 9) }\n',
    'config c { network onnx("a.onnx") coding sws(steps: 8, silent: 8) }\n',
  ],
  [
    'convert/useless-steps',
    'config c { network onnx("a.onnx") coding ttfs_dynamic(steps: 1) }\n',
    'config c { network onnx("a.onnx") coding ttfs_dynamic(steps: 16) }\n',
  ],
  [
    'convert/bad-coding',
    'config c { network onnx("a.onnx") coding sws(steps: 1) }\n',
    'config c { network onnx("a.onnx") coding sws(steps: 1, silent: 1) }\n',
  ],
  [
    'convert/bad-coding',
    `use "spikec/neurons" { IF }\nconfig c { network onnx("a.onnx") neuron IF(start: 0.5) coding rate(steps: 16) }\n`,
    `use "spikec/neurons" { IF }\nconfig c { network onnx("a.onnx") neuron IF(start: 0.5) coding rate(steps: 16, input: 1) }\n`,
  ],
  [
    'model/setting-missing',
    'use "spikec/neurons" { IF }\nconfig c {\n  network onnx("a.onnx")\n  coding direct(steps: 16)\n}\n',
    'use "spikec/neurons" { IF }\nconfig c {\n  network onnx("a.onnx")\n  coding direct(steps: 16)\n  neuron IF(start: 0.5)\n}\n',
  ],
  [
    'cli/not-lowered',
    'use "spikec/neurons" { IF }\nconfig c { network onnx("a.onnx") neuron IF(start: 0.5) coding sws(steps: 8) }\n',
    'use "spikec/neurons" { IF }\nconfig c { network onnx("a.onnx")  coding sws(steps: 8) }\n',
  ],
  ['model/unused', network.replace('  output', '  h = x | relu\n  output'), network],
];

/** Codes that configs are told of while they are written, beside those of the language itself. */
const ofConfigs = [
  'cli/not-lowered',
  'convert/bad-coding',
  'convert/useless-steps',
  'file/missing',
  'allocate/import-bits',
] as const;

/** Codes of model files whose remedy no editor can carry out by itself, and why. */
const unmendable: Partial<Record<Code, string>> = {
  'file/missing': 'the file may be anywhere',
  'allocate/import-bits': 'the number of bits is the author’s choice',
  'syntax/escape': 'which character was meant is not said',
  'syntax/too-large': 'what goes into which file is the author’s choice',
  'syntax/too-deep': 'an intermediate result needs a name',
  'syntax/too-many-errors': 'it only counts others',
  'model/shadowed-import': 'either of the two may be renamed',
  'model/wrong-kind': 'another thing is needed, which may not be there yet',
  'model/file-not-found': 'the file may be anywhere',
  'model/outside-folder': 'the file has to be copied, or the command line has to allow it',
  'model/argument-twice': 'either of the two values may be meant',
  'model/argument-extra': 'which argument is one too many is not said',
  'model/arithmetic': 'another number is the author’s choice',
  'model/too-many': 'it only counts others',
  'model/setting-twice': 'either of the two values may be meant',
  'model/setting-form': 'the value or the block is the author’s choice',
  'model/config-cycle': 'which config is the first is the author’s choice',
  'model/idle-setting': 'another pattern may be meant, or nothing',
  'model/too-large': 'sizes are the author’s choice',
  'model/shape-mismatch': 'sizes are the author’s choice',
  'model/shape': 'sizes are the author’s choice',
  'model/recursion': 'what a block is made of is the author’s choice',
  'model/cycle-shape': 'sizes are the author’s choice',
  'model/too-big': 'sizes are the author’s choice',
  'model/too-deep': 'what a block is made of is the author’s choice',
  'model/not-a-value': 'another value is needed, which may not be there yet',
  'model/inputs': 'which values go in is the author’s choice',
  'model/unused-parameter': 'uses in other files may give it',
  'model/phase-order': 'equations in another order mean something else',
  'model/missing-phase': 'the equation is the author’s choice',
  'model/no-spike': 'the equation is the author’s choice',
  'model/unused-state': 'a phase may be missing, or the state is one too many',
  'model/equation': 'another equation is the author’s choice',
  'model/surrogate-twice': 'either of the two may be meant',
  'model/planes-twice': 'either of the two may be meant',
  'model/many-unary-planes': 'the neuron may be of another file, and of other uses',
  'model/learn': 'another start is the author’s choice',
  'model/uneven-levels': 'either of two numbers may change',
  'model/empty-levels': 'either of two bounds may be meant',
  'model/levels-not-full': 'either of two numbers may change',
  'model/surrogate-unreached': 'a wider surrogate or a lower threshold: both are choices',
  'model/no-levels': 'numbers of bits are the author’s choice',
  'model/too-many-levels': 'numbers of bits are the author’s choice',
};

it.each(mended)('%s is mended (%#)', async (code, text, after) => {
  const editor = await Editor.start();
  const uri = 'file:///nowhere/m.spike';
  await editor.write(uri, text);
  const found = (await editor.diagnostics(uri)).filter((one) => one.code === code);
  expect(found.length).toBeGreaterThan(0);
  let now = text;
  // one remedy after the other, as long as there is one
  for (let left = found.length + 1; left > 0 && now !== after; left--) {
    const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
    const actions = await editor.ask<CodeAction[]>('codeAction', uri, { range, context: { diagnostics: [] } });
    const action = actions.find(({ diagnostics }) => diagnostics?.[0]?.code === code);
    expect(action, now).toBeDefined();
    now = editor.edited(uri, action!.edit!.changes![uri]!);
    await editor.write(uri, now);
  }
  expect(now).toBe(after);
  expect((await editor.diagnostics(uri)).filter((one) => one.code === code)).toEqual([]);
});

it('every diagnostic of model files has a remedy that an editor carries out, or a reason why not', () => {
  const language = Object.keys(diagnosticTable).filter((code) => /^(syntax|model)\//.test(code));
  const codes = [...language, ...ofConfigs];
  const known = [...new Set(mended.map(([code]) => code)), ...Object.keys(unmendable)];
  expect(known.sort()).toEqual(codes.sort());
});
