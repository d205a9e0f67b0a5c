import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { openOnnxSource } from '../../../src/engines/onnx-source.js';
import { standardForm } from '../../../src/frontends/onnx/index.js';
import { decodeModel } from '../../../src/frontends/onnx/wire.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { randomInts } from './harness.js';

const [rows, depth, columns] = [3, 40, 5];

/** Codes at both ends of their range: pairs of products leave 16 bits. */
function ends(seed: number, count: number, [lo, hi]: readonly [number, number]): number[] {
  return randomInts(seed, count, 0, 5).map((n) => (n < 2 ? lo : n < 5 ? hi : 1));
}

const ranges = { uint8: [0, 255], int8: [-128, 127] } as const;
type Bytes = keyof typeof ranges;

/** Σ (a − a₀)(b − b₀) in plain loops. */
function plain(a: readonly number[], a0: number, b: readonly number[], b0: readonly number[]): number[] {
  return Array.from({ length: rows * columns }, (_, n) => {
    const [i, j] = [Math.floor(n / columns), n % columns];
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += (a[i * depth + k]! - a0) * (b[k * columns + j]! - b0[j % b0.length]!);
    return sum;
  });
}

/** What onnxruntime makes of the file where its products are of unsigned bytes alone. */
async function run(bytes: Uint8Array, x: Tensor): Promise<number[]> {
  const form = standardForm(bytes, { unsigned: true })!;
  const of = new Set(decodeModel(form.bytes).graph!.nodes.map(({ name, opType }) => `${opType} ${name}`));
  expect(of.size).toBeGreaterThan(1);
  const source = await openOnnxSource(form.bytes);
  const found = await source.run({ x });
  await source.dispose();
  return [...Object.values(found)[0]!.data].map(Number);
}

const codesOf = (type: Bytes, values: readonly number[], shape: readonly number[]): Tensor =>
  type === 'uint8'
    ? tensor('u8', [...shape], Uint8Array.from(values))
    : tensor('i8', [...shape], Int8Array.from(values));

it.each([
  ['uint8', undefined, undefined],
  ['uint8', 7, [3]],
  ['uint8', 200, [1, -2, 3, -4, 5]],
  ['int8', undefined, undefined],
  ['int8', -5, [9]],
] as const)(
  'MatMulInteger of %s codes (zero points %o, %o) is exact on every processor',
  async (type, aZero, bZero) => {
    const a = ends(1, rows * depth, ranges[type]);
    const b = ends(2, depth * columns, ranges.int8);
    const g = new OnnxBuilder(13);
    g.input('x', ['N', depth], type);
    const w = g.constant('w', { type: 'int8', dims: [depth, columns], values: b });
    const zeros =
      aZero === undefined
        ? []
        : [
            g.scalar('az', type, aZero),
            bZero.length === 1
              ? g.scalar('bz', 'int8', bZero[0])
              : g.constant('bz', { type: 'int8', dims: [columns], values: [...bZero] }),
          ];
    const bytes = g.output(g.node('MatMulInteger', ['x', w, ...zeros]), ['N', columns], 'int32').bytes();
    expect(await run(bytes, codesOf(type, a, [rows, depth]))).toEqual(plain(a, aZero ?? 0, b, bZero ?? [0]));
  },
);

