import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describePlace } from '../../src/base/source.js';
import { checkFile } from '../../src/commands/check.js';
import { tinyFloat } from '../support/tiny-onnx.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function codes(path: string, allowOutside = false): Promise<string[]> {
  return (await checkFile({ path }, { allowOutside })).diagnostics.map((d) => d.code);
}

const block = 'block B(n: int) {\n  input x\n  output x | linear(n)\n}\n';

it('a file is checked with what it uses from its folder and from the standard library', async () => {
  const folder = folderWith({
    'net.spike': `use "spikec/neurons" { LIF }
use "./parts/blocks.spike" { B }
network N { input x: real[4]  output x | B(3) | spike | linear(2) }
config base { network N  neuron LIF(tau: 4, theta: 0.6)  coding direct(steps: 4) }
`,
    'parts/blocks.spike': block,
  });
  const { value, diagnostics } = await checkFile({ path: join(folder, 'net.spike') });
  expect(diagnostics).toEqual([]);
  expect(value).toEqual({ networks: ['N'], neurons: [], configs: ['base'] });
});

it('a file that is missing, a folder or no text is a diagnostic', async () => {
  const folder = folderWith({ 'a.spike': '\u00e4' });
  writeFileSync(join(folder, 'b.spike'), Uint8Array.of(0xff, 0xfe));
  expect(await codes(join(folder, 'none.spike'))).toEqual(['file/missing']);
  expect(await codes(folder)).toEqual(['file/is-directory']);
  expect(await codes(join(folder, 'b.spike'))).toEqual(['file/not-text']);
});

it('what is used outside the folder needs a flag, by path and by link', async () => {
  const folder = folderWith({
    'blocks.spike': block,
    'inner/path.spike': 'use "../blocks.spike" { B }\n',
    'inner/link.spike': 'use "./linked.spike" { B }\n',
  });
  symlinkSync(join(folder, 'blocks.spike'), join(folder, 'inner', 'linked.spike'));
  expect(await codes(join(folder, 'inner/path.spike'))).toEqual(['model/outside-folder']);
  expect(await codes(join(folder, 'inner/link.spike'))).toEqual(['model/file-not-found']);
  expect(await codes(join(folder, 'inner/path.spike'), true)).toEqual([]);
  expect(await codes(join(folder, 'inner/link.spike'), true)).toEqual([]);
});

it('an ONNX file behind a link out of the folder needs the flag, too; one inside doesn’t', async () => {
  const folder = folderWith({
    'inner/out.spike': 'config c { network onnx("out.onnx")  coding sws(silent: 2) }\n',
    'inner/in.spike': 'config c { network onnx("in.onnx")  coding sws(silent: 2) }\n',
  });
  for (const name of ['outer.onnx', 'inner/real.onnx']) writeFileSync(join(folder, name), tinyFloat());
  symlinkSync(join(folder, 'outer.onnx'), join(folder, 'inner', 'out.onnx'));
  symlinkSync('real.onnx', join(folder, 'inner', 'in.onnx'));
  expect(await codes(join(folder, 'inner/out.spike'))).toEqual(['model/outside-folder']);
  expect(await codes(join(folder, 'inner/out.spike'), true)).toEqual([]);
  expect(await codes(join(folder, 'inner/in.spike'))).toEqual([]);
});

it('an ONNX file that is not there is reported where it is named', async () => {
  const folder = folderWith({ 'a.spike': 'config c {\n  network onnx("net.onnx")\n  coding sws(steps: 8)\n}\n' });
  const { value, diagnostics } = await checkFile({ path: join(folder, 'a.spike') });
  expect(value).toBeUndefined();
  expect(diagnostics.map((d) => d.code)).toEqual(['file/missing']);
  const [{ place } = {}] = diagnostics;
  expect(place !== undefined && 'source' in place && place.source.text.slice(place.start, place.end)).toContain(
    'net.onnx',
  );
  writeFileSync(join(folder, 'net.onnx'), '');
  // an empty file is there, and no network
  expect(await codes(join(folder, 'a.spike'))).toEqual(['onnx/empty-graph']);
});

it('ten megabytes of brackets are refused at once', async () => {
  const folder = folderWith({ 'a.spike': '('.repeat(10 * 2 ** 20) });
  const before = process.cpuUsage();
  expect(await codes(join(folder, 'a.spike'))).toEqual(['syntax/too-large']);
  const { user, system } = process.cpuUsage(before);
  const taken = (user + system) / 1000;
  expect(taken).toBeLessThan(1000);
});

