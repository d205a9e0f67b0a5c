import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, randomFloats, refused } from './harness.js';

function quantised(scale: number, weightScale: number): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4]);
  const w = b.constant('w', { type: 'int8', dims: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] });
  const weight = b.node('DequantizeLinear', [w, b.scalar('ws', 'float', weightScale)]);
  b.output(b.node('MatMul', [b.fakeQuant('x', scale, 128), weight]));
  return Uint8Array.from(b.bytes());
}

it.each([0, -0.1, NaN, Infinity, 1e-42])('a scale of %d is refused, of activations and of weights', (scale) => {
  expect(codes(refused(quantised(scale, 0.1)))).toContain('onnx/bad-scale');
  expect(codes(refused(quantised(0.1, scale)))).toContain('onnx/bad-scale');
});

it('the least normal number is a scale', async () => {
  await compareWithOnnxruntime(quantised(2 ** -126, 0.1), randomFloats(1, 4));
});

it('a table without rows has none for any id', () => {
  const b = new OnnxBuilder(13);
  b.input('ids', ['N', 3], 'int64');
  const rows = b.node('Gather', [b.floats('table', [0, 4], []), 'ids']);
  b.output(b.node('Flatten', [rows]));
  const [problem] = refused(Uint8Array.from(b.bytes()));
  expect(problem).toMatchObject({ code: 'onnx/shape-mismatch' });
  expect(problem!.message).toContain('its table "table" has no rows');
});

it('a file of a later format version than onnxruntime’s is compared with it all the same', async () => {
  const bytes = quantised(0.02, 0.1);
  // ir_version, given once more: the last counts
  const later = Uint8Array.from([...bytes, 8, 99]);
  const { compared, output } = await compareWithOnnxruntime(later, randomFloats(1, 4));
  expect(compared).toBeGreaterThan(1);
  expect([...output]).toEqual([...(await compareWithOnnxruntime(bytes, randomFloats(1, 4))).output]);
});
