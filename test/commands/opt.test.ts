import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { exitCodeOf } from '../../src/cli/exit.js';
import { driver } from '../../src/commands/index.js';
import { NetworkBuilder, encodeWeights, parseNetwork, printNetwork } from '../../src/network/index.js';
import { spikec } from '../cli/fake.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A folder with `net.ir`, a linear layer behind an identity, and its weights. */
function folderWithNet(): { readonly folder: string; readonly file: string } {
  const b = new NetworkBuilder('n');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [2] } });
  b.add({ id: 'i', kind: 'identity', inputs: ['x'] });
  b.param('w', { tensor: tensor('f32', [1, 2], [0.5, -1]) });
  b.add({ id: 'fc', kind: 'linear', inputs: ['i'], params: { weight: 'w' } });
  const network = b.finish(['fc']);
  const folder = temporaryFolder();
  const file = join(folder, 'net.ir');
  writeFileSync(file, printNetwork(network));
  writeFileSync(join(folder, 'weights.safetensors'), encodeWeights(network));
  return { folder, file };
}

async function told(passes: string, options: { readonly printAfter?: string } = {}): Promise<unknown[]> {
  const { diagnostics } = await driver.runPasses(folderWithNet().file, { passes, ...options });
  return [exitCodeOf(diagnostics), ...diagnostics.map(({ code, message, help }) => [code, message, help])];
}

it('passes run in order on the text, and the text that they leave reads back', async () => {
  const { file } = folderWithNet();
  const { value, diagnostics } = await driver.runPasses(file, { passes: 'canonicalise, quantise-weights{bits=2}' });
  expect(diagnostics).toEqual([]);
  expect(value!.passes.map(({ pass }) => pass)).toEqual(['canonicalise', 'quantise-weights']);
  const codes = { tensor: tensor('i8', [1, 2], [1, -2]), quant: { scale: [0.5], zero: [0], axis: 0 } };
  const again = parseNetwork({ name: 'x', text: value!.network }, new Map([['fc.weight.codes', codes]]));
  expect(again.value!.ops.map(({ id }) => id)).toEqual(['x', 'fc']);
});

it('a folder is written with the weights that passes made, and is an input again', async () => {
  const { folder } = folderWithNet();
  writeFileSync(join(folder, 'network.ir'), readFileSync(join(folder, 'net.ir')));
  const outDir = join(temporaryFolder(), 'out');
  const { value } = await driver.runPasses(folder, { passes: 'quantise-weights{bits{"fc": 2}}', outDir });
  expect(value!.files).toEqual(['weights.safetensors', 'network.ir', 'manifest.json']);
  const next = await driver.runPasses(outDir, { passes: 'canonicalise' });
  expect(next.value!.network).toContain('%fc = linear %x {weight_bits=2}');
  // its own folder may be written again, the input's never
  expect((await driver.runPasses(folder, { passes: 'canonicalise', outDir })).diagnostics).toEqual([]);
  const { diagnostics } = await driver.runPasses(folder, { passes: 'canonicalise', outDir: folder });
  expect(diagnostics.map(({ code }) => code)).toEqual(['file/would-replace']);
});

it('the text of a list of passes is refused where it is wrong, with what was meant', async () => {
  expect(await told('canonicalize')).toEqual([
    2,
    ['pass/unknown', 'there is no pass "canonicalize"', 'did you mean "canonicalise"?'],
  ]);
  expect(await told('schedule-time{silnet=2}')).toEqual([
    2,
    ['pass/unknown-option', 'the pass schedule-time has no option "silnet"', 'did you mean "silent"?'],
  ]);
  expect(await told('dead-code{silent=2}')).toEqual([
    2,
    ['pass/unknown-option', 'the pass dead-code has no option "silent"', 'dead-code has no options'],
  ]);
  expect(await told('schedule-time{silent{"a": -1}},to-spikes{beta=0.5,threshold=most}')).toEqual([
    2,
    [
      'pass/option',
      'silent of schedule-time must be a whole number from 0 to 4096, for every layer or by layer, not {…}',
      'for example silent{"stage1.*": 8}',
    ],
    ['pass/option', 'beta of to-spikes must be a number above 1, at most 3, not 0.5', 'for example beta=3'],
    ['pass/option', 'threshold of to-spikes must be `half` or `full`, not "most"', 'for example threshold=half'],
  ]);
  expect(await told('insert-neurons{steps=4}')).toEqual([
    2,
    [
      'pass/option-missing',
      'the pass insert-neurons needs neuron: a type of neuron with numbers as arguments',
      'for example insert-neurons{neuron=IF(start=0.5)}',
    ],
  ]);
});

