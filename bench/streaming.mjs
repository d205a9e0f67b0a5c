// Training from data that don't fit in the memory: throughput of later epochs with all samples in memory and with none.
//   npm run bench -- streaming [--forms idx,images,events] [--images 4000] [--epochs 5] [--rounds 3] [--engine native] [--threads 2] [--write]
// Samples are drawn: 3×32×32 pixels as one IDX file and as a PNG each, recordings of 2,000 events. Each training is a process of
// its own, and they take turns; of its epochs the first, in which samples are decoded, doesn't count. Prints images a second
// (median and best epoch), their ratio, and processor time.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { option, writeTables } from './lib/contest.mjs';

const images = Number(option('images', 4000));
const epochs = Number(option('epochs', 5));
const rounds = Number(option('rounds', 3));
const engine = option('engine', 'native');
const threads = Number(option('threads', 2));
const classes = 10;

function stream(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const pixels = (random) => Uint8Array.from({ length: 3 * 32 * 32 }, () => 256 * random());

const forms = {
  idx(folder) {
    const random = stream(1);
    const header = (type, ...sizes) => {
      const bytes = Buffer.alloc(4 + 4 * sizes.length);
      bytes.set([0, 0, type, sizes.length]);
      sizes.forEach((size, i) => bytes.writeUInt32BE(size, 4 + 4 * i));
      return bytes;
    };
    const all = Array.from({ length: images }, () => pixels(random));
    writeFileSync(join(folder, 'images'), Buffer.concat([header(8, images, 3, 32, 32), ...all]));
    const labels = Uint8Array.from({ length: images }, (_, i) => i % classes);
    writeFileSync(join(folder, 'labels'), Buffer.concat([header(8, images), labels]));
    return `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
  },
  async images(folder) {
    const { PNG } = (await import('pngjs')).default;
    const random = stream(1);
    for (let i = 0; i < images; i++) {
      const own = pixels(random);
      const png = new PNG({ width: 32, height: 32 });
      for (let k = 0; k < 1024; k++) png.data.set([own[k], own[1024 + k], own[2048 + k], 255], 4 * k);
      writeIn(join(folder, 'png', String(i % classes)), `${i}.png`, PNG.sync.write(png, { colorType: 2 }));
    }
    return `images:${join(folder, 'png')}`;
  },
  events(folder) {
    const random = stream(1);
    for (let i = 0; i < images; i++) {
      // five bytes an event, as N-MNIST has them: x, y, polarity and 23 bits of time
      const bytes = new Uint8Array(5 * 2000);
      for (let k = 0; k < 2000; k++) {
        const time = 50 * k;
        const polarity = random() < 0.5 ? 0x80 : 0;
        bytes.set([34 * random(), 34 * random(), polarity | (time >> 16), (time >> 8) & 255, time & 255], 5 * k);
      }
      writeIn(join(folder, 'bin', String(i % classes)), `${i}.bin`, bytes);
    }
    return `events:${join(folder, 'bin')}`;
  },
};

function writeIn(folder, name, bytes) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), bytes);
}

function model(form, data) {
  const events = form === 'events';
  return `use "spikec/neurons" { LIF }
network Small {
  input image: real[${events ? '2, 34, 34' : '3, 32, 32'}]
  first  = image | conv(16, kernel: 5, stride: 2) | batchnorm | spike
  second = first | conv(32, kernel: 3, stride: 2) | batchnorm | spike
  output second | flatten | linear(${classes})
}
config streaming {
  network Small
  neuron  LIF
  coding  ${events ? 'events(steps: 4, by: "number")' : 'direct(steps: 4)'}
  train { data "${data}"  optimizer sgd(lr: 0.01)  batch 50  epochs ${epochs}  seed 1 }
}
`;
}

/** One training: seconds and processor seconds of each epoch behind the first. */
async function contend(folder, memory) {
  const { trainTarget } = await import('../dist/src/commands/train.js');
  const { chooseEngine } = await import('../dist/src/run/engine.js');
  const run = join(folder, `run-${process.pid}`);
  const rows = [];
  let cpu = process.cpuUsage();
  const { value, diagnostics } = await trainTarget(
    { path: join(folder, 'streaming.spike'), config: 'streaming' },
    {
      engine: chooseEngine(engine, 'train').name,
      threads,
      run,
      ...(memory === 'none' ? { memory: 0.001 } : {}),
      onEpoch: ({ seconds }) => {
        const { user, system } = process.cpuUsage(cpu);
        rows.push({ seconds, cpu: (user + system) / 1e6 });
        cpu = process.cpuUsage();
      },
    },
  );
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  rmSync(run, { recursive: true });
  process.stdout.write(JSON.stringify(rows.slice(1)));
}

const self = fileURLToPath(import.meta.url);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function compare(form) {
  const folder = mkdtempSync(join(tmpdir(), 'streaming-'));
  try {
    writeFileSync(join(folder, 'streaming.spike'), model(form, await forms[form](folder)));
    const found = new Map([
      ['all', []],
      ['none', []],
    ]);
    for (let round = 0; round < rounds; round++) {
      for (const [memory, rows] of found) {
        const args = [
          self,
          '--contender',
          memory,
          '--folder',
          folder,
          '--engine',
          engine,
          '--threads',
          String(threads),
        ];
        const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
        if (status !== 0) throw new Error(stderr);
        rows.push(...JSON.parse(stdout));
      }
    }
    const of = (memory, key, pick) => pick(found.get(memory).map((row) => row[key]));
    const least = (values) => Math.min(...values);
    const ratio = (key, pick) => (of('all', key, pick) / of('none', key, pick)).toFixed(2);
    return [...found.keys()].map((memory) => {
      const rates = [median, least].map((pick) => (images / of(memory, 'seconds', pick)).toFixed(0));
      const cpu = ((1e3 * of(memory, 'cpu', median)) / images).toFixed(3);
      const ratios = memory === 'all' ? ['1.00', '1.00'] : [ratio('seconds', median), ratio('cpu', median)];
      return `| ${[form, memory, ...rates, ratios[0], cpu, ratios[1]].join(' | ')} |`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv.includes('--contender')) await contend(option('folder'), option('contender'));
else {
  const lines = [
    `${images} samples, batch 50, \`${engine}\`, ${threads} threads`,
    '',
    '| data | in memory | samples/s | best | × in memory | CPU ms a sample | in memory by CPU × |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const form of option('forms', 'idx,images,events').split(',')) lines.push(...(await compare(form)));
  console.log(lines.join('\n'));
  if (process.argv.includes('--write')) writeTables('streaming', lines.join('\n'));
}
