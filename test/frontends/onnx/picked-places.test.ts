import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { codes, compareWithOnnxruntime, randomFloats, randomInts, refused } from './harness.js';

type Make = (b: OnnxBuilder) => string;

function model(make: Make, dims: readonly number[] = [2, 4, 5], opset = 18): Uint8Array {
  const b = new OnnxBuilder(opset);
  b.input('x', ['N', ...dims]);
  return b.output(make(b)).bytes();
}

const pad =
  (mode: string, pads: readonly number[]): Make =>
  (b) =>
    b.node('Pad', ['x', b.ints('pads', pads)], { mode });
const reversed =
  (starts: readonly number[], ends: readonly number[], axes: readonly number[], steps: readonly number[]): Make =>
  (b) =>
    b.node('Slice', ['x', b.ints('s', starts), b.ints('e', ends), b.ints('a', axes), b.ints('t', steps)]);
const tiled =
  (repeats: readonly number[]): Make =>
  (b) =>
    b.node('Tile', ['x', b.ints('r', repeats)]);

describe('places of a value that are read in another order or again', () => {
  const far = -(2 ** 31);
  it.each<[string, Make, (readonly number[])?]>([
    ['Pad reflect', pad('reflect', [0, 0, 1, 3, 0, 0, 2, 4])],
    ['Pad edge', pad('edge', [0, 0, 6, 0, 0, 0, 0, 3])],
    ['Pad wrap (opset 19)', pad('wrap', [0, 0, 1, 2, 0, 0, 3, 0])],
    ['Pad reflect of a line', pad('reflect', [0, 0, 2, 0, 0, 3]), [3, 6]],
    ['Pad edge of channels', pad('edge', [0, 1, 0, 0, 0, 2, 0, 0])],
    ['Slice backwards along W', reversed([-1], [far], [3], [-1])],
    ['Slice backwards, every second, along H', reversed([2], [far], [2], [-2])],
    ['Slice backwards along channels', reversed([-1], [far], [1], [-1])],
    ['Slice backwards along one axis, forwards along another', reversed([-1, 1], [0, 4], [2, 3], [-1, 2])],
    ['Slice backwards of a row', reversed([-2], [1], [1], [-1]), [7]],
    ['Tile of all axes', tiled([1, 2, 3, 2])],
    ['Tile of a row', tiled([1, 3]), [4]],
    ['Tile of one place', tiled([1, 1, 3, 4]), [3, 1, 1]],
  ])('%s', async (_, make, dims = [2, 4, 5]) => {
    const bytes = model(make, dims, 19);
    const count = dims.reduce((all, n) => all * n, 1);
    const { compared } = await compareWithOnnxruntime(bytes, randomFloats(3, count));
    expect(compared).toBeGreaterThan(0);
  });

  it('codes stay codes', async () => {
    const b = new OnnxBuilder(18);
    const x = b.fakeQuant(b.input('x', ['N', 2, 4, 4]), 0.02, 120);
    const turned = b.node('Slice', [
      b.node('Pad', [x, b.ints('p', [0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'reflect' }),
      b.ints('s', [-1]),
      b.ints('e', [far]),
      b.ints('a', [3]),
      b.ints('t', [-1]),
    ]);
    b.constant('wq', { type: 'int8', dims: [3, 2, 3, 3], values: randomInts(4, 54, -90, 90) });
    const weight = b.node('DequantizeLinear', ['wq', b.scalar('ws', 'float', 0.01)]);
    const h = b.fakeQuant(b.node('Conv', [turned, weight]), 0.03, 0);
    await convertsExactly(b.output(b.node('Flatten', [h])).bytes());
  });

  it('what can’t be is refused', () => {
    expect(codes(refused(model(tiled([2, 1, 1, 1]))))).toEqual(['onnx/unsupported-form']);
    expect(codes(refused(model(tiled([1, 2]))))).toEqual(['onnx/bad-attribute']);
    expect(codes(refused(model(pad('reflect', [0, 0, 4, 0, 0, 0, 0, 0]))))).toEqual(['onnx/unsupported-form']);
    expect(codes(refused(model(pad('mirror', [0, 0, 1, 0, 0, 0, 0, 0]))))).toEqual(['onnx/unsupported-form']);
    expect(codes(refused(model(reversed([0], [4], [2], [0]))))).toEqual(['onnx/unsupported-form']);
  });
});

it.each([
  ['uint8', 7],
  ['int8', -100],
  ['int8', 5],
] as const)(
  'linear interpolation of %s codes (zero point %i) cuts their fractions, as onnxruntime does',
  async (type, zero) => {
    const b = new OnnxBuilder(18);
    const scale = b.scalar('s', 'float', 0.0213);
    const point = b.scalar('z', type, zero);
    b.input('x', ['N', 2, 4, 4]);
    const codesOfX = b.node('QuantizeLinear', ['x', scale, point]);
    const wider = b.node('Resize', [codesOfX, '', b.floats('scales', [4], [1, 1, 2, 2])], { mode: 'linear' });
    const x = b.node('DequantizeLinear', [wider, scale, point]);
    b.constant('wq', { type: 'int8', dims: [3, 2, 3, 3], values: randomInts(4, 54, -90, 90) });
    const weight = b.node('DequantizeLinear', ['wq', b.scalar('ws', 'float', 0.011)]);
    const h = b.fakeQuant(b.node('Conv', [x, weight]), 0.0307, 100);
    await convertsExactly(b.output(b.node('Flatten', [h])).bytes());
  },
);
