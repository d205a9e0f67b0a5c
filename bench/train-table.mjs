// Trains configs of a model file with several seeds and measures them on the test set: a Markdown row a config.
//   npm run build && node bench/train-table.mjs models/multibit/resnet20.spike --configs narrow,narrow_mb21 \
//     --seeds 1,2 --data-dir ../shared/data --runs runs/table
// Options: --epochs N  --limit N  --test cifar10:test  --engine E  --threads N  --jobs N (trainings at a time: with one thread
// each they share the cores better than one after the other with all of them). What was trained before is not trained again: a run
// that was broken off goes on. Every run keeps its folder RUNS/CONFIG-SEED and its figures in RUNS/results.json.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    configs: { type: 'string' },
    seeds: { type: 'string', default: '1,2' },
    epochs: { type: 'string' },
    limit: { type: 'string' },
    test: { type: 'string', default: 'cifar10:test' },
    'data-dir': { type: 'string' },
    engine: { type: 'string' },
    threads: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    runs: { type: 'string', default: 'runs/table' },
  },
});
const [file] = positionals;
if (file === undefined || options.configs === undefined)
  throw new Error('train-table FILE --configs A,B [--seeds 1,2]');
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const store = join(options.runs, 'results.json');
const results = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
const given = (names) => names.flatMap((name) => (options[name] === undefined ? [] : [`--${name}`, options[name]]));

mkdirSync(options.runs, { recursive: true });
const configs = options.configs.split(',');
const seeds = options.seeds.split(',');
const waiting = seeds
  .flatMap((seed) => configs.map((config) => ({ config, seed })))
  .filter(({ config, seed }) => results[`${config}-${seed}`] === undefined);
await Promise.all(Array.from({ length: Number(options.jobs) }, work));
printTable();

/** Trains what waits, one after the other. */
async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await measure(next.config, next.seed);
}

async function measure(config, seed) {
  const run = join(options.runs, `${config}-${seed}`);
  const resume = existsSync(join(run, 'checkpoint', 'state.safetensors')) ? ['--resume'] : [];
  const training = [`${file}#${config}`, '--seed', seed, '-o', run, ...resume];
  const lines = await spikec('train', [...training, ...given(['data-dir', 'epochs', 'limit', 'engine', 'threads'])]);
  const epochs = lines.filter(({ epoch }) => epoch !== undefined);
  const [tested] = await spikec('eval', [run, '--data', options.test, ...given(['data-dir'])]);
  const result = { config, seed, epochs: lines.at(-1).done, training: epochs.at(-1), test: tested };
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  console.error(`${config} seed ${seed}: ${(100 * tested.accuracy).toFixed(2)} % (${seconds.toFixed(0)} s)`);
  results[`${config}-${seed}`] = { ...result, seconds };
  writeFileSync(`${store}.part`, `${JSON.stringify(results, undefined, 1)}\n`);
  renameSync(`${store}.part`, store);
}

/** Runs a command of spikec; the JSON documents that it prints. */
async function spikec(command, args) {
  const child = spawn(process.execPath, [main, command, ...args, '--json', '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text));
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`spikec ${command} ${args.join(' ')} ended with ${status}\n${printed}`);
  return documents(printed);
}

/** JSON documents one a line, or one over several lines. */
function documents(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
}

function printTable() {
  const percent = (x) => `${(100 * x).toFixed(2)} %`;
  const learned = configs.some((config) => results[`${config}-${seeds[0]}`].training.bits !== undefined);
  const head = [
    'config',
    ...seeds.map((seed) => `seed ${seed}`),
    'mean',
    ...(learned ? ['W/S/T learned'] : []),
    's an epoch',
  ];
  console.log(`| ${head.join(' | ')} |`);
  console.log(`|${' --- |'.repeat(head.length)}`);
  for (const config of configs) {
    const found = seeds.map((seed) => results[`${config}-${seed}`]);
    const mean = (value) => found.reduce((sum, one) => sum + value(one), 0) / found.length;
    const bits = found.map((one) => bitsOf(one.training.bits)).filter((text) => text !== undefined);
    const cells = [
      config,
      ...found.map((one) => percent(one.test.accuracy)),
      percent(mean((one) => one.test.accuracy)),
      ...(learned ? [bits.length === 0 ? '–' : bits.join(', ')] : []),
      mean((one) => one.seconds / one.epochs).toFixed(0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

/** Mean bits of weights and spikes, and mean steps. */
function bitsOf(bits) {
  if (bits === undefined) return undefined;
  return ['weights', 'spikes', 'steps'].map((kind) => bits[kind]?.toFixed(2) ?? '–').join('/');
}
