import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CProgram, CTarget } from '../../backends/c-program/index.js';
import { fail } from '../../base/diagnostics/index.js';
import { requireKoffi } from './library.js';

const execute = promisify(execFile);

/** A C compiler, and what it makes code for on this machine. */
export interface Compiler {
  readonly command: string;
  /** Its version and the machine's abilities: what a compiled program depends on. */
  readonly identity: string;
  readonly target: CTarget;
  readonly flags: readonly string[];
}

let found: Promise<Compiler> | undefined;

/** The C compiler: `CC`, or `cc`, `gcc`, `clang`, whichever is first. Asked once. */
export function findCompiler(): Promise<Compiler> {
  found ??= search();
  return found;
}

async function search(): Promise<Compiler> {
  const named = process.env['CC'];
  const candidates = named === undefined || named === '' ? ['cc', 'gcc', 'clang'] : [named];
  let reason = '';
  for (const command of candidates) {
    try {
      const [{ stdout: version }, { stdout: macros }] = await Promise.all([
        execute(command, ['--version']),
        execute(command, ['-march=native', '-dM', '-E', '-x', 'c', '/dev/null'], { maxBuffer: 2 ** 24 }),
      ]);
      const has = (name: string): boolean => macros.includes(`#define ${name} `);
      const wide = has('__AVX512F__') && has('__AVX512VL__');
      const lanes = wide ? 16 : has('__AVX__') ? 8 : 4;
      const registers = wide || has('__aarch64__') ? 32 : 16;
      const flags = wide ? ['-mprefer-vector-width=512'] : [];
      const abilities = [...macros.matchAll(/#define (__(?:AVX|SSE|FMA|ARM|BMI)\w*__) /g)].map(([, name]) => name);
      return {
        command,
        identity: `${version} ${abilities.toSorted().join(' ')}`,
        target: { lanes, registers },
        flags,
      };
    } catch (error) {
      reason ||= `${command}: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}`;
    }
  }
  return fail('engine/unavailable', { engine: 'native', reason: `no C compiler runs (${reason})` }, undefined, {
    help: 'install one (Debian: `apt install gcc`), name it in the variable CC, or choose another engine',
  });
}

/** Whether programs can be compiled and loaded here: fails with what is missing where they can't. */
export async function nativeIsHere(): Promise<void> {
  await requireKoffi();
  const compiler = await findCompiler();
  // a compiler may be there without the headers of the C library
  const probe = {
    loops: '#include <math.h>\n',
    products: '#include <pthread.h>\n#include <stdint.h>\nint64_t spikec_probe;\n',
  };
  await compileProgram(compiler, probe, () => Promise.resolve());
}

const common = [
  '-std=gnu11',
  '-O3',
  '-march=native',
  '-fPIC',
  '-fopenmp-simd',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fwrapv',
  '-w',
];

/** Where compiled programs are kept from one run to the next. */
function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  if (base !== undefined && base !== '') return join(base, 'spikec', 'native');
  const home = homedir();
  return home === '' ? join(tmpdir(), 'spikec-native') : join(home, '.cache', 'spikec', 'native');
}

/** A place to compile in: beside the kept libraries, or where nothing can be kept, a temporary one. */
async function workFolder(folder: string): Promise<{ readonly work: string; readonly keeps: boolean }> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return { work: await mkdtemp(join(folder, 'work-')), keeps: true };
  } catch {
    return { work: await mkdtemp(join(tmpdir(), 'spikec-native-')), keeps: false };
  }
}

/**
 * Compiles a program to a shared library, unless the same was compiled before, and opens that by `open`. A kept library that
 * doesn't open, such as a damaged one, is compiled anew.
 */
export async function compileProgram<T>(
  compiler: Compiler,
  program: Pick<CProgram, 'loops' | 'products'>,
  open: (path: string) => Promise<T>,
): Promise<T> {
  // every result of the loops is rounded by itself, as the reference evaluator does; sums of products aren't
  const parts = [
    // threaded jumps turn choices between constants into branches, and eliminated partial redundancies conditions into choices
    // between truth values: such loops aren't vectorised
    { name: 'loops', text: program.loops, flags: ['-ffp-contract=off', '-fno-thread-jumps', '-fno-tree-pre'] },
    { name: 'products', text: program.products, flags: ['-ffp-contract=fast'] },
  ];
  const flags = [...common, ...compiler.flags];
  const identity = [compiler.identity, flags.join(' '), ...parts.flatMap(({ text, flags }) => [...flags, text])];
  const key = createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 40);
  const folder = cacheFolder();
  const library = join(folder, `${key}.so`);
  if (await exists(library)) {
    try {
      return await open(library);
    } catch {
      // compiled anew
    }
  }
  const { work, keeps } = await workFolder(folder);
  try {
    const made = join(work, 'program.so');
    await compileParts(compiler, flags, parts, work, made);
    if (!keeps) return await open(made);
    await rename(made, library);
    return await open(library);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Part {
  readonly name: string;
  readonly text: string;
  readonly flags: readonly string[];
}

async function compileParts(
  { command }: Compiler,
  flags: readonly string[],
  parts: readonly Part[],
  work: string,
  made: string,
): Promise<void> {
  try {
    const objects = await Promise.all(
      parts.map(async ({ name, text, flags: own }) => {
        const source = join(work, `${name}.c`);
        await writeFile(source, text);
        const object = join(work, `${name}.o`);
        await execute(command, [...flags, ...own, '-c', source, '-o', object], { maxBuffer: 2 ** 24 });
        return object;
      }),
    );
    await execute(command, ['-shared', '-o', made, ...objects, '-lm', '-lpthread']);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : String(error);
    fail('engine/unavailable', { engine: 'native', reason: `${command}: ${reason}` });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
