// Evaluation of each coding: a converted network on our engines with its spikes counted, and a vectorised simulation in PyTorch by hand; every
// contender alone, PyTorch with both OpenMP policies, of which the better counts. (sws: `sws-eval`.)
//   npm run bench -- codings-eval --python PYTHON [--networks lenet5,resnet20] [--codings rate,ttfs] [--engines native] [--rounds 3] [--threads 2] [--write]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone, answer, option, writeTables } from './lib/contest.mjs';

const networks = {
  lenet5: { file: 'lenet5-avgpool-mnist.qdq.onnx', data: 'mnist', batch: 100, mean: [0.5], std: [0.5] },
  resnet20: {
    file: 'resnet20-cifar10.qdq.onnx',
    data: 'cifar10',
    batch: 25,
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.2435, 0.2616],
  },
};
const steps = {
  rate: 32,
  signed: 15,
  offset: 16,
  mbif: 2,
  ibra: 1,
  binary: 6,
  phase: 32,
  burst: 32,
  ttfs: 16,
  ttfs_dynamic: 16,
  tsc: 32,
  pattern: 6,
};
const list = (name, fallback) => option(name, fallback).split(',').filter(Boolean);
const [rounds, threads, seconds] = [option('rounds', '3'), option('threads', '2'), option('seconds', '2')].map(Number);
const [models, dataDir] = [option('models', '../shared/models'), option('data-dir', '../shared/data')];
const self = fileURLToPath(import.meta.url);
const script = fileURLToPath(new URL('codings-torch.py', import.meta.url));

/** Converts, and writes the first test images as they are fed. */
async function prepared(name, coding, outDir) {
  const { openDataset } = await import('../dist/src/data/index.js');
  const { driver } = await import('../dist/src/commands/index.js');
  const { file, data, batch, mean, std } = networks[name];
  const normalisation = { mean, std };
  const encoder = ['phase', 'burst', 'ttfs', 'ttfs_dynamic', 'tsc', 'pattern'].includes(coding)
    ? { encoder: 'real' }
    : {};
  const settings = { coding, steps: steps[coding], normalisation, outDir, verify: false, ...encoder };
  const { value, diagnostics } = await driver.convertOnnx(join(models, file), settings);
  if (value === undefined) throw new Error(diagnostics.find(({ severity }) => severity === 'error').message);
  const test = openDataset(`${data}:test`, data === 'mnist' ? {} : { dataDir });
  const { images: pixels } = test.read(0, batch);
  const channels = mean.length;
  const area = pixels.length / batch / channels;
  const images = Float32Array.from(pixels, (v, i) => {
    const channel = Math.floor(i / area) % channels;
    return (v / test.scale - mean[channel]) / std[channel];
  });
  test.close();
  writeFileSync(join(outDir, 'images'), images);
}

/** Runs the converted network on these images, again and again. */
async function contend(engine, folder, batch) {
  const { readFileSync } = await import('node:fs');
  const { openTarget } = await import('../dist/src/workspace/open.js');
  const { Findings } = await import('../dist/src/workspace/findings.js');
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { fanOuts } = await import('../dist/src/cost/index.js');
  const { lower } = await import('../dist/src/lower/program/index.js');
  const { simplify } = await import('../dist/src/tensor/index.js');
  const { network } = openTarget({ path: folder }, {}, new Findings()).compiled({ planes: false });
  const program = simplify(lower(network, { probes: { counts: fanOuts(network) } }).program);
  const [input] = program.inputs;
  const bytes = readFileSync(join(folder, 'images'));
  const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const feeds = { [input.id]: { dtype: 'f32', shape: [batch, ...input.shape.slice(1)], data } };
  const opened = await engineNamed(engine).open(program, { threads });
  await answer(async () => (await opened.step(feeds))['0'].data.reduce((sum, v) => sum + Math.abs(v), 0));
  await opened.dispose();
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function measured(batch, command, args, env = {}) {
  const { count, measured: all } = await alone(command, args, { rounds, seconds, env });
  return {
    rate: median(all.map((one) => (batch * count) / one.seconds)),
    cpu: (1000 * Math.min(...all.map((one) => one.cpu))) / count / batch,
    sum: all[0].loss,
  };
}

async function row(name, coding, engine) {
  const { batch } = networks[name];
  const outDir = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  try {
    await prepared(name, coding, join(outDir, 'net'));
    const folder = join(outDir, 'net');
    const ours = await measured(batch, process.execPath, [self, '--contender', engine, '--folder', folder, '--batch', String(batch), '--threads', String(threads)]); // prettier-ignore
    const policies = [];
    for (const OMP_WAIT_POLICY of ['passive', 'active']) {
      const args = [script, folder, join(folder, 'images'), String(batch), String(threads)];
      policies.push(await measured(batch, option('python', 'python3'), args, { OMP_WAIT_POLICY }));
    }
    const peer = policies.toSorted((a, b) => b.rate - a.rate)[0];
    // a spike decided otherwise by rounding moves the sum a little
    const apart = Math.abs(ours.sum - peer.sum) / Math.abs(peer.sum);
    return { coding, ours, peer, apart };
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

if (process.argv.includes('--contender')) await contend(option('contender'), option('folder'), Number(option('batch')));
else {
  const tables = [];
  for (const name of list('networks', 'lenet5,resnet20')) {
    for (const engine of list('engines', 'native')) {
      const lines = [
        `**${name}**, \`${engine}\`, ${threads} thread${threads === 1 ? '' : 's'}`,
        '',
        '| coding, steps | images/s | PyTorch | × PyTorch | CPU ms an image | PyTorch | × PyTorch | sums of outputs differ by |',
        '| --- | --- | --- | --- | --- | --- | --- | --- |',
      ];
      console.log(lines.join('\n'));
      for (const coding of list('codings', Object.keys(steps).join(','))) {
        const { ours, peer, apart } = await row(name, coding, engine);
        const cells = [
          `${coding} ${steps[coding]}`,
          ours.rate.toFixed(0),
          peer.rate.toFixed(0),
          (ours.rate / peer.rate).toFixed(2),
          ours.cpu.toFixed(2),
          peer.cpu.toFixed(2),
          (peer.cpu / ours.cpu).toFixed(2),
          `${(100 * apart).toFixed(3)} %`,
        ];
        lines.push(`| ${cells.join(' | ')} |`);
        console.log(lines.at(-1));
      }
      tables.push(lines.join('\n'));
    }
  }
  if (process.argv.includes('--write')) writeTables('codings-eval', tables.join('\n\n'));
}
