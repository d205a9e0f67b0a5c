import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, randomFloats, refused } from './harness.js';

// Masks that exporters compute of constants: what they are added to is compared with onnxruntime.

type Build = (b: OnnxBuilder) => string;

const floats = (b: OnnxBuilder, condition: string): string => b.node('Cast', [condition], { to: 1 });

const rows: Build = (b) => b.floats('rows', [4, 1], [0, 1, 2, 3]);
const columns: Build = (b) => b.floats('columns', [3], [0, 1.5, 2]);
const bits = (b: OnnxBuilder, name: string, values: readonly number[]): string =>
  b.node('Cast', [b.floats(name, [values.length], values)], { to: 9 });

const forms: readonly (readonly [string, Build])[] = [
  ...['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'].map(
    (op) => [op, (b: OnnxBuilder) => floats(b, b.node(op, [rows(b), columns(b)]))] as const,
  ),
  ...['And', 'Or', 'Xor'].map(
    (op) =>
      [op, (b: OnnxBuilder) => floats(b, b.node(op, [bits(b, 'a', [0, 1, 1]), bits(b, 'c', [1, 0, 1])]))] as const,
  ),
  ['Not', (b) => floats(b, b.node('Not', [bits(b, 'a', [0, 1, 1])]))],
  [
    'Where of three shapes',
    (b) => {
      const upper = b.node('Less', [rows(b), columns(b)]);
      return b.node('Where', [upper, b.scalar('far', 'float', -100), b.floats('near', [3], [1, 2, 3])]);
    },
  ],
  [
    'Range',
    (b) =>
      b.node('Range', [b.scalar('start', 'float', -1), b.scalar('limit', 'float', 2), b.scalar('delta', 'float', 1)]),
  ],
  ['Concat', (b) => b.node('Concat', [rows(b), b.floats('m', [4, 2], randomFloats(1, 8))], { axis: -1 })],
  [
    'Concat in front, of three axes',
    (b) => {
      const parts = [b.floats('m', [1, 1, 3], [1, 2, 3]), b.floats('n', [1, 3, 3], randomFloats(1, 9))];
      return b.node('Concat', parts, { axis: 1 });
    },
  ],
  ['Trilu', (b) => b.node('Trilu', [b.floats('m', [4, 3], randomFloats(1, 12))])],
  [
    'Trilu, the lower part from below the diagonal',
    (b) => {
      const k = b.constant('k', { type: 'int64', dims: [], values: [-1] });
      return b.node('Trilu', [b.floats('m', [4, 3], randomFloats(1, 12)), k], { upper: 0 });
    },
  ],
];

it.each(forms)('%s of constants', async (_, build) => {
  const b = new OnnxBuilder(14);
  b.input('x', ['N', 4, 3]);
  b.output(b.node('Add', ['x', build(b)]));
  const { compared } = await compareWithOnnxruntime(Uint8Array.from(b.bytes()), randomFloats(7, 12));
  expect(compared).toBe(1);
});

it('constants that don’t broadcast, large ones and comparisons of activations are refused', () => {
  const found = (build: Build): string[] => {
    const b = new OnnxBuilder(14);
    b.input('x', ['N', 4, 3]);
    b.output(b.node('Add', ['x', build(b)]));
    return codes(refused(Uint8Array.from(b.bytes())));
  };
  const long = (b: OnnxBuilder, name: string, dims: readonly number[]): string =>
    b.floats(name, dims, Array<number>(300).fill(1));
  expect(found((b) => floats(b, b.node('Less', [columns(b), b.floats('two', [2], [1, 2])])))).toContain(
    'onnx/shape-mismatch',
  );
  expect(found((b) => floats(b, b.node('Less', [long(b, 'a', [300, 1]), long(b, 'c', [1, 300])])))).toContain(
    'onnx/unsupported-form',
  );
  expect(found((b) => floats(b, b.node('Less', ['x', columns(b)])))).toContain('onnx/not-constant');
});
