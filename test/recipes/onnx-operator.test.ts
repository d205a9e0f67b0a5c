import { expect, it, vi } from 'vitest';
import { supportedOps } from '../../src/frontends/onnx/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { imported } from '../frontends/onnx/harness.js';

// An ONNX operator: a row in one of the tables of src/frontends/onnx/ops/.

vi.mock('../../src/frontends/onnx/ops/activation.js', async (original) => {
  const module = await original<typeof import('../../src/frontends/onnx/ops/activation.js')>();
  return { ...module, activationOps: { ...module.activationOps, PositivePart: module.activationOps['Relu']! } };
});

it('a new operator is listed and imported', () => {
  expect(supportedOps()).toContain('PositivePart');
  const b = new OnnxBuilder();
  b.input('x', ['N', 2]);
  const weights = b.floats('w', [2, 2], [1, 0, 0, -1]);
  const hidden = b.node('PositivePart', [b.node('Gemm', ['x', weights])]);
  b.output(b.node('Gemm', [hidden, weights]));
  const { network } = imported(Uint8Array.from(b.bytes()));
  expect(network.ops.map(({ kind }) => kind)).toEqual(['input', 'linear', 'relu', 'linear']);
  const values = evaluateAnn(network, Float64Array.from([2, -3]));
  expect([...values.get(network.outputs[0]!)!]).toEqual([2, -3]);
});
