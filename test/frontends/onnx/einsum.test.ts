import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { codes, compareWithOnnxruntime, randomFloats, refused } from './harness.js';

// Einsum, compared with onnxruntime's; with quantisers every code of the SNN is that of exact arithmetic.

let names = 0;
const name = (): string => `n${names++}`;

function quantised(b: OnnxBuilder, x: string, scale: number, zero: number): string {
  const [s, z] = [b.scalar(name(), 'float', scale), b.scalar(name(), 'uint8', zero)];
  return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
}

/** The input [N, …], another value of it, and the equation's result, flattened. */
function file(
  shape: readonly number[],
  equation: string,
  other: ((b: OnnxBuilder) => string) | undefined,
  swapped = false,
): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', ...shape]);
  const x = quantised(b, 'x', 0.0191, 128);
  const operands = other === undefined ? [x] : swapped ? [other(b), x] : [x, other(b)];
  b.output(b.node('Flatten', [quantised(b, b.node('Einsum', operands, { equation }), 0.05, 120)]));
  return Uint8Array.from(b.bytes());
}

/** −x, moved by a permutation. */
const moved =
  (perm?: readonly number[]) =>
  (b: OnnxBuilder): string => {
    const scaled = quantised(b, b.node('Mul', ['x', b.scalar(name(), 'float', -0.7)]), 0.0143, 125);
    return perm === undefined ? scaled : b.node('Transpose', [scaled], { perm: [...perm] });
  };

const constant =
  (dims: readonly number[]) =>
  (b: OnnxBuilder): string => {
    const count = dims.reduce((a, n) => a * n, 1);
    const values = randomFloats(count, count).map((v) => Math.round(v * 127));
    const w = b.constant(name(), { type: 'int8', dims, values });
    return b.node('DequantizeLinear', [w, b.scalar(name(), 'float', 0.01), b.scalar(name(), 'int8', 0)]);
  };

const forms: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
  ['bhid,bhjd->bhij', file([2, 3, 4], 'bhid,bhjd->bhij', moved())],
  ['bihd,bjhd->bhij', file([3, 2, 4], 'bihd,bjhd->bhij', moved())],
  ['bhij,bjhd->bihd', file([2, 3, 3], 'bhij,bjhd->bihd', moved([0, 2, 1, 3]))],
  ['...ij,...jk->...ik', file([2, 3, 3], '...ij,...jk->...ik', moved())],
  ['bij,bkj->bik', file([3, 4], 'bij,bkj->bik', moved())],
  ['bicd,bjcd->bij', file([2, 3, 4], 'bicd,bjcd->bij', moved())],
  ['outer product', file([3], 'bi,bj->bij', moved())],
  ['bij,jk->bik', file([3, 4], 'bij,jk->bik', constant([4, 5]))],
  ['bij,kj->bki', file([3, 4], 'bij,kj->bki', constant([5, 4]))],
  ['bij,jhd->bhid', file([3, 4], 'bij,jhd->bhid', constant([4, 2, 3]))],
  ['bhid,hde->bie', file([2, 3, 4], 'bhid,hde->bie', constant([2, 4, 5]))],
  ['bi,oi->bo', file([6], 'bi,oi->bo', constant([3, 6]))],
  ['oi,bi->bo', file([6], 'oi,bi->bo', constant([3, 6]), true)],
  ['bij->bji', file([3, 4], 'bij->bji', undefined)],
];

it.each(forms)('Einsum %s', async (_, bytes) => {
  await convertsExactly(bytes);
});

it('without an arrow the result has the axes that stand once, by the alphabet', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4]);
  b.output(b.node('Einsum', ['x', b.floats('w', [4, 3], randomFloats(1, 12))], { equation: 'ij, jk' }));
  const { compared } = await compareWithOnnxruntime(Uint8Array.from(b.bytes()), randomFloats(2, 4));
  expect(compared).toBe(1);
});

it('equations with no exact form are refused with those that have one', () => {
  const plain = (shape: readonly number[], equation: string, operands: readonly string[] = ['x']) => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', ...shape]);
    b.output(b.node('Einsum', operands, { equation }));
    return refused(Uint8Array.from(b.bytes()));
  };
  for (const [shape, equation, operands] of [
    [[3, 3], 'bii->bi', ['x']],
    [[3, 4], 'bij->bi', ['x']],
    [[3, 4], 'bij,cij->bc', ['x', 'x']],
    [[3, 4], 'bij,bkl->bik', ['x', 'x']],
  ] as const) {
    const [problem] = plain(shape, equation, operands);
    expect([equation, problem!.code]).toEqual([equation, 'onnx/unsupported-form']);
    expect(problem!.help).toContain('bhid,bhjd->bhij');
  }
  expect(codes(plain([3, 4], 'bi->bi'))).toContain('onnx/shape-mismatch');
  expect(codes(plain([3, 4], 'bij->bjk'))).toContain('onnx/bad-attribute');
  expect(codes(plain([3, 4], 'bij,bji->bii', ['x', 'x']))).toContain('onnx/bad-attribute');
});
