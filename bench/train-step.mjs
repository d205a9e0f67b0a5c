// One training step (SGD with momentum, cross entropy of the mean over time), our engines and PyTorch: eager, torch.compile
// and SpikingJelly (bench/train-step-torch.py).
//   npm run bench -- train-step [--networks mnist,resnet20,a221,spikformer,lif,recurrent] [--engines native,…] [--peers eager,compile,spikingjelly,emitted,emitted-eager,tfjs]
//     [--python PYTHON] [--threads 2] [--rounds 5] [--seconds 2] [--write] [--profile]
// `tfjs`: the first two networks by hand in TensorFlow.js on @tensorflow/tfjs-node (bench/train-step-tfjs.mjs).
// `emitted` and `emitted-eager`: what `compile --emit torch` writes of the network, with torch.compile and without. Of `a221`,
// which isn't written by hand in PyTorch, these two are the peers `compile` and `eager`.
// Every contender runs alone, in a process of its own, one after the other; PyTorch with both OpenMP policies, of which the
// better median counts. Prints samples per second (median, best and worst round), their ratio to the peers, processor time,
// and how far a step raises the memory of the process. --write puts the table into bench/README.md. --profile prints
// instead where the time of the native engine goes, by kind of op.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilerPackage } from '../dist/src/engines/packages.js';
import { alone, answer, bestTimes, heldSteps, option, writeTables } from './lib/contest.mjs';

const threads = Number(option('threads', 2));
const rounds = Number(option('rounds', 5));
const seconds = Number(option('seconds', 2));
const python = option('python', 'python3');
const list = (name, fallback) => option(name, fallback).split(',').filter(Boolean);
const steps = 4;

// As in the PyTorch script: the reset takes no part in the gradient.
const lif = `neuron LIF(tau = 2, theta = 1) {
  state u = 0
  charge u = (1 - 1 / tau) * u + x
  fire   s = u >= theta
  reset  detached u = where(s, 0, u)
  surrogate rectangle(width: 1)
}`;

const networks = {
  mnist: {
    batch: 64,
    peers: true,
    says: 'conv3×3(32)–BN–LIF–avgpool–conv3×3(64)–BN–LIF–avgpool–128–LIF–10, 28×28, T = 4',
    config: 'bench',
    text: `
${lif}
network ConvNet(classes: int = 10) {
  input image: real[1, 28, 28]
  first  = image | conv(32, kernel: 3) | batchnorm | spike | avgpool(2)
  second = first | conv(64, kernel: 3) | batchnorm | spike | avgpool(2)
  hidden = second | flatten | linear(128) | spike
  output hidden | linear(classes)
}
config bench { network ConvNet  neuron LIF  coding direct(steps: ${steps}) }
`,
  },
  resnet20: {
    batch: 32,
    peers: true,
    says: 'ResNet-20 of 16, 32 and 64 channels, LIF, 32×32, T = 4',
    config: 'bench',
    text: `
use "spikec/blocks" { BasicBlock }
${lif}
network ResNet20(classes: int = 10, width: int = 16) {
  input image: real[3, 32, 32]
  stem   = image | conv(width, kernel: 3) | batchnorm | spike
  stage1 = stem | repeat(3) BasicBlock(width)
  stage2 = stage1 | BasicBlock(2 * width, stride: 2) | repeat(2) BasicBlock(2 * width)
  stage3 = stage2 | BasicBlock(4 * width, stride: 2) | repeat(2) BasicBlock(4 * width)
  output stage3 | global_avgpool | flatten | linear(classes)
}
config bench { network ResNet20  neuron LIF  coding direct(steps: ${steps}) }
`,
  },
  lif: {
    batch: 64,
    peers: true,
    steps: 100,
    says: '784–256 LIF–256 LIF–10, θ = 0.4 (10 to 20 % of the neurons fire), T = 100',
    config: 'bench',
    text: `
${lif}
network Layers(classes: int = 10) {
  input image: real[1, 28, 28]
  x      = image | flatten
  first  = x | linear(256) | spike
  second = first | linear(256) | spike
  output second | linear(classes)
}
config bench { network Layers  neuron LIF(theta: 0.4)  coding direct(steps: 100) }
`,
  },
  recurrent: {
    batch: 64,
    peers: true,
    steps: 100,
    says: '784–256 LIF, its spikes fed back–256 LIF–10, θ = 0.4, T = 100',
    config: 'bench',
    text: `
${lif}
network Layers(classes: int = 10) {
  input image: real[1, 28, 28]
  x      = image | flatten
  first  = (x | linear(256)) + (first | delay(1) | linear(256)) | spike
  second = first | linear(256) | spike
  output second | linear(classes)
}
config bench { network Layers  neuron LIF(theta: 0.4)  coding direct(steps: 100) }
`,
  },
  spikformer: {
    batch: 32,
    peers: true,
    says: 'the narrow Spikformer of models/spikformer: 64 features, one block, four heads, 16 tokens, T = 4',
    config: 'bench',
    text: `
use "spikec/attention" { InputDecayLIF }
use "spikec/spikformer/cifar" { Spikformer }
config bench {
  network Spikformer(dim: 64, blocks: 1, heads: 4, pools: 3)
  neuron  InputDecayLIF
  coding  direct(steps: ${steps})
}
`,
  },
  a221: {
    batch: 100,
    peers: { eager: 'emitted-eager', compile: 'emitted' },
    says: 'the narrow ResNet-20 of models/adaptive with learned bits',
    config: 'a221',
    file: fileURLToPath(new URL('../models/adaptive/resnet20.spike', import.meta.url)),
  },
};

