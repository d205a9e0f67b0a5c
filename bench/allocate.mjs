// Bits of weights chosen after training against the same bits everywhere, on a whole test set: a Markdown row a network.
//   npm run build && node bench/allocate.mjs --models ../shared/models --data-dir ../shared/data
// Sensitivities are measured once, as `spikec allocate` does, and serve every budget; --keep FILE keeps them for a next run.
// Options: --network NAME  --bits 3,3.5,4  --uniform 3,4,5  --calibration N  --limit N  --keep FILE
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDataset } from '../dist/src/data/index.js';
import { libraryNeurons } from '../dist/src/workspace/files.js';
import { runNetwork } from '../dist/src/run/run-network.js';
import { driver } from '../dist/src/commands/index.js';
import { engineNamed } from '../dist/src/engines/index.js';
import { agreement, readLabels } from '../dist/src/run/metrics/index.js';
import { importOnnx } from '../dist/src/frontends/onnx/index.js';
import { byLayer, configure, pipelines, runPipeline, solveKnapsack } from '../dist/src/passes/index.js';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    'data-dir': { type: 'string', default: '../shared/data' },
    network: { type: 'string', default: 'resnet20-cifar10.fp32' },
    bits: { type: 'string', default: '3,3.5,4,5' },
    uniform: { type: 'string', default: '3,4,5,6,8' },
    calibration: { type: 'string', default: '256' },
    limit: { type: 'string', default: '10000' },
    keep: { type: 'string' },
  },
});
const normalisation = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
const numbers = (text) => (text === '' ? [] : text.split(',').map(Number));
const path = join(options.models, `${options.network}.onnx`);
const { network } = importOnnx({ name: path, bytes: new Uint8Array(readFileSync(path)) }).value;
const engine = engineNamed('onnxruntime');

const layers = await sensitivities();
const dataset = openDataset('cifar10:test', { dataDir: options['data-dir'] });
const images = { dataset, normalisation, count: Math.min(dataset.length, Number(options.limit)), batch: 100 };
const labels = readLabels(images);
const before = await classes(() => undefined);
console.log(`| weights of ${options.network} | bits a weight | bytes | accuracy | agreement |`);
console.log('| --- | --- | --- | --- | --- |');
row('as they are', undefined, before);
for (const bits of numbers(options.uniform))
  row('uniform', new Map(layers.map(({ id }) => [id, bits])), await classes(() => bits));
for (const mean of numbers(options.bits)) {
  const items = layers.map(({ params, tried }) => tried.map(({ value, error }) => ({ cost: params * value, error })));
  const { picks, exact } = solveKnapsack(items, Math.round(mean * layers.reduce((sum, { params }) => sum + params, 0)));
  const bits = new Map(layers.map(({ id, tried }, i) => [id, tried[picks[i]].value]));
  row(exact ? 'allocated' : 'allocated (greedily)', bits, await classes((id) => bits.get(id)));
}
dataset.close();

/** What `allocate` measures, layer by layer. */
async function sensitivities() {
  if (options.keep !== undefined && existsSync(options.keep)) return JSON.parse(readFileSync(options.keep, 'utf8'));
  const calibration = openDataset('cifar10:train', { dataDir: options['data-dir'] });
  const { value, diagnostics } = await driver.allocateTarget(
    { path },
    {
      dataset: calibration,
      normalisation,
      limit: Number(options.calibration),
      goal: { unit: 'weight_bits', value: 16 },
      verify: false,
    },
  );
  calibration.close();
  if (value === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  if (options.keep !== undefined) writeFileSync(options.keep, JSON.stringify(value.layers));
  return value.layers;
}

async function classes(weightBits) {
  const bits = weightBits === undefined ? undefined : byLayer(weightBits);
  const passes = configure(pipelines.ann, { 'quantise-weights': { bits } });
  const { network: ready } = runPipeline(network, passes, { neurons: libraryNeurons() });
  return (await runNetwork(ready, images, engine, {}, 'evaluating')).run.classes;
}

function row(name, bits, found) {
  const all = layers.reduce((sum, { params }) => sum + params, 0);
  const sum =
    bits === undefined ? undefined : layers.reduce((total, { id, params }) => total + params * bits.get(id), 0);
  const cells = [
    name,
    sum === undefined ? '' : (sum / all).toFixed(2),
    sum === undefined ? '' : Math.ceil(sum / 8).toLocaleString('en'),
    `${(100 * agreement(found, labels)).toFixed(2)} %`,
    `${(100 * agreement(found, before)).toFixed(2)} %`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
