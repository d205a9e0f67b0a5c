import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { compareWithOnnxruntime, randomFloats, refused } from './harness.js';

// Reductions and onnxruntime's fused operators, compared with onnxruntime's.

type Build = (b: OnnxBuilder, x: string) => string;

function file(shape: readonly number[], build: Build): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13, { 'com.microsoft': 1 });
  b.input('x', ['N', ...shape]);
  b.output(build(b, 'x'));
  return Uint8Array.from(b.bytes());
}

const size = (shape: readonly number[]): number => shape.reduce((a, n) => a * n, 1);

const reductions = ['ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare', 'ReduceLogSumExp'];

it.each(
  reductions.flatMap((op) =>
    [
      [
        [3, 4, 5],
        [2, 3],
      ],
      [[3, 6], [2]],
    ].flatMap(([shape, axes]) => [0, 1].map((keepdims) => [op, shape!, axes!, keepdims] as const)),
  ),
)('%s of %j over %j, keepdims %i', async (op, shape, axes, keepdims) => {
  const bytes = file(shape, (b, x) => b.node(op, [x], { axes: [...axes], keepdims }));
  const { compared } = await compareWithOnnxruntime(bytes, randomFloats(3, size(shape)));
  expect(compared).toBeGreaterThan(0);
});

it('ReduceLogSum, of positive values', async () => {
  const bytes = file([3, 4, 5], (b, x) => b.node('ReduceLogSum', [b.node('Exp', [x])], { axes: [2, 3] }));
  await compareWithOnnxruntime(bytes, randomFloats(3, 60));
});

it('a sum of squares and a norm between quantisers convert exactly', async () => {
  const quantised = (b: OnnxBuilder, x: string, scale: number, zero: number): string => {
    const [s, z] = [b.scalar(`s ${x} ${scale}`, 'float', scale), b.scalar(`z ${x} ${scale}`, 'uint8', zero)];
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
  };
  for (const op of ['ReduceSumSquare', 'ReduceL2', 'ReduceL1']) {
    const bytes = file([3, 2, 2], (b, x) => {
      const norm = b.node(op, [quantised(b, x, 0.02, 128)], { axes: [2, 3], keepdims: 0 });
      return b.node('Gemm', [quantised(b, norm, 0.05, 0), b.floats('w', [3, 2], [1, -2, 0.5, 1, 2, -1])]);
    });
    await convertsExactly(bytes);
  }
});

const weight = (b: OnnxBuilder, name: string, dims: readonly number[]): string =>
  b.floats(name, dims, randomFloats(dims.length, size(dims)));
const microsoft = { domain: 'com.microsoft' } as const;
const fused: readonly (readonly [string, readonly number[], Build])[] = [
  ['BiasGelu', [4, 6], (b, x) => b.node('BiasGelu', [x, weight(b, 'w', [6])], {}, microsoft)],
  ['FastGelu', [4, 6], (b, x) => b.node('FastGelu', [x], {}, microsoft)],
  ['FastGelu with a bias', [4, 6], (b, x) => b.node('FastGelu', [x, weight(b, 'w', [6])], {}, microsoft)],
  ['FusedMatMul', [4, 6], (b, x) => b.node('FusedMatMul', [x, x], { transB: 1, alpha: { float: 0.25 } }, microsoft)],
  ['FusedMatMul, transA', [4, 6], (b, x) => b.node('FusedMatMul', [x, x], { transA: 1 }, microsoft)],
  ...(
    [
      ['Relu', []],
      ['Sigmoid', []],
      ['Tanh', []],
      ['LeakyRelu', [0.1]],
      ['Clip', [-0.5, 0.5]],
      ['HardSigmoid', [0.2, 0.4]],
    ] as const
  ).map(
    ([activation, params]) =>
      [
        `FusedConv with ${activation}`,
        [2, 5, 5],
        (b: OnnxBuilder, x: string) =>
          b.node(
            'FusedConv',
            [x, weight(b, 'w', [3, 2, 3, 3])],
            { activation, ...(params.length > 0 && { activation_params: { floats: params } }) },
            microsoft,
          ),
      ] as const,
  ),
  [
    'FusedGemm with LeakyRelu',
    [6],
    (b, x) =>
      b.node(
        'FusedGemm',
        [x, weight(b, 'w', [6, 4]), weight(b, 'v', [4])],
        { activation: 'LeakyRelu', activation_alpha: { float: 0.25 } },
        microsoft,
      ),
  ],
];

