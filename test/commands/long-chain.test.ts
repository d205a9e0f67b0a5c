import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { convertOnnx } from '../../src/commands/convert.js';
import { driver } from '../../src/commands/index.js';
import { modelText } from '../../src/convert/model-text.js';
import { openOnnxSource } from '../../src/engines/onnx-source.js';
import { exposeTensors, partFor } from '../../src/frontends/onnx/index.js';
import { verifyImport } from '../../src/run/verify-import.js';
import type { Param } from '../../src/network/index.js';
import { Findings } from '../../src/workspace/findings.js';
import { importFile } from '../../src/workspace/target.js';
import { conversionCodings } from '../../src/workspace/types.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** 1×1 convolutions, each with a ReLU and a quantiser behind it: 5 nodes a layer. */
function chain(layers: number): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 2, 2, 2]);
  const scale = b.floats('scale', [], [0.02]);
  const zero = b.constant('zero', { type: 'uint8', dims: [], values: [0] });
  const weightScale = b.floats('ws', [], [0.01]);
  const weightZero = b.constant('wz', { type: 'int8', dims: [], values: [0] });
  const quantised = (value: string): string =>
    b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, scale, zero]), scale, zero]);
  let value = quantised('image');
  for (let i = 0; i < layers; i++) {
    const values = [90 - (i % 7), i % 5, -(i % 3), 95 - (i % 11)];
    const codes = b.constant(`w${i}`, { type: 'int8', dims: [2, 2, 1, 1], values });
    const weight = b.node('DequantizeLinear', [codes, weightScale, weightZero]);
    const relu = b.node('Relu', [b.node('Conv', [value, weight])], {}, { output: `relu${i}` });
    value = quantised(relu);
  }
  const last = b.floats(
    'last',
    [3, 8],
    Array.from({ length: 24 }, (_, i) => i / 24 - 0.5),
  );
  b.output(b.node('Gemm', [b.node('Flatten', [value]), last], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

it('a chain of 17,000 nodes converts in bounded time; what is left out and what was not compared is said', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'chain.onnx');
  writeFileSync(file, chain(3400));
  const outDir = join(folder, 'out');
  const { value, diagnostics } = await convertOnnx(file, { coding: 'sws', outDir });
  const said = diagnostics.map(({ code, message }) => `${code}: ${message}`);
  expect(said).toEqual([
    expect.stringMatching(
      /^convert\/import-sampled: 2000 of the 10203 layers .*; not compared: all behind %\S+, and 1 of every 2 before$/,
    ),
    'convert/partly-searched: silent periods are searched for the first 256 of 3400 layers of neurons; the others have those that are proven',
    expect.stringMatching('^convert/too-long: the spiking network isn’t run for a check: .* more than 8192$'),
    expect.stringMatching('^convert/too-long: `infer.onnx` left out: .* more than 16384$'),
  ]);
  const { searched, layers } = value!.silence!;
  expect(searched).toBe(256);
  expect(layers.slice(256).every(({ silent, proven }) => silent === proven)).toBe(true);
  const torch = await driver.compileTarget({ path: outDir }, { emit: ['torch'], outDir: join(folder, 'torch') });
  expect(torch.diagnostics.map(({ code }) => code)).toEqual(['torch/unsupported']);
  expect(layers.slice(0, 256).some(({ silent, proven }) => silent < proven)).toBe(true);
  expect(value!.files).not.toContain('infer.onnx');
  expect(existsSync(join(outDir, 'infer.onnx'))).toBe(false);
  expect(existsSync(join(outDir, 'network.ir'))).toBe(true);
}, 120_000);

