// `npm run bench` lists the benchmarks, `npm run bench -- NAME …` builds and runs one, `npm run bench -- NAME --help` says what it is.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && file !== 'run.mjs')
  .map((file) => file.replace(/\.mjs$/, ''));
const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`npm run bench -- NAME, where NAME is one of ${names.join(', ')}`);
  process.exitCode = name === undefined ? 0 : 2;
} else if (args.includes('--help')) {
  const lines = readFileSync(`${folder}${name}.mjs`, 'utf8').split('\n');
  const said = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  );
  console.log(said.map((line) => line.replace(/^\/\/ ?/, '')).join('\n'));
} else {
  const { status } = spawnSync(process.execPath, [`${folder}${name}.mjs`, ...args], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
