import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { openOnnxSource } from '../../../src/engines/onnx-source.js';
import { type ImportOptions, importOnnx } from '../../../src/frontends/onnx/index.js';
import { standardForm } from '../../../src/frontends/onnx/standard/index.js';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, randomInts, refused } from './harness.js';

// Files whose first axis is no batch: something differs along it, and all of the input is one sample.

const one = (value: number) => ({ tensor: { type: 'float' as const, dims: [], values: [value] } });

/** [4, 6] by a matrix, with a bias of `rows` rows, requantised by a factor a row. */
function rowwise(rows: number, factors = 4): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', [4, 6]);
  const w = b.floats('w', [6, 3], randomInts(1, 18, -8, 7));
  const bias = b.floats('bias', rows === 1 ? [3] : [rows, 3], randomInts(2, 3 * rows, -99, 99));
  const sum = b.node('Gemm', ['x', w, bias], { alpha: { float: 2 }, beta: { float: 3 } });
  const factor = [
    b.floats('mul', [factors, 1], randomInts(3, factors, 1, 40)),
    b.floats('add', [factors, 1], randomInts(4, factors, -500, 500)),
  ];
  const shift = { div: one(64), n_levels: one(256), signed: one(1) };
  b.output(b.node('RequantShift', [sum, ...factor], shift, { domain: 'PACTOps' }));
  return Uint8Array.from(b.bytes());
}

/** [T, 3]: a convolution along T, as a network of speech has it. */
function alongFirst(): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', ['T', 3]);
  const line = b.node('Transpose', [b.node('Unsqueeze', [b.fakeQuant('x', 0.5, 128), b.ints('front', [0])])], {
    perm: [0, 2, 1],
  });
  const conv = b.node('Conv', [line, b.floats('w', [2, 3, 3], randomInts(5, 18, -8, 7))]);
  const back = b.node('Transpose', [b.fakeQuant(conv, 2, 100)], { perm: [0, 2, 1] });
  b.output(b.node('Squeeze', [back, b.ints('first', [0])]));
  return Uint8Array.from(b.bytes());
}

/** The network's numbers are those of the file in onnxruntime, for two samples. */
async function same(
  bytes: Uint8Array<ArrayBuffer>,
  shape: readonly number[],
  options: ImportOptions = {},
): Promise<void> {
  const { value, diagnostics } = importOnnx({ name: 'n.onnx', bytes }, options);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toContain('note onnx/one-sample');
  const { network, sourceInputs } = value!;
  expect(sourceInputs).toMatchObject([{ name: 'x', shape: [...shape], batch: 1, vector: true }]);
  const size = shape.reduce((a, n) => a * n, 1);
  const samples = Float32Array.from(randomInts(6, 2 * size, 0, 255));
  const source = await openOnnxSource(standardForm(bytes)?.bytes ?? bytes);
  const { [source.outputs[0]!.name]: theirs } = await source.run({ x: tensor('f32', [2, ...shape], samples) });
  await source.dispose();
  const ours = [0, 1].flatMap((n) => {
    const sample = Float64Array.from(samples.subarray(n * size, (n + 1) * size));
    return [...evaluateAnn(network, sample).get(network.outputs[0]!)!];
  });
  expect(ours).toEqual([...theirs!.data]);
}

it('a bias and a factor for each row', () => same(rowwise(4), [4, 6]));

it('a convolution along the first axis, whose size is said', async () => {
  await same(alongFirst(), [9, 3], { inputShapes: [{ sizes: [9, 3] }] });
  const [problem] = refused(alongFirst());
  expect(problem).toMatchObject({ code: 'onnx/unsupported-form' });
  expect(problem!.help).toContain('--input-shape');
});

it('a file that can be read with a batch is, and one that can’t be read either way keeps its message', () => {
  const { value, diagnostics } = importOnnx({ name: 'n.onnx', bytes: rowwise(1, 1) });
  expect(value!.sourceInputs).toMatchObject([{ shape: [6], batch: 4 }]);
  expect(diagnostics.map(({ code }) => code)).not.toContain('onnx/one-sample');
  expect(codes(refused(rowwise(5)))).toContain('onnx/shape-mismatch');
});
