// Speed of a converted network beside its float ANN in onnxruntime: one process, the same batch, the same threads,
// alternating. With Debian's python3-torch also beside a vectorised PyTorch simulation of the same spiking network.
//   npm run build && node bench/sws-eval.mjs --models ../shared/models
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeSafetensors } from '../dist/src/base/safetensors.js';
import { fanOuts } from '../dist/src/cost/index.js';
import { networkJson } from '../dist/src/workspace/emitters.js';
import { libraryNeurons } from '../dist/src/workspace/files.js';
import { engineNamed, openOnnxSource } from '../dist/src/engines/index.js';
import { importOnnx } from '../dist/src/frontends/onnx/index.js';
import { lower } from '../dist/src/lower/program/index.js';
import { paramsToTensors } from '../dist/src/network/index.js';
import { configure, everyLayer, pipelines, runPipeline } from '../dist/src/passes/index.js';
import { bestTimes, sayTimes, writeTables } from './lib/contest.mjs';
import { simplify } from '../dist/src/tensor/index.js';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    networks: {
      type: 'string',
      default: 'lenet5-avgpool-mnist,lenet5-maxpool-mnist,resnet20-cifar10,vgg7-cifar10',
    },
    silent: { type: 'string', default: '2' },
    batch: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
    engines: { type: 'string', default: 'native,fused,onnxruntime' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string', default: '/usr/bin/python3' },
    write: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
const [batch, rounds, threads] = [options.batch, options.rounds, options.threads].map(Number);

if (options.profile) {
  for (const name of options.networks.split(',')) await profile(name);
  process.exit(0);
}

const rows = [];
const say = (row) => {
  rows.push(row);
  console.log(row);
};
say('| network | engine | SNN images/s | float ANN images/s | SNN time / ANN time | PyTorch SNN images/s |');
say('| --- | --- | --- | --- | --- | --- |');
for (const name of options.networks.split(',')) {
  const spiking = convert(name);
  const torch = torchRate(spiking);
  for (const engine of options.engines.split(',')) {
    const { snn, ann } = await compare(name, spiking, engine);
    const cells = [
      name,
      engine,
      (batch / snn).toFixed(0),
      (batch / ann).toFixed(0),
      `${(snn / ann).toFixed(2)}×`,
      torch,
    ];
    say(`| ${cells.join(' | ')} |`);
  }
}
if (options.write) writeTables('sws-eval', rows.join('\n'));

function convert(name) {
  const bytes = new Uint8Array(readFileSync(join(options.models, `${name}.qdq.onnx`)));
  const { network } = importOnnx({ name, bytes }).value;
  const passes = configure(pipelines['convert.sws'], {
    'schedule-time': { silent: everyLayer(Number(options.silent)) },
  });
  return runPipeline(network, passes, { neurons: libraryNeurons() }).network;
}

/** Where the native engine's time goes, on one thread. */
async function profile(name) {
  const { openNative } = await import('../dist/src/engines/native.js');
  const spiking = convert(name);
  const program = simplify(lower(spiking, { probes: { counts: fanOuts(spiking) } }).program);
  const opened = await openNative(program, { threads: 1 }, { profile: true });
  const feed = { [program.inputs[0].id]: imagesFor(spiking) };
  sayTimes(
    `${name}: native, one thread, a batch of ${batch}`,
    await bestTimes(opened, () => opened.step(feed), 5 * rounds),
  );
  await opened.dispose();
}

function imagesFor(spiking) {
  const shape = [batch, ...spiking.ops[0].attrs.shape];
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random() * 2 - 1);
  return { dtype: 'f32', shape, data };
}

/** Median seconds a batch: rounds of both, one after the other, so that noise hits both alike. */
async function compare(name, spiking, engine) {
  const program = simplify(lower(spiking, { probes: { counts: fanOuts(spiking) } }).program);
  const executable = await engineNamed(engine).open(program, { threads });
  const source = await openOnnxSource(new Uint8Array(readFileSync(join(options.models, `${name}.fp32.onnx`))), {
    threads,
  });
  const images = imagesFor(spiking);
  const feed = { [program.inputs[0].id]: images };
  const lanes = executable.lanes ?? 1;
  const snnRound = async () => {
    const started = performance.now();
    const pending = [];
    const batches = 2 * lanes;
    for (let n = 0; n < batches; n++) {
      if (pending.length >= lanes) await pending.shift();
      pending.push(executable.step(feed));
    }
    await Promise.all(pending);
    return (performance.now() - started) / 1000 / batches;
  };
  const annRound = async () => {
    const started = performance.now();
    const batches = 4;
    for (let n = 0; n < batches; n++) await source.run({ [source.inputs[0].name]: images });
    return (performance.now() - started) / 1000 / batches;
  };
  await snnRound();
  await annRound();
  const [snn, ann] = [[], []];
  for (let round = 0; round < rounds; round++) {
    snn.push(await snnRound());
    ann.push(await annRound());
  }
  await executable.dispose();
  await source.dispose();
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  return { snn: median(snn), ann: median(ann) };
}

function torchRate(spiking) {
  const plain = spiking.ops.every((op) => op.kind !== 'add' && op.kind !== 'affine');
  if (!existsSync(options.python) || !plain) return '–';
  const folder = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  try {
    writeFileSync(join(folder, 'network.json'), networkJson(spiking));
    writeFileSync(join(folder, 'weights.safetensors'), encodeSafetensors(paramsToTensors(spiking.params)));
    const script = fileURLToPath(new URL('sws-torch.py', import.meta.url));
    const { stdout, status, stderr } = spawnSync(options.python, [script, folder, `${batch}`, `${threads}`, '5'], {
      encoding: 'utf8',
    });
    if (status !== 0) return `no torch (${stderr.trim().split('\n').at(-1)})`;
    return JSON.parse(stdout).images_per_second.toFixed(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