it.each(['uint8', 'int8'] as const)(
  'QLinearMatMul and QLinearConv of %s: codes as plain loops have them',
  async (type) => {
    const [lo, hi] = ranges[type];
    const a = ends(3, rows * depth, ranges[type]);
    const b = ends(4, depth * columns, ranges.int8);
    const [zero, out] = type === 'uint8' ? [11, 90] : [-4, 6];
    const expected = plain(a, zero, b, [0]).map((sum) => Math.min(hi, Math.max(lo, Math.round(sum / 16384 + out))));
    // halves, which are rounded to even, would be told apart by neither
    expect(new Set(expected).size).toBeGreaterThan(5);
    const scales = (g: OnnxBuilder): string[] => [g.scalar('s', 'float', 1 / 128), g.scalar('t', 'float', 1 / 128)];
    const matrix = new OnnxBuilder(13);
    matrix.input('x', ['N', depth], type);
    const [s, t] = scales(matrix) as [string, string];
    const given = ['x', s, matrix.scalar('z', type, zero)];
    const weight = [
      matrix.constant('w', { type: 'int8', dims: [depth, columns], values: b }),
      t,
      matrix.scalar('wz', 'int8', 0),
    ];
    const result = [matrix.scalar('u', 'float', 1), matrix.scalar('uz', type, out)];
    matrix.output(matrix.node('QLinearMatMul', [...given, ...weight, ...result]), ['N', columns], type);
    expect(await run(matrix.bytes(), codesOf(type, a, [rows, depth]))).toEqual(expected);

    const conv = new OnnxBuilder(13);
    conv.input('x', ['N', depth, 1, 1], type);
    const [cs] = scales(conv) as [string, string];
    // a scale and a zero point of each channel, the kernel computed inside the file
    const turned = Array.from({ length: columns * depth }, (_, n) => b[(n % depth) * columns + Math.floor(n / depth)]!);
    const kernel = conv.node('Identity', [
      conv.constant('w', { type: 'int8', dims: [columns, depth, 1, 1], values: turned }),
    ]);
    const perChannel = [
      conv.floats('ws', [columns], new Array<number>(columns).fill(1 / 128)),
      conv.constant('wz', { type: 'int8', dims: [columns], values: new Array<number>(columns).fill(0) }),
    ];
    const inputs = [
      'x',
      cs,
      conv.scalar('z', type, zero),
      kernel,
      ...perChannel,
      conv.scalar('u', 'float', 1),
      conv.scalar('uz', type, out),
    ];
    conv.output(conv.node('QLinearConv', inputs), ['N', columns, 1, 1], type);
    expect(await run(conv.bytes(), codesOf(type, a, [rows, depth, 1, 1]))).toEqual(expected);
  },
);

it('ConvInteger and products of dynamic codes are exact, too', async () => {
  const a = ends(5, rows * depth, ranges.uint8);
  const b = ends(6, depth * columns, ranges.int8);
  const turned = Array.from({ length: columns * depth }, (_, n) => b[(n % depth) * columns + Math.floor(n / depth)]!);
  const conv = new OnnxBuilder(13);
  conv.input('x', ['N', depth, 1, 1], 'uint8');
  conv.output(
    conv.node('ConvInteger', ['x', conv.constant('w', { type: 'int8', dims: [columns, depth, 1, 1], values: turned })]),
    ['N', columns, 1, 1],
    'int32',
  );
  expect(await run(conv.bytes(), codesOf('uint8', a, [rows, depth, 1, 1]))).toEqual(plain(a, 0, b, [0]));

  // codes of a dynamic quantiser: 0 and 255 stand for the ends of the input
  const dynamic = new OnnxBuilder(13, { 'com.microsoft': 1 });
  dynamic.input('x', ['N', depth]);
  dynamic.nodes('DynamicQuantizeLinear', ['x'], ['codes', 'scale', 'zero']);
  const w = dynamic.constant('w', { type: 'int8', dims: [depth, columns], values: b });
  dynamic.output(dynamic.node('MatMulInteger', ['codes', w, 'zero']), ['N', columns], 'int32');
  const x = tensor('f32', [rows, depth], Float32Array.from(a));
  expect(await run(dynamic.bytes(), x)).toEqual(plain(a, 0, b, [0]));
  const fused = new OnnxBuilder(13, { 'com.microsoft': 1 });
  fused.input('x', ['N', depth]);
  const weight = fused.constant('w', { type: 'int8', dims: [depth, columns], values: b });
  const attributes = { domain: 'com.microsoft' };
  fused.output(fused.node('DynamicQuantizeMatMul', ['x', weight, fused.scalar('s', 'float', 1)], {}, attributes), [
    'N',
    columns,
  ]);
  expect(await run(fused.bytes(), x)).toEqual(plain(a, 0, b, [0]));
});

it('files without signed products stay as they are', () => {
  const g = new OnnxBuilder(13);
  g.input('x', ['N', 2]);
  const bytes = g.output(g.node('MatMul', ['x', g.floats('w', [2, 1], [1, 2])]), ['N', 1]).bytes();
  expect(standardForm(bytes, { unsigned: true })).toBeUndefined();
});
