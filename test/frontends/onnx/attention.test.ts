import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { runPipeline } from '../../../src/passes/index.js';
import { surroundings, sws } from '../../support/sws.js';
import { convertsExactly } from './exact-snn.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';

/*
 * Parts of transformers, as exporters write them: each compared layer by layer with onnxruntime and with plain loops, and
 * every code of the spiking network with exact arithmetic.
 */
let names = 0;
const name = (): string => `n${names++}`;

function quantised(b: OnnxBuilder, x: string, scale: number, zero: number): string {
  const [s, z] = [b.scalar(name(), 'float', scale), b.scalar(name(), 'uint8', zero)];
  return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
}

function weight(b: OnnxBuilder, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  const values = randomFloats(count, count, 1).map((v) => Math.round(v * 127));
  const w = b.constant(name(), { type: 'int8', dims, values });
  return b.node('DequantizeLinear', [w, b.scalar(name(), 'float', 0.01), b.scalar(name(), 'int8', 0)]);
}

type Build = (b: OnnxBuilder, x: string) => string;

/** [5, 8]: five tokens of eight features → quantised → the part → three classes. */
function tokens(build: Build, features: number, opset = 17, batch: number | string = 'N'): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(opset);
  b.input('x', [batch, 5, 8]);
  const flat = b.node('Flatten', [build(b, quantised(b, 'x', 0.0191, 128))]);
  b.output(b.node('Gemm', [flat, weight(b, [3, features])], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

function projected(b: OnnxBuilder, x: string): string {
  return quantised(b, b.node('MatMul', [x, weight(b, [8, 8])]), 0.031, 120);
}

/** [N, 5, 8] → [N, 2, 5, 4]. */
function heads(b: OnnxBuilder, x: string): string {
  return b.node('Transpose', [b.node('Reshape', [x, b.ints(name(), [0, 5, 2, 4])])], { perm: [0, 2, 1, 3] });
}

const scores: Build = (b, x) => {
  const keys = b.node('Transpose', [heads(b, projected(b, x))], { perm: [0, 1, 3, 2] });
  return b.node('MatMul', [heads(b, projected(b, x)), keys]);
};

/** Attention of two heads; the quantisers that a tool puts in it, or none. */
const attention =
  (between: (b: OnnxBuilder, x: string, scale: number, zero: number) => string): Build =>
  (b, x) => {
    const scaled = b.node('Mul', [between(b, scores(b, x), 0.11, 128), b.scalar(name(), 'float', 0.5)]);
    const weights = between(b, b.node('Softmax', [between(b, scaled, 0.06, 128)], { axis: -1 }), 1 / 256, 0);
    const seen = between(b, b.node('MatMul', [weights, heads(b, projected(b, x))]), 0.02, 128);
    return b.node('Reshape', [b.node('Transpose', [seen], { perm: [0, 2, 1, 3] }), b.ints(name(), [0, 5, 8])]);
  };

const normalised: Build = (b, x) => {
  const [gamma, beta] = [b.floats(name(), [8], randomFloats(3, 8)), b.floats(name(), [8], randomFloats(4, 8))];
  return b.node('LayerNormalization', [x, gamma, beta], { axis: -1 });
};

/** What exporters write before opset 17. */
const writtenOut: Build = (b, x) => {
  const centred = b.node('Sub', [x, b.node('ReduceMean', [x], { axes: [-1] })]);
  const squares = b.node('Pow', [centred, b.scalar(name(), 'float', 2)]);
  const variance = b.node('Add', [b.node('ReduceMean', [squares], { axes: [-1] }), b.scalar(name(), 'float', 1e-5)]);
  const normal = b.node('Div', [centred, b.node('Sqrt', [variance])]);
  return b.node('Mul', [normal, b.floats(name(), [8], randomFloats(3, 8))]);
};

const forms: readonly (readonly [string, Build, readonly string[]])[] = [
  ['a product of two activations', (b, x) => quantised(b, scores(b, x), 0.11, 128), ['matrix_product']],
  ['Softmax', (b, x) => quantised(b, b.node('Softmax', [projected(b, x)], { axis: -1 }), 1 / 256, 0), ['group_neuron']],
  [
    'Softmax over another axis than the last',
    (b, x) => quantised(b, b.node('Softmax', [projected(b, x)], { axis: 1 }), 1 / 256, 0),
    ['group_neuron'],
  ],
  ['LayerNormalization', (b, x) => quantised(b, normalised(b, projected(b, x)), 0.02, 128), ['group_neuron']],
  ['attention with quantisers inside', attention(quantised), ['matrix_product', 'group_neuron']],
  ['attention with a quantiser behind alone', (b, x) => quantised(b, attention((_, y) => y)(b, x), 0.02, 128), []],
];

it.each(forms)('%s', async (_, build, kinds) => {
  const probe = new OnnxBuilder(17);
  probe.input('x', ['N', 5, 8]);
  probe.output(build(probe, quantised(probe, 'x', 0.0191, 128)));
  const { shape } = imported(Uint8Array.from(probe.bytes())).network.ops.at(-1)!.type;
  const features = shape.reduce((a, n) => a * n, 1);
  const { spiking } = await convertsExactly(tokens(build, features));
  const found = new Set<string>(spiking.ops.map((op) => op.kind));
  for (const kind of kinds) expect(found).toContain(kind);
});

it('neurons that apply a function of many codes are named in a note, with how many values they make', () => {
  const both = tokens(
    (b, x) => {
      const softmax = quantised(b, b.node('Softmax', [projected(b, x)], { axis: -1 }), 1 / 256, 0);
      return quantised(b, normalised(b, softmax), 0.02, 128);
    },
    40,
    17,
  );
  const { diagnostics } = runPipeline(imported(both).network, sws(), surroundings);
  const said = diagnostics.find(({ code }) => code === 'convert/group-functions');
  expect(said?.severity).toBe('note');
  expect(said?.message).toBe(
    '2 layers of neurons apply a function of many codes at once (layernorm, softmax): 80 values an image',
  );
});

it('a layer normalisation that is written out is the one of LayerNormalization', async () => {
  const { spiking } = await convertsExactly(tokens((b, x) => quantised(b, writtenOut(b, x), 0.02, 128), 40, 13));
  expect(spiking.ops.some((op) => op.kind === 'product')).toBe(true);
});

it('layer normalisation over several axes, and Softmax over all from an axis on (opset 11), see them as one', async () => {
  const both = tokens(
    (b, x) => {
      const scale = b.floats(name(), [5, 8], randomFloats(5, 40));
      return quantised(b, b.node('LayerNormalization', [projected(b, x), scale], { axis: 1 }), 0.02, 128);
    },
    40,
    17,
  );
  await convertsExactly(both);
  const old = tokens((b, x) => quantised(b, b.node('Softmax', [projected(b, x)], { axis: 1 }), 1 / 256, 0), 40, 11);
  await convertsExactly(old);
});

it('of one sample the batch may be any axis, or none: attention as torch.nn.MultiheadAttention writes it', async () => {
  const multihead: Build = (b, x) => {
    // [1, 5, 8] → [5, 1, 8]: tokens first
    const first = b.node('Transpose', [x], { perm: [1, 0, 2] });
    const head = (): string =>
      b.node('Transpose', [b.node('Reshape', [projected(b, first), b.ints(name(), [5, 2, 4])])], { perm: [1, 0, 2] });
    const [q, k, v] = [head(), b.node('Transpose', [head()], { perm: [0, 2, 1] }), head()];
    const softmax = b.node('Softmax', [quantised(b, b.node('MatMul', [q, k]), 0.11, 128)], { axis: -1 });
    const seen = quantised(b, b.node('MatMul', [quantised(b, softmax, 1 / 256, 0), v]), 0.02, 128);
    const rows = b.node('Reshape', [b.node('Transpose', [seen], { perm: [1, 0, 2] }), b.ints(name(), [5, 8])]);
    const gemm = b.node('Gemm', [rows, weight(b, [8, 8]), b.floats(name(), [8], randomFloats(9, 8))], { transB: 1 });
    const back = b.node('Reshape', [quantised(b, gemm, 0.02, 128), b.ints(name(), [5, 1, 8])]);
    const same = b.node('Transpose', [back], { perm: [1, 0, 2] });
    return quantised(b, b.node('Add', [x, same]), 0.03, 128);
  };
  await convertsExactly(tokens(multihead, 40, 17, 1));
  // of more samples they would be one axis with the heads
  expect(codes(refused(tokens(multihead, 40, 17)))).toContain('onnx/unsupported-form');
});

it('a constant is joined before activations: a class token', async () => {
  const token: Build = (b, x) => {
    const constant = b.floats(name(), [1, 1, 8], randomFloats(6, 8));
    const joined = b.node('Concat', [constant, projected(b, x)], { axis: 1 });
    return quantised(b, b.node('Add', [joined, b.floats(name(), [1, 6, 8], randomFloats(8, 48))]), 0.03, 128);
  };
  await convertsExactly(tokens(token, 48));
});

it('sums, differences, products and quotients of activations repeat axes of size 1', async () => {
  for (const opType of ['Add', 'Sub', 'Mul', 'Div']) {
    const build: Build = (b, x) => {
      const mean = b.node('ReduceMean', [projected(b, x)], { axes: [-1] });
      const narrow = quantised(b, b.node('Exp', [mean]), 0.02, 0);
      return quantised(b, b.node(opType, [projected(b, x), narrow]), 0.05, 128);
    };
    await convertsExactly(tokens(build, 40, 13));
  }
});

it('shapes of matrices that do not multiply are refused with both', () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 6, 4]);
  b.output(b.node('MatMul', ['x', 'x']));
  const [problem] = refused(Uint8Array.from(b.bytes()));
  expect(problem).toMatchObject({ code: 'onnx/shape-mismatch' });
  expect(problem!.message).toContain('[N, 6, 4]');
});

it('Softmax at the end of anything but a classifier stays: it acts on what is read out', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4, 2, 2]);
  b.output(b.node('Softmax', ['x'], { axis: 3 }));
  const { compared } = await compareWithOnnxruntime(Uint8Array.from(b.bytes()), randomFloats(1, 16));
  expect(compared).toBe(1);
});

it.each<[string, Build]>([
  ['products of matrices', (b, x) => quantised(b, scores(b, x), 0.11, 128)],
  ['products', (b, x) => quantised(b, b.node('Mul', [projected(b, x), projected(b, x)]), 0.07, 60)],
  [
    'products, as numbers in another order',
    (b, x) => b.node('Flatten', [quantised(b, b.node('Mul', [projected(b, x), projected(b, x)]), 0.07, 60)]),
  ],
])('%s at the end of a network, quantised, are read out', async (_, build) => {
  const b = new OnnxBuilder(17);
  b.input('x', ['N', 5, 8]);
  b.output(build(b, quantised(b, 'x', 0.0191, 128)));
  await convertsExactly(Uint8Array.from(b.bytes()));
});
