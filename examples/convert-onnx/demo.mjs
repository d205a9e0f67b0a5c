// Converts the quantised LeNet-5 of this folder to a spiking network and evaluates both on the 2,000
// digits shipped beside it, by the commands a user would type.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = 'examples/convert-onnx';
const spikec = join('dist', 'src', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'spikec-demo-'));

function run(...args) {
  const shown = args.map((arg) => (arg.startsWith(folder) ? relative(folder, arg) || '.' : arg));
  console.log(`$ npx spikec ${shown.join(' ')}`);
  const { status, error } = spawnSync(process.execPath, [spikec, ...args], { cwd: root, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exitCode = status ?? 1;
  console.log('');
  return status === 0;
}

const data = [
  '--data',
  `idx:${here}/digits-images.idx.gz,${here}/digits-labels.idx.gz`,
  '--mean',
  '0.5',
  '--std',
  '0.5',
];
try {
  const converted = join(folder, 'lenet5');
  if (run('convert', `${here}/lenet5.onnx`, '--coding', 'sws', '--steps', '8', '--silent', '2', '-o', converted)) {
    run('eval', join(converted, 'lenet5.spike'), ...data, '--stages');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
