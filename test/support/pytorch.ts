import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tensor } from '../../src/base/dtype.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/base/safetensors.js';

/** The Python of these tests: that of the variable SPIKEC_PYTHON, or the first on the path. */
export const python = process.env['SPIKEC_PYTHON'] ?? 'python3';

/** Whether it has these modules; says so loudly where it doesn't. */
export function hasModules(what: string, ...modules: readonly string[]): boolean {
  const found = spawnSync(python, ['-c', modules.map((name) => `import ${name}`).join('\n')]).status === 0;
  if (!found) console.warn(`SKIPPED: ${what}: ${python} lacks ${modules.join(' or ')} (set SPIKEC_PYTHON)`);
  return found;
}

export const hasTorch = hasModules('PyTorch', 'torch', 'safetensors');

/** Runs Python in a folder; throws with what it said where it fails. */
export function runPython(folder: string, args: readonly string[], environment: Record<string, string> = {}): string {
  const { stdout, stderr, status } = spawnSync(python, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, OMP_NUM_THREADS: '1', ...environment },
  });
  if (status !== 0) throw new Error(`${python} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

export function writeTensors(
  folder: string,
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileSync(join(folder, name), encodeSafetensors(new Map(Object.entries(tensors)), metadata));
}

export function readTensors(bytes: Uint8Array<ArrayBuffer>): ReadonlyMap<string, Tensor> {
  const { value, diagnostics } = decodeSafetensors(bytes, 'tensors');
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return value.tensors;
}
