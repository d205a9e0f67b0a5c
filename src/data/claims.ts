import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { fail } from '../base/diagnostics/index.js';
import { pause, startOf } from './processes.js';
import { failWriting } from './writing.js';

/**
 * Who may write a folder: a file in it whose name says the machine, the process and when that began. Whoever wants the
 * folder first puts its own there, then looks for others, and takes its own away again where there are any: of two that
 * come at the same time, the later one sees the earlier, whatever happens in between. A file of a process that is gone
 * means nothing; and since no other process ever has the same name, deleting it can't hit a living one.
 */
export interface Claim {
  /** The folder, with links followed. */
  readonly root: string;
  readonly release: () => void;
}

interface Named {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly began: string;
  readonly thread: number;
}

const pattern = /^\.spikec-([\w.]*)-(\d+)-(\d+)-(\d+)\.\d+\.lock$/;
const host = hostname().replaceAll(/[^\w.]/g, '_');

/** Claims of this process that are not yet released, by path. */
const held = new Set<string>();
let made = 0;

/** Claims that somebody else holds, or another part of this process; those of processes that are gone are deleted. */
function othersIn(root: string, mine?: string): readonly Named[] {
  return readdirSync(root).flatMap((name) => {
    const [, from = '', pid = '', began = '', thread = ''] = pattern.exec(name) ?? [];
    if (pid === '' || name === mine) return [];
    const claim = { name, host: from, pid: Number(pid), began, thread: Number(thread) };
    if (lives(root, claim)) return [claim];
    rmSync(join(root, name), { force: true });
    return [];
  });
}

/** Whether a process of another machine lives can't be known: it is taken to. */
function lives(root: string, { name, host: from, pid, began, thread }: Named): boolean {
  if (from !== host) return true;
  if (startOf(pid) !== began) return false;
  return pid !== process.pid || thread !== threadId || held.has(join(root, name));
}

/**
 * Claims a folder for this process, or fails with `file/in-use` where somebody else still holds it after `patience`
 * milliseconds.
 */
export function claim(root: string, patience: number): Claim {
  const until = performance.now() + patience;
  for (;;) {
    const name = `.spikec-${host}-${process.pid}-${startOf(process.pid) ?? 0}-${threadId}.${made++}.lock`;
    const path = join(root, name);
    put(path, root);
    const other = otherThan(name, root, path);
    if (other === undefined) return { root, release: () => give(path) };
    give(path);
    if (performance.now() >= until) inUse(root, other);
    pause(5 + 20 * Math.random());
  }
}

function otherThan(name: string, root: string, path: string): Named | undefined {
  try {
    return othersIn(root, name)[0];
  } catch (error) {
    give(path);
    throw error;
  }
}

/** Whether somebody who lives holds the folder. */
export function isClaimed(root: string): boolean {
  return othersIn(root).length > 0;
}

function inUse(root: string, { name, host: from, pid }: Named): never {
  const elsewhere = from === host ? '' : ` of ${from}`;
  const help = `wait for it, or end it; if it is gone, delete ${join(root, name)}`;
  fail('file/in-use', { path: root, process: `${pid}${elsewhere}` }, undefined, { help });
}

function put(path: string, root: string): void {
  try {
    closeSync(openSync(path, 'wx'));
  } catch (error) {
    failWriting(error, root);
  }
  if (held.size === 0) process.once('exit', releaseAll);
  held.add(path);
}

function give(path: string): void {
  held.delete(path);
  if (held.size === 0) process.removeListener('exit', releaseAll);
  rmSync(path, { force: true });
}

/** A process that ends by itself, by Ctrl-C too, leaves none of its files. */
function releaseAll(): void {
  for (const path of held) rmSync(path, { force: true });
}
