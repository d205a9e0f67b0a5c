// Installs the package as a user does: packs it, installs the tarball in an empty folder, and runs what a newcomer runs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const mostBytes = 5e6;
const folder = mkdtempSync(join(tmpdir(), 'spikec-package-'));

function run(command, args, cwd = folder) {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout;
}

function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** The example notebook beside the installed package, where Python has what notebooks need. */
function runNotebook() {
  const python = process.env.SPIKEC_PYTHON || 'python3';
  if (spawnSync(python, ['-c', 'import nbclient, nbformat, ipykernel']).status !== 0) {
    process.stderr.write('SKIPPED: the notebook, because nbclient and ipykernel are not there\n');
    return;
  }
  copyFileSync(join(root, 'examples', 'notebooks', 'spikec.ipynb'), join(folder, 'spikec.ipynb'));
  const program = `import nbformat, nbclient
notebook = nbformat.read("spikec.ipynb", 4)
nbclient.NotebookClient(notebook, timeout=240).execute()
shown = [kind for cell in notebook.cells for one in cell.get("outputs", []) for kind in one.get("data", {})]
assert shown.count("text/html") == 2 and shown.count("image/svg+xml") == 1, shown`;
  run(python, ['-c', program]);
  process.stdout.write('the notebook runs\n');
}

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  );
  run('npm', ['init', '-y']);
  run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename)]);
  const size = sizeOf(join(folder, 'node_modules', 'spikec'));
  if (size > mostBytes) throw new Error(`the package has ${size} bytes, more than ${mostBytes}`);
  for (const args of [
    ['--version', '--verbose'],
    ['init'],
    ['check', 'starter.spike'],
    ['cost', 'starter.spike#leaky'],
    ['init', '--example', 'convert-onnx'],
    ['convert', 'convert-onnx/lenet5.onnx', '-o', 'lenet5'],
    ['report', 'lenet5', '-o', 'lenet5.html'],
  ]) {
    run('npx', ['--no-install', 'spikec', ...args]);
  }
  runNotebook();
  process.stdout.write(`the package installs and runs: ${(size / 1e6).toFixed(1)} MB\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
