// `npm run fuzz [-- --minutes M --seed N --format F --out DIR]`: damaged inputs of every format, each of which must end
// in a result or in diagnostics. docs/fuzzing.md says what is promised.
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { below, mutateBytes, mutateGraph, mutateText, seeded } from './mutate.mjs';
import { onnxGraphs, seeds } from './seeds.mjs';
import { grownGraph, grownModel, nudgedData, nudgedText } from './grow.mjs';
import { Watched } from './watch.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string' },
    out: { type: 'string', default: 'build/fuzz' },
  },
});
const texts = new Set(['spike', 'ir', 'json', 'log', 'run', 'journal']);
const all = await seeds();
const formats = values.format === undefined ? Object.keys(all) : values.format.split(',');
const unknown = formats.filter((format) => all[format] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`no format ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}\n`);
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), 'spikec-fuzz-'));
const end = performance.now() + 60_000 * Number(values.minutes);
const counts = Object.fromEntries(formats.map((format) => [format, 0]));
const failures = new Map();
const watched = new Watched(fileURLToPath(new URL('worker.mjs', import.meta.url)));
const verdict = (input, size) => watched.verdict(input, size);

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
    for (const [i, { files }] of all[format].entries()) {
      const folder = join(root, 'seed');
      mkdirSync(folder);
      for (const { name, bytes } of files) put(folder, name, bytes);
      const input = { format, folder, coding: format === 'onnx' && i === 0 ? 'mbif' : 'sws', thorough: true };
      const { problem, refused } = await verdict(input, 1e6);
      rmSync(folder, { recursive: true });
      const floats = format === 'onnx' && i > 0;
      if (problem !== undefined || (refused && !floats))
        throw new Error(`the ${format} seed ${i} is refused: ${problem}`);
    }
  }
}

/** An input: put together anew, a valid one with numbers nearby, or a damaged one. */
function made(random, format, original) {
  const way = random();
  if (way < 0.4) {
    if (format === 'onnx') return Buffer.from(grownGraph(random).bytes());
    if (format === 'spike') return grownModel(random);
    return texts.has(format) ? nudgedText(random, original) : nudgedData(random, original);
  }
  const grown = random() < 0.5;
  if (way < 0.75 && format === 'onnx') {
    return mutateGraph(random, grown ? grownGraph(random) : onnxGraphs[below(random, onnxGraphs.length)]());
  }
  if (way < 0.75 && texts.has(format)) {
    return mutateText(random, grown && format === 'spike' ? grownModel(random) : original);
  }
  return mutateBytes(random, original);
}

const accepted = Object.fromEntries(formats.map((format) => [format, 0]));
await checkSeeds();
for (let n = 0; performance.now() < end; n++) {
  const seed = Number(values.seed) * 1e6 + n;
  const random = seeded(seed);
  const format = formats[n % formats.length];
  const { target, files } = all[format][below(random, all[format].length)];
  const original = files.find(({ name }) => name === target).bytes;
  const bytes = made(random, format, original);
  const folder = join(root, String(n));
  mkdirSync(folder);
  for (const file of files) put(folder, file.name, file.name === target ? bytes : file.bytes);
  const coding = ['sws', 'rate', 'mbif'][below(random, 3)];
  const size = files.reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0);
  const thorough = random() < 0.05;
  const { problem, refused } = await verdict({ format, folder, coding, thorough }, size);
  if (!refused) accepted[format]++;
  counts[format]++;
  if (problem !== undefined) {
    const kind = `${format}: ${kindOf(problem)}`;
    const seen = failures.get(kind) ?? 0;
    failures.set(kind, seen + 1);
    if (seen === 0) {
      const kept = join(values.out, `${format}-${seed}`);
      cpSync(folder, kept, { recursive: true });
      writeFileSync(join(kept, 'problem.txt'), `${problem}\ncoding ${coding}${thorough ? ', thorough' : ''}\n`);
      process.stdout.write(`${kind}\n  ${join(kept, target)}\n`);
    }
  }
  rmSync(folder, { recursive: true });
}
watched.end();
rmSync(root, { recursive: true, force: true });
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
const list = Object.entries(counts).map(
  ([format, count]) => `${format} ${count}, ${percent(accepted[format], count)} accepted`,
);
const taken = Object.values(accepted).reduce((sum, count) => sum + count, 0);
process.stdout.write(
  `${total} inputs, ${percent(taken, total)} accepted (${list.join('; ')}), ${failures.size} kinds of failures\n`,
);
process.exitCode = failures.size > 0 ? 1 : 0;

function percent(part, all) {
  return `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
}
