// What trained configs spend on real data (IBRA Tab. 4's columns): a Markdown row a run folder.
//   npm run bench -- energy-table runs/table/narrow-1 runs/table/narrow_mb21-1 --data-dir ../shared/data
// Options: --data cifar10:test  --limit N  --data-dir DIR  --e-mac PJ  --e-ac PJ. Targets may be FILE#CONFIG, too.
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals: targets } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'cifar10:test' },
    limit: { type: 'string' },
    'data-dir': { type: 'string' },
    'e-mac': { type: 'string' },
    'e-ac': { type: 'string' },
  },
});
if (targets.length === 0) throw new Error('energy-table RUN… [--data DATA] [--limit N]');
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

const head = [
  'run',
  'T×D',
  'bits',
  'params',
  'MACs',
  'on reals',
  'SOPs',
  'accuracy',
  'energy',
  'float ANN',
  'quantised ANN',
];
console.log(`| ${head.join(' | ')} |\n|${head.map(() => ' --- |').join('')}`);
const images = new Set();
for (const target of targets) {
  const { total, ann, measured } = cost(target);
  images.add(measured.samples);
  const mega = (n) => `${(n / 1e6).toFixed(2)} M`;
  const microjoules = (pJ) => `${(pJ / 1e6).toFixed(2)} µJ`;
  const cells = [
    basename(target),
    `${round(total.steps)}×${round(total.largest_spike)}`,
    round(total.spike_bits),
    mega(total.params),
    mega(total.macs),
    mega(total.real_macs),
    mega(total.sops),
    `${(100 * measured.accuracy).toFixed(2)} %`,
    microjoules(total.energy_pj),
    microjoules(ann.energy_pj),
    `${microjoules(ann.quantised_energy_pj)} (${ann.bits} bit${ann.bits === 1 ? '' : 's'})`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
console.log(`\nMeasured on ${[...images].join(', ')} images of ${options.data}.`);

function cost(target) {
  const flags = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  const done = spawnSync(process.execPath, [main, 'cost', target, '--json', '--quiet', ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1e9,
  });
  if (done.status !== 0) throw new Error(`spikec cost ${target} ended with ${done.status}`);
  return JSON.parse(done.stdout);
}

function round(n) {
  return String(Math.round(n * 100) / 100);
}
