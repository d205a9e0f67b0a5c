import { describe, expect, it } from 'vitest';
import { evaluateAnn, paramReals } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';
import { codesEqual } from './spiking.js';

type Attributes = Readonly<Record<string, number | { readonly float: number }>>;

const domain = 'mct_quantizers';
const version = { mctq_version: '1.5.2' };

function model(dims: readonly number[], make: (b: OnnxBuilder) => string): Uint8Array {
  const b = new OnnxBuilder(15, { [domain]: 1 });
  b.input('x', ['N', ...dims]);
  return b.output(make(b)).bytes();
}

const activation = (b: OnnxBuilder, x: string, type: string, attributes: Attributes): string =>
  b.node(`Activation${type}Quantizer`, [x], { ...version, num_bits: 8, ...attributes }, { domain });

const weights = (
  b: OnnxBuilder,
  name: string,
  type: string,
  ranges: readonly number[][],
  attributes: Attributes = {},
) =>
  b.node(
    `Weights${type}Quantizer`,
    [name, ...ranges.map((values, i) => b.floats(`${name}.${i}`, [values.length], values))],
    { ...version, num_bits: 8, signed: 1, per_channel: 1, channel_axis: 0, ...attributes },
    { domain },
  );

/** Σ over the nearest of steps from `from` to `to`, halves to even multiples. */
function nearest(x: number, step: number, from: number, to: number): number {
  const v = Math.min(to, Math.max(from, x / step));
  const low = Math.floor(v);
  const up = v - low > 0.5 || (v - low === 0.5 && low % 2 !== 0);
  return (up ? low + 1 : low) * step;
}

