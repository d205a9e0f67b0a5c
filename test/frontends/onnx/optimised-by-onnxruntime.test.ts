import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { type BuilderType, OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { decodeModel } from '../../../src/frontends/onnx/wire.js';
import { compareWithOnnxruntime, imported, randomFloats, randomInts } from './harness.js';

/** A residual, joined, pooled network as onnxruntime's quantiser writes it: QDQ around every op, small weights. */
function qdqNetwork(type: BuilderType): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  const zero = (unsigned: number): number => (type === 'uint8' ? unsigned : unsigned - 128);
  let count = 0;
  const weight = (dims: readonly number[]): string => {
    const tag = `w${count++}`;
    const size = dims.reduce((x, y) => x * y, 1);
    const q = b.constant(tag, { type: 'int8', dims, values: randomInts(count, size, -15, 15) });
    return b.node('DequantizeLinear', [q, b.scalar(`${tag}.s`, 'float', 0.03125), b.scalar(`${tag}.z`, 'int8', 0)]);
  };
  const bias = (outputs: number, inputScale: number): string => {
    const tag = `b${count++}`;
    const q = b.constant(tag, { type: 'int32', dims: [outputs], values: randomInts(count, outputs, -400, 400) });
    return b.node('DequantizeLinear', [
      q,
      b.scalar(`${tag}.s`, 'float', inputScale * 0.03125),
      b.scalar(`${tag}.z`, 'int32', 0),
    ]);
  };
  b.input('x', ['N', 2, 8, 8]);
  const x = b.fakeQuant('x', 0.015625, zero(120), type);
  const stem = b.fakeQuant(
    b.node('Conv', [x, weight([4, 2, 3, 3]), bias(4, 0.015625)], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
    0.03125,
    zero(0),
    type,
  );
  const branch = b.fakeQuant(
    b.node('Conv', [stem, weight([4, 4, 3, 3]), bias(4, 0.03125)], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
    0.0625,
    zero(130),
    type,
  );
  const sum = b.fakeQuant(b.node('Add', [branch, stem]), 0.0625, zero(0), type);
  const max = b.fakeQuant(b.node('MaxPool', [sum], { kernel_shape: [2, 2], strides: [2, 2] }), 0.0625, zero(0), type);
  const average = b.fakeQuant(
    b.node('AveragePool', [stem], { kernel_shape: [2, 2], strides: [2, 2] }),
    0.03125,
    zero(0),
    type,
  );
  const joined = b.fakeQuant(b.node('Concat', [max, average], { axis: 1 }), 0.0625, zero(0), type);
  const global = b.fakeQuant(b.node('GlobalAveragePool', [joined]), 0.03125, zero(0), type);
  const flat = b.fakeQuant(b.node('Flatten', [global]), 0.03125, zero(0), type);
  const logits = b.node('Gemm', [flat, weight([5, 8]), bias(5, 0.03125)], { transB: 1 });
  b.output(b.fakeQuant(logits, 0.03125, zero(128), type), ['N', 5]);
  return b.bytes();
}

async function optimised(bytes: Uint8Array, level: 'basic' | 'extended'): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-onnx-'));
  try {
    const path = join(folder, 'optimised.onnx');
    const session = await ort.InferenceSession.create(bytes, {
      graphOptimizationLevel: level,
      optimizedModelFilePath: path,
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    await session.release();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(['uint8', 'int8'] as const)('%s networks', (type) => {
  it.each(['basic', 'extended'] as const)(
    'that onnxruntime optimised at level %s import and agree with the original',
    async (level) => {
      const original = qdqNetwork(type);
      const rewritten = await optimised(original, level);
      const ops = decodeModel(rewritten).graph!.nodes.map((node) => node.opType);
      // which ops are rewritten depends on the type of the codes; QGemm always is
      expect(ops.includes('QGemm')).toBe(level === 'extended');
      const input = randomFloats(11, 128, 2);
      const source = await compareWithOnnxruntime(original, input);
      const { network, output } = await compareWithOnnxruntime(rewritten, input);
      const kinds = (of: typeof network): string[] =>
        of.network.ops
          .map((op) => op.kind)
          .filter((kind) => kind !== 'reshape')
          .sort();
      expect(kinds(network)).toEqual(kinds(source.network));
      // powers of two as scales: everything is exact, and both forms give the same codes
      const final = evaluateAnn(imported(original).network, Float64Array.from(input));
      const rewrittenFinal = evaluateAnn(network.network, Float64Array.from(input));
      expect([...rewrittenFinal.get(network.network.outputs[0]!)!]).toEqual([
        ...final.get(source.network.network.outputs[0]!)!,
      ]);
      expect(output.length).toBe(5);
    },
  );
});
