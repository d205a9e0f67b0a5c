import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, randomFloats, refused } from './harness.js';

type Attributes = Parameters<OnnxBuilder['node']>[2];

function model(opset: number, build: (b: OnnxBuilder) => string): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(opset);
  b.input('x', ['N', 3, 5, 5]);
  b.output(build(b));
  return Uint8Array.from(b.bytes());
}

const inputs = randomFloats(11, 75, 6);

/** Operators of one activation, the opset they are tried in, and attributes. */
const cases: readonly (readonly [string, number, Attributes])[] = [
  ['HardSwish', 14, {}],
  ['HardSigmoid', 13, {}],
  ['HardSigmoid', 13, { alpha: { float: 1 / 6 }, beta: { float: 0.4 } }],
  ['Tanh', 13, {}],
  ['Erf', 13, {}],
  ['Gelu', 20, {}],
  ['Gelu', 20, { approximate: 'tanh' }],
  ['LeakyRelu', 13, {}],
  ['LeakyRelu', 13, { alpha: { float: 0.2 } }],
  ['Elu', 13, { alpha: { float: 0.7 } }],
  ['Selu', 13, {}],
  ['Selu', 13, { alpha: { float: 2 }, gamma: { float: 3 } }],
  ['Celu', 13, { alpha: { float: 2 } }],
  ['ThresholdedRelu', 13, { alpha: { float: 0.5 } }],
  ['Softplus', 13, {}],
  ['Softsign', 13, {}],
  ['Mish', 18, {}],
  ['Exp', 13, {}],
  ['Abs', 13, {}],
  ['Sign', 13, {}],
  ['Neg', 13, {}],
  ['Reciprocal', 13, {}],
];

describe('functions of one activation equal onnxruntime’s', () => {
  it.each(cases)('%s in opset %i with %o', async (opType, opset, attributes) => {
    const bytes = model(opset, (b) => b.node(opType, ['x'], attributes));
    expect((await compareWithOnnxruntime(bytes, inputs)).compared).toBe(1);
  });

  it.each(['Sqrt', 'Log'])('%s of what is positive', async (opType) => {
    const bytes = model(13, (b) => b.node(opType, [b.node('Exp', ['x'])]));
    expect((await compareWithOnnxruntime(bytes, inputs)).compared).toBe(2);
  });

  it('Sigmoid where it is not the end of a classifier', async () => {
    const bytes = model(13, (b) => b.node('Relu', [b.node('Sigmoid', ['x'])]));
    expect((await compareWithOnnxruntime(bytes, inputs)).compared).toBe(2);
  });

  it('Pow with one constant exponent, PRelu with one slope or several', async () => {
    const power = model(13, (b) => b.node('Pow', ['x', b.scalar('c', 'float', 2)]));
    expect((await compareWithOnnxruntime(power, inputs)).compared).toBe(1);
    const slope = model(13, (b) => b.node('PRelu', ['x', b.floats('c', [3, 1, 1], [0.25, 0.25, 0.25])]));
    expect((await compareWithOnnxruntime(slope, inputs)).compared).toBe(1);
    const slopes = model(13, (b) => b.node('PRelu', ['x', b.floats('c', [3, 1, 1], [0.25, 0.5, 0.25])]));
    expect((await compareWithOnnxruntime(slopes, inputs)).compared).toBeGreaterThan(0);
    const infinite = model(13, (b) => b.node('PRelu', ['x', b.floats('c', [3, 1, 1], [0.25, Infinity, 0.25])]));
    expect(codes(refused(infinite))).toEqual(['onnx/unsupported-form']);
  });

  it('onnxruntime’s own Gelu and QuickGelu', async () => {
    for (const opType of ['Gelu', 'QuickGelu']) {
      const bytes = model(17, (b) => b.node(opType, ['x'], {}, { domain: 'com.microsoft' }));
      expect((await compareWithOnnxruntime(bytes, inputs)).compared).toBe(1);
    }
  });
});