it.each(fused)('onnxruntime’s %s', async (_, shape, build) => {
  const { compared } = await compareWithOnnxruntime(file(shape, build), randomFloats(5, size(shape)));
  expect(compared).toBeGreaterThan(0);
});

it('a fused operator with an activation that isn’t known is refused by its attribute', () => {
  const bytes = file([2, 5, 5], (b, x) =>
    b.node('FusedConv', [x, weight(b, 'w', [3, 2, 3, 3])], { activation: 'Softplus' }, microsoft),
  );
  expect(refused(bytes)[0]).toMatchObject({ code: 'onnx/bad-attribute' });
});

const anyAxes = [
  [[4, 6], [1]],
  [[3, 4, 5], [1]],
  [
    [3, 4, 5],
    [1, 3],
  ],
  [[3, 4, 5], [-1]],
  [
    [3, 4, 5],
    [1, 2, 3],
  ],
  [
    [3, 2, 4, 5],
    [2, 4],
  ],
] as const;
it.each(
  ['ReduceMax', 'ReduceMean', 'ReduceL2', 'ReduceMin'].flatMap((op) =>
    anyAxes.flatMap(([shape, axes]) => [0, 1].map((keepdims) => [op, shape, axes, keepdims] as const)),
  ),
)('%s of %j over axes %j, which needn’t be those of an image, keepdims %i', async (op, shape, axes, keepdims) => {
  const bytes = file(shape, (b, x) => b.node(op, [x], { axes: [...axes], keepdims }));
  const { output } = await compareWithOnnxruntime(bytes, randomFloats(3, size(shape)));
  const reduced = shape.filter((_, i) => !axes.some((axis) => (axis < 0 ? axis + shape.length : axis - 1) === i));
  expect(output.length).toBe(size(reduced));
});

it('a reduction over the batch is refused, as is one over all axes', () => {
  for (const axes of [[0], [0, 2], undefined]) {
    const bytes = file([3, 4], (b, x) => b.node('ReduceMax', [x], axes === undefined ? {} : { axes }));
    expect(refused(bytes).map(({ code }) => code)).toContain('onnx/unsupported-form');
  }
});

const fromLeft = [
  [
    [5, 3],
    [4, 5],
  ],
  [
    [5, 3],
    [1, 4, 5],
  ],
  [
    [2, 5, 3],
    [4, 5],
  ],
  [
    [5, 1],
    [1, 5],
  ],
] as const;
it.each(fromLeft)('a constant matrix times activations %j from the left: %j', async (shape, dims) => {
  const bytes = file(shape, (b, x) => b.node('MatMul', [weight(b, 'w', dims), x]));
  await compareWithOnnxruntime(bytes, randomFloats(3, size(shape)));
});

it('a constant matrix from the left between quantisers converts exactly', async () => {
  const quantised = (b: OnnxBuilder, x: string, scale: number): string => {
    const [s, z] = [b.scalar(`s ${x}`, 'float', scale), b.scalar(`z ${x}`, 'uint8', 128)];
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
  };
  const bytes = file([5, 3], (b, x) => {
    const mixed = b.node('MatMul', [weight(b, 'w', [4, 5]), quantised(b, x, 0.02)]);
    const greatest = b.node('ReduceMax', [quantised(b, mixed, 0.03)], { axes: [1], keepdims: 0 });
    return b.node('Gemm', [greatest, weight(b, 'v', [3, 2])]);
  });
  await convertsExactly(bytes);
});

it('a constant from the left along the batch, and one of several matrices, are refused', () => {
  const cases = [
    [[3], [4, 5]],
    [
      [2, 5, 3],
      [2, 4, 5],
    ],
  ] as const;
  for (const [shape, dims] of cases) {
    const bytes = file(shape, (b, x) => b.node('MatMul', [weight(b, 'w', dims), x]));
    expect(refused(bytes).map(({ code }) => code)).toContain('onnx/unsupported-form');
  }
});
