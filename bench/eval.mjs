// The whole of `eval` (reading and normalising images, counting, comparing) beside the engine alone on images in memory.
//   npm run bench -- eval [--models ../shared/models] [--data-dir ../shared/data] [--networks lenet5-maxpool-mnist,…]
//     [--limit 2000] [--engine native] [--threads 2] [--rounds 3] [--write]
// Networks converted at Tc = 8, Ts = 2 and compiled, so that no source network runs beside them. Each side alone, in a process of
// its own; the program was compiled by an earlier run. Wall and processor time an image, the least of the rounds.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone, answer, option, writeTables } from './lib/contest.mjs';

const models = option('models', '../shared/models');
const dataDir = option('data-dir', '../shared/data');
const limit = Number(option('limit', 2000));
const engine = option('engine', 'native');
const threads = Number(option('threads', 2));
const rounds = Number(option('rounds', 3));
const chosen = option('networks', 'lenet5-avgpool-mnist,lenet5-maxpool-mnist,resnet20-cifar10,vgg7-cifar10').split(',');
const mnist = { data: 'mnist:test', normalisation: { mean: [0.5], std: [0.5] } };
const cifar = { data: 'cifar10:test', normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] } };
const settingsOf = (name) => (name.endsWith('mnist') ? mnist : cifar);

const dataOf = async ({ data }) => {
  const { openDataset } = await import('../dist/src/data/index.js');
  return openDataset(data, data.startsWith('cifar') ? { dataDir } : {});
};

/** Compiles the conversion of a network into a folder. */
async function compiled(name, folder) {
  const { driver } = await import('../dist/src/commands/index.js');
  copyFileSync(join(models, `${name}.qdq.onnx`), join(folder, 'net.onnx'));
  const path = join(folder, 'bench.spike');
  const coding = 'sws(beta: 2, steps: 8, silent: 2)';
  writeFileSync(path, `config bench {\n  network onnx("net.onnx")\n  coding ${coding}\n}\n`);
  const out = join(folder, 'out');
  const { value, diagnostics } = await driver.compileTarget(
    { path },
    { outDir: out, emit: ['ir', 'json'], verify: false },
  );
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return out;
}

async function contend(name, contender, folder) {
  const { normalisation } = settingsOf(name);
  const dataset = await dataOf(settingsOf(name));
  if (contender === 'whole') {
    const { driver } = await import('../dist/src/commands/index.js');
    await answer(async () => {
      const { value, diagnostics } = await driver.evaluateTarget(
        { path: folder },
        { dataset, normalisation, limit, engine, threads },
      );
      if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
      return value.accuracy;
    });
    return;
  }
  const { openTarget } = await import('../dist/src/workspace/open.js');
  const { Findings } = await import('../dist/src/workspace/findings.js');
  const { fanOuts } = await import('../dist/src/cost/index.js');
  const { lower } = await import('../dist/src/lower/program/index.js');
  const { simplify } = await import('../dist/src/tensor/index.js');
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { network } = openTarget({ path: folder }, {}, new Findings()).compiled();
  const program = simplify(lower(network, { probes: { counts: fanOuts(network) } }).program);
  const opened = await engineNamed(engine).open(program, { threads });
  const shape = [100, ...network.ops[0].attrs.shape];
  const { mean, std } = normalisation;
  const area = shape[2] * shape[3];
  const { images: pixels } = dataset.read(0, 100);
  const data = Float32Array.from(pixels, (pixel, i) => {
    const channel = Math.floor(i / area) % shape[1];
    return (pixel / 255 - mean[channel]) / std[channel];
  });
  const feeds = { [program.inputs[0].id]: { dtype: 'f32', shape, data } };
  await answer(async () => {
    const pending = [];
    for (let done = 0; done < limit; done += 100) {
      if (pending.length >= (opened.lanes ?? 1)) await pending.shift();
      pending.push(opened.step(feeds));
    }
    await Promise.all(pending);
    return 0;
  });
  await opened.dispose();
}

const self = fileURLToPath(import.meta.url);

async function measured(name, contender, folder) {
  const sizes = { networks: name, contender, folder, limit, engine, threads, 'data-dir': dataDir };
  const args = [self, ...Object.entries(sizes).flatMap(([key, value]) => [`--${key}`, String(value)])];
  const { count, measured } = await alone(process.execPath, args, { rounds, seconds: 1, most: 3 });
  const least = (pick) => Math.min(...measured.map((one) => pick(one) / count / limit));
  return { wall: least((one) => one.seconds), cpu: least((one) => one.cpu) };
}

async function compare() {
  const rows = [
    '| network | engine alone, images/s | whole `eval`, images/s | × | CPU µs an image, alone | whole | × |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  console.log(rows.join('\n'));
  for (const name of chosen) {
    const folder = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
    try {
      const out = await compiled(name, folder);
      const bare = await measured(name, 'engine', out);
      const whole = await measured(name, 'whole', out);
      const rates = [1 / bare.wall, 1 / whole.wall].map((rate) => rate.toFixed(0));
      const processor = [1e6 * bare.cpu, 1e6 * whole.cpu].map((us) => us.toFixed(0));
      const ratios = [whole.wall / bare.wall, whole.cpu / bare.cpu].map((ratio) => ratio.toFixed(2));
      rows.push(`| ${[name, ...rates, ratios[0], ...processor, ratios[1]].join(' | ')} |`);
      console.log(rows.at(-1));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  if (process.argv.includes('--write')) writeTables('eval', rows.join('\n'));
}

if (process.argv.includes('--contender')) await contend(chosen[0], option('contender'), option('folder'));
else await compare();