/** The training step of a network, and feeds for it. */
async function stepOf(name, memory) {
  const { loadModel } = await import('../dist/src/workspace/load-model.js');
  const { lowerModel } = await import('../dist/src/lower/model-to-network/index.js');
  const { traineeOf } = await import('../dist/src/train/index.js');
  const { text, file, config, batch } = networks[name];
  const folder = mkdtempSync(join(tmpdir(), 'train-step-'));
  const path = file ?? join(folder, 'bench.spike');
  if (text !== undefined) writeFileSync(path, text);
  const network = lowerModel(loadModel(path, {}).value.configs.get(config)).value;
  rmSync(folder, { recursive: true });
  const optimizer = { kind: 'sgd', momentum: 0.9 };
  const { step } = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer, memory });
  const shape = [batch, ...network.ops[0].type.shape];
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, (_, i) => ((i * 2654435761) % 1000) / 1000);
  const labels = { dtype: 'i32', shape: [batch], data: Int32Array.from({ length: batch }, (_, i) => (i * 7) % 10) };
  return { step, feeds: { [network.ops[0].id]: { dtype: 'f32', shape, data }, labels } };
}

const statesOf = (step) => new Map(step.states.map(({ id, initial }) => [id, initial]));

/** `native:low` is `native` with `memory low`, `native:zig` that by the C compiler from npm. */
async function contend(network, contender) {
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const [engine, memory] = contender.split(':');
  const { step, feeds } = await stepOf(network, memory === 'low' ? memory : undefined);
  const executable = await engineNamed(engine).open(step.program, { threads, states: statesOf(step) });
  await answer(heldSteps(executable, feeds));
  await executable.dispose();
}

/** Milliseconds of a step by kind of op, the best of each step's rounds. */
async function profile(name) {
  const { openNative } = await import('../dist/src/engines/native.js');
  const { step, feeds } = await stepOf(name);
  const opened = await openNative(step.program, { threads, states: statesOf(step) }, { profile: true });
  const run = heldSteps(opened, feeds);
  const times = await bestTimes(opened, run, 5 * rounds);
  await opened.dispose();
  const kinds = new Map();
  times.forEach(({ step, seconds }) => {
    const kind = step.split(':')[0];
    const known = kinds.get(kind) ?? { count: 0, ms: 0 };
    kinds.set(kind, { count: known.count + 1, ms: known.ms + 1000 * seconds });
  });
  const total = [...kinds.values()].reduce((sum, { ms }) => sum + ms, 0);
  console.log(`\n${name}: native, ${threads} threads, ${total.toFixed(1)} ms a step\n`);
  console.log('| kind | steps | ms | share |\n| --- | --- | --- | --- |');
  for (const [kind, { count, ms }] of [...kinds].sort((a, b) => b[1].ms - a[1].ms)) {
    console.log(`| ${kind} | ${count} | ${ms.toFixed(1)} | ${((100 * ms) / total).toFixed(0)} % |`);
  }
}

