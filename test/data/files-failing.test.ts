import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { readBytes } from '../../src/data/files.js';
import { writeFolder } from '../../src/data/folders.js';
import { writeFile } from '../../src/data/writing.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** What the operating system is told to refuse: opening, or writing after some bytes in all. */
const refuse = vi.hoisted(() => ({ open: '', bytesLeft: Infinity, rename: '' }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const error = (code: string, text: string) => Object.assign(new Error(`${code}: ${text}, call`), { code });
  return {
    ...fs,
    openSync: (...args: Parameters<typeof fs.openSync>) => {
      if (refuse.open !== '') throw error(refuse.open, 'permission denied');
      return fs.openSync(...args);
    },
    renameSync: (from: string, to: string) => {
      if (refuse.rename !== '' && to.endsWith(refuse.rename)) throw error('EIO', 'i/o error');
      fs.renameSync(from, to);
    },
    writeSync: (descriptor: number, bytes: Uint8Array, from: number, length: number) => {
      if (refuse.bytesLeft <= 0) throw error('ENOSPC', 'no space left on device');
      const written = fs.writeSync(descriptor, bytes, from, Math.min(length, refuse.bytesLeft, 7));
      refuse.bytesLeft -= written;
      return written;
    },
  };
});

beforeEach(() => {
  Object.assign(refuse, { open: '', bytesLeft: Infinity, rename: '' });
});

it('writes that the system cuts into pieces are completed', () => {
  const path = join(temporaryFolder(), 'a');
  writeFile(path, 'a text longer than seven bytes');
  expect(readFileSync(path, 'utf8')).toBe('a text longer than seven bytes');
});

it('a full disk leaves the old file and no litter', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a'), 'old');
  refuse.bytesLeft = 20;
  const problem = expectDiagnostic('file/write-failed', () => writeFile(join(folder, 'a'), 'x'.repeat(100)));
  expect(problem.message).toContain('no space left on device');
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['a']);
});

it('a disk that fills up at the second file of a folder leaves the first as it was', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a'), 'old');
  refuse.bytesLeft = 20;
  const files = new Map([
    ['a', 'new'],
    ['b', 'x'.repeat(100)],
  ]);
  expectDiagnostic('file/write-failed', () => writeFolder(folder, files));
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['a']);
});

it('a rename that fails leaves no litter', () => {
  const folder = temporaryFolder();
  refuse.rename = 'a';
  expectDiagnostic('file/write-failed', () => writeFile(join(folder, 'a'), 'x'));
  expect(readdirSync(folder)).toEqual([]);
});

it('missing permission is reported for reading and for writing', () => {
  const path = join(temporaryFolder(), 'a');
  refuse.open = 'EACCES';
  expect(expectDiagnostic('file/no-permission', () => readBytes(path)).message).toContain('to read');
  expect(expectDiagnostic('file/no-permission', () => writeFile(path, 'x')).message).toContain('to write');
});
