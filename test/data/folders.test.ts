import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderClaim, finishWrites, writeFolder } from '../../src/data/folders.js';
import { startOf } from '../../src/data/processes.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const journal = '.spikec-journal.json';
const dead = 2 ** 22 + 1;

/** A folder in which a process was killed behind its journal: `a` has taken its place, `b/c` hasn't. */
function interrupted(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'b'));
  writeFileSync(join(folder, 'a'), 'new a');
  writeFileSync(join(folder, 'b/c'), 'old c');
  writeFileSync(join(folder, `b/c.${dead}-0-1.spikec.tmp`), 'new c');
  const files = [
    { name: 'a', temporary: `a.${dead}-0-0.spikec.tmp` },
    { name: 'b/c', temporary: `c.${dead}-0-1.spikec.tmp` },
  ];
  writeFileSync(join(folder, journal), JSON.stringify({ format: 1, files }));
  return folder;
}

it('whoever opens a folder, or one in it, finishes what a killed process had begun', () => {
  for (const opened of ['.', 'b']) {
    const folder = interrupted();
    finishWrites(join(folder, opened));
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new a');
    expect(readFileSync(join(folder, 'b/c'), 'utf8')).toBe('new c');
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['a', 'b', 'b/c']);
  }
});

it('whoever writes a folder does too, and clears away what was staged only; others’ files stay', () => {
  const folder = interrupted();
  writeFileSync(join(folder, `d.${dead}-0-7.spikec.tmp`), 'half');
  writeFileSync(join(folder, 'notes.2024.tmp'), 'mine');
  writeFolder(folder, new Map([['e', 'e']]));
  expect(readFileSync(join(folder, 'b/c'), 'utf8')).toBe('new c');
  expect(readdirSync(folder).sort()).toEqual(['a', 'b', 'e', 'notes.2024.tmp']);
});

it.each([
  ['no JSON', 'x'],
  ['another format', '{"format":2,"files":[]}'],
  ['a place outside', '{"format":1,"files":[{"name":"../a","temporary":"a.1-0-0.spikec.tmp"}]}'],
  ['an absolute place', '{"format":1,"files":[{"name":"/a","temporary":"a.1-0-0.spikec.tmp"}]}'],
  ['a content from elsewhere', '{"format":1,"files":[{"name":"a","temporary":"../a.1-0-0.spikec.tmp"}]}'],
  ['a content of another name', '{"format":1,"files":[{"name":"a","temporary":"b.1-0-0.spikec.tmp"}]}'],
  ['a file of the user’s', '{"format":1,"files":[{"name":"a","temporary":"thesis.tex"}]}'],
])('a journal that spikec didn’t write is refused: %s', (_, text) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.tex'), 'mine');
  writeFileSync(join(folder, journal), text);
  expectDiagnostic('file/bad-journal', () => finishWrites(folder));
  expectDiagnostic('file/bad-journal', () => writeFolder(folder, new Map([['a', 'a']])));
  expect(readdirSync(folder).sort()).toEqual([journal, 'thesis.tex']);
});

it('a folder is claimed once, by whatever path', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  const claim = FolderClaim.take(join(folder, 'real'), 0);
  const refused = expectDiagnostic('file/in-use', () => FolderClaim.take(join(folder, 'link'), 0));
  expect(refused.message).toContain(`process ${process.pid}`);
  expect(refused.help).toContain('.lock');
  claim.write(new Map([['a', 'a']]));
  claim.release();
  FolderClaim.take(join(folder, 'link'), 0).release();
  expect(readdirSync(join(folder, 'real'))).toEqual(['a']);
});

it('claims of processes that are gone mean nothing; one of another machine is believed', () => {
  const here = hostname().replaceAll(/[^\w.]/g, '_');
  const folder = temporaryFolder();
  const reused = `${process.ppid}-${Number(startOf(process.ppid)) + 1}`;
  for (const who of [`${dead}-77`, reused]) writeFileSync(join(folder, `.spikec-${here}-${who}-0.0.lock`), '');
  FolderClaim.take(folder, 0).release();
  expect(readdirSync(folder)).toEqual([]);
  writeFileSync(join(folder, '.spikec-elsewhere-1-1-0.0.lock'), '');
  expectDiagnostic('file/in-use', () => FolderClaim.take(folder, 0));
});

it('a process that lives is believed, and not once it has been killed', async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)']);
  await new Promise((settle) => child.stdout.once('data', settle));
  const here = hostname().replaceAll(/[^\w.]/g, '_');
  writeFileSync(join(folder, `.spikec-${here}-${child.pid}-${startOf(child.pid!)}-0.0.lock`), '');
  expectDiagnostic('file/in-use', () => FolderClaim.take(folder, 0));
  const ended = new Promise((settle) => child.once('close', settle));
  child.kill('SIGKILL');
  await ended;
  FolderClaim.take(folder, 0).release();
  expect(readdirSync(folder)).toEqual([]);
});
