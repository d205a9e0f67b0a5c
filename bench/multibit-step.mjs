// What more bits of spikes cost in training: one step of the narrow ResNet-20 (models/multibit/resnet20.spike) in several
// configs, each a process of its own; they take turns.
//   npm run build && node bench/multibit-step.mjs [--configs narrow,narrow_mb21] [--threads 2] [--rounds 7] [--batch 100]
// Prints the time of a step and its ratio to the first config's: of each round's (what else the machine does meets the
// rounds of a turn alike) the median, and of the best rounds.
import { fileURLToPath } from 'node:url';
import { answer, compete, option, trainingSteps } from './lib/contest.mjs';

const threads = Number(option('threads', 2));
const rounds = Number(option('rounds', 7));
const batch = Number(option('batch', 100));
const engine = option('engine', 'onnxruntime');
const file = option('file', fileURLToPath(new URL('../models/multibit/resnet20.spike', import.meta.url)));
const names = option('configs', 'narrow,narrow_mb20,narrow_mb11,narrow_mb21,narrow_mb21_ic').split(',');

async function contend(name) {
  const { loadModel } = await import('../dist/src/workspace/load-model.js');
  const { lowerModel } = await import('../dist/src/lower/model-to-network/index.js');
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { traineeOf } = await import('../dist/src/train/index.js');
  const network = lowerModel(loadModel(file, {}).value.configs.get(name)).value;
  const optimizer = { kind: 'sgd', momentum: 0.9, weight_decay: 1e-4 };
  const { step } = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer });
  const executable = await engineNamed(engine).open(step.program, { threads });
  const [channels, height, width] = network.ops[0].type.shape;
  const size = batch * channels * height * width;
  const pixels = Float32Array.from({ length: size }, (_, i) => (((i * 2654435761) % 1000) / 1000 - 0.5) * 4);
  const image = { dtype: 'f32', shape: [batch, channels, height, width], data: pixels };
  const labels = { dtype: 'i32', shape: [batch], data: Int32Array.from({ length: batch }, (_, i) => (i * 7) % 10) };
  await answer(trainingSteps(executable, step, { [network.ops[0].id]: image, labels }));
  await executable.dispose();
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function compare() {
  const self = fileURLToPath(import.meta.url);
  const common = Object.entries({ threads, batch, engine, file }).flatMap(([key, value]) => [`--${key}`, `${value}`]);
  const contenders = names.map((name) => [name, [process.execPath, [self, '--contender', name, ...common]]]);
  const done = await compete(contenders, { rounds });
  const times = done.map(({ count, measured }) => measured.map(({ seconds }) => seconds / count));
  const cpus = done.map(({ count, measured }) => measured.map(({ cpu }) => cpu / count));
  console.log(`${engine}, batch ${batch}, ${threads} threads, ${rounds} rounds\n`);
  console.log(
    '| config | ms a step, best | median | × first, median of rounds | × first, best | CPU ms, best | × first |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  done.forEach(({ name }, i) => {
    const ratio = median(times[i].map((t, round) => t / times[0][round]));
    const best = Math.min(...times[i]) / Math.min(...times[0]);
    const cpu = Math.min(...cpus[i]);
    const cells = [Math.min(...times[i]) * 1000, median(times[i]) * 1000].map((ms) => ms.toFixed(0));
    const ratios = [ratio, best].map((x) => x.toFixed(2));
    const processor = [(1000 * cpu).toFixed(0), (cpu / Math.min(...cpus[0])).toFixed(2)];
    console.log(`| ${[name, ...cells, ...ratios, ...processor].join(' | ')} |`);
  });
}

if (process.argv.includes('--contender')) await contend(option('contender'));
else await compare();
