// Silent periods chosen layer by layer against the same everywhere, on a test set: a Markdown row a network.
//   npm run build && node bench/allocate-silent.mjs --models ../shared/models --data-dir ../shared/data
// Sensitivities are measured once, as `spikec allocate --silent --latency AROUND` does, and serve every latency; --keep FILE keeps
// them for a next run.
// Options: --network NAME  --latency 30,37,49  --uniform 1,2  --around STEPS  --calibration N  --limit N  --keep FILE
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDataset } from '../dist/src/data/index.js';
import { runNetwork } from '../dist/src/run/run-network.js';
import { libraryNeurons } from '../dist/src/workspace/files.js';
import { driver } from '../dist/src/commands/index.js';
import { engineNamed } from '../dist/src/engines/index.js';
import { agreement, readLabels } from '../dist/src/run/metrics/index.js';
import { importOnnx } from '../dist/src/frontends/onnx/index.js';
import { latencyOf } from '../dist/src/network/index.js';
import { byLayer, configure, pipelines, runPipeline, silentFront } from '../dist/src/passes/index.js';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    'data-dir': { type: 'string', default: '../shared/data' },
    network: { type: 'string', default: 'resnet20-cifar10.qdq' },
    latency: { type: 'string', default: '26,30,37,49' },
    uniform: { type: 'string', default: '1,2' },
    around: { type: 'string', default: '37' },
    calibration: { type: 'string', default: '128' },
    limit: { type: 'string', default: '2000' },
    keep: { type: 'string' },
  },
});
const steps = 8;
const normalisation = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
const numbers = (text) => (text === '' ? [] : text.split(',').map(Number));
const path = join(options.models, `${options.network}.onnx`);
const { network } = importOnnx({ name: path, bytes: new Uint8Array(readFileSync(path)) }).value;

const layers = await sensitivities();
const choices = new Map(
  layers.map(({ id, tried }) => [id, tried.map(({ value, error }) => ({ silent: value, error }))]),
);
const front = silentFront(
  spiking(() => 0),
  choices,
  steps,
);
const dataset = openDataset('cifar10:test', { dataDir: options['data-dir'] });
const images = { dataset, normalisation, count: Math.min(dataset.length, Number(options.limit)), batch: 100 };
const labels = readLabels(images);
const ann = runPipeline(network, configure(pipelines.ann, {}), { neurons: libraryNeurons() }).network;
const source = (await runNetwork(ann, images, engineNamed('fused'), {}, 'evaluating')).run.classes;
console.log(`| silent periods of ${options.network} | latency | accuracy | agreement with the ANN | images |`);
console.log('| --- | --- | --- | --- | --- |');
row('(the quantised ANN)', '', source);
for (const silent of numbers(options.uniform)) await measure(`${silent} everywhere`, () => silent);
for (const latency of numbers(options.latency)) {
  const found = front.findLast((one) => one.latency <= latency);
  await measure(`allocated for ${latency}`, (id) => found.silent.get(id));
}
dataset.close();

/** What `allocate --silent` measures, layer by layer. */
async function sensitivities() {
  if (options.keep !== undefined && existsSync(options.keep)) return JSON.parse(readFileSync(options.keep, 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  const calibration = openDataset('cifar10:train', { dataDir: options['data-dir'] });
  try {
    copyFileSync(path, join(folder, 'net.onnx'));
    const model = join(folder, 'net.spike');
    writeFileSync(
      model,
      `config c {\n  network onnx("net.onnx")\n  coding sws(beta: 2, steps: ${steps}, silent: 2)\n}\n`,
    );
    const { value, diagnostics } = await driver.allocateTarget(
      { path: model },
      {
        dataset: calibration,
        normalisation,
        limit: Number(options.calibration),
        goal: { unit: 'latency', value: Number(options.around) },
        verify: false,
      },
    );
    if (value === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
    if (options.keep !== undefined) writeFileSync(options.keep, JSON.stringify(value.layers));
    return value.layers;
  } finally {
    calibration.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function spiking(silent) {
  const passes = configure(pipelines['convert.sws'], {
    'to-spikes': { steps },
    'schedule-time': { silent: byLayer(silent) },
  });
  return runPipeline(network, passes, { neurons: libraryNeurons() }).network;
}

async function measure(name, silent) {
  const converted = spiking(silent);
  row(
    name,
    latencyOf(converted),
    (await runNetwork(converted, images, engineNamed('fused'), {}, 'evaluating')).run.classes,
  );
}

function row(name, latency, found) {
  const percent = (fraction) => `${(100 * fraction).toFixed(2)} %`;
  const cells = [name, latency, percent(agreement(found, labels)), percent(agreement(found, source)), images.count];
  console.log(`| ${cells.join(' | ')} |`);
}
