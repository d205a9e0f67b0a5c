import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether a program can be started. */
function isThere(program: string): boolean {
  const found = spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!found) console.warn(`SKIPPED: ${program} isn't installed, so what it would compile isn't tested`);
  return found;
}

export const hasGcc = isThere('gcc');
export const armGcc = 'arm-none-eabi-gcc';
export const hasArmGcc = isThere(armGcc);

/** What every emitted file has to compile with. */
const strict = ['-std=c99', '-pedantic', '-Wall', '-Wextra', '-Werror', '-Wshadow'];

export interface Shape {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** Compiles emitted files with sanitizers, and runs them sample by sample: the outputs of each, one after another. */
export function runC(
  files: ReadonlyMap<string, string>,
  { inputs, outputs }: Shape,
  samples: readonly (readonly Float32Array[])[],
): readonly Float32Array[] {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-c-'));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const stem = stemOf(files);
    writeFileSync(join(folder, 'main.c'), mainOf(stem, { inputs, outputs }));
    const program = join(folder, 'main');
    const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const sources = [join(folder, `${stem}.c`), join(folder, 'main.c')];
    // sanitizers see what an optimiser would make of undefined behaviour, and optimising takes twice as long
    execFileSync('gcc', [...strict, '-O0', ...sanitizers, ...sources, '-o', program, '-lm'], { stdio: 'pipe' });
    const fed = Buffer.concat(samples.flat().map((values) => Buffer.from(values.buffer, 0, values.byteLength)));
    const bytes = execFileSync(program, { input: fed, maxBuffer: 2 ** 28 });
    const all = new Float32Array(new Uint8Array(bytes).buffer);
    const each = outputs.reduce((sum, n) => sum + n, 0);
    return samples.map((_, i) => all.slice(i * each, (i + 1) * each));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of code, constants and static memory that a compiler makes of an emitted source. */
export function sizeOf(
  files: ReadonlyMap<string, string>,
  compiler: string,
  flags: readonly string[],
): { readonly text: number; readonly data: number; readonly bss: number } {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-c-'));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const object = join(folder, 'one.o');
    const source = join(folder, `${stemOf(files)}.c`);
    execFileSync(compiler, [...strict, ...flags, '-c', source, '-o', object], { stdio: 'pipe' });
    const size = compiler.replace(/gcc$/, 'size');
    const [, numbers] = execFileSync(size, [object], { encoding: 'utf8' }).split('\n');
    const [text, data, bss] = numbers!.trim().split(/\s+/).map(Number);
    return { text: text!, data: data!, bss: bss! };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of stack that each function of an emitted source takes. */
export function stackOf(
  files: ReadonlyMap<string, string>,
  compiler: string,
  flags: readonly string[],
): readonly number[] {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-c-'));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const source = `${stemOf(files)}.c`;
    execFileSync(compiler, [...strict, ...flags, '-fstack-usage', '-c', source, '-o', 'one.o'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const lines = readFileSync(join(folder, 'one.su'), 'utf8').trim().split('\n');
    return lines.map((line) => Number(line.split('\t')[1]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stemOf(files: ReadonlyMap<string, string>): string {
  return [...files.keys()].find((name) => name.endsWith('.c'))!.slice(0, -2);
}

function mainOf(stem: string, { inputs, outputs }: Shape): string {
  const arrays = (name: string, sizes: readonly number[]): string =>
    sizes.map((n, i) => `static float ${name}${i}[${n}];`).join('\n');
  const args = [...inputs.map((_, i) => `in${i}`), ...outputs.map((_, i) => `out${i}`)].join(', ');
  return `#include "${stem}.h"
#include <stdio.h>
${arrays('in', inputs)}
${arrays('out', outputs)}
int main(void) {
  while (${inputs.map((n, i) => `fread(in${i}, 4, ${n}, stdin) == ${n}`).join(' && ')}) {
    ${stem}_run(${args});
    ${outputs.map((n, i) => `if (fwrite(out${i}, 4, ${n}, stdout) != ${n}) return 1;`).join('\n    ')}
  }
  return 0;
}
`;
}
