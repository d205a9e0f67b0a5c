// Rate conversion over 32 steps: a converted network on our engines, and the same network in PyTorch by hand and by
// SpikingJelly's ann2snn; every contender alone, PyTorch with both OpenMP policies, of which the better counts.
//   npm run bench -- rate --python PYTHON [--networks lenet5,resnet20] [--engines native,fused] [--rounds 5] [--write]
//     [--counts]: our engines count spikes and predict from the first steps, too, as `eval` does
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone, answer, option, writeTables } from './lib/contest.mjs';

const networks = {
  lenet5: { file: 'lenet5-avgpool-mnist.fp32.onnx', data: 'mnist', batch: 100, mean: [0.5], std: [0.5] },
  resnet20: {
    file: 'resnet20-cifar10.fp32.onnx',
    data: 'cifar10',
    batch: 25,
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.2435, 0.2616],
  },
};
const list = (name, fallback) => option(name, fallback).split(',').filter(Boolean);
const [rounds, threads, steps] = [option('rounds', '5'), option('threads', '2'), option('steps', '32')].map(Number);
const [models, dataDir] = [option('models', '../shared/models'), option('data-dir', '../shared/data')];

/** Runs the converted network on the first test images, again and again. */
async function contend(name, engine) {
  const { openDataset } = await import('../dist/src/data/index.js');
  const { driver } = await import('../dist/src/commands/index.js');
  const { openTarget } = await import('../dist/src/workspace/open.js');
  const { Findings } = await import('../dist/src/workspace/findings.js');
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { fanOuts } = await import('../dist/src/cost/index.js');
  const { lower } = await import('../dist/src/lower/program/index.js');
  const { simplify } = await import('../dist/src/tensor/index.js');
  const { file, data, batch, mean, std } = networks[name];
  const outDir = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  const where = data === 'mnist' ? {} : { dataDir };
  const [calibrate, test] = [openDataset(`${data}:train`, where), openDataset(`${data}:test`, where)];
  const normalisation = { mean, std };
  const settings = { coding: 'rate', steps, calibrate, normalisation, outDir, calibrationLimit: 200, percentile: 99.9 };
  const { value, diagnostics } = await driver.convertOnnx(join(models, file), settings);
  if (value === undefined) throw new Error(diagnostics[0].message);
  const { network } = openTarget({ path: value.model }, {}, new Findings()).compiled();
  const early = [1, 2, 4, 8, 16].filter((n) => n < steps);
  const probes = process.argv.includes('--counts') ? { probes: { counts: fanOuts(network), early } } : {};
  const program = simplify(lower(network, probes).program);
  const [input] = program.inputs;
  const shape = [batch, ...input.shape.slice(1)];
  const { images: pixels } = test.read(0, batch);
  const area = shape[2] * shape[3];
  const images = Float32Array.from(pixels, (v, i) => {
    const channel = Math.floor(i / area) % shape[1];
    return (v / test.scale - mean[channel]) / std[channel];
  });
  const opened = await engineNamed(engine).open(program, { threads });
  const feeds = { [input.id]: { dtype: 'f32', shape, data: images } };
  await answer(async () => Object.values(await opened.step(feeds))[0].data[0]);
  await opened.dispose();
  for (const dataset of [calibrate, test]) dataset.close();
  rmSync(outDir, { recursive: true });
}

const self = fileURLToPath(import.meta.url);
const script = fileURLToPath(new URL('rate-torch.py', import.meta.url));
const labels = { hand: 'PyTorch by hand', spikingjelly: 'SpikingJelly ann2snn' };
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function measured(name, batch, command, args, env = {}) {
  try {
    const { count, measured } = await alone(command, args, { rounds, seconds: 2, env });
    const rates = measured.map((one) => (batch * count) / one.seconds);
    const cpu = (1000 * Math.min(...measured.map((one) => one.cpu))) / count / batch;
    return { name, median: median(rates), best: Math.max(...rates), worst: Math.min(...rates), cpu };
  } catch (error) {
    console.error(`${name} doesn't run here: ${error.message}`);
    return undefined;
  }
}

async function compare(network) {
  const rows = [];
  for (const engine of list('engines', 'native,fused')) {
    const args = [self, '--contender', engine, '--networks', network, '--threads', String(threads)];
    const places = ['--models', models, '--data-dir', dataDir, '--steps', String(steps)];
    if (process.argv.includes('--counts')) places.push('--counts');
    rows.push(await measured(`\`${engine}\``, networks[network].batch, process.execPath, [...args, ...places]));
  }
  for (const how of list('peers', 'hand,spikingjelly')) {
    const sizes = Object.entries({ network, how, threads, batch: 100, steps });
    const args = [script, ...sizes.flatMap(([key, value]) => [`--${key}`, String(value)])];
    const policies = [];
    for (const OMP_WAIT_POLICY of ['passive', 'active']) {
      policies.push(await measured(labels[how], 100, option('python', 'python3'), args, { OMP_WAIT_POLICY }));
    }
    rows.push(policies.filter((one) => one !== undefined).sort((a, b) => b.median - a.median)[0]);
  }
  return rows.filter((row) => row !== undefined);
}

function table(network, rows) {
  const ratio = (row, how) => {
    const peer = rows.find(({ name }) => name === labels[how]);
    return peer === undefined ? '–' : (row.median / peer.median).toFixed(2);
  };
  return [
    `**${network}**, T = ${steps}, ${threads} threads`,
    '',
    '| contender | images/s | best | worst | × by hand | × ann2snn | CPU ms an image |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => {
      const rates = [row.median, row.best, row.worst].map((rate) => rate.toFixed(0));
      return `| ${[row.name, ...rates, ratio(row, 'hand'), ratio(row, 'spikingjelly'), row.cpu.toFixed(2)].join(' | ')} |`;
    }),
  ].join('\n');
}

const chosen = list('networks', 'lenet5,resnet20');
if (process.argv.includes('--contender')) await contend(chosen[0], option('contender'));
else {
  const tables = [];
  for (const network of chosen) {
    tables.push(table(network, await compare(network)));
    console.log(`\n${tables.at(-1)}\n`);
  }
  if (process.argv.includes('--write')) writeTables('rate', tables.join('\n\n'));
}
