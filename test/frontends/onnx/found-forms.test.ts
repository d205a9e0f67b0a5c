import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../../src/commands/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';

/*
 * Forms that quantised networks have in public repositories: each between two quantised layers, compared layer by layer
 * with onnxruntime, and every code of the spiking network with exact arithmetic.
 */
type Build = (b: OnnxBuilder, x: string) => string;

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

const conv = (b: OnnxBuilder, x: string, from: number, to: number): string =>
  b.node('Conv', [x, weight(b, [to, from, 3, 3])], { pads: [1, 1, 1, 1] });

const relu = (b: OnnxBuilder, x: string): string => quantised(b, b.node('Relu', [x]), 0.0213, 0);

/** [3, 6, 6] → quantised → 4 channels, relu, quantised → the form → 5 classes. */
function network(build: Build, features: number, opset = 13): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(opset);
  b.input('x', ['N', 3, 6, 6]);
  const x = relu(b, conv(b, quantised(b, 'x', 0.0191, 128), 3, 4));
  const flat = b.node('Flatten', [build(b, x)]);
  b.output(b.node('Gemm', [flat, weight(b, [5, features])], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

const forms: readonly (readonly [string, number, Build, number?])[] = [
  [
    'channels of two quantisers joined, their places seen as a line',
    48,
    (b, x) => {
      const parts = [quantised(b, conv(b, x, 4, 2), 0.0173, 60), quantised(b, conv(b, x, 4, 3), 0.0041, 100)];
      const line = b.node('Reshape', [b.node('Concat', parts, { axis: 1 }), b.ints(name(), [0, 5, -1])]);
      return relu(b, b.node('Conv', [line, weight(b, [4, 5, 3])], { strides: [3] }));
    },
  ],
  [
    'vectors of two quantisers joined along their numbers, with what turns them round twice',
    24,
    (b, x) => {
      const line = b.node('Reshape', [x, b.ints(name(), [0, 4, 36])]);
      const parts = [quantised(b, line, 0.0173, 60), quantised(b, line, 0.0041, 100)].map((part) =>
        b.node('Slice', [part, b.ints(name(), [0]), b.ints(name(), [6]), b.ints(name(), [2])]),
      );
      const rows = parts.map((part) => b.node('Transpose', [part], { perm: [0, 2, 1] }));
      return relu(b, b.node('MatMul', [b.node('Concat', rows, { axis: 2 }), weight(b, [8, 4])]));
    },
  ],
  [
    'Max and Min with a number',
    144,
    (b, x) => {
      const held = b.node('Max', [conv(b, x, 4, 4), b.scalar(name(), 'float', 0)]);
      return quantised(b, b.node('Min', [b.scalar(name(), 'float', 1), held]), 0.0041, 0);
    },
  ],
  [
    'Max and Min of two activations',
    288,
    (b, x) => {
      const y = conv(b, x, 4, 4);
      const both = ['Max', 'Min'].map((opType) => quantised(b, b.node(opType, [x, y]), 0.0173, 60));
      return b.node('Concat', both, { axis: 1 });
    },
  ],
  [
    'Sum and Mean of three',
    288,
    (b, x) => {
      const [y, z] = [conv(b, x, 4, 4), conv(b, x, 4, 4)];
      const both = ['Sum', 'Mean'].map((opType) => quantised(b, b.node(opType, [y, x, z]), 0.0191, 60));
      return b.node('Concat', both, { axis: 1 });
    },
  ],
  [
    'ReduceSum over H and W',
    4,
    (b, x) => {
      const sum = b.node('ReduceSum', [x, b.ints(name(), [2, 3])], { keepdims: 0 });
      return quantised(b, sum, 0.153, 0);
    },
  ],
  ['ReduceMax over H and W', 4, (b, x) => b.node('ReduceMax', [x], { axes: [-1, -2], keepdims: 0 })],
  [
    'slopes of their own below 0',
    144,
    (b, x) => {
      const slopes = b.floats(name(), [4, 1, 1], [0.1, 0.3, 0.02, 0.5]);
      return quantised(b, b.node('PRelu', [conv(b, x, 4, 4), slopes]), 0.0187, 40);
    },
  ],
  [
    'SpaceToDepth and DepthToSpace in both orders',
    576,
    (b, x) => {
      const deep = b.node('SpaceToDepth', [x], { blocksize: 2 });
      const mixed = relu(b, conv(b, deep, 16, 16));
      const shallow = relu(b, conv(b, b.node('DepthToSpace', [mixed], { blocksize: 2, mode: 'CRD' }), 4, 16));
      return b.node('DepthToSpace', [b.node('SpaceToDepth', [shallow], { blocksize: 2 })], { blocksize: 4 });
    },
  ],
  [
    'an image made of one value a channel',
    144,
    (b, x) => {
      const mean = quantised(b, b.node('GlobalAveragePool', [x]), 0.0101, 0);
      const wide = b.node('Expand', [mean, b.ints(name(), [1, 4, 6, 6])]);
      return relu(b, b.node('Add', [conv(b, x, 4, 4), wide]));
    },
  ],
  [
    'averages of fewer values at the border, in front of a convolution',
    64,
    (b, x) => {
      const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 0, ceil_mode: 1 };
      return relu(b, conv(b, b.node('AveragePool', [x], window), 4, 4));
    },
  ],
  [
    'averages that count a border, with a last window beyond it',
    64,
    (b, x) => {
      const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1, ceil_mode: 1 };
      return relu(b, conv(b, b.node('AveragePool', [x], window), 4, 4));
    },
    19,
  ],
  [
    'rows times a matrix: [N, T, F] by [F, O], with a bias',
    60,
    (b, x) => {
      const tokens = b.node('Transpose', [b.node('Reshape', [x, b.ints(name(), [0, 12, 12])])], { perm: [0, 2, 1] });
      const mixed = b.node('Add', [
        b.node('MatMul', [tokens, weight(b, [12, 5])]),
        b.floats(name(), [5], [0.1, -0.2, 0.3, 0, 0.05]),
      ]);
      return relu(b, mixed);
    },
  ],
  [
    'the mean of all rows',
    12,
    (b, x) => {
      const tokens = b.node('Reshape', [x, b.ints(name(), [0, 12, 12])]);
      return quantised(b, b.node('ReduceMean', [tokens], { axes: [1], keepdims: 0 }), 0.0097, 0);
    },
  ],
  ...(['linear', 'cubic'] as const).flatMap((mode) =>
    (['half_pixel', 'align_corners', 'asymmetric'] as const).map((transform) => {
      const attributes = { mode, coordinate_transformation_mode: transform };
      const build: Build = (b, x) => {
        const larger = b.node('Resize', [x, '', b.floats(name(), [4], [1, 1, 2, 1.5])], attributes);
        return quantised(b, larger, 0.0223, 30);
      };
      return [`Resize, ${mode}, ${transform}`, 4 * 12 * 9, build] as const;
    }),
  ),
  [
    'a linear Resize in front of a convolution',
    576,
    (b, x) =>
      relu(b, conv(b, b.node('Resize', [x, '', b.floats(name(), [4], [1, 1, 2, 2])], { mode: 'linear' }), 4, 4)),
  ],
];

