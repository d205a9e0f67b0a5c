// One training step of conv3×3(32) – BN – LIF – avgpool – conv3×3(64) – BN – LIF – avgpool – 128 – LIF – 10 on 28×28
// images, T = 4, batch 64, SGD with momentum: our engines and PyTorch eager (bench/train-step-torch.py), in one run.
//   npm run build && node bench/train-step.mjs [--threads 2] [--rounds 5]
// Contenders are processes of their own that take turns, so that what else the machine does meets all alike. Prints
// samples per second (best and median round), processor time, and how far a step raises a process's memory.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
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

if (process.argv.includes('--contender')) await contend(option('contender'));
else await compare();

/** Answers each line "STEPS" with what so many steps took. */
async function contend(name) {
  const { checkModel, memoryLoader } = await import('../dist/src/model/index.js');
  const { lowerModel } = await import('../dist/src/lower/model-to-network/index.js');
  const { traineeOf } = await import('../dist/src/train/index.js');
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { value } = checkModel({ name: 'bench.spike', text: model }, memoryLoader({}), {});
  const network = lowerModel(value.configs.get('bench')).value;
  const trainee = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd', momentum: 0.9 } });
  const executable = await engineNamed(name).compile(trainee.step.program, { threads });
  const numbers = (count) => Float32Array.from({ length: count }, (_, i) => ((i * 2654435761) % 1000) / 1000);
  const scalar = (value) => ({ dtype: 'f32', shape: [], data: Float32Array.of(value) });
  const images = { dtype: 'f32', shape: [batch, 1, 28, 28], data: numbers(batch * 784) };
  const labels = { dtype: 'i32', shape: [batch], data: Int32Array.from({ length: batch }, (_, i) => (i * 7) % 10) };
  let states = Object.fromEntries(trainee.step.states.map(({ id, initial }) => [id, initial]));
  let done = 0;
  const base = process.resourceUsage().maxRSS;
  for await (const line of createInterface({ input: process.stdin })) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    let loss = 0;
    for (let i = 0; i < Number(line); i++) {
      const clock = { learning_rate: scalar(0.01), step: scalar(++done) };
      const results = await executable.run({ ...states, ...clock, image: images, labels });
      states = Object.fromEntries(trainee.step.states.map(({ id }) => [id, results[`next.${id}`]]));
      loss = results.loss.data[0];
    }
    const { user, system } = process.cpuUsage(cpu);
    const step_mib = (process.resourceUsage().maxRSS - base) / 1024;
    const answer = { seconds: (performance.now() - wall) / 1000, cpu: (user + system) / 1e6, loss, step_mib };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  await executable.dispose();
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
  const running = Object.entries(contenders()).map(([name, [command, args]]) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ask = async (count) => {
      child.stdin.write(`${count}\n`);
      return JSON.parse((await lines.next()).value);
    };
    return { name, child, ask, measured: [] };
  });
  for (const contender of running) {
    // the first step compiles and allocates
    await contender.ask(1);
    const once = await contender.ask(1);
    contender.count = Math.max(1, Math.min(10, Math.round(3 / once.seconds)));
  }
  for (let round = 0; round < rounds; round++) {
    for (const contender of running) contender.measured.push(await contender.ask(contender.count));
  }
  for (const { child } of running) {
    child.stdin.end();
    await once(child, 'exit');
  }
  report(running);
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
