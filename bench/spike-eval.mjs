// Evaluating networks of several bits a spike, at T = 1, beside the float ANN of the same shapes in onnxruntime: the same
// layers with ReLU for neurons, batch norm folded into its convolutions.
//   npm run bench -- spike-eval [--networks mb21,ibra4,…] [--engines native,fused,onnxruntime] [--width 16] [--batch 100]
//     [--threads 2] [--rounds 5] [--seconds 1] [--steps 20] [--write] [--profile]
// Every contender runs alone in a process of its own. Networks have taken some steps of training on drawn images (--steps),
// so that their neurons fire as trained ones do. Spikes and operations are counted, as `eval` does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone, answer, bestTimes, option, sayTimes, writeTables } from './lib/contest.mjs';

const threads = Number(option('threads', 2));
const rounds = Number(option('rounds', 5));
const seconds = Number(option('seconds', 1));
const batch = Number(option('batch', 100));
const width = Number(option('width', 0));
const steps = Number(option('steps', 20));
const list = (name, fallback) => option(name, fallback).split(',').filter(Boolean);

const model = (name) => fileURLToPath(new URL(`../models/${name}/resnet20.spike`, import.meta.url));
const networks = {
  lif: { file: model('multibit'), config: 'narrow', says: 'LIF, one bit' },
  mb21: { file: model('multibit'), config: 'narrow_mb21', says: 'MBLIF, 2+1 bits' },
  mb21_ic: { file: model('multibit'), config: 'narrow_mb21_ic', says: 'MBLIF, 2+1 bits, interlaminar' },
  ilif: { file: model('ibra'), config: 'narrow_ilif', says: 'ILIF, D = 4' },
  ibra4: { file: model('ibra'), config: 'narrow_ibra4', says: 'IBRALIF, 4 bits' },
  ibra9: { file: model('ibra'), config: 'narrow_ibra9', says: 'IBRALIF, 9 bits' },
  u221: { file: model('adaptive'), config: 'u221', says: 'Refined, 2 bits of weights and spikes' },
  u331: { file: model('adaptive'), config: 'u331', says: 'Refined, 3 bits of weights and spikes' },
};

async function networkOf(name) {
  const { loadModel } = await import('../dist/src/workspace/load-model.js');
  const { lowerModel } = await import('../dist/src/lower/model-to-network/index.js');
  const { file, config } = networks[name];
  if (width === 0) return lowerModel(loadModel(file, {}).value.configs.get(config)).value;
  const folder = mkdtempSync(join(tmpdir(), 'spike-eval-'));
  const path = join(folder, 'wide.spike');
  const wide = `config wide extends ${config} { network ResNet20(width: ${width}, stem_stride: 2) }`;
  writeFileSync(path, `${readFileSync(file, 'utf8')}\n${wide}\n`);
  const network = lowerModel(loadModel(path, {}).value.configs.get('wide')).value;
  rmSync(folder, { recursive: true });
  return network;
}

const drawn = (shape, seed) => {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => {
    const hash = Math.imul((i + 1) * 2654435761 + seed * 40503, 2246822519) >>> 0;
    return (hash / 2 ** 32 - 0.5) * 3.4;
  });
  return { dtype: 'f32', shape, data };
};

/** The network after some steps of training: its batch norms know their statistics. */
async function trained(network) {
  const { traineeOf } = await import('../dist/src/train/index.js');
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { step } = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd', momentum: 0.9 } });
  const initial = new Map(step.states.map(({ id, initial }) => [id, initial]));
  const opened = await engineNamed('onnxruntime').open(step.program, { threads, states: initial });
  const few = 32;
  const shape = [few, ...network.ops[0].type.shape];
  const scalar = (value) => ({ dtype: 'f32', shape: [], data: Float32Array.of(value) });
  for (let n = 1; n <= steps; n++) {
    const labels = { dtype: 'i32', shape: [few], data: Int32Array.from({ length: few }, (_, i) => (i * 7 + n) % 10) };
    const feeds = { [network.ops[0].id]: drawn(shape, n), labels, learning_rate: scalar(0.01), step: scalar(n) };
    await opened.step(feeds);
  }
  const states = await opened.read();
  await opened.dispose();
  const params = [...network.params].map(([id, one]) => [
    id,
    states.has(id) ? { ...one, tensor: states.get(id) } : one,
  ]);
  return { ...network, params: new Map(params) };
}

const without = (given, key) => Object.fromEntries(Object.entries(given).filter(([name]) => name !== key));

