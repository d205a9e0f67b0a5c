// `npm run fuzz [-- --minutes M --seed N --format F --out DIR]`: damaged inputs of every format, each of which must end
// in a result or in diagnostics. docs/fuzzing.md says what is promised.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serialize } from 'node:v8';
import { inputOf, roundOf } from './inputs.mjs';
import { seeds } from './seeds.mjs';
import { Watched, growth } from './watch.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string' },
    out: { type: 'string', default: 'build/fuzz' },
  },
});
const all = await seeds();
const formats = values.format === undefined ? Object.keys(all) : values.format.split(',');
const unknown = formats.filter((format) => all[format] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`no format ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}\n`);
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), 'spikec-fuzz-'));
const counts = Object.fromEntries(formats.map((format) => [format, 0]));
const failures = new Map();
const watched = new Watched(fileURLToPath(new URL('worker.mjs', import.meta.url)));
const spent = Object.fromEntries(formats.map((format) => [format, 0]));

function put(folder, name, bytes) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), bytes);
}

/** Where a failure comes from: its message without numbers, and the first place in our code. */
function kindOf(problem) {
  const [message = '', ...stack] = problem.split('\n');
  const place = stack.find((line) => line.includes('/dist/src/'))?.replace(/^.*\/dist\//, '');
  return `${message.replaceAll(/\d+/g, 'N').slice(0, 120)} ${place ?? ''}`;
}

/** Undamaged, every seed is accepted: else nothing behind the first check would be tried. */
async function checkSeeds() {
  for (const format of formats) {
    for (const [i, { files, spec, target }] of all[format].entries()) {
      const folder = join(root, 'seed');
      mkdirSync(folder);
      for (const { name, bytes } of files) put(folder, name, bytes);
      const input = {
        format,
        folder,
        spec,
        target,
        coding: format === 'onnx' && i === 0 ? 'mbif' : 'sws',
        thorough: true,
      };
      const { problem, refused } = await watched.verdict(input, 1e6);
      rmSync(folder, { recursive: true });
      const floats = format === 'onnx' && i > 0;
      if (problem !== undefined || (refused && !floats))
        throw new Error(`the ${format} seed ${i} is refused: ${problem}`);
    }
  }
}

const accepted = Object.fromEntries(formats.map((format) => [format, 0]));
await checkSeeds();
const seedFile = join(root, 'seeds');
writeFileSync(seedFile, serialize(all));
const round = roundOf(formats);
const seed = Number(values.seed);

/** Counts an input, and keeps what is wrong with it. */
function told(n, { problem, refused, milliseconds }) {
  const format = round[n % round.length];
  counts[format]++;
  spent[format] += milliseconds;
  if (!refused) accepted[format]++;
  const folder = join(root, String(n));
  if (problem !== undefined) {
    const kind = `${format}: ${kindOf(problem)}`;
    const seen = failures.get(kind) ?? 0;
    failures.set(kind, seen + 1);
    if (seen === 0) {
      const { target, spec, coding, command, thorough } = inputOf(all, round, seed, n);
      const kept = join(values.out, `${format}-${seed * 1e6 + n}`);
      cpSync(folder, kept, { recursive: true });
      writeFileSync(
        join(kept, 'problem.txt'),
        `${problem}\n${command ?? spec ?? `coding ${coding}`}${thorough ? ', thorough' : ''}\n`,
      );
      process.stdout.write(`${kind}\n  ${join(kept, target)}\n`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Inputs that the process takes at once: asked after the time in between. */
const atOnce = 20;
// the seeds' own time isn't counted, and some inputs are always tried
const end = performance.now() + 60_000 * Number(values.minutes);
for (let from = 0; from === 0 || performance.now() < end; from += atOnce) {
  await watched.verdicts({ root, seeds: seedFile, round, seed, from, to: from + atOnce, growth }, told);
}
watched.end();
rmSync(root, { recursive: true, force: true });
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
const list = Object.entries(counts).map(
  ([format, count]) =>
    `${format} ${count}, ${percent(accepted[format], count)} accepted, ${(spent[format] / Math.max(1, count)).toFixed(1)} ms`,
);
const taken = Object.values(accepted).reduce((sum, count) => sum + count, 0);
process.stdout.write(
  `${total} inputs, ${percent(taken, total)} accepted (${list.join('; ')}), ${failures.size} kinds of failures\n`,
);
process.exitCode = failures.size > 0 ? 1 : 0;

function percent(part, all) {
  return `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
}
