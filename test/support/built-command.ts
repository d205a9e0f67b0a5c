import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** What the built command is made of. */
const sources = ['src', 'grammar', '.ci', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/** When a file, or anything in a folder, was last changed: a file that is deleted changes its folder. */
function changed(path: string): number {
  const found = statSync(path);
  const inner = found.isDirectory() ? readdirSync(path).map((name) => changed(resolve(path, name))) : [];
  return Math.max(found.mtimeMs, ...inner);
}

/**
 * Where the built command begins, which a user or a script runs as a process: the one that `npm ci` left, where no source
 * has changed since; otherwise it is built into a folder of its own, which stays for the next file and the next run.
 */
export function builtCommand(): string {
  const since = Math.max(...sources.map(changed));
  const entry = 'src/cli/main.js';
  const fresh = (): string | undefined =>
    ['dist', 'dist-test']
      .map((folder) => resolve(folder, entry))
      .find((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > since);
  const known = fresh();
  if (known !== undefined) return known;
  const own = `dist-test-${process.pid}`;
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', own];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`);
  // another file may have built it meanwhile, and run it
  const other = fresh();
  if (other !== undefined) rmSync(own, { recursive: true });
  else {
    rmSync('dist-test', { recursive: true, force: true });
    renameSync(own, 'dist-test');
  }
  return other ?? resolve('dist-test', entry);
}
