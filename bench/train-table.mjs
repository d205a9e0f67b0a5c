// Trains configs of a model file with several seeds and measures them on the test set: a Markdown row a config.
//   npm run build && node bench/train-table.mjs models/multibit/resnet20.spike --configs narrow,narrow_mb21 \
//     --seeds 1,2 --data-dir ../shared/data --runs runs/table
// Options: --epochs N  --limit N  --test cifar10:test  --engine E  --threads N. What was trained before is not trained again: a run
// that was broken off goes on. Every run keeps its folder RUNS/CONFIG-SEED and its figures in RUNS/results.json.
import { spawnSync } from 'node:child_process';
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
for (const seed of seeds) for (const config of configs) results[`${config}-${seed}`] ??= measure(config, seed);
printTable();

function measure(config, seed) {
  const run = join(options.runs, `${config}-${seed}`);
  const resume = existsSync(join(run, 'checkpoint', 'state.safetensors')) ? ['--resume'] : [];
  const training = [`${file}#${config}`, '--seed', seed, '-o', run, ...resume];
  const lines = spikec('train', [...training, ...given(['data-dir', 'epochs', 'limit', 'engine', 'threads'])]);
  const epochs = lines.filter(({ epoch }) => epoch !== undefined);
  const [tested] = spikec('eval', [run, '--data', options.test, ...given(['data-dir'])]);
  const result = { config, seed, epochs: lines.at(-1).done, training: epochs.at(-1), test: tested };
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  console.error(`${config} seed ${seed}: ${(100 * tested.accuracy).toFixed(2)} % (${seconds.toFixed(0)} s)`);
  const kept = { ...results, [`${config}-${seed}`]: { ...result, seconds } };
  writeFileSync(`${store}.part`, `${JSON.stringify(kept, undefined, 1)}\n`);
  renameSync(`${store}.part`, store);
  return kept[`${config}-${seed}`];
}

/** Runs a command of spikec; the JSON documents that it prints. */
function spikec(command, args) {
  const done = spawnSync(process.execPath, [main, command, ...args, '--json', '--quiet'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1e9,
  });
  if (done.status !== 0)
    throw new Error(`spikec ${command} ${args.join(' ')} ended with ${done.status}\n${done.stdout}`);
  return documents(done.stdout);
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
