// Two layers of 256 LIF neurons over T steps (28×28 pixels a step in front of them, 10 classes behind), batch 64:
// neurons unrolled over time, as loops of the fused engine's own, and as loops in onnxruntime's Scan.
//   npm run build && node bench/unrolling.mjs [--threads 1] [--steps 4,8,16,…] [--train]
// Prints operations, milliseconds to open (the first step included), processor time of a step (the least of ten) and how
// far both raise the process's memory.
// Each is a process of its own; `--neuron MBLIF` tries another neuron,
// `--recurrent` feeds the first layer's spikes back to it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { engineNamed } from '../dist/src/engines/index.js';
import { lowerModel } from '../dist/src/lower/model-to-network/index.js';
import { lower, lowerForTraining } from '../dist/src/lower/program/index.js';
import { checkModel } from '../dist/src/model/index.js';
import { elementCount, tensor } from '../dist/src/base/dtype.js';
import { simplify, trainingStep } from '../dist/src/tensor/index.js';
import { diskLoader } from '../dist/src/workspace/files.js';
import { option } from './lib/contest.mjs';

const ways = {
  unrolled: { unroll: true, engine: 'fused' },
  loop: { unroll: false, engine: 'fused' },
  scan: { unroll: false, engine: 'fused', loops: false },
  onnxruntime: { unroll: false, engine: 'onnxruntime' },
};
const threads = Number(option('threads', 1));
const neuron = option('neuron', 'LIF');
const batch = Number(option('batch', 64));
const recurrent = process.argv.includes('--recurrent');
const training = process.argv.includes('--train');
const self = fileURLToPath(import.meta.url);

const way = option('way', undefined);
if (way === undefined) {
  console.log(
    '| T | neurons | operations | open, ms | a step, CPU ms | memory, MB |\n| --- | --- | --- | --- | --- | --- |',
  );
  for (const steps of option('steps', '4,8,16,32,64,100,196,784').split(',')) {
    for (const name of option('ways', Object.keys(ways).join(',')).split(',')) {
      const args = [self, '--way', name, '--steps', steps, ...process.argv.slice(2)];
      const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 170e3 });
      const cells = status === 0 ? stdout.trim() : `| | ${status === null ? 'over 170 s' : stderr.slice(0, 200)} |`;
      console.log(`| ${steps} | ${name} ${cells}`);
    }
  }
} else {
  const steps = Number(option('steps', 4));
  const text = `use "spikec/neurons" { ${neuron} }
    network N {
      input x: real[784]
      first = ${recurrent ? '(x | linear(256)) + (first | delay(1) | linear(256))' : 'x | linear(256)'} | spike
      output first | linear(256) | spike | linear(10)
    }
    config n { network N  neuron ${neuron}  coding direct(steps: ${steps}) }`;
  const { value } = checkModel({ name: 'n.spike', text }, diskLoader('n.spike', false));
  const network = lowerModel([...value.configs.values()][0], { seed: 1 }).value;
  const { unroll, engine, ...more } = ways[way];
  const program = programOf(network, unroll);
  const feeds = Object.fromEntries(program.inputs.map(feedOf));
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const opened = await engineNamed(engine).open(program, { threads, lanes: 1, ...more });
  const first = performance.now();
  await opened.step(feeds);
  const opening = performance.now() - start;
  let best = Infinity;
  for (let round = 0; round < 10 && performance.now() - first < 30e3; round++) {
    const from = process.cpuUsage();
    await opened.step(feeds);
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / 1e3);
  }
  const memory = (process.resourceUsage().maxRSS - before) / 1e3;
  await opened.dispose();
  console.log(`| ${program.ops.length} | ${opening.toFixed(0)} | ${best.toFixed(1)} | ${memory.toFixed(0)} |`);
}

function programOf(network, unroll) {
  if (!training) return simplify(lower(network, { unroll }).program);
  const { program, learned } = lowerForTraining(network, { kind: 'cross_entropy' }, [], { unroll });
  return trainingStep(program, { loss: 'loss', train: learned, optimizer: { kind: 'sgd', momentum: 0.9 } }).program;
}

function feedOf({ id, dtype, shape }, i) {
  const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch * batch));
  const count = elementCount(sizes);
  const value = (k) => (dtype === 'i32' ? k % 10 : (((k + 7 * i) * 2654435761) % 1000) / 1000 - 0.3);
  const data = Float32Array.from(
    { length: count },
    (_, k) => value(k) * (sizes.length === 2 && shape[0] === 256 ? 0.1 : 1),
  );
  return [id, tensor(dtype, sizes, data)];
}
