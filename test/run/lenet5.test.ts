import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openDataset, readBatch } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { engineNamed } from '../../src/engines/index.js';
import { importOnnx } from '../../src/frontends/onnx/index.js';
import { lower } from '../../src/lower/program/index.js';
import { latencyOf } from '../../src/network/index.js';
import { optimisedEngines } from '../support/native.js';
import { simulate } from '../support/brute-force.js';
import { convert, sws } from '../support/sws.js';

const folder = fileURLToPath(new URL('../../examples/convert-onnx/', import.meta.url));
const normalisation = { mean: [0.5], std: [0.5] };
const digits = () => openDataset(`idx:${folder}digits-images.idx.gz,${folder}digits-labels.idx.gz`);

function lenet5() {
  const bytes = new Uint8Array(readFileSync(`${folder}lenet5.onnx`));
  return importOnnx({ name: 'lenet5.onnx', bytes }).value!.network;
}

it('LeNet-5: a real image’s logits equal a step-by-step simulation in global time to 1e-4, on every engine', async () => {
  const { spiking } = convert(lenet5(), sws({ silent: 2 }));
  const program = lower(spiking, { precision: 'f64' }).program;
  const dataset = digits();
  const { images } = readBatch(dataset, 0, 2, normalisation);
  dataset.close();
  const expected = [0, 1].flatMap((n) => [
    ...simulate(spiking, images.data.subarray(n * 784, (n + 1) * 784)).get(spiking.outputs[0]!)!,
  ]);
  for (const engine of [engineNamed('fused')!, engineNamed('onnxruntime')!, ...optimisedEngines]) {
    const { name } = engine;
    const executable = await engine.open(program);
    const logits = (await executable.step({ [program.inputs[0]!.id]: images }))['0']!;
    await executable.dispose();
    expected.forEach((logit, i) => expect(Math.abs(logits.data[i]! - logit), `${name}, logit ${i}`).toBeLessThan(1e-4));
  }
});

it('LeNet-5 on 500 shipped digits: stages agree, no code differs at Ts = 2', async () => {
  const dataset = digits();
  const { value, diagnostics } = await driver.evaluateTarget(
    { path: `${folder}lenet5.spike`, config: 'converted' },
    { dataset, normalisation, limit: 500, stages: true },
  );
  dataset.close();
  expect(diagnostics).toEqual([]);
  expect(value!.source!.agreement).toBe(1);
  expect(value!.accuracy).toBeGreaterThan(0.97);
  expect(value!.latency_steps).toBe(16);
  expect(value!.stages!.map(({ stage }) => stage)).toEqual(['source', 'imported', 'exact', 'codes', 'snn']);
  for (const layer of value!.layers!) expect(layer.differing / layer.codes, layer.id).toBeLessThan(1e-4);
  // the rounding error of codes, uniform in ±½: mean ¼
  for (const layer of value!.layers!.slice(1)) expect(layer.mean_residual, layer.id).toBeCloseTo(0.25, 1);
});

it('the threshold and the silent period both matter: θ alone < θ/2 or Ts > 0 < both (SWS Fig. 5)', async () => {
  const dataset = digits();
  const { images, labels } = readBatch(dataset, 0, 300, normalisation);
  dataset.close();
  const accuracy = async (threshold: 'half' | 'full', silent: number): Promise<number> => {
    const { spiking } = convert(lenet5(), sws({ threshold, silent }));
    const program = lower(spiking, { precision: 'f64' }).program;
    const executable = await engineNamed('fused')!.open(program);
    const { data } = (await executable.step({ [program.inputs[0]!.id]: images }))['0']!;
    await executable.dispose();
    const right = labels.filter((label, n) => {
      const row = [...data.subarray(n * 10, n * 10 + 10)];
      return row.indexOf(Math.max(...row)) === label;
    });
    return right.length / labels.length;
  };
  const [neither, half, both] = [await accuracy('full', 0), await accuracy('half', 0), await accuracy('half', 2)];
  expect(neither).toBeLessThan(half);
  expect(half).toBeLessThanOrEqual(both);
});

it('layers may wait for different times', async () => {
  const { value } = await driver.compileTarget({ path: `${folder}lenet5.spike`, config: 'converted' }, { emit: [] });
  expect(value!.latency_steps).toBe(16);
  const options = sws({ silent: (id) => (id === 'Relu.quant' ? 5 : 1) });
  expect(latencyOf(convert(lenet5(), options).spiking)).toBe(8 + 5 + 1 + 1 + 1);
});
