// `npm run fuzz [-- --minutes M --seed N --format F --out DIR]`: damaged inputs of every format, each of which must end
// in a result or in diagnostics. docs/fuzzing.md says what is promised.
import { fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { below, mutateBytes, mutateGraph, mutateText, seeded } from './mutate.mjs';
import { onnxGraphs, seeds } from './seeds.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string' },
    out: { type: 'string', default: 'build/fuzz' },
  },
});
const slowest = 5000;
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
let worker;

function put(folder, name, bytes) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), bytes);
}

/** A fresh process, its heap bounded. */
async function started() {
  const path = fileURLToPath(new URL('worker.mjs', import.meta.url));
  const child = fork(path, [], { execArgv: ['--max-old-space-size=1024'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  child.stderr.on('data', () => undefined);
  await new Promise((done) => child.once('message', done));
  return child;
}

/** What the worker says of an input: nothing where all is well. */
async function verdict(input, size) {
  worker ??= await started();
  const child = worker;
  const answer = await new Promise((done) => {
    const timer = setTimeout(() => done({ problem: `longer than ${slowest} ms`, lost: true }), slowest);
    const finish = (result) => {
      clearTimeout(timer);
      child.removeAllListeners('message');
      child.removeAllListeners('exit');
      done(result);
    };
    child.once('message', finish);
    child.once('exit', (code, signal) => finish({ problem: `the process ended: ${signal ?? code}`, lost: true }));
    child.send(input);
  });
  const allowed = 4 * size + 300e6;
  const large = answer.grown > allowed;
  if (answer.lost || large) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    worker = undefined;
  }
  const grown = large ? `memory grew by ${Math.round(answer.grown / 1e6)} MB` : undefined;
  return { problem: answer.problem ?? grown, refused: answer.refused === true };
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

let accepted = 0;
await checkSeeds();
for (let n = 0; performance.now() < end; n++) {
  const seed = Number(values.seed) * 1e6 + n;
  const random = seeded(seed);
  const format = formats[n % formats.length];
  const { target, files } = all[format][below(random, all[format].length)];
  const original = files.find(({ name }) => name === target).bytes;
  const structured = random() < 0.6;
  const bytes =
    structured && format === 'onnx'
      ? mutateGraph(random, onnxGraphs[below(random, onnxGraphs.length)]())
      : structured && texts.has(format)
        ? mutateText(random, original)
        : mutateBytes(random, original);
  const folder = join(root, String(n));
  mkdirSync(folder);
  for (const file of files) put(folder, file.name, file.name === target ? bytes : file.bytes);
  const coding = ['sws', 'rate', 'mbif'][below(random, 3)];
  const size = files.reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0);
  const { problem, refused } = await verdict({ format, folder, coding, thorough: random() < 0.05 }, size);
  if (!refused) accepted++;
  counts[format]++;
  if (problem !== undefined) {
    const kind = `${format}: ${kindOf(problem)}`;
    const seen = failures.get(kind) ?? 0;
    failures.set(kind, seen + 1);
    if (seen === 0) {
      const kept = join(values.out, `${format}-${seed}`);
      cpSync(folder, kept, { recursive: true });
      writeFileSync(join(kept, 'problem.txt'), `${problem}\ncoding ${coding}\n`);
      process.stdout.write(`${kind}\n  ${join(kept, target)}\n`);
    }
  }
  rmSync(folder, { recursive: true });
}
worker?.removeAllListeners('exit');
worker?.kill('SIGKILL');
rmSync(root, { recursive: true, force: true });
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
const list = Object.entries(counts).map(([format, count]) => `${format} ${count}`);
process.stdout.write(
  `${total} inputs (${list.join(', ')}; ${accepted} accepted), ${failures.size} kinds of failures\n`,
);
process.exitCode = failures.size > 0 ? 1 : 0;
