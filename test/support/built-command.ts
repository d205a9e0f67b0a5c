import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** Builds the command into a folder of its own and says where it begins: what a user or a script runs as a process. */
export function builtCommand(folder: string): string {
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', folder];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`);
  return resolve(folder, 'src/cli/main.js');
}
