import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';

type Attributes = Parameters<OnnxBuilder['node']>[2];

function model(opset: number, build: (b: OnnxBuilder) => string, shape = ['N', 2, 5, 6]): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(opset);
  b.input('x', shape);
  b.output(build(b));
  return Uint8Array.from(b.bytes());
}

const byScales = (scales: readonly number[], attributes: Attributes) => (b: OnnxBuilder) =>
  b.node('Resize', ['x', '', b.floats('scales', [scales.length], scales)], attributes);
const bySizes = (sizes: readonly number[], attributes: Attributes) => (b: OnnxBuilder) =>
  b.node('Resize', ['x', '', '', b.ints('sizes', sizes)], attributes);

async function equals(bytes: Uint8Array<ArrayBuffer>, count = 60): Promise<string[]> {
  const { compared, network } = await compareWithOnnxruntime(bytes, randomFloats(3, count));
  expect(compared).toBe(1);
  return network.network.ops.map(({ kind }) => kind);
}

describe('nearest-neighbour resizing', () => {
  const transforms = ['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners', 'tf_half_pixel_for_nn'];
  const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

  it.each(transforms.flatMap((transform) => roundings.map((rounding) => [transform, rounding] as const)))(
    '%s, %s: factors and sizes, larger and smaller',
    async (coordinate_transformation_mode, nearest_mode) => {
      const attributes = { mode: 'nearest', coordinate_transformation_mode, nearest_mode };
      for (const scales of [
        [1, 1, 2, 2],
        [1, 1, 1.5, 3],
        [1, 1, 0.5, 0.7],
      ]) {
        expect(await equals(model(13, byScales(scales, attributes)))).toEqual(['input', 'resample']);
      }
      expect(await equals(model(13, bySizes([1, 2, 7, 9], attributes)))).toEqual(['input', 'resample']);
    },
  );

  it('as older opsets write it', async () => {
    const scales = (b: OnnxBuilder) => b.floats('scales', [4], [1, 1, 2, 3]);
    expect(await equals(model(10, (b) => b.node('Resize', ['x', scales(b)])))).toContain('resample');
    expect(await equals(model(9, (b) => b.node('Upsample', ['x', scales(b)])))).toContain('resample');
  });

  it('axes of opset 18, lines, and sizes that change nothing', async () => {
    const axes = { axes: [2, 3], coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    expect(await equals(model(18, bySizes([10, 12], axes)))).toContain('resample');
    const line = model(13, byScales([1, 1, 2], { coordinate_transformation_mode: 'asymmetric' }), ['N', 2, 30]);
    expect(imported(line).network.ops.at(-1)!.type.shape).toEqual([2, 1, 60]);
    const same = model(13, (b) => b.node('Relu', [bySizes([1, 2, 5, 6], {})(b)]));
    expect(imported(same).network.ops.map(({ kind }) => kind)).toEqual(['input', 'relu']);
  });

  it('other modes are refused by name', () => {
    expect(codes(refused(model(13, byScales([1, 1, 2, 2], { mode: 'linear', antialias: 1 }))))).toEqual([
      'onnx/unsupported-form',
    ]);
    expect(codes(refused(model(13, byScales([1, 2, 2, 2], {}))))).toEqual(['onnx/unsupported-form']);
    expect(codes(refused(model(13, byScales([2, 1, 2, 2], {}))))).toEqual(['onnx/unsupported-form']);
  });
});
