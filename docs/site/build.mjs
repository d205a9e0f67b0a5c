// `npm run docs:site`: the documentation as static pages with the playground beside them, in dist/site (another folder: the argument).
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { siteOf } from '../../dist/docs/site/site.js';
import { bundled, root, text } from '../../editors/bundle.mjs';

const target = resolve(process.argv[2] ?? join(root, 'dist', 'site'));
const { files, listings } = siteOf(root, JSON.parse(text('package.json')).version);
const own = {
  'site.css': text('docs/site/site.css'),
  'site.js': await bundled('../docs/site/client.js', { format: 'iife' }),
};

const fresh = `${target}-${process.pid}`;
for (const [name, content] of Object.entries({ ...files, ...own })) {
  mkdirSync(dirname(join(fresh, name)), { recursive: true });
  writeFileSync(join(fresh, name), content);
}
const pack = [join(root, 'editors', 'playground', 'pack.mjs'), join(fresh, 'playground')];
const { status } = spawnSync(process.execPath, pack, { stdio: ['ignore', 'ignore', 'inherit'] });
if (status !== 0) {
  rmSync(fresh, { recursive: true });
  throw new Error('the playground could not be packed');
}
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
const pages = Object.keys(files).filter((name) => name.endsWith('.html')).length;
process.stdout.write(
  `${target}: ${pages} pages; ${listings.runnable} of ${listings.all} model listings open in the playground\n`,
);
