// Installs @tensorflow/tfjs-node, the native backend of TensorFlow.js, without its own download: `node .ci/tfjs-node.mjs`.
// Its install script fetches libtensorflow from a storage host; the same library is in the TensorFlow wheel on PyPI.
// Needs python3 with pip, a C++ compiler and Node's headers. Exit code 1 where something of that is missing.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const versions = { node: '4.22.0', wheel: '2.12.1' };
const packageFolder = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
/** The wheel is kept: the next run needs no download. */
const work = join(root, 'build', 'tfjs-node');
const loads = `const tf = require('@tensorflow/tfjs-node'); if (tf.getBackend() !== 'tensorflow') process.exit(1)`;

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (error !== undefined || status !== 0) throw new Error(`${command} ${args.slice(0, 4).join(' ')} … failed`);
}

function isInstalled() {
  return spawnSync(process.execPath, ['-e', loads], { cwd: root, stdio: 'ignore' }).status === 0;
}

/**
 * The package and what it needs, beside the `@tensorflow/tfjs` that is there, which must stay the only one. npm itself would
 * leave it out: it is an optional peer here.
 */
function fetchPackage() {
  const scratch = join(work, 'npm');
  mkdirSync(scratch, { recursive: true });
  writeFileSync(join(scratch, 'package.json'), '{ "private": true }\n');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', ...quiet, `@tensorflow/tfjs-node@${versions.node}`], { cwd: scratch });
  const modules = join(scratch, 'node_modules');
  rmSync(packageFolder, { recursive: true, force: true });
  cpSync(join(modules, '@tensorflow', 'tfjs-node'), packageFolder, { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name === '@tensorflow' || name.startsWith('.')) continue;
    cpSync(join(modules, name), join(packageFolder, 'node_modules', name), { recursive: true });
  }
}

function wheel() {
  mkdirSync(work, { recursive: true });
  const find = () => readdirSync(work).find((name) => name.endsWith('.whl'));
  if (find() === undefined) {
    const platform = ['--only-binary=:all:', '--python-version=3.11', '--platform=manylinux2014_x86_64'];
    const wanted = `tensorflow-cpu==${versions.wheel}`;
    run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', ...platform, wanted, '-d', work]);
  }
  return join(work, find());
}

/** The library and its headers, out of the wheel into the package. */
function unpack(file) {
  const parts = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];
  if (!parts.every((part) => existsSync(join(work, part)))) {
    const script = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
z.extractall(sys.argv[2], [n for n in z.namelist() if n in ${JSON.stringify(parts)} or n.startswith('tensorflow/include/tensorflow/')])`;
    run('python3', ['-c', script, file, work]);
  }
  const deps = join(packageFolder, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  mkdirSync(join(deps, 'include'));
  for (const [part, names] of [
    [parts[0], ['libtensorflow_cc.so.2', 'libtensorflow.so.2', 'libtensorflow.so']],
    [parts[1], ['libtensorflow_framework.so.2', 'libtensorflow_framework.so']],
  ]) {
    for (const name of names) symlinkSync(join(work, part), join(deps, 'lib', name));
  }
  cpSync(join(work, 'tensorflow', 'include', 'tensorflow'), join(deps, 'include', 'tensorflow'), { recursive: true });
}

/** npm has node-gyp with it; Node's headers lie beside its own folder, where the system has them. */
function compile() {
  const npm = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' }).stdout.trim();
  const gyp = join(npm, 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const options = ['--silent', '--module_name=tfjs_binding', `--module_path=${join(packageFolder, 'lib', 'napi-v8')}`];
  const napi = ['--napi_version=9', '--napi_build_version=8', '--tensorflow-library-action=symlink'];
  run(process.execPath, [gyp, 'rebuild', ...headers, ...options, ...napi], { cwd: packageFolder });
}

try {
  if (!isInstalled()) {
    fetchPackage();
    unpack(wheel());
    compile();
    if (!isInstalled()) throw new Error('it is built, and doesn’t load');
  }
  console.error('@tensorflow/tfjs-node is there');
} catch (error) {
  console.error(`@tensorflow/tfjs-node can't be installed here: ${error.message}`);
  process.exitCode = 1;
}
