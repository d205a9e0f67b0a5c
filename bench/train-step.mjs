// One training step of conv3×3(32) – BN – LIF – avgpool – conv3×3(64) – BN – LIF – avgpool – 128 – LIF – 10 on 28×28
// images, T = 4, batch 64, SGD with momentum: our engines and PyTorch eager (bench/train-step-torch.py), in one run.
//   npm run build && node bench/train-step.mjs [--threads 2] [--rounds 5] [--ops]
// Contenders are processes of their own that take turns, so that what else the machine does meets all alike. Prints
// samples per second (best and median round), processor time, and how far a step raises a process's memory; with --ops
// instead the time of each kind of ONNX operator in the whole step, by onnxruntime's own profile.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, compete, option, trainingSteps } from './lib/contest.mjs';

const threads = Number(option('threads', 2));
const rounds = Number(option('rounds', 5));
const [batch, steps] = [64, 4];
const python = option('python', '/usr/bin/python3');

const model = `
// As in the PyTorch script: the reset takes no part in the gradient.
neuron LIF(tau = 2, theta = 1) {
  state u = 0
  charge u = (1 - 1 / tau) * u + x
  fire   s = u >= theta
  reset  detached u = where(s, 0, u)
  surrogate rectangle(width: 1)
}
network ConvNet(classes: int = 10) {
  input image: real[1, 28, 28]
  first  = image | conv(32, kernel: 3) | batchnorm | spike | avgpool(2)
  second = first | conv(64, kernel: 3) | batchnorm | spike | avgpool(2)
  hidden = second | flatten | linear(128) | spike
  output hidden | linear(classes)
}
config bench { network ConvNet  neuron LIF  coding direct(steps: ${steps}) }
`;

async function stepOf() {
  const { checkModel, memoryLoader } = await import('../dist/src/model/index.js');
  const { lowerModel } = await import('../dist/src/lower/model-to-network/index.js');
  const { traineeOf } = await import('../dist/src/train/index.js');
  const { value } = checkModel({ name: 'bench.spike', text: model }, memoryLoader({}), {});
  const network = lowerModel(value.configs.get('bench')).value;
  return traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd', momentum: 0.9 } }).step;
}

const scalar = (value) => ({ dtype: 'f32', shape: [], data: Float32Array.of(value) });
const images = {
  dtype: 'f32',
  shape: [batch, 1, 28, 28],
  data: Float32Array.from({ length: batch * 784 }, (_, i) => ((i * 2654435761) % 1000) / 1000),
};
const labels = { dtype: 'i32', shape: [batch], data: Int32Array.from({ length: batch }, (_, i) => (i * 7) % 10) };

async function contend(name) {
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const step = await stepOf();
  const executable = await engineNamed(name).open(step.program, { threads });
  await answer(trainingSteps(executable, step, { image: images, labels }));
  await executable.dispose();
}

/** Milliseconds per step and kind of operator. */
async function profile() {
  const { emitOnnx } = await import('../dist/src/backends/onnx/index.js');
  const { default: ort } = await import('onnxruntime-node');
  const { mkdtempSync, readFileSync, readdirSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const step = await stepOf();
  const folder = mkdtempSync(join(tmpdir(), 'train-step-'));
  const session = await ort.InferenceSession.create(emitOnnx(step.program), {
    intraOpNumThreads: threads,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  });
  const fed = { ...Object.fromEntries(step.states.map(({ id, initial }) => [id, initial])), image: images, labels };
  const feeds = Object.fromEntries(
    Object.entries({ ...fed, learning_rate: scalar(0.01), step: scalar(1) })
      .filter(([id]) => session.inputNames.includes(id))
      .map(([id, { dtype, data, shape }]) => [id, new ort.Tensor(dtype === 'i32' ? 'int32' : 'float32', data, shape)]),
  );
  for (let i = 0; i <= rounds; i++) await session.run(feeds);
  session.endProfiling();
  const file = join(folder, readdirSync(folder)[0]);
  const events = JSON.parse(readFileSync(file, 'utf8')).filter(({ cat }) => cat === 'Node');
  rmSync(folder, { recursive: true });
  const times = new Map();
  for (const { name, dur, args } of events) {
    if (!name.endsWith('_kernel_time')) continue;
    const known = times.get(args.op_name) ?? { count: 0, us: 0 };
    times.set(args.op_name, { count: known.count + 1, us: known.us + dur });
  }
  const rows = [...times].sort((a, b) => b[1].us - a[1].us);
  const total = rows.reduce((sum, [, { us }]) => sum + us, 0);
  const ms = (us) => (us / 1000 / (rounds + 1)).toFixed(1);
  console.log(`onnxruntime, ${threads} threads, ${ms(total)} ms a step in operators\n`);
  console.log('| operator | a step | ms | share |\n| --- | --- | --- | --- |');
  for (const [name, { count, us }] of rows.slice(0, 14)) {
    const share = `${((100 * us) / total).toFixed(0)} %`;
    console.log(`| ${name} | ${Math.round(count / (rounds + 1))} | ${ms(us)} | ${share} |`);
  }
}

function contenders() {
  const self = fileURLToPath(import.meta.url);
  const ours = (name) => [process.execPath, [self, '--contender', name, '--threads', String(threads)]];
  const all = { onnxruntime: ours('onnxruntime'), fused: ours('fused'), 'tfjs-wasm': ours('tfjs-wasm') };
  if (spawnSync(python, ['-c', 'import torch']).status === 0) {
    const script = fileURLToPath(new URL('train-step-torch.py', import.meta.url));
    all.pytorch = [python, [script, String(threads), String(batch), String(steps)]];
  } else console.warn(`no PyTorch: ${python} has no torch`);
  return all;
}

async function compare() {
  report(await compete(Object.entries(contenders()), { rounds }));
}

function report(running) {
  const rows = running.map(({ name, count, measured }) => {
    const rates = measured.map(({ seconds }) => (batch * count) / seconds).sort((a, b) => b - a);
    const cpu = Math.min(...measured.map((m) => m.cpu)) / count;
    return { name, best: rates[0], median: rates[Math.floor(rates.length / 2)], cpu, mib: measured.at(-1).step_mib };
  });
  const torch = rows.find(({ name }) => name === 'pytorch');
  console.log(`batch ${batch}, T = ${steps}, ${threads} threads, ${rounds} rounds`);
  console.log(
    '| engine | samples/s, best | median | × PyTorch (median) | CPU ms a step | × PyTorch | memory a step, MiB |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const { name, best, median, cpu, mib } of rows) {
    const ratio = torch === undefined ? '–' : (median / torch.median).toFixed(2);
    const cpuRatio = torch === undefined ? '–' : (torch.cpu / cpu).toFixed(2);
    console.log(
      `| ${name} | ${best.toFixed(0)} | ${median.toFixed(0)} | ${ratio} | ${(1000 * cpu).toFixed(0)} | ${cpuRatio} | ${mib.toFixed(0)} |`,
    );
  }
}

if (process.argv.includes('--contender')) await contend(option('contender'));
else if (process.argv.includes('--ops')) await profile();
else await compare();
