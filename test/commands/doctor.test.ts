import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { conversionCodings } from '../../src/workspace/types.js';
import { spikec } from '../cli/fake.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyQuantised } from '../support/tiny-onnx.js';

function written(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'net.onnx');
  writeFileSync(path, bytes);
  return path;
}

const examined = async (bytes: Uint8Array) => {
  const path = written(bytes);
  const { value } = await driver.examineOnnx(path);
  expect(readdirSync(dirname(path))).toEqual(['net.onnx']);
  return value!;
};

/** Quantised input; two ReLUs that a layer without a quantiser reads. */
function halfQuantised(): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4]);
  const scale = b.floats('s', [], [1 / 255]);
  const zero = b.constant('z', { type: 'uint8', dims: [], values: [0] });
  const quantised = (value: string): string =>
    b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, scale, zero]), scale, zero]);
  const layer = (value: string, n: number): string =>
    b.node(
      'Gemm',
      [
        value,
        b.floats(
          `w${n}`,
          [4, 4],
          Array.from({ length: 16 }, (_, i) => (i % 5) - 2),
        ),
      ],
      { transB: 1 },
    );
  let value = quantised('x');
  for (const n of [0, 1]) value = quantised(layer(b.node('Relu', [layer(value, 2 * n)]), 2 * n + 1));
  b.output(layer(value, 4));
  return Uint8Array.from(b.bytes());
}

it('doctor says under which codings a quantised network converts, and writes nothing', async () => {
  const { network, codings, blockers } = await examined(tinyQuantised());
  expect(network).toMatchObject({ quantisers: 2, unquantised: 0, parameters: 36 + 4 + 432 + 3 });
  expect(blockers).toEqual([]);
  expect(codings.map(({ coding, converts }) => [coding, converts])).toEqual(
    conversionCodings.map((name) => [name, 'yes']),
  );
});

it('a float network converts with data, and doctor says how many ranges that measures', async () => {
  const { network, codings } = await examined(tinyFloat());
  expect(network!.unquantised).toBe(1);
  const [sws, rate] = codings;
  const remedy = expect.stringContaining('of 2 activations, and adds quantisers') as string;
  expect(sws).toMatchObject({ converts: 'calibrate', remedy });
  expect(rate).toMatchObject({ converts: 'calibrate', remedy: expect.stringContaining('--calibrate DATA') as string });
});

it('all blockers of a file are told at once, alike ones together with how many there are', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4]);
  let value = 'x';
  for (let i = 0; i < 7; i++) value = b.node('LpNormalization', [value]);
  b.output(b.node('NonZero', [value]));
  const { network, blockers } = await examined(Uint8Array.from(b.bytes()));
  expect(network).toBeUndefined();
  expect(blockers.map(({ count }) => count)).toEqual([7, 1]);
  expect(blockers[0]).toMatchObject({ code: 'onnx/unsupported-op' });
});

it('a conversion to sws names every layer that it refuses, not the first alone', async () => {
  const path = written(halfQuantised());
  const outDir = join(dirname(path), 'out');
  const { diagnostics } = await driver.convertOnnx(path, { coding: 'sws', beta: 1.5, outDir });
  expect(diagnostics.map(({ code }) => code)).toEqual(['convert/nonlinearity', 'convert/nonlinearity']);
  expect(existsSync(outDir)).toBe(false);
  // with the usual β several trains carry what is left in float
  expect((await driver.examineOnnx(path)).value!.codings[0]).toMatchObject({ coding: 'sws', converts: 'yes' });
  const { value } = await driver.convertOnnx(path, { coding: 'sws', outDir });
  expect(value!.check).toMatchObject({ passed: true, differing: 0 });
});

it('doctor ends with 1 where nothing converts, and groups what it prints', async () => {
  const blocker = { code: 'onnx/unsupported-op', message: 'no', count: 53, places: ['a', 'b'], remedy: 'do' };
  const result = { file: 'a.onnx', blockers: [blocker], codings: [] };
  const ran = await spikec(['doctor', 'a.onnx'], {
    examineOnnx: () => Promise.resolve({ value: result, diagnostics: [] }),
  });
  expect(ran.code).toBe(1);
  expect(ran.out).toContain('53 × no [onnx/unsupported-op]\n    a, b, …\n    = help: do\n');
});
