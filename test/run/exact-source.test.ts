import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { InvariantError } from '../../src/base/invariant.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { exactCodes } from '../../src/lower/program/index.js';
import { configure, pipelines, runPipeline } from '../../src/passes/index.js';
import { openLogits } from '../../src/run/logits.js';
import { DifferenceCounter } from '../../src/run/metrics/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { engineNamed } from '../../src/engines/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { libraryNeurons } from '../../src/workspace/files.js';
import { Findings } from '../../src/workspace/findings.js';
import { importFile } from '../../src/workspace/target.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages, tinyQuantised } from '../support/tiny-onnx.js';

function written(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'net.onnx');
  writeFileSync(path, bytes);
  return path;
}

const argmax = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, i, all) => (value > all[best]! ? i : best), 0);

it('eval --stages has the file in exact arithmetic, each stage beside the one before, and ties apart', async () => {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(12);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  const path = written(tinyQuantised());
  const { value: converted } = await driver.convertOnnx(path, {
    coding: 'sws',
    silent: 0,
    outDir: join(folder, 'out'),
  });
  const { value } = await driver.evaluateTarget(
    { path: converted!.model },
    { dataset, normalisation: {}, stages: true },
  );
  const { stages, layers } = value!;
  expect(stages!.map(({ stage }) => stage)).toEqual(['source', 'imported', 'exact', 'codes', 'snn']);
  const [source, , exact, codes, snn] = stages!;
  expect(source!.before).toBeUndefined();
  const all = 12 * (36 + 144);
  expect(exact!.before).toMatchObject({ codes: all });
  expect(codes!.before).toMatchObject({ agreement: 1, codes: all, differing: 0, ties: 0 });
  const differing = layers!.reduce((sum, layer) => sum + layer.differing, 0);
  expect(differing).toBeGreaterThan(0);
  expect(snn!.before).toMatchObject({ codes: all, differing, first: layers!.find((one) => one.differing > 0)!.id });

  // the judge: plain loops in float64 over the imported file
  const { network } = importFile(path, new Findings()).imported;
  const right = Array.from({ length: 12 }, (_, n) => {
    const pixels = Float64Array.from(dataset.read(n, 1).images, (v) => Math.fround(v / 255));
    return argmax(evaluateAnn(network, pixels).get(network.outputs[0]!)!) === dataset.read(n, 1).labels[0] ? 1 : 0;
  });
  expect(exact!.accuracy).toBe(right.reduce((a: number, b) => a + b, 0) / 12);
  dataset.close();
});

it('eval --stages runs a file whose operators onnxruntime doesn’t have, and bits are codes 0 and 1', async () => {
  const b = new OnnxBuilder(13, { 'qonnx.custom_op.general': 1 });
  b.input('x', ['N', 36]);
  const bit = (x: string): string => b.node('BipolarQuant', [x, `s`], {}, { domain: 'qonnx.custom_op.general' });
  b.scalar('s', 'float', 0.5);
  const weight = b.floats(
    'w',
    [36, 4],
    Array.from({ length: 144 }, (_, i) => ((i * 7) % 5) - 2),
  );
  const hidden = bit(b.node('MatMul', [bit(b.node('Sub', ['x', b.scalar('half', 'float', 0.25)])), weight]));
  b.output(b.node('MatMul', [hidden, b.floats('v', [4, 3], [1, 2, -3, 0.5, -1, 4, 2, 2, -1, 0.25, 1, 3])]));
  const folder = temporaryFolder();
  const pixels = new Uint8Array(4 + 12 + 12 * 36);
  pixels.set([0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 6, 0, 0, 0, 6]);
  for (let i = 16; i < pixels.length; i++) pixels[i] = (i * 37) % 256;
  writeFileSync(join(folder, 'images'), pixels);
  writeFileSync(join(folder, 'labels'), Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 12, ...Array<number>(12).fill(1)]));
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  const path = written(Uint8Array.from(b.bytes()));
  const { value: converted } = await driver.convertOnnx(path, { coding: 'sws', outDir: join(folder, 'out') });
  const { value, diagnostics } = await driver.evaluateTarget(
    { path: converted!.model },
    { dataset, normalisation: {}, stages: true },
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const exact = value!.stages!.find(({ stage }) => stage === 'exact')!;
  expect(exact.before).toMatchObject({ codes: 12 * (36 + 4), differing: 0, agreement: 1 });
  dataset.close();
});

it('sums of 16-bit codes are exact also beyond 2²⁴, in spikes as well', async () => {
  const width = 300;
  const b = new OnnxBuilder(21);
  b.input('x', ['N', width]);
  const scale = b.floats('s', [], [1 / 65535]);
  const zero = b.constant('z', { type: 'uint16', dims: [], values: [0] });
  const image = b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', scale, zero]), scale, zero]);
  const values = Array.from({ length: 2 * width }, (_, i) => (i % width < width / 2 ? 1 : -1) * (127 - (i % 3)));
  const codes = b.constant('w', { type: 'int8', dims: [2, width], values });
  const weightZero = b.constant('wz', { type: 'int8', dims: [], values: [0] });
  const weight = b.node('DequantizeLinear', [codes, b.floats('ws', [], [1]), weightZero]);
  b.output(b.node('Gemm', [image, weight], { transB: 1 }));
  const { network } = importFile(written(Uint8Array.from(b.bytes())), new Findings()).imported;
  const pixels = Float32Array.from({ length: width }, (_, i) => (65535 - 2 * i - 1) / 65535);
  const right = evaluateAnn(network, Float64Array.from(pixels)).get(network.outputs[0]!)!;
  const steps = { steps: 16 };
  const passes = configure(pipelines['convert.sws'], { digits: steps, 'to-spikes': steps });
  const { network: spiking } = runPipeline(network, passes, { neurons: libraryNeurons() });
  for (const [one, options] of [
    [network, { carrier: exactCodes }],
    [spiking, {}],
  ] as const) {
    const logits = await openLogits(one!, engineNamed('onnxruntime')!, options);
    const found = await logits.begin()(tensor('f32', [1, width], pixels));
    await logits.dispose();
    // whole numbers of 1/65535: float32 of the exact value, to its last bit
    expect([...found.data]).toEqual([...Float32Array.from(right)]);
  }
});

it('of differing codes those are ties where what was rounded lies within the bound of one', () => {
  const layer = { id: 'a', amplitude: 1, amplification: 1, top: Infinity };
  const counter = new DifferenceCounter([layer], 1e-3);
  const near = [0, 5e-4, 0.2, 0.3];
  counter.add('a', { expected: [1, 2, 3, 4], found: [1, 3, 4, 4], nearness: (i) => near[i]! });
  expect(counter.result()).toMatchObject([{ codes: 4, differing: 2, ties: 1, max_difference: 1 }]);
});

it('codes that count from another end are shifted; a layer that isn’t compared is left out, one without codes is a bug', () => {
  const layer = { id: 'a', amplitude: 2, amplification: 1, top: Infinity };
  const counter = new DifferenceCounter([layer]);
  counter.add('b', { expected: [1], found: [7] });
  expect(() => counter.result()).toThrow(InvariantError);
  counter.add('a', { expected: [5, 7], found: [1, 2], shift: 3 });
  expect(counter.result()).toMatchObject([{ id: 'a', codes: 2, differing: 0 }]);
});