it('bits that can’t be are found without compiling; settings that reach nothing are said', async () => {
  const config = (name: string, settings: string): string =>
    `config ${name} { network N  neuron Refined  coding direct(steps: 1)  ${settings} }\n`;
  const folder = folderWith({
    'bits.spike': `use "spikec/neurons" { LIF, Refined }
network N { input x: real[1, 8, 8]  a = x | conv(4) | spike  output a | flatten | linear(3) }
${config('fine', 'bits { weights 4 spikes 2 steps 1  layer "a" { weights 3 spikes 3 steps 2 } }')}
${config('lif', 'neuron LIF  bits { spikes 3 }').replace('neuron Refined  ', '')}
${config('unsqueezed', 'bits { steps 2  squeeze false }')}
${config('ranged', 'bits { weights learn(init: 4, max: 6, target: 2)  step_size max }')}
${config('idle', 'bits { weights 4  layer "a.spike" { weights 3 }  layer "a.conv" { spikes 3  steps 2 } }')}
`,
  });
  const { diagnostics, value } = await checkFile({ path: join(folder, 'bits.spike') });
  expect(value).toBeUndefined();
  const lines = diagnostics.map(({ code, place }) => `${/:(\d+):/.exec(describePlace(place!))![1]}: ${code}`);
  expect(lines).toEqual([
    '5: model/conflict',
    '7: model/conflict',
    '9: model/conflict',
    '11: model/idle-setting',
    '11: model/idle-setting',
    '11: model/idle-setting',
  ]);
});

it('a config can be checked by itself: by the rules that it is compiled by, and only it', async () => {
  const folder = folderWith({
    'a.spike': `network N { input x: real[4]  output x | linear(2) }
config plain { network N }
config late  { network onnx("net.onnx")  coding direct(steps: 2) }
config other { network Missing }
`,
    'net.onnx': '',
  });
  const path = join(folder, 'a.spike');
  const told = async (config: string) => (await checkFile({ path, config })).diagnostics.map((d) => d.code);
  expect(await told('other')).toEqual(['model/unknown-name']);
  expect(await told('late')).toEqual(['model/unknown-name', 'model/setting-missing']);
  // what is wrong elsewhere in the file keeps it from compiling too
  expect(await told('plain')).toEqual(['model/unknown-name']);
  writeFileSync(
    path,
    `network N { input x: real[4]  output x | linear(2) }
config plain { network N }
config late  { network onnx("net.onnx")  coding direct(steps: 2) }
`,
  );
  expect(await checkFile({ path, config: 'plain' })).toEqual({
    value: { networks: ['N'], neurons: [], configs: ['plain'] },
    diagnostics: [],
  });
  expect(await told('late')).toEqual(['model/setting-missing']);
  const [unknown] = (await checkFile({ path, config: 'plains' })).diagnostics;
  expect(unknown).toMatchObject({ code: 'cli/unknown-config', help: 'did you mean "plain"? it has plain, late' });
});

const trained = (train: string, network = 'input image: real[3, 32, 32]  output image | flatten | linear(6) | spike') =>
  `use "spikec/neurons" { LIF }
network N { ${network} }
config c { network N  neuron LIF(tau: 2, theta: 1)  coding direct(steps: 2)
  train { data mnist  optimizer sgd  ${train} } }
`;
const row = 'input x: real[8]  output head = x | linear(6) | spike';

it.each([
  ['bins that a head doesn’t have', 'loss yolo(bins: 4)', undefined],
  ['weights of other classes', 'loss cross_entropy(weights: [1, 2])', undefined],
  ['a loss that compares nothing', 'loss firing(target: 0.1)', undefined],
  ['an output that isn’t there', 'loss mse(of: tail)', row],
  ['events that the coding has none of', 'augment [jitter]', undefined],
  ['rows mirrored as images', 'augment [flip]', row],
  ['rows shifted as images', 'augment [crop]', row],
  ['holes in rows', 'augment [erase]', row],
  ['layers that aren’t there', 'freeze ["stem"]', undefined],
  ['groups of layers that aren’t there', 'groups [layers("stem")]', undefined],
])('what training refuses of a model file, its check refuses: %s', async (_, train, network) => {
  const path = join(folderWith({ 'net.spike': trained(train, network) }), 'net.spike');
  const refused = (await checkFile({ path })).diagnostics;
  expect(refused.map(({ severity }) => severity)).toEqual(['error']);
  expect(refused[0]!.place).toBeDefined();
  expect((await checkFile({ path, config: 'c' })).diagnostics.map(({ code }) => code)).toEqual([refused[0]!.code]);
  expect(await codes(join(folderWith({ 'net.spike': trained('', network) }), 'net.spike'))).toEqual([]);
});

it('the ONNX file of a config is read: one that is cut off, no such file, a pattern of no layer', async () => {
  const folder = folderWith({
    'net.spike': `config a { network onnx("net.onnx")  coding sws(steps: 8) }
config b extends a { coding sws(steps: 6) }`,
  });
  const path = join(folder, 'net.spike');
  writeFileSync(join(folder, 'net.onnx'), tinyFloat());
  expect(await codes(path)).toEqual([]);
  writeFileSync(join(folder, 'net.onnx'), tinyFloat().subarray(0, 400));
  // once, although two configs import it
  expect(await codes(path)).toEqual(['onnx/malformed-file']);
  expect((await checkFile({ path, config: 'b' })).diagnostics).toMatchObject([{ code: 'onnx/malformed-file' }]);
  expect((await checkFile({ path })).value).toBeUndefined();
});
