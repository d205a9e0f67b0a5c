// A Python with what the tests need, in `build/python`: `node .ci/python.mjs` prints its path. SPIKEC_PYTHON is taken where it is set.
// Exit code 1 where it can't be made (no python3, no package index).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build', 'python');
const python = join(folder, 'bin', 'python');
const requirements = join(root, '.ci', 'requirements.txt');
/** What was installed, so that the next run needs no index. */
const done = join(folder, 'installed.txt');
const minutes = 60_000;

function run(command, args, limit) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], timeout: limit });
  return error === undefined && status === 0;
}

function install() {
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  if (!run('python3', ['-m', 'venv', folder], minutes)) throw new Error('python3 -m venv fails');
  const pip = ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', '--retries=1', '--timeout=20'];
  if (!run(python, [...pip, '-r', requirements], 5 * minutes))
    throw new Error('pip reaches no index that has all of .ci/requirements.txt');
  writeFileSync(done, wanted);
}

const own = process.env.SPIKEC_PYTHON;
try {
  if (own === undefined || own === '') install();
  console.log(own === undefined || own === '' ? python : own);
} catch (error) {
  rmSync(folder, { recursive: true, force: true });
  console.error(`no Python for the tests here: ${error.message}`);
  process.exitCode = 1;
}
