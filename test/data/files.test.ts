import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isFile, isFolder, readBytes, readText } from '../../src/data/files.js';
import { writeFolder } from '../../src/data/folders.js';
import { writeFile } from '../../src/data/writing.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

it('a missing file is reported by its path', () => {
  const path = join(temporaryFolder(), 'a.spike');
  expect(expectDiagnostic('file/missing', () => readBytes(path)).message).toBe(`there is no file "${path}"`);
});

it('what can’t be looked at is no file and no folder', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a'), '');
  for (const path of [join(folder, 'a', 'b'), join(folder, 'x'.repeat(5000)), join(folder, 'none')]) {
    expect(isFile(path)).toBe(false);
    expect(isFolder(path)).toBe(false);
  }
  expect([isFile(join(folder, 'a')), isFolder(folder)]).toEqual([true, true]);
});

it('a path below a file is a missing file', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a'), 'x');
  expectDiagnostic('file/missing', () => readBytes(join(folder, 'a', 'b')));
});

it('a folder is not read', () => {
  expectDiagnostic('file/is-directory', () => readBytes(temporaryFolder()));
});

it.skipIf(process.platform === 'win32')('a device or a pipe is not read', () => {
  expectDiagnostic('file/not-a-file', () => readBytes('/dev/zero'));
  const pipe = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  expectDiagnostic('file/not-a-file', () => readBytes(pipe));
});

it('a file above the limit is not read', () => {
  const path = join(temporaryFolder(), 'big');
  writeFileSync(path, 'x'.repeat(101));
  expect(expectDiagnostic('file/too-large', () => readText(path, { limit: 100 })).message).toContain('101 bytes');
  expect(readText(path, { limit: 101 })).toHaveLength(101);
});

it('bytes that are not UTF-8 are not text; a byte order mark is dropped', () => {
  const path = join(temporaryFolder(), 'text');
  writeFileSync(path, Uint8Array.of(0x61, 0xff));
  expect(expectDiagnostic('file/not-text', () => readText(path)).help).toBeUndefined();
  renameSync(path, `${path}.onnx`);
  expect(expectDiagnostic('file/not-text', () => readText(`${path}.onnx`)).help).toContain('spikec convert');
  writeFileSync(path, Uint8Array.of(0xef, 0xbb, 0xbf, 0x61));
  expect(readText(path)).toBe('a');
});

it('another error of the operating system is reported in words', () => {
  const path = join(temporaryFolder(), 'x'.repeat(300));
  expect(expectDiagnostic('file/read-failed', () => readBytes(path)).message).toMatch(/can't be read: .*too long/);
  expectDiagnostic('file/write-failed', () => writeFile(path, 'x'));
});

it('a written file has its content and leaves no other file', () => {
  const folder = temporaryFolder();
  writeFile(join(folder, 'new', 'a.txt'), 'old');
  writeFile(join(folder, 'new', 'a.txt'), 'héllo');
  expect(readFileSync(join(folder, 'new', 'a.txt'), 'utf8')).toBe('héllo');
  expect(readdirSync(join(folder, 'new'))).toEqual(['a.txt']);
});

it('a replaced file keeps its mode, a symbolic link stays a link', () => {
  const folder = temporaryFolder();
  const real = join(folder, 'real');
  writeFileSync(real, 'old');
  chmodSync(real, 0o640);
  symlinkSync(real, join(folder, 'link'));
  writeFile(join(folder, 'link'), 'new');
  expect(readFileSync(real, 'utf8')).toBe('new');
  expect(statSync(real).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
});

it('a write onto a folder fails and leaves nothing behind', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'a', 'b'), { recursive: true });
  expectDiagnostic('file/write-failed', () => writeFile(join(folder, 'a'), 'x'));
  expect(readdirSync(folder)).toEqual(['a']);
});

it('when one file of a folder cannot be written, none is replaced', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a'), 'old');
  writeFileSync(join(folder, 'file'), '');
  const files = new Map([
    ['a', 'new'],
    ['file/below', 'impossible'],
  ]);
  expectDiagnostic('file/write-failed', () => writeFolder(folder, files));
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old');
  expect(readdirSync(folder).sort()).toEqual(['a', 'file']);
});

it('a folder of files is written whole', () => {
  const folder = join(temporaryFolder(), 'out');
  writeFolder(
    folder,
    new Map<string, string | Uint8Array>([
      ['a.txt', 'a'],
      ['sub/b.bin', Uint8Array.of(1, 2)],
    ]),
  );
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('a');
  expect([...readFileSync(join(folder, 'sub', 'b.bin'))]).toEqual([1, 2]);
});