it.each(forms.map(([title, features, build, opset]) => ({ title, features, build, opset })))(
  '$title: equal to onnxruntime, and exact as spikes',
  async ({ features, build, opset }) => {
    const { spiking } = await convertsExactly(network(build, features, opset));
    expect(spiking.ops.some(({ kind }) => kind === 'neuron' || kind === 'digit_neuron' || kind === 'recode')).toBe(
      true,
    );
  },
);

it('linear sizes equal onnxruntime’s, larger and smaller', async () => {
  for (const coordinate_transformation_mode of ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']) {
    for (const sizes of [
      [9, 11],
      [3, 4],
    ]) {
      const b = new OnnxBuilder(13);
      b.input('x', [1, 2, 5, 6]);
      b.output(
        b.node('Resize', ['x', '', '', b.ints('sizes', [1, 2, ...sizes])], {
          mode: 'linear',
          coordinate_transformation_mode,
        }),
      );
      const { compared } = await compareWithOnnxruntime(Uint8Array.from(b.bytes()), randomFloats(3, 60));
      expect(compared).toBe(1);
    }
  }
});

it('what has no such form is refused by name', () => {
  const told = (build: Build, opset?: number): readonly string[] => codes(refused(network(build, 144, opset)));
  const vector = (b: OnnxBuilder) => b.floats(name(), [6], [1, 2, 3, 4, 5, 6]);
  expect(told((b, x) => b.node('Max', [x, vector(b)]))).toEqual(['onnx/unsupported-form']);
  expect(told((b, x) => b.node('SpaceToDepth', [x], { blocksize: 4 }))).toEqual(['onnx/shape-mismatch']);
  expect(told((b, x) => b.node('DepthToSpace', [x], { blocksize: 0 }))).toEqual(['onnx/bad-attribute']);
  expect(told((b, x) => b.node('Expand', [x, b.ints(name(), [1, 4, 12, 6])]))).toEqual(['onnx/shape-mismatch']);
  expect(told((b, x) => b.node('ReduceMax', [x], { axes: [0] }))).toEqual(['onnx/unsupported-form']);
  const cropped = { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' };
  const scales = (b: OnnxBuilder) => b.floats(name(), [4], [1, 1, 2, 2]);
  expect(told((b, x) => b.node('Resize', [x, '', scales(b)], cropped))).toEqual(['onnx/unsupported-form']);
});

it('two activations multiplied as matrices are told apart from weights', () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4, 4]);
  b.output(b.node('MatMul', ['x', 'x']));
  const product = imported(Uint8Array.from(b.bytes())).network.ops.at(-1)!;
  expect([product.kind, product.type.shape]).toEqual(['matmul', [4, 4]]);
  const one = new OnnxBuilder(13);
  one.input('x', ['N', 6, 4]);
  one.output(one.node('MatMul', ['x', one.floats('w', [4, 3], randomFloats(3, 12))]));
  expect(imported(Uint8Array.from(one.bytes())).network.ops.at(-1)!.type.shape).toEqual([6, 3]);
});