/** Its ANN: ReLU for neurons, no bits, batch norm folded; as ONNX with Relu, which onnxruntime fuses with convolutions. */
async function annOf(network) {
  const { canonicalise, foldBatchnorm } = await passesOf();
  const { configure, runPipeline } = await import('../dist/src/passes/index.js');
  const { lower } = await import('../dist/src/lower/program/index.js');
  const { emitOnnx } = await import('../dist/src/backends/onnx/index.js');
  const { simplify } = await import('../dist/src/tensor/index.js');
  const { onnx } = (await import('onnx-proto')).default;
  const real = ({ shape }) => ({ code: { kind: 'real' }, shape });
  const passed = new Map(network.ops.flatMap(({ id, kind, inputs }) => (kind === 'squeeze' ? [[id, inputs[0]]] : [])));
  const ops = network.ops.flatMap((op) => {
    const inputs = op.inputs.map((id) => passed.get(id) ?? id);
    if (op.kind === 'squeeze') return [];
    if (op.kind === 'neuron') return [{ ...op, inputs, kind: 'relu', attrs: {}, params: {}, type: real(op.type) }];
    const [params, attrs] = [without(op.params, 'weight_step'), without(op.attrs, 'weight_bits')];
    return [{ ...op, inputs, attrs, params, type: real(op.type) }];
  });
  const plain = { ...without(network, 'coding'), ops };
  const folded = runPipeline(plain, configure([canonicalise, foldBatchnorm], {})).network;
  const program = simplify(lower(folded).program);
  const file = onnx.ModelProto.decode(emitOnnx(program));
  for (const node of file.graph.node) {
    if (node.opType === 'Max') [node.opType, node.input] = ['Relu', node.input.slice(0, 1)];
  }
  return onnx.ModelProto.encode(file).finish();
}

async function passesOf() {
  const { pipelines } = await import('../dist/src/passes/index.js');
  const named = (name) => pipelines.ann.find((pass) => pass.name === name);
  return { canonicalise: named('canonicalise'), foldBatchnorm: named('fold-batchnorm') };
}

/** The program that evaluation runs, and images for it. */
async function programOf(name) {
  const { fanOuts } = await import('../dist/src/cost/index.js');
  const { lower } = await import('../dist/src/lower/program/index.js');
  const { simplify } = await import('../dist/src/tensor/index.js');
  const network = await trained(await networkOf(name));
  const program = simplify(lower(network, { probes: { counts: fanOuts(network) } }).program);
  return { program, feeds: { [program.inputs[0].id]: drawn([batch, ...network.ops[0].type.shape], 99) } };
}

async function contend(name, contender) {
  if (contender === 'ann') {
    const { openOnnxSource } = await import('../dist/src/engines/index.js');
    const network = await networkOf(name);
    const source = await openOnnxSource(await annOf(network), { threads });
    const images = drawn([batch, ...network.ops[0].type.shape], 99);
    await answer(async () => void (await source.run({ [source.inputs[0].name]: images })));
    await source.dispose();
    return;
  }
  const { engineNamed } = await import('../dist/src/engines/index.js');
  const { program, feeds } = await programOf(name);
  const opened = await engineNamed(contender).open(program, { threads });
  await answer(async () => void (await opened.step(feeds)));
  await opened.dispose();
}

/** Milliseconds of a batch by kind of op on one thread, the best of each step's rounds. */
async function profile(name) {
  const { openNative } = await import('../dist/src/engines/native.js');
  const { program, feeds } = await programOf(name);
  const opened = await openNative(program, { threads: 1 }, { profile: true });
  const best = await bestTimes(opened, () => opened.step(feeds), 5 * rounds);
  await opened.dispose();
  sayTimes(`${name}: native, one thread, a batch of ${batch}`, best);
}

const self = fileURLToPath(import.meta.url);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function measured(name, contender) {
  const sizes = Object.entries({ networks: name, contender, threads, batch, width, steps });
  const args = [self, ...sizes.flatMap(([key, value]) => [`--${key}`, String(value)])];
  const { count, measured } = await alone(process.execPath, args, { rounds, seconds });
  const each = (pick) => measured.map((one) => pick(one) / count / batch);
  return { contender, wall: median(each((one) => one.seconds)), cpu: Math.min(...each((one) => one.cpu)) };
}

async function compare() {
  const rows = [
    '| network | contender | images/s | × the ANN’s time | CPU µs an image | × the ANN’s |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  console.log(rows.join('\n'));
  for (const name of chosen) {
    const ann = await measured(name, 'ann');
    const all = [ann];
    for (const engine of list('engines', 'native,fused,onnxruntime')) all.push(await measured(name, engine));
    for (const { contender, wall, cpu } of all) {
      const label = contender === 'ann' ? 'float ANN, onnxruntime' : `\`${contender}\``;
      const figures = [1 / wall, wall / ann.wall, 1e6 * cpu, cpu / ann.cpu];
      const cells = figures.map((figure, i) => figure.toFixed(i % 2 === 0 ? 0 : 2));
      rows.push(`| ${[networks[name].says, label, ...cells].join(' | ')} |`);
      console.log(rows.at(-1));
    }
  }
  if (process.argv.includes('--write')) writeTables('spike-eval', rows.join('\n'));
}

const chosen = list('networks', 'lif,mb21,mb21_ic,ilif,ibra4,ibra9,u221,u331');
if (process.argv.includes('--contender')) await contend(chosen[0], option('contender'));
else if (process.argv.includes('--profile')) for (const name of chosen) await profile(name);
else await compare();