it.each([
  ['', 'expected a pass, found "end of text"'],
  ['dead-code,', 'expected a pass, found "end of text"'],
  ['dead-code canonicalise', 'expected a comma and another pass, found "canonicalise"'],
  ['schedule-time{silent=}', 'expected a value, found "}"'],
  ['schedule-time{silent=2', 'expected ",", found "end of text"'],
  ['schedule-time{silent{a: 2}}', 'expected the pattern of layers in quotes, such as "stage1.*", found "a:"'],
  ['schedule-time{silent=1,silent=2}', 'silent of schedule-time is given twice'],
  ['schedule-time{silent=#}', 'unexpected character "#"'],
  [`a{b=${'['.repeat(5000)}`, 'expected lists and maps that stand in each other at most 8 deep, found "["'],
])('a list of passes that can’t be read: %s', async (list, message) => {
  const { diagnostics } = await driver.runPasses(folderWithNet().file, { passes: list });
  expect(diagnostics.map((d) => [d.code, d.message])).toEqual([['pass/syntax', message]]);
});

it('a pass on a network that it can’t work on is the user’s error, not a bug', async () => {
  const { folder } = folderWithNet();
  expect(await told('to-spikes')).toMatchObject([1, { 0: 'convert/float-network' }]);
  expect(await told('quantise-weights{bits{"fd": 2}}')).toMatchObject([
    1,
    { 0: 'model/pattern', 2: 'did you mean "fc"?' },
  ]);
  const { diagnostics } = await driver.runPasses(join(folder, 'absent.ir'), { passes: 'dead-code' });
  expect(exitCodeOf(diagnostics)).not.toBe(0);
});

it('prints after a pass that runs; another is unknown', async () => {
  const { file } = folderWithNet();
  const titles: string[] = [];
  const onPrint = (title: string): void => void titles.push(title);
  await driver.runPasses(file, { passes: 'canonicalise,dead-code', printAfter: 'all', onPrint });
  await driver.runPasses(file, { passes: 'canonicalise,dead-code', printAfter: 'dead-code', onPrint });
  expect(titles).toEqual(['after canonicalise', 'after dead-code', 'after dead-code']);
  expect(await told('canonicalise', { printAfter: 'dead-cod' })).toMatchObject([2, { 0: 'cli/unknown-pass' }]);
});

it('on the command line: the text, JSON, the list, and what is missing', async () => {
  const { file } = folderWithNet();
  const list = ['--passes', 'canonicalise'];
  const plain = await spikec(['opt', file, ...list], driver);
  expect([plain.code, plain.out.split('\n')[0], plain.err]).toEqual([0, 'network "n"', '']);
  const json = JSON.parse((await spikec(['opt', file, ...list, '--json'], driver)).out) as object;
  expect(json).toMatchObject({ network: plain.out, passes: [{ pass: 'canonicalise' }], files: [], diagnostics: [] });
  const printed = await spikec(['opt', file, ...list, '--print-after', 'canonicalise'], driver);
  expect(printed.out).toBe(`// after canonicalise\n${plain.out}\n`);
  const listed = await spikec(['opt', '--list'], driver);
  expect(listed.out).toContain('    silent: a whole number from 0 to 4096, for every layer or by layer; without it 2.');
  const options = JSON.parse((await spikec(['opt', '--list', '--json'], driver)).out) as {
    passes: { name: string; options: { name: string; required: boolean }[] }[];
  };
  expect(options.passes.find(({ name }) => name === 'insert-neurons')?.options).toMatchObject([
    { name: 'neuron', required: true },
    { name: 'steps', required: true },
    { name: 'coding', required: false },
    { name: 'encoder', required: false },
    { name: 'ranges', required: false },
  ]);
  expect((await spikec(['opt', file])).code).toBe(2);
  expect((await spikec(['opt', ...list])).code).toBe(2);
  const wrong = await spikec(['opt', file, '--passes', 'dead-cod'], driver);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('--> --passes:1:1')]);
});
