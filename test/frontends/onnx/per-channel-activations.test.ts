import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { codes, randomFloats, randomInts, refused } from './harness.js';

type Make = (b: OnnxBuilder, first: string, quantised: (x: string) => string) => string;

const scales = [0.0231, 0.0117, 0.0405, 0.0093, 0.0312, 0.0071];

/** A quantised image, what `make` does with it, all connected; `quantised` has a scale for each of 6 channels. */
function model(make: Make, zeros: readonly number[] = [0], type: 'uint8' | 'int8' = 'uint8'): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 2, 5, 5]);
  const quantised = (x: string): string => {
    const params = [
      b.floats('scales', [6], scales),
      b.constant('zeros', { type, dims: [6], values: scales.map((_, i) => zeros[i % zeros.length]!) }),
    ];
    const q = b.node('QuantizeLinear', [x, ...params], { axis: 1 });
    return b.node('DequantizeLinear', [q, ...params], { axis: -3 });
  };
  const first = b.node('Conv', [b.fakeQuant('x', 0.0207, 120), weight(b, 'first', [6, 2, 3, 3])]);
  const y = make(b, first, quantised);
  b.output(b.node('Gemm', [b.node('Flatten', [b.fakeQuant(y, 0.0271, 128)]), weight(b, 'f', [3, 24])], { transB: 1 }));
  return b.bytes();
}

function weight(b: OnnxBuilder, name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  b.constant(`${name}_q`, { type: 'int8', dims, values: randomInts(count, count, -100, 100) });
  b.constant(`${name}_z`, { type: 'int8', dims: [dims[0]!], values: new Array<number>(dims[0]!).fill(0) });
  b.floats(
    `${name}_s`,
    [dims[0]!],
    randomFloats(3, dims[0]!).map((v) => 0.004 + Math.abs(v) * 0.01),
  );
  return b.node('DequantizeLinear', [`${name}_q`, `${name}_s`, `${name}_z`], { axis: 0 });
}

const depthwise = (b: OnnxBuilder, x: string): string =>
  b.node('Conv', [x, weight(b, 'depth', [6, 1, 3, 3])], { group: 6, pads: [1, 1, 1, 1], strides: [2, 2] });

describe('a scale per channel of an activation goes into the layers around it', () => {
  it('between a convolution and a depthwise one, whose weights stay integers', async () => {
    const { spiking } = await convertsExactly(model((b, x, quantised) => depthwise(b, quantised(b.node('Relu', [x])))));
    const conv = spiking.ops.find((op) => op.kind === 'conv' && op.attrs.groups === 6)!;
    const weights = spiking.params.get(conv.params['weight']!)!.tensor;
    expect([...weights.data].every((w) => Number.isInteger(w))).toBe(true);
    expect(spiking.ops.map((op) => op.kind)).toEqual([
      'input', 'encode', 'conv', 'neuron', 'conv', 'neuron', 'flatten', 'linear', 'decode',
    ]); // prettier-ignore
  });

  it.each<[string, Make]>([
    ['behind a clip that the codes cut off before', (b, x, q) => depthwise(b, q(clip(b, x, 10.4)))],
    [
      'behind a batch norm, two layers reading it',
      (b, x, q) => {
        const stats = ['gamma', 'beta', 'mean'].map((name) => b.floats(name, [6], randomFloats(name.length, 6)));
        const norm = b.node('BatchNormalization', [x, ...stats, b.floats('var', [6], [1, 2, 0.5, 3, 1, 0.7])]);
        const y = q(b.node('Relu', [norm]));
        const full = b.node('Conv', [y, weight(b, 'full', [6, 6, 1, 1])], { strides: [2, 2] });
        return b.node('Add', [depthwise(b, y), full]);
      },
    ],
    ['in front of a grouped convolution', (b, x, q) => grouped(b, q(b.node('Relu', [x])), 3)],
    ['in front of a convolution over all channels', (b, x, q) => grouped(b, q(b.node('Relu', [x])), 1)],
  ])('%s', async (_, make) => {
    await convertsExactly(model(make));
  }); // prettier-ignore

  it('of signed codes with equal zero points', async () => {
    await convertsExactly(model((b, x, quantised) => depthwise(b, quantised(x)), [3], 'int8'));
  });

  it('equal scales are one', async () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 2, 5, 5]);
    const params = [b.floats('s', [2], [0.02, 0.02]), b.constant('z', { type: 'uint8', dims: [2], values: [7, 7] })];
    const q = b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', ...params]), ...params]);
    b.output(b.node('Gemm', [b.node('Flatten', [q]), weight(b, 'f', [3, 50])], { transB: 1 }));
    const { imported } = await convertsExactly(b.bytes());
    expect(imported.ops.map((op) => op.kind)).toEqual(['input', 'quantize', 'flatten', 'linear']);
  });

  it('different zero points are refused with what to do', () => {
    const problems = refused(model((b, x, quantised) => depthwise(b, quantised(x)), [1, 2]));
    expect(codes(problems)).toEqual(['onnx/per-axis-activation']);
    expect(problems[0]!.help).toContain('symmetrically');
  });
});

function clip(b: OnnxBuilder, x: string, bound: number): string {
  return b.node('Clip', [x, b.scalar('low', 'float', 0), b.scalar('high', 'float', bound)]);
}

const grouped = (b: OnnxBuilder, x: string, group: number): string =>
  b.node('Conv', [x, weight(b, 'grouped', [6, 6 / group, 1, 1])], { group, strides: [2, 2] });
