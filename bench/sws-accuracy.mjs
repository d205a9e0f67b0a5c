// Accuracy and agreement of SWS conversions over whole test sets: a Markdown row a run.
//   npm run build && node bench/sws-accuracy.mjs --models ../shared/models --data-dir ../shared/data
// Options: --networks a,b  --silent 1,2,3  --steps 8  --encoder exact,drive  --threshold half,full  --limit N  --stages
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDataset } from '../dist/src/data/index.js';
import { driver } from '../dist/src/commands/index.js';

const mnist = { data: 'mnist:test', normalisation: { mean: [0.5], std: [0.5] } };
const cifar = { data: 'cifar10:test', normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] } };
const networks = {
  'lenet5-avgpool-mnist.qdq': mnist,
  'lenet5-maxpool-mnist.qdq': mnist,
  'resnet20-cifar10.qdq': cifar,
  'resnet20-cifar10.qop': cifar,
  'vgg7-cifar10.qdq': cifar,
};

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    'data-dir': { type: 'string', default: '../shared/data' },
    networks: { type: 'string', default: Object.keys(networks).join(',') },
    silent: { type: 'string', default: '2' },
    steps: { type: 'string', default: '8' },
    encoder: { type: 'string', default: 'exact' },
    threshold: { type: 'string', default: 'half' },
    rectified: { type: 'string', default: 'true' },
    limit: { type: 'string', default: '10000' },
    stages: { type: 'boolean', default: false },
  },
});
const list = (text) => text.split(',');
const percent = (fraction) => `${(100 * fraction).toFixed(2)} %`;

console.log(
  '| network | Tc | Ts | encoder | threshold | ANN | SNN | agreement | differing | spikes/neuron | OPF | latency | images/s |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
const folder = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
try {
  for (const name of list(options.networks)) {
    const { data, normalisation } = networks[name];
    copyFileSync(join(options.models, `${name}.onnx`), join(folder, `${name}.onnx`));
    const dataset = openDataset(data, data.startsWith('cifar') ? { dataDir: options['data-dir'] } : {});
    for (const steps of list(options.steps))
      for (const threshold of list(options.threshold))
        for (const encoder of list(options.encoder))
          for (const silent of list(options.silent))
            await row({ name, dataset, normalisation, steps, threshold, encoder, silent });
    dataset.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function row({ name, dataset, normalisation, steps, threshold, encoder, silent }) {
  const path = join(folder, 'bench.spike');
  const coding = `sws(beta: 2, steps: ${steps}, silent: ${silent}, encoder: ${encoder}, threshold: ${threshold}, rectified: ${options.rectified})`;
  writeFileSync(path, `config bench {\n  network onnx("${name}.onnx")\n  coding ${coding}\n}\n`);
  const { value: r, diagnostics } = await driver.evaluateTarget(
    { path },
    { dataset, normalisation, limit: Number(options.limit), stages: options.stages },
  );
  if (r === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  const differing = Math.round((1 - r.source.agreement) * r.samples);
  const cells = [
    name,
    steps,
    silent,
    encoder,
    `${threshold === 'half' ? 'θ/2' : 'θ'}${options.rectified === 'true' ? '' : ', not rectified'}`,
    percent(r.source.accuracy),
    percent(r.accuracy),
    percent(r.source.agreement),
    `${differing} of ${r.samples}`,
    r.spikes_per_neuron.toFixed(2),
    Math.round(r.opf).toLocaleString('en'),
    r.latency_steps,
    Math.round(r.samples / r.seconds),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  for (const l of r.layers ?? []) {
    if (l.differing > 0 || l.mean_residual > 0) {
      console.log(
        `  ${l.id}: ${l.differing} of ${l.codes} codes differ, by at most ${l.max_difference}; residual mean ${l.mean_residual.toFixed(3)} max ${l.max_residual.toFixed(2)}`,
      );
    }
  }
}