describe('quantisers of the Model Compression Toolkit', () => {
  it.each([
    ['POT', { threshold: { float: 2 }, signed: 1, num_bits: 4 }, [0.25, -8, 7]],
    ['Symmetric', { threshold: { float: 1.5 }, signed: 0, num_bits: 3 }, [0.1875, 0, 7]],
    ['Symmetric', { threshold: { float: 1 }, signed: 1, num_bits: 1 }, [1, -1, 0]],
    // three codes below 0: halves go to even multiples of the step, not to even codes
    ['Uniform', { min_range: { float: -1.5 }, max_range: { float: 2 }, num_bits: 3 }, [0.5, -3, 4]],
    // the range is drawn out to 0
    ['Uniform', { min_range: { float: 0.5 }, max_range: { float: 7.5 }, num_bits: 4 }, [0.5, 0, 15]],
    ['Uniform', { min_range: { float: -7.5 }, max_range: { float: -1 }, num_bits: 4 }, [0.5, -15, 0]],
  ] as const)(
    '%s of activations is the nearest step, halves to even: %o',
    async (type, attributes, [step, from, to]) => {
      const x = Array.from({ length: 81 }, (_, i) => (i - 40) * step * 0.25);
      const bytes = model([x.length], (b) => activation(b, 'x', type, attributes));
      const { network } = imported(bytes);
      expect(network.ops.map(({ kind }) => kind)).toEqual(['input', 'quantize']);
      const { output } = await compareWithOnnxruntime(bytes, Float32Array.from(x));
      const expected = x.map((v) => nearest(v, step, from, to) + 0);
      expect([...output]).toEqual(expected);
      const values = evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!;
      expect(Array.from(values, (v) => v + 0)).toEqual(expected);
    },
  );

  it.each([
    ['POT', [[2, 0.5, 1]], {}, [2 / 8, 0.5 / 8, 1 / 8], [-8, -8, -8]],
    ['Symmetric', [[1.5]], { per_channel: 0 }, [1.5 / 8, 1.5 / 8, 1.5 / 8], [-8, -8, -8]],
    [
      'Uniform',
      [
        [-1.5, 0, -3.75],
        [2.25, 3.75, 0],
      ],
      {},
      [0.25, 0.25, 0.25],
      [-6, 0, -15],
    ],
  ] as const)('%s of weights are codes with a step a channel', async (type, ranges, attributes, steps, from) => {
    const tied = [-20, -3, -2.5, -1.5, -0.5, 0, 0.4, 0.5, 1.5, 2.5, 3.3, 20];
    const values = steps.flatMap((step) => tied.map((v) => v * step));
    const bytes = model([12], (b) => {
      const w = b.floats('w', [3, 12], values);
      const quantised = weights(
        b,
        w,
        type,
        ranges.map((one) => [...one]),
        { num_bits: 4, ...attributes },
      );
      return b.node('Gemm', ['x', quantised], { transB: 1 });
    });
    const { network } = imported(bytes);
    const param = [...network.params.values()].find(({ tensor }) => tensor.shape.length === 2)!;
    expect(param.quant?.scale.map((s) => s + 0)).toEqual('per_channel' in attributes ? [steps[0]] : [...steps]);
    const expected = values.map((v, i) => {
      const c = Math.floor(i / 12);
      return nearest(v, steps[c]!, from[c]!, from[c]! + 15) + 0;
    });
    expect(Array.from(paramReals(param), (v) => v + 0)).toEqual(expected);
    await compareWithOnnxruntime(bytes, randomFloats(3, 12));
  });

  it('a network of them becomes a spiking network with the same codes', () => {
    const bytes = model([2, 6, 6], (b) => {
      const x = activation(b, 'x', 'Symmetric', { threshold: { float: 1 }, signed: 1 });
      const first = weights(b, b.floats('w', [4, 2, 3, 3], randomFloats(5, 72)), 'Symmetric', [[1, 0.5, 0.8, 0.7]]);
      const relu = b.node('Relu', [b.node('Conv', [x, first, b.floats('c', [4], [0.1, -0.2, 0, 1])])]);
      const pooled = b.node('MaxPool', [activation(b, relu, 'POT', { threshold: { float: 4 }, signed: 0 })], {
        kernel_shape: [2, 2],
        strides: [2, 2],
      });
      const range = [Array<number>(5).fill(-0.9), Array<number>(5).fill(1.1)];
      const last = weights(b, b.floats('v', [5, 16], randomFloats(6, 80)), 'Uniform', range);
      const logits = b.node('Gemm', [b.node('Flatten', [pooled]), last, b.floats('d', [5], [0, 1, 2, 3, 4])], {
        transB: 1,
      });
      return activation(b, logits, 'Uniform', { min_range: { float: -8 }, max_range: { float: 9 } });
    });
    codesEqual(bytes, randomFloats(7, 144));
  });

  it.each([
    [
      'a threshold of 0',
      (b: OnnxBuilder) => activation(b, 'x', 'POT', { threshold: { float: 0 }, signed: 1 }),
      'onnx/bad-attribute',
    ],
    [
      'no bit width',
      (b: OnnxBuilder) => b.node('ActivationPOTQuantizer', ['x'], { signed: 1, threshold: { float: 1 } }, { domain }),
      'onnx/bad-attribute',
    ],
    [
      'a range that isn’t one',
      (b: OnnxBuilder) => activation(b, 'x', 'Uniform', { min_range: { float: 1 }, max_range: { float: 1 } }),
      'onnx/unsupported-form',
    ],
    ['weights of the input', (b: OnnxBuilder) => weights(b, 'x', 'POT', [[1]]), 'onnx/not-constant'],
    [
      'thresholds of other channels',
      (b: OnnxBuilder) =>
        b.node('Gemm', ['x', weights(b, b.floats('w', [4, 3], randomFloats(1, 12)), 'POT', [[1, 2]])]),
      'onnx/shape-mismatch',
    ],
    [
      'an axis that isn’t there',
      (b: OnnxBuilder) =>
        b.node('Gemm', [
          'x',
          weights(b, b.floats('w', [4, 3], randomFloats(1, 12)), 'POT', [[1, 2]], { channel_axis: 2 }),
        ]),
      'onnx/bad-attribute',
    ],
  ] as const)('%s is refused', (_, make, code) => {
    expect(codes(refused(model([4], make)))).toContain(code);
  });
});
