// With Ts = Tc every layer decides on its complete input. Compares every code of the spiking network with the
// quantised network in exact arithmetic: the float64 reference evaluator, plain loops, no engine.
//   npm run build && node bench/sws-exactness.mjs --models ../shared/models --data-dir ../shared/data --limit 200
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBatch } from '../dist/src/data/dataset.js';
import { openDataset } from '../dist/src/data/index.js';
import { libraryNeurons } from '../dist/src/workspace/files.js';
import { engineNamed } from '../dist/src/engines/index.js';
import { importOnnx } from '../dist/src/frontends/onnx/index.js';
import { lower, outputNames } from '../dist/src/lower/program/index.js';
import { configure, everyLayer, pipelines, runPipeline } from '../dist/src/passes/index.js';
import { evaluate, simplify } from '../dist/src/tensor/index.js';

const mnist = { data: 'mnist:test', normalisation: { mean: [0.5], std: [0.5] } };
const cifar = { data: 'cifar10:test', normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] } };
const networks = {
  'lenet5-avgpool-mnist.qdq': mnist,
  'lenet5-maxpool-mnist.qdq': mnist,
  'resnet20-cifar10.qdq': cifar,
  'vgg7-cifar10.qdq': cifar,
};
const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '../shared/models' },
    'data-dir': { type: 'string', default: '../shared/data' },
    networks: { type: 'string', default: Object.keys(networks).join(',') },
    limit: { type: 'string', default: '200' },
  },
});
/** A sum this near to half-way between two codes is a tie: which side it rounds to is arithmetic, not conversion. */
const tie = 1e-9;
const batch = 10;

console.log('| network | images | codes | differing | of these ties | layers |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const name of options.networks.split(',')) console.log(`| ${(await compare(name)).join(' | ')} |`);

async function compare(name) {
  const { data, normalisation } = networks[name];
  const bytes = new Uint8Array(readFileSync(join(options.models, `${name}.onnx`)));
  const { network } = importOnnx({ name, bytes }).value;
  const passes = configure(pipelines['convert.sws'], { 'schedule-time': { silent: everyLayer(8) } });
  const result = runPipeline(network, passes, { neurons: libraryNeurons() });
  const spiking = result.network;
  const quantised = result.runs.find(({ pass }) => pass === 'quantiser-regions').network;
  const quantisers = quantised.ops.filter((op) => op.kind === 'quantize');
  const expose = quantisers.flatMap((op) => [op.id, op.inputs[0]]);
  const reference = simplify(lower(quantised, { precision: 'f64', probes: { expose: [...new Set(expose)] } }).program);
  const program = simplify(lower(spiking, { probes: { codes: true } }).program);
  const executable = await engineNamed('fused').open(program);
  const dataset = openDataset(data, data.startsWith('cifar') ? { dataDir: options['data-dir'] } : {});
  const limit = Math.min(Number(options.limit), dataset.length);
  let [codes, differing, ties] = [0, 0, 0];
  for (let start = 0; start < limit; start += batch) {
    const { images } = readBatch(dataset, start, Math.min(batch, limit - start), normalisation);
    const expected = evaluate(reference, { [reference.inputs[0].id]: images });
    const found = await executable.step({ [program.inputs[0].id]: images });
    for (const op of quantisers) {
      const { scale, zero, min } = op.attrs;
      const [values, sums, levels] = [
        expected[op.id].data,
        expected[op.inputs[0]].data,
        found[outputNames.codes(op.id)].data,
      ];
      codes += levels.length;
      for (let i = 0; i < levels.length; i++) {
        if (levels[i] === Math.round(values[i] / scale) + zero - min) continue;
        differing++;
        const position = sums[i] / scale;
        if (Math.abs(Math.abs(position - Math.round(position)) - 0.5) < tie) ties++;
      }
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${start + images.shape[0]} of ${limit}`);
  }
  await executable.dispose();
  dataset.close();
  return [name, limit, codes.toLocaleString('en'), differing, ties, quantisers.length];
}
