import { createHash } from 'node:crypto';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CProgram } from '../../backends/c-program/index.js';
import { fail } from '../../base/diagnostics/index.js';
import { type Compiler, findCompiler, firstLines, runCompiler } from './find-compiler.js';
import { type Folders, keptFolder, withWorkFolder } from './folders.js';
import { requireKoffi } from './library.js';

/** Whether programs can be compiled and loaded here: fails with what is missing where they can't. */
export async function nativeIsHere(): Promise<void> {
  await requireKoffi();
  const compiler = await findCompiler();
  // a compiler may be there without a linker, or a folder not allow programs
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
    {
      name: 'loops',
      text: program.loops,
      flags: ['-ffp-contract=off', ...(compiler.isGcc ? ['-fno-thread-jumps', '-fno-tree-pre'] : [])],
    },
    { name: 'products', text: program.products, flags: ['-ffp-contract=fast'] },
  ];
  const flags = [...common, ...compiler.flags];
  const identity = [compiler.identity, flags.join(' '), ...parts.flatMap(({ text, flags }) => [...flags, text])];
  const key = createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 40);
  const library = join(keptFolder(), `${key}.so`);
  if (await exists(library)) {
    try {
      return await open(library);
    } catch {
      // compiled anew
    }
  }
  return withWorkFolder(async (folders) => {
    const made = await compileParts(compiler, flags, parts, folders);
    if (folders.kept === undefined) return open(made);
    await rename(made, library);
    return open(library);
  });
}

interface Part {
  readonly name: string;
  readonly text: string;
  readonly flags: readonly string[];
}

async function compileParts(
  compiler: Compiler,
  flags: readonly string[],
  parts: readonly Part[],
  folders: Folders,
): Promise<string> {
  try {
    const objects = await Promise.all(
      parts.map(async ({ name, text, flags: own }) => {
        const source = join(folders.work, `${name}.c`);
        await writeFile(source, text);
        const object = join(folders.work, `${name}.o`);
        await runCompiler(compiler, [...flags, ...own, '-c', source, '-o', object], folders);
        return object;
      }),
    );
    const made = join(folders.work, 'program.so');
    await runCompiler(compiler, ['-shared', '-o', made, ...objects, '-lm', '-lpthread'], folders);
    return made;
  } catch (error) {
    const reason = error instanceof Error ? firstLines(error.message, 4) : String(error);
    return fail('engine/unavailable', { engine: 'native', reason: `${compiler.name}: ${reason}` });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