it('a part of a file gives the tensors that the whole file gives', async () => {
  const bytes = chain(40);
  const names = ['relu9', 'relu30'];
  const image = tensor(
    'f32',
    [1, 2, 2, 2],
    Array.from({ length: 8 }, (_, i) => i / 2),
  );
  const results = async (model: Uint8Array<ArrayBuffer>) => {
    const { bytes: exposed, outputs } = exposeTensors(model, names);
    const source = await openOnnxSource(exposed, { name: 'chain', batch: undefined });
    try {
      const found = await source.run({ image }, [...outputs.values()]);
      return names.map((name) => [...found[outputs.get(name)!]!.data]);
    } finally {
      await source.dispose();
    }
  };
  const part = partFor(bytes, names);
  expect(part.length).toBeLessThan(bytes.length * 0.9);
  const expected = await results(bytes);
  expect(expected.flat().some((value) => value > 0)).toBe(true);
  expect(await results(part)).toEqual(expected);
});

it('of inputs with too many values for checks the checks are left out, and said', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 1, 4000, 4000]);
  const conv = b.node('Conv', [b.fakeQuant('x', 0.1, 0), b.floats('w', [1, 1, 1, 1], [0.5])]);
  b.output(b.node('Flatten', [b.node('GlobalAveragePool', [b.fakeQuant(b.node('Relu', [conv]), 0.1, 0)])]));
  const folder = temporaryFolder();
  const file = join(folder, 'large.onnx');
  writeFileSync(file, b.bytes());
  for (const coding of conversionCodings) {
    const before = process.memoryUsage().rss;
    const { value, diagnostics } = await convertOnnx(file, {
      coding,
      ...(coding === 'ibra' ? {} : { steps: 8 }),
      outDir: join(folder, coding),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
    expect(value).toBeDefined();
    const left = diagnostics.filter(({ code }) => code === 'convert/large-layers').map(({ message }) => message);
    expect(left).toEqual([
      'the import isn’t compared with onnxruntime: its layers are so large that this may take 640 MB, more than 280 MB',
      expect.stringMatching(/^the spiking network isn’t run for a check: its layers are .* more than 280 MB$/),
    ]);
    if (coding === 'sws') {
      expect(value!.silence).toMatchObject({ inputs: 'none', searched: 0 });
      expect(diagnostics.map(({ message }) => message)).toContain(
        'silent periods are searched for the first 0 of 1 layers of neurons; the others have those that are proven',
      );
    }
  }
});

it('layers are compared a few at a time: what differs is found in whatever part it is', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'chain.onnx');
  writeFileSync(file, chain(12));
  const source = importFile(file, new Findings());
  const whole = await verifyImport(source);
  expect(await verifyImport(source, 100)).toEqual(whole);
  const { network } = source.imported;
  const last = network.ops.filter(({ kind }) => kind === 'conv').at(-1)!;
  const param = network.params.get(last.params['weight']!)!;
  const changed = { ...param, tensor: { ...param.tensor, data: param.tensor.data.map((v: number) => v + 5) } } as Param;
  const params = new Map(network.params).set(last.params['weight']!, changed);
  const other = { ...source, imported: { ...source.imported, network: { ...network, params } } };
  for (const most of [60, 100, 250, Infinity]) {
    await expect(verifyImport(other, most)).rejects.toMatchObject({
      diagnostics: [{ code: 'convert/import-mismatch', message: expect.stringContaining(last.id) as string }],
    });
  }
});

it('a model file of very many layers lists those whose silent period is another than most have', () => {
  const layers = Array.from({ length: 4001 }, (_, n) => ({ id: `l${n}`, silent: n % 100 === 0 ? 3 : 1, proven: 4 }));
  const silence = { inputs: 'drawn', samples: 1, latency_steps: 1, proven_latency_steps: 1, layers } as const;
  const text = modelText('chain.onnx', { coding: 'sws', outDir: 'out' }, { silence });
  expect(text).toContain('silent: 1) {');
  expect(text.match(/layer "/g)).toHaveLength(41);
  const periods = [...text.matchAll(/layer "l(\d+)" \{ silent (\d) \}/g)].map(([, n, period]) => [
    Number(n) % 100,
    period,
  ]);
  expect(periods).toEqual(Array.from({ length: 41 }, () => [0, '3']));
});