const self = fileURLToPath(import.meta.url);
const script = fileURLToPath(new URL('train-step-torch.py', import.meta.url));
/** Networks that are written by hand in TensorFlow.js, too. */
const inTfjs = ['mnist', 'resnet20'];
const tfjsScript = fileURLToPath(new URL('train-step-tfjs.mjs', import.meta.url));
const labels = {
  eager: 'PyTorch eager',
  compile: 'torch.compile',
  spikingjelly: 'SpikingJelly',
  emitted: 'emitted, torch.compile',
  'emitted-eager': 'emitted, eager',
};
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Samples per second and so on of a contender, or nothing where it doesn't run. */
async function measured(name, network, command, args, env = {}) {
  const { batch } = networks[network];
  try {
    const { count, measured } = await alone(command, args, { rounds, seconds, env });
    const rates = measured.map((one) => (batch * count) / one.seconds);
    const cpu = (1000 * Math.min(...measured.map((one) => one.cpu))) / count;
    const found = { name, median: median(rates), best: Math.max(...rates), worst: Math.min(...rates), cpu };
    console.error(`${network} ${name} ${Object.values(env).join()}: ${found.median.toFixed(0)}/s`);
    return { ...found, mib: measured.at(-1).step_mib };
  } catch (error) {
    console.error(`${network}: ${name} doesn't run here: ${error.message}`);
    return undefined;
  }
}

/** What a contender needs in its environment. */
function environment(engine) {
  if (!engine.endsWith(':zig')) return {};
  const zig = new URL(`../node_modules/${compilerPackage()?.name}/zig`, import.meta.url);
  return { CC: `${fileURLToPath(zig)} cc` };
}

/** A folder with the network in PyTorch as `compile --emit torch` writes it. */
function emitted(network) {
  const { text, file, config } = networks[network];
  const folder = mkdtempSync(join(tmpdir(), 'train-step-'));
  const path = file ?? join(folder, 'bench.spike');
  if (text !== undefined) writeFileSync(path, text);
  const cli = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
  const out = join(folder, 'out');
  execFileSync(process.execPath, [cli, 'compile', `${path}#${config}`, '--emit', 'torch', '-o', out, '-q']);
  return out;
}

async function compare(network) {
  const { batch, peers, steps: own = steps } = networks[network];
  const rows = [];
  for (const engine of list('engines', 'native,onnxruntime,fused,tfjs-tensorflow,tfjs-wasm')) {
    const args = [self, '--contender', engine, '--networks', network, '--threads', String(threads)];
    rows.push(await measured(`\`${engine}\``, network, process.execPath, args, environment(engine)));
  }
  const asked = list('peers', 'eager,compile,spikingjelly,tfjs');
  const wanted = peers === true ? asked : [...new Set(asked.flatMap((peer) => peers[peer] ?? []))];
  if (wanted.includes('tfjs') && inTfjs.includes(network)) {
    const args = [tfjsScript, '--network', network, '--batch', String(batch), '--steps', String(own)];
    rows.push(await measured('TensorFlow.js by hand', network, process.execPath, args));
  }
  for (const how of wanted.filter((one) => one !== 'tfjs')) {
    const folder = how.startsWith('emitted') ? emitted(network) : undefined;
    const sizes = Object.entries({
      network,
      how,
      threads,
      batch,
      steps: own,
      ...(folder === undefined ? {} : { folder }),
    });
    const args = [script, ...sizes.flatMap(([key, value]) => [`--${key}`, String(value)])];
    const policies = [];
    for (const OMP_WAIT_POLICY of ['passive', 'active']) {
      policies.push(await measured(labels[how], network, python, args, { OMP_WAIT_POLICY }));
    }
    if (folder !== undefined) rmSync(folder, { recursive: true });
    rows.push(policies.filter((one) => one !== undefined).sort((a, b) => b.median - a.median)[0]);
  }
  return rows.filter((row) => row !== undefined);
}

function table(network, rows) {
  const { batch, says, peers } = networks[network];
  const of = (label) => rows.find(({ name }) => name === label);
  const ratio = (row, peer) => (peer === undefined ? '–' : (row.median / peer.median).toFixed(2));
  const lines = [
    `**${network}**: ${says}; batch ${batch}, ${threads} threads`,
    '',
    '| contender | samples/s | best | worst | × eager | × torch.compile | CPU ms a step | memory a step, MiB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const row of rows) {
    const rates = [row.median, row.best, row.worst].map((rate) => rate.toFixed(0));
    const ratios = ['eager', 'compile'].map((peer) => ratio(row, of(labels[peers === true ? peer : peers[peer]])));
    lines.push(`| ${[row.name, ...rates, ...ratios, row.cpu.toFixed(0), row.mib.toFixed(0)].join(' | ')} |`);
  }
  return lines.join('\n');
}

const chosen = list('networks', 'mnist,resnet20,spikformer,a221');
if (process.argv.includes('--contender')) await contend(chosen[0], option('contender'));
else if (process.argv.includes('--profile')) for (const network of chosen) await profile(network);
else {
  const tables = [];
  for (const network of chosen) {
    tables.push(table(network, await compare(network)));
    console.log(`\n${tables.at(-1)}\n`);
  }
  if (process.argv.includes('--write')) writeTables('train-step', tables.join('\n\n'));
}
