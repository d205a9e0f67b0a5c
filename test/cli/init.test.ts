import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkFile } from '../../src/commands/check.js';
import { costOf } from '../../src/commands/cost.js';
import { copyExample, exampleNames } from '../../src/commands/examples.js';
import { nextRun, starterModel } from '../../src/commands/init.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { spikec } from './fake.js';

const init = (...args: string[]) => spikec(['init', ...args], { starterModel, nextRun, copyExample, exampleNames });

interface Written {
  readonly file: string;
  readonly configs: readonly string[];
  readonly next: readonly { readonly command: string; readonly what: string }[];
}

it('writes a model file that checks, costs and says what to do next', async () => {
  const folder = temporaryFolder();
  const { code, out, err } = await init(join(folder, 'digits'));
  expect([code, err]).toEqual([0, '']);
  const file = join(folder, 'digits.spike');
  expect(out.startsWith(`${file}\n\nNext:\n  spikec check ${file} `)).toBe(true);
  expect(readdirSync(folder)).toEqual(['digits.spike']);
  expect(await checkFile({ path: file })).toMatchObject({ diagnostics: [], value: { configs: ['leaky', 'multibit'] } });
  for (const config of ['leaky', 'multibit']) {
    const { value, diagnostics } = await costOf({ path: file, config }, {});
    expect(diagnostics).toEqual([]);
    expect(value!.total.params).toBeGreaterThan(1000);
  }
});

it('NAME, NAME.spike, a folder and DIR/ say where the file goes', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'here'));
  const places = [
    ['a', 'a.spike'],
    ['b.spike', 'b.spike'],
    ['here', 'here/starter.spike'],
    ['new/', 'new/starter.spike'],
    ['deep/er', 'deep/er.spike'],
  ] as const;
  for (const [name, expected] of places) {
    const { code, out } = await init('--json', `${folder}/${name}`);
    expect(code).toBe(0);
    const { file, configs, next } = JSON.parse(out) as Written;
    expect([file, configs]).toEqual([join(folder, expected), ['leaky', 'multibit']]);
    expect(next.map(({ command }) => command.split(' ')[1])).toEqual(['check', 'train', 'eval', 'cost', 'diff']);
    expect(readFileSync(file, 'utf8')).toContain('config leaky');
  }
});

it('never overwrites: a file, a link, even one that leads nowhere', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mine.spike'), 'precious');
  symlinkSync(join(folder, 'mine.spike'), join(folder, 'link.spike'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling.spike'));
  const before = readdirSync(folder);
  for (const name of ['mine', 'link', 'dangling']) {
    const { code, err, out } = await init(join(folder, name));
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`error[file/exists]: there is a file "${join(folder, `${name}.spike`)}" already`);
    expect(err).toContain('help: choose another name');
  }
  expect(readFileSync(join(folder, 'mine.spike'), 'utf8')).toBe('precious');
  expect(readdirSync(folder)).toEqual(before);
});

it('what it says to evaluate is the run folder that the training will take', async () => {
  const folder = temporaryFolder();
  const from = process.cwd();
  const evaluated = async (name: string): Promise<string> => {
    const { next } = JSON.parse((await init('--json', name)).out) as Written;
    return next.find(({ command }) => command.startsWith('spikec eval '))!.command.split(' ')[2]!;
  };
  process.chdir(folder);
  try {
    expect(await evaluated('a/')).toBe('runs/starter-leaky');
    for (const run of ['starter-leaky', 'starter-leaky-2']) {
      mkdirSync(join('runs', run, 'checkpoint'), { recursive: true });
      writeFileSync(join('runs', run, 'checkpoint/state.safetensors'), '');
    }
    expect(await evaluated('b/')).toBe('runs/starter-leaky-3');
    expect(await evaluated('other')).toBe('runs/other-leaky');
  } finally {
    process.chdir(from);
  }
});

it('quotes names that a shell would split; --quiet prints nothing', async () => {
  const folder = temporaryFolder();
  const { out } = await init(join(folder, "it's mine"));
  expect(out).toContain(String.raw`/it'\''s mine.spike#leaky'`);
  expect(await init('--quiet', join(folder, 'still'))).toEqual({ code: 0, out: '', err: '' });
});

it('an example of the package is copied with what it needs, and what is there stays', async () => {
  const folder = join(temporaryFolder(), 'mine');
  const { code, out } = await init('--example', 'convert-onnx', folder);
  expect(code).toBe(0);
  expect(out).toContain(`${join(folder, 'README.md')} says what to do`);
  expect(readFileSync(join(folder, 'lenet5.onnx'))).toEqual(readFileSync('examples/convert-onnx/lenet5.onnx'));
  expect((await checkFile({ path: join(folder, 'lenet5.spike') })).diagnostics).toEqual([]);
  expect((await init('--example', 'convert-onnx', folder)).err).toMatch(/file\/exists[^]*help: choose another/);
  const models = await init('--example', 'multibit', `${folder}2`, '--json');
  expect(JSON.parse(models.out).files).toContain(join(`${folder}2`, 'resnet20.spike'));
  const unknown = await init('--example', 'convert-onxn', folder);
  expect(unknown.code).toBe(2);
  expect(unknown.err).toContain('did you mean "convert-onnx"?');
  expect((await init('--list')).out.split('\n')).toContain('write-a-network');
});
