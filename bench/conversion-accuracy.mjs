// Accuracy of conversions to IF, MBIF(1+3) and IBRA-LIF neurons beside the float ANN: a Markdown row a network and neuron.
//   npm run build && node bench/conversion-accuracy.mjs --models ../shared/models --data-dir ../shared/data
// Options: --networks a,b  --codings rate,mbif,ibra9,ibra4  --steps 128  --limit N  --calibration N  --percentile P
// One run of T steps gives the accuracy after 4, 16, 64 … steps too: the mean of the logits so far.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDataset } from '../dist/src/data/index.js';
import { driver } from '../dist/src/commands/index.js';

const mnist = { data: 'mnist', normalisation: { mean: [0.5], std: [0.5] } };
const cifar = { data: 'cifar10', normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] } };
const networks = {
  'lenet5-avgpool-mnist.fp32': mnist,
  'lenet5-maxpool-mnist.fp32': mnist,
  'resnet20-cifar10.fp32': cifar,
  'vgg7-cifar10.fp32': cifar,
};
const codings = {
  rate: { coding: 'rate', label: 'IF' },
  mbif: { coding: 'mbif', label: 'MBIF(1+3)' },
  ibra9: { coding: 'ibra', label: 'IBRA(D 5.11, N 100)', largest: 5.11, perUnit: 100, steps: 1 },
  ibra4: { coding: 'ibra', label: 'IBRA(D 1.5, N 10)', largest: 1.5, perUnit: 10, steps: 1 },
};
const columns = [1, 4, 16, 64, 128];

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    'data-dir': { type: 'string', default: '../shared/data' },
    networks: { type: 'string', default: Object.keys(networks).join(',') },
    codings: { type: 'string', default: Object.keys(codings).join(',') },
    steps: { type: 'string', default: '128' },
    limit: { type: 'string', default: '1000' },
    calibration: { type: 'string', default: '1000' },
    percentile: { type: 'string', default: '99.9' },
  },
});
const list = (text) => text.split(',');
const percent = (fraction) => (fraction === undefined ? '–' : `${(100 * fraction).toFixed(1)} %`);

console.log(`| network | images | ANN | neuron | ${columns.map((t) => `T = ${t}`).join(' | ')} |`);
console.log(`| ${'--- | '.repeat(4 + columns.length)}`.trim());
for (const name of list(options.networks)) for (const key of list(options.codings)) await row(name, codings[key]);

async function row(name, { label, coding, steps = Number(options.steps), ...neuron }) {
  const { data, normalisation } = networks[name];
  const where = data === 'cifar10' ? { dataDir: options['data-dir'] } : {};
  const outDir = mkdtempSync(join(tmpdir(), 'spikec-bench-'));
  const calibrate = openDataset(`${data}:train`, where);
  const dataset = openDataset(`${data}:test`, where);
  try {
    const settings = { coding, steps, ...neuron, calibrate, normalisation, outDir };
    const calibration = { calibrationLimit: Number(options.calibration), percentile: Number(options.percentile) };
    const path = join(options.models, `${name}.onnx`);
    const { model } = valueOf(await driver.convertOnnx(path, { ...settings, ...calibration }));
    const limit = Number(options.limit);
    const found = valueOf(await driver.evaluateTarget({ path: model }, { dataset, normalisation, limit }));
    const at = new Map(found.by_steps.map((one) => [one.steps, one.accuracy]));
    const cells = [
      name,
      found.samples,
      percent(found.source.accuracy),
      label,
      ...columns.map((t) => percent(at.get(t))),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  } finally {
    calibrate.close();
    dataset.close();
    rmSync(outDir, { recursive: true, force: true });
  }
}

function valueOf({ value, diagnostics }) {
  if (value === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return value;
}
