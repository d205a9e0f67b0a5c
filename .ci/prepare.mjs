// Run by `npm ci` and `npm install` in a checkout: builds, and leaves `npx spikec` working.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'dist', 'src', 'cli', 'main.js');

function findCompiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    return join(dirname(manifest), 'bin', 'tsc');
  } catch {
    return undefined; // `npm ci --omit=dev`
  }
}

async function build() {
  const compiler = findCompiler();
  if (compiler === undefined) {
    console.error('spikec: TypeScript is not installed, so nothing is built (install without --omit=dev to build)');
    return;
  }
  // The old build stays until the new one is complete.
  const fresh = join(root, `dist-${process.pid}`);
  const { status, error } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    stdio: 'inherit',
  });
  if (error || status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    if (error) throw error;
    process.exit(status ?? 1);
  }
  bundleParserLibrary(fresh);
  dropInnerTypes(join(fresh, 'src'));
  await bundle(fresh);
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(fresh, join(root, 'dist'));
}

/**
 * The parser library loads hundreds of small files, which takes longer than all else that `spikec check` does; it comes with
 * a bundle of them that its manifest doesn't export. The build has that bundle, and imports it.
 */
function bundleParserLibrary(folder) {
  const library = join(dirname(createRequire(import.meta.url).resolve('chevrotain')), '..', '..');
  const bundle = join(folder, 'grammar', 'chevrotain.js');
  copyFileSync(join(library, 'lib', 'chevrotain.min.mjs'), bundle);
  copyFileSync(join(library, 'LICENSE.txt'), join(folder, 'grammar', 'chevrotain.LICENSE.txt'));
  for (const name of readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'))) {
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    if (!/from 'chevrotain'/.test(text)) continue;
    const path = relative(dirname(file), bundle).split(sep).join('/');
    writeFileSync(file, text.replaceAll("from 'chevrotain'", `from './${path}'`));
  }
}

/** Declarations of types that neither `spikec` nor `spikec/core` leads to: nobody can import them. */
function dropInnerTypes(folder) {
  const reached = new Set();
  const queue = ['index.d.ts', 'core.d.ts'].map((name) => join(folder, name));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file) || !existsSync(file)) continue;
    reached.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)\.js["']/g))
      queue.push(join(dirname(file), `${path}.d.ts`));
  }
  for (const name of readdirSync(folder, { recursive: true }).filter((one) => one.endsWith('.d.ts'))) {
    const file = join(folder, name);
    if (!reached.has(file)) rmSync(file);
  }
}

/**
 * The command and the library as a few files in place of 900: the command loads those that it needs in a third of the time, and
 * the package has these files alone. Names stay, white space goes. Where the bundler isn't installed, all files stay as they are.
 */
async function bundle(folder) {
  const rolldown = await import('rolldown').catch(() => undefined);
  if (rolldown === undefined) return;
  const inside = ['commander', 'picocolors'];
  const dir = join(folder, 'src');
  const entries = ['index', 'core', 'cli/main'];
  const built = await rolldown.rolldown({
    input: Object.fromEntries(entries.map((name) => [name, join(dir, `${name}.js`)])),
    platform: 'node',
    external: (id) => /^[@a-z]/.test(id) && !inside.includes(id),
    // No file is imported for what it does: a command loads the files whose names it uses, not all that an index names.
    treeshake: { moduleSideEffects: false },
  });
  await built.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'cli/chunks/[name].js',
    cleanDir: false,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  });
  await built.close();
  for (const name of inside) {
    copyFileSync(join(root, 'node_modules', name, 'LICENSE'), join(dir, 'cli', 'chunks', `${name}.LICENSE.txt`));
  }
}

/** npx looks here first; without the link it would install the checkout into its cache. */
function linkCommand() {
  const folder = join(root, 'node_modules', '.bin');
  if (!existsSync(main) || !existsSync(join(root, 'node_modules'))) return;
  chmodSync(main, 0o755);
  mkdirSync(folder, { recursive: true });
  const link = join(folder, 'spikec');
  rmSync(link, { force: true });
  if (process.platform === 'win32') writeFileSync(`${link}.cmd`, `@node "${resolve(main)}" %*\r\n`);
  else symlinkSync(join('..', '..', 'dist', 'src', 'cli', 'main.js'), link);
}

await build();
linkCommand();
