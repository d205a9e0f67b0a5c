import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { type Claim, claim, isClaimed } from './claims.js';
import { isFile, readText } from './files.js';
import { pause } from './processes.js';
import { type Staged, discard, makeFolder, move, nameOfStaged, stage, sweep, syncFolder, targetOf, writeFile } from './writing.js';


/** What a write of several files is going to do: renames, in a folder's own names. */
const journalName = '.spikec-journal.json';

interface Journal {
  readonly format: 1;
  /** `name` may contain `/`; its new content lies beside it under the name `temporary`. */
  readonly files: readonly { readonly name: string; readonly temporary: string }[];
}

/** Whoever writes for a moment only waits for others that do, in ms. */
const shortly = 10_000;

/**
 * A folder that nobody else writes until it is released. Its files are written together: all new contents lie on the
 * disk before a journal says that they are, and only then do they take their places; a process that is killed before the
 * journal leaves all old, and after it all new, as soon as anybody opens the folder ({@link finishWrites}) or claims it.
 */
export class FolderClaim {
  readonly #claim: Claim;

  private constructor(
    readonly folder: string,
    given: Claim,
  ) {
    this.#claim = given;
  }

  /**
   * Claims a folder, which is made where there is none, and finishes or clears away what a killed process left in it.
   * Fails with `file/in-use` where somebody still holds it after `patience` milliseconds.
   */
  static take(folder: string, patience: number = shortly): FolderClaim {
    makeFolder(resolve(folder));
    const given = claim(realpathSync(folder), patience);
    try {
      rollForward(given.root);
      for (const inside of foldersIn(given.root)) sweep(inside);
      return new FolderClaim(folder, given);
    } catch (error) {
      given.release();
      throw error;
    }
  }

  /** Writes files, all or none; files that are not named stay. */
  write(files: ReadonlyMap<string, FileContent>): void {
    const { root } = this.#claim;
    const staged: (Staged & { readonly name: string })[] = [];
    try {
      for (const [name, content] of files) {
        const path = targetOf(join(root, name));
        makeFolder(dirname(path));
        staged.push({ name, ...stage(path, content) });
      }
      syncAll(staged);
      const entries = staged.map(({ name, temporary }) => ({ name, temporary: basename(temporary) }));
      const journal: Journal = { format: 1, files: entries };
      writeFile(join(root, journalName), `${JSON.stringify(journal)}\n`);
    } catch (error) {
      for (const { temporary } of staged) discard(temporary);
      throw error;
    }
    for (const one of staged) move(one);
    syncAll(staged);
    discard(join(root, journalName));
  }

  release(): void {
    this.#claim.release();
  }
}

/** Writes several files of one folder (names may contain `/`), all or none. Files that are not named stay. */
export function writeFolder(folder: string, files: ReadonlyMap<string, FileContent>): void {
  const claimed = FolderClaim.take(folder);
  try {
    claimed.write(files);
  } finally {
    claimed.release();
  }
}

/**
 * Finishes what a killed process had begun to write in a folder, or the one above it: to be called before files of it
 * are read. Whoever is writing at the moment is waited for.
 */
export function finishWrites(folder: string): void {
  for (const root of [folder, dirname(resolve(folder))]) {
    const until = performance.now() + shortly;
    while (isFile(join(root, journalName))) {
      if (isClaimed(realpathSync(root)) && performance.now() < until) pause(10);
      else FolderClaim.take(root, 0).release();
    }
  }
}

/** Takes the rest of the steps that a journal names; where none is there, nothing was begun. */
function rollForward(root: string): void {
  const path = join(root, journalName);
  if (!isFile(path)) return;
  const moves = journalAt(path).files.map(({ name, temporary }): Staged => {
    const target = targetOf(join(root, name));
    return { path: target, temporary: join(dirname(target), temporary) };
  });
  const left = moves.filter(({ temporary }) => existsSync(temporary));
  for (const one of left) move(one);
  syncAll(left);
  discard(path);
}

function journalAt(path: string): Journal {
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const { format, files } = (value ?? {}) as Partial<Journal>;
  const inside = (name: unknown): name is string =>
    typeof name === 'string' && name !== '' && !/[\\\0]|^\/|(?:^|\/)\.{0,2}(?:\/|$)/.test(name);
  const fits =
    format === 1 &&
    Array.isArray(files) &&
    (files as unknown[]).every((one) => {
      const { name, temporary } = (one ?? {}) as Partial<Journal['files'][number]>;
      return inside(name) && inside(temporary) && nameOfStaged(temporary) === basename(name);
    });
  return fits ? (value as Journal) : fail('file/bad-journal', { path }, { file: path });
}

/** The folder and those in it, where a command writes: `best`, `checkpoint`. */
function foldersIn(root: string): string[] {
  const inner = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [root, ...inner.map(({ name }) => join(root, name))];
}

function syncAll(files: readonly Staged[]): void {
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) syncFolder(folder);
}
