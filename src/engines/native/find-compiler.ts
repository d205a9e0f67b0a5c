import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { CTarget } from '../../backends/c-program/index.js';
import { fail } from '../../base/diagnostics/index.js';
import { compilerPackage } from '../packages.js';
import { withWorkFolder } from './folders.js';

const execute = promisify(execFile);

/** How a C compiler is called: a command, and words in front of its options. */
interface Call {
  readonly command: string;
  readonly words: readonly string[];
  /** What it is called in messages, where that isn't the command. */
  readonly name?: string;
}

/** A C compiler, and what it makes code for on this machine. */
export interface Compiler extends Call {
  readonly name: string;
  /** Its version and the machine's abilities: what a compiled program depends on. */
  readonly identity: string;
  readonly target: CTarget;
  readonly flags: readonly string[];
  /** Whether it is GCC: Clang has passes of other names. */
  readonly isGcc: boolean;
}

let found: Promise<Compiler> | undefined;

/**
 * The C compiler: `CC`, or `cc`, `gcc`, `clang`, Zig’s of an npm package, `zig cc`, whichever is first that runs and has
 * the headers of a C library. Asked once.
 */
export function findCompiler(): Promise<Compiler> {
  found ??= search();
  return found;
}

/** Runs a compiler; what Zig keeps by itself lies with our own, and what it keeps of a program goes when `work` goes. */
export async function runCompiler(
  { command, words }: Call,
  options: readonly string[],
  { work, zig }: { readonly work: string; readonly zig: string },
): Promise<string> {
  const env = { ZIG_GLOBAL_CACHE_DIR: zig, ...process.env, ZIG_LOCAL_CACHE_DIR: join(work, 'zig') };
  const { stdout } = await execute(command, [...words, ...options], { maxBuffer: 2 ** 24, env });
  return stdout;
}

async function search(): Promise<Compiler> {
  let reason = '';
  for (const call of candidates()) {
    try {
      return await withWorkFolder((work) => ask(call, work));
    } catch (error) {
      reason ||= `${call.name ?? call.command}: ${error instanceof Error ? firstLines(error.message, 1) : String(error)}`;
    }
  }
  const wanted = compilerPackage();
  const unprivileged = wanted === undefined ? '' : `, or \`npm install ${wanted.name}@${wanted.version}\` (73 MB)`;
  const help =
    namedCompiler() === ''
      ? `install one (Debian: \`apt install gcc libc6-dev\`${unprivileged}), name it in the variable CC, or choose another engine`
      : 'CC names it: name one that runs and has the headers of a C library, or unset CC, and one is looked for; or choose another engine';
  return fail('engine/unavailable', { engine: 'native', reason: `no C compiler runs (${reason})` }, undefined, {
    help,
  });
}

/** What the variable CC names. */
function namedCompiler(): string {
  return process.env['CC']?.trim() ?? '';
}

function* candidates(): Iterable<Call> {
  const named = namedCompiler();
  if (named !== '') {
    // a path may have spaces, and so may a command with its first words, such as `zig cc`
    const [command, ...words] = existsSync(named) ? [named] : named.split(/\s+/);
    yield { command: command!, words: isZig(command!, words) ? zigWords() : words, name: named };
    return;
  }
  for (const command of ['cc', 'gcc', 'clang']) yield { command, words: [] };
  yield* installedZig();
  yield { command: 'zig', words: zigWords(), name: 'zig cc' };
}

function isZig(command: string, words: readonly string[]): boolean {
  return words.join(' ') === 'cc' && basename(command).startsWith('zig');
}

/** Zig brings the C library of each of its targets; the one of this process is named, so that none of the system's is looked for. */
function zigWords(): readonly string[] {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  // it would look up the names of all connections
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  const processor = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string];
  const isNamed = process.platform === 'linux' && header.glibcVersionRuntime !== undefined && processor !== undefined;
  return ['cc', ...(isNamed ? ['-target', `${processor}-linux-gnu`] : [])];
}

/** The compiler of an npm package. */
function installedZig(): readonly Call[] {
  const wanted = compilerPackage();
  if (wanted === undefined) return [];
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    manifest = require.resolve(`${wanted.name}/package.json`);
  } catch {
    return [];
  }
  const { version } = require(manifest) as { readonly version: string };
  return [{ command: join(dirname(manifest), 'zig'), words: zigWords(), name: `${wanted.name} ${version}` }];
}

const headers = ['math.h', 'pthread.h', 'stdatomic.h', 'stdlib.h'].flatMap((header) => ['-include', header]);

async function ask(call: Call, folders: { readonly work: string; readonly zig: string }): Promise<Compiler> {
  const [version, macros] = await Promise.all([
    runCompiler(call, ['--version'], folders),
    // a compiler may be there without the headers of the C library
    runCompiler(call, ['-march=native', '-dM', '-E', ...headers, '-x', 'c', '/dev/null'], folders),
  ]);
  const has = (name: string): boolean => macros.includes(`#define ${name} `);
  const wide = has('__AVX512F__') && has('__AVX512VL__');
  const lanes = wide ? 16 : has('__AVX__') ? 8 : 4;
  const registers = wide || has('__aarch64__') ? 32 : 16;
  const flags = wide ? ['-mprefer-vector-width=512'] : [];
  const abilities = [...macros.matchAll(/#define (__(?:AVX|SSE|FMA|ARM|BMI)\w*__) /g)].map(([, name]) => name);
  return {
    name: call.command,
    ...call,
    identity: [version, ...call.words, ...abilities.toSorted()].join(' '),
    target: { lanes, registers },
    flags,
    isGcc: !has('__clang__'),
  };
}

/** The first lines of a text. */
export function firstLines(text: string, count: number): string {
  return text.split('\n').slice(0, count).join(' ');
}