it('a file that computes in float16 is read, and compared, in float32, with a note', async () => {
  const b = new OnnxBuilder(19);
  b.input('x', ['N', 3, 6, 6], 'float16');
  const halves = (dims: readonly number[], values: readonly number[]) =>
    // 1 bit of sign, 5 of exponent, 10 of fraction
    b.constant(name(), { type: 'float16', dims, values: values.map(halfOf) });
  const fake = (x: string, scale: number, zero: number): string => {
    const [s, z] = [halves([], [scale]), b.scalar(name(), 'uint8', zero)];
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
  };
  const codesOf = (dims: readonly number[]): string => {
    const count = dims.reduce((a, n) => a * n, 1);
    const values = randomFloats(count, count, 1).map((v) => Math.round(v * 127));
    const w = b.constant(name(), { type: 'int8', dims, values });
    return b.node('DequantizeLinear', [w, halves([], [2 ** -7]), b.scalar(name(), 'int8', 0)]);
  };
  const y = b.node('Conv', [fake('x', 2 ** -6, 128), codesOf([4, 3, 3, 3]), halves([4], [0.5, -0.25, 1, 0])]);
  b.between(y, ['N', 4, 4, 4], 'float16');
  const wide = b.node('Cast', [fake(b.node('Relu', [y]), 2 ** -5, 0)], { to: 1 });
  const again = b.node('Cast', [wide], { to: 10 });
  b.output(b.node('Gemm', [b.node('Flatten', [again]), codesOf([5, 64])], { transB: 1 }), ['N', 5], 'float16');
  const folder = temporaryFolder();
  const path = join(folder, 'net.onnx');
  writeFileSync(path, b.bytes());
  const { value, diagnostics } = await driver.convertOnnx(path, { coding: 'sws', outDir: join(folder, 'out') });
  expect(diagnostics.map(({ code }) => code)).toContain('convert/halves');
  expect(value!.check).toMatchObject({ passed: true, differing: 0, agreement: 1 });
  expect(value!.verified!.compared).toBe(value!.verified!.layers);
  // halves are floats exactly
  const { params } = imported(Uint8Array.from(b.bytes())).network;
  const bias = [...params.values()].find(({ tensor }) => tensor.shape.join() === '4')!;
  expect([...bias.tensor.data]).toEqual([0.5, -0.25, 1, 0]);
});

/** The bits of a half that is one exactly. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

it('ArgMax at the end is left out: the network gives its logits', () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 6]);
  const logits = b.node('MatMul', ['x', b.floats('w', [6, 3], randomFloats(3, 18))]);
  b.output(b.node('ArgMax', [logits], { axis: -1, keepdims: 0 }), ['N'], 'int64');
  const { sourceOutput, network } = imported(Uint8Array.from(b.bytes()));
  expect(sourceOutput).toMatchObject({ dropped: 'ArgMax', logits });
  expect(network.ops.at(-1)!.type.shape).toEqual([3]);
  const other = new OnnxBuilder(13);
  other.input('x', ['N', 6]);
  other.output(other.node('ArgMax', ['x'], { axis: 0 }), ['N'], 'int64');
  expect(codes(refused(Uint8Array.from(other.bytes())))).toEqual(['onnx/unsupported-form']);
});
