import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { writeFile } from '../../src/data/writing.js';
import { refuseToReplace } from '../../src/workspace/replacing.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyQuantised } from '../support/tiny-onnx.js';
import { writeTinySet } from '../support/tiny-training.js';
import { type Ran, spikec as runLine } from './fake.js';

/** What the system answers when a folder is made or a file is opened to write. */
const system = vi.hoisted(() => ({ says: undefined as string | undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const refuse = (): void => {
    if (system.says !== undefined)
      throw Object.assign(new Error(system.says), { code: system.says.slice(0, system.says.indexOf(':')) });
  };
  return {
    ...fs,
    mkdirSync: (...args: Parameters<typeof fs.mkdirSync>) => (refuse(), fs.mkdirSync(...args)),
    openSync: (...args: Parameters<typeof fs.openSync>) => {
      if (args[1] === 'wx') refuse();
      return fs.openSync(...args);
    },
  };
});

let folder: string;
let data: string;

beforeEach(() => {
  system.says = undefined;
  folder = temporaryFolder();
  data = writeTinySet(folder);
  writeFileSync(join(folder, 'tiny.onnx'), tinyQuantised());
  writeFileSync(
    join(folder, 'tiny.spike'),
    `use "spikec/neurons" { LIF }
     network Tiny { input image: real[1, 8, 8]  output image | flatten | linear(4) | spike | linear(3) }
     config tiny { network Tiny  neuron LIF  coding rate(3)  train { optimizer adam(lr: 1e-2)  batch 8  epochs 2 } }
     config other extends tiny { coding rate(4) }`,
  );
});

function spikec(...args: readonly string[]): Promise<Ran> {
  return runLine(
    args.map((arg) => arg.replaceAll('@', `${folder}/`)),
    driver,
  );
}

/** Every file below the folder, with its bytes. */
function contents(): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );
}

async function works(...args: readonly string[]): Promise<void> {
  const { code, err } = await spikec(...args);
  expect([code === 0 || args[0] === 'diff', err]).toEqual([true, expect.not.stringContaining('error')]);
}

async function refused(...args: readonly string[]): Promise<void> {
  const before = contents();
  const { code, err } = await spikec(...args);
  expect(err).toContain('would be lost');
  expect(err).toContain('`-o`');
  expect(code).toBe(args[0] === 'diff' ? 2 : 1);
  expect(contents()).toEqual(before);
}

it.each([
  ['cost', '@tiny.spike#tiny'],
  ['report', '@tiny.spike#tiny'],
  ['report', '@tiny.spike#tiny', '--snippet'],
  ['picture', 'bits', '@tiny.spike#tiny'],
  ['diff', '@tiny.spike#tiny', '@tiny.spike#other'],
  ['diff', '@tiny.spike#tiny', '@tiny.spike#other', '--markdown'],
  ['diff', '@tiny.spike#tiny', '@tiny.spike#other', '--html'],
  ['diff', '@tiny.spike#tiny', '@tiny.spike#other', '--snippet'],
  ['diff', '@tiny.spike#tiny', '@tiny.spike#other', '--json'],
  ['diff', '@tiny.spike#tiny', '--all'],
  ['diff', '@tiny.spike#tiny', '--all', '--json'],
])('a file that %s %s %s %s didn’t write stays; its own is replaced', async (...args) => {
  const ending = args[0] === 'picture' ? '.svg' : '.out';
  for (const text of ['network Mine { }\n', '<svg>mine</svg>\n', '--- a\n+++ b\n@@ -1 +1 @@\n']) {
    writeFileSync(join(folder, `mine${ending}`), text);
    await refused(...args, '-o', `@mine${ending}`);
  }
  for (let i = 0; i < 2; i++) await works(...args, '-o', `@made${ending}`);
  writeFileSync(join(folder, `empty${ending}`), '');
  await works(...args, '-o', `@empty${ending}`);
});

it('a model file is no place for a table, a page or a difference of it', async () => {
  await refused('cost', '@tiny.spike#tiny', '-o', '@tiny.spike');
  await refused('report', '@tiny.spike#tiny', '-o', '@tiny.spike');
  await refused('diff', '@tiny.spike#tiny', '@tiny.spike#other', '-o', '@tiny.spike');
});

it('compile replaces neither a training nor a conversion nor an edited file, but its own folder', async () => {
  await works('train', '@tiny.spike#tiny', '--data', data, '-q', '-o', '@run');
  await refused('compile', '@tiny.spike#tiny', '-o', '@run');
  await refused('compile', '@run', '-o', '@run');
  await works('convert', '@tiny.onnx', '--silent', '8', '-o', '@converted');
  await refused('compile', '@tiny.spike#tiny', '-o', '@converted');
  for (const emit of ['ir', 'onnx', 'json', 'ir'])
    await works('compile', '@tiny.spike#tiny', '-o', '@out', '--emit', emit);
  await works('compile', '@tiny.spike#other', '-o', '@out', '--emit', 'ir,json');
  writeFileSync(join(folder, 'out/network.ir'), 'mine');
  await refused('compile', '@tiny.spike#tiny', '-o', '@out');
});

it('train begins in no folder that holds something else, nor where trained weights are left', async () => {
  await works('convert', '@tiny.onnx', '--silent', '8', '-o', '@converted');
  await refused('train', '@tiny.spike#tiny', '--data', data, '-o', '@converted');
  await works('train', '@tiny.spike#tiny', '--data', data, '-q', '-o', '@run');
  rmSync(join(folder, 'run/checkpoint'), { recursive: true });
  await refused('train', '@tiny.spike#tiny', '--data', data, '-o', '@run');
  mkdirSync(join(folder, 'notes'));
  writeFileSync(join(folder, 'notes/log.jsonl'), 'mine');
  await refused('train', '@tiny.spike#tiny', '--data', data, '-o', '@notes');
});

it('an ONNX file or external data with the name of an artifact is refused, not lost', async () => {
  writeFileSync(join(folder, 'infer.onnx'), tinyQuantised());
  const before = contents();
  const { code, err } = await spikec('convert', '@infer.onnx', '--silent', '8', '-o', '@converted');
  expect([code, err]).toEqual([1, expect.stringContaining('"infer.onnx" has the name of a file')]);
  expect(contents()).toEqual(before);
  const files = new Map([['network.ir', undefined]]);
  const copies = new Map([['Network.IR', new Uint8Array(4)]]);
  const planned = { folder, maker: 'convert', files, copies, inputs: [] } as const;
  expectDiagnostic('file/name-taken', () => refuseToReplace(planned));
});

it.each([
  ['EROFS: read-only file system, open', 'file/write-failed', 'read-only file system'],
  ['ENOSPC: no space left on device, open', 'file/write-failed', 'no space left on device'],
  ['EACCES: permission denied, open', 'file/no-permission', 'no permission to write'],
] as const)('%s is reported as what it is, below folders that aren’t there too', (says, code, words) => {
  system.says = says;
  for (const path of ['x', 'none/x', 'none/below/x'])
    expect(expectDiagnostic(code, () => writeFile(resolve(folder, path), 'x')).message).toContain(words);
});
