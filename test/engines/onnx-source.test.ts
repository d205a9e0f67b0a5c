import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emitOnnx } from '../../src/backends/onnx/index.js';
import { tensor } from '../../src/base/dtype.js';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { openOnnxSource } from '../../src/engines/onnx-source.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { type Dim, ProgramBuilder } from '../../src/tensor/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';

function doubling(batch: Dim): Uint8Array {
  const b = new ProgramBuilder('doubling');
  b.output('y', b.mul(b.input('x', 'f32', [batch, 2]), 2));
  return emitOnnx(b.build());
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics[0]!.code;
    throw error;
  }
  return 'nothing';
}

describe('an ONNX file run as it came', () => {
  it('says what goes in and out', async () => {
    const source = await openOnnxSource(doubling({ batch: 1 }));
    expect(source.inputs).toEqual([{ name: 'x', dtype: 'f32', shape: ['N', 2] }]);
    expect(source.outputs).toEqual([{ name: 'y', dtype: 'f32', shape: ['N', 2] }]);
    await source.dispose();
  });

  it('runs a file with a fixed batch piece by piece', async () => {
    const source = await openOnnxSource(doubling(2), { threads: 1 });
    const x = tensor('f32', [5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { y } = await source.run({ x });
    expect(y!.shape).toEqual([5, 2]);
    expect([...y!.data]).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    await source.dispose();
  });

  it('runs a file one row at a time where something inside fixes the batch', async () => {
    const builder = new OnnxBuilder(13);
    builder.input('x', ['N', 2]);
    const y = builder.node('Reshape', ['x', builder.ints('shape', [1, 2])]);
    builder.output(y);
    const source = await openOnnxSource(builder.bytes(), { threads: 1, batch: 1 });
    const results = await source.run({ x: tensor('f32', [3, 2], [1, 2, 3, 4, 5, 6]) });
    expect([...results[y]!.data]).toEqual([1, 2, 3, 4, 5, 6]);
    await source.dispose();
  });

  it('runs from a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spikec-'));
    writeFileSync(join(folder, 'm.onnx'), doubling({ batch: 1 }));
    const source = await openOnnxSource(join(folder, 'm.onnx'));
    const { y } = await source.run({ x: tensor('f32', [1, 2], [1, 2]) });
    expect([...y!.data]).toEqual([2, 4]);
    await source.dispose();
    rmSync(folder, { recursive: true });
  });

  it('reports garbage as a diagnostic', async () => {
    expect(await codeOf(openOnnxSource(new Uint8Array([1, 2, 3, 4])))).toBe('engine/refused');
    expect(await codeOf(openOnnxSource(doubling({ batch: 1 }).subarray(0, 40)))).toBe('engine/refused');
  });

  it('reports a feed that is missing, and one of a wrong shape', async () => {
    const source = await openOnnxSource(doubling({ batch: 1 }));
    expect(await codeOf(source.run({ z: tensor('f32', [1, 2], [1, 2]) }))).toBe('engine/missing-input');
    expect(await codeOf(source.run({ x: tensor('f32', [1, 3], [1, 2, 3]) }))).toBe('engine/run-failed');
    await source.dispose();
  });

  const lenet = '../shared/models/lenet5-maxpool-mnist.qdq.onnx';
  if (!existsSync(lenet)) console.warn(`skipped: ${lenet} is absent`);
  it.skipIf(!existsSync(lenet))('runs a quantised file', async () => {
    const source = await openOnnxSource(readFileSync(lenet), { threads: 1 });
    const [port] = source.inputs;
    const shape = [3, ...port!.shape.slice(1)] as number[];
    const x = tensor('f32', shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5));
    const results = await source.run({ [port!.name]: x });
    expect(Object.values(results)[0]!.shape).toEqual([3, 10]);
    await source.dispose();
  });
});

describe('the onnxruntime engine', () => {
  it('names the ops that it has no kernel for', async () => {
    const b = new ProgramBuilder('double');
    const x = b.input('x', 'f64', [{ batch: 1 }, 1, 4, 4]);
    b.output('y', b.as('stem').conv2d(x, b.param('w', tensor('f64', [1, 1, 1, 1], [1]))));
    const failure = onnxruntimeEngine.open(b.build());
    await expect(failure).rejects.toThrow(/conv2d in f64 \(op "stem"\)/);
    expect(await codeOf(onnxruntimeEngine.open(b.build()))).toBe('engine/no-kernel');
  });

  it('rejects feeds that do not fit as misuse', async () => {
    const b = new ProgramBuilder('p');
    b.output('y', b.neg(b.input('x', 'f32', [{ batch: 1 }, 2])));
    const executable = await onnxruntimeEngine.open(b.build(), { threads: 1 });
    await expect(executable.step({})).rejects.toThrow(TypeError);
    await expect(executable.step({ x: tensor('f64', [1, 2], [1, 2]) })).rejects.toThrow(/is f32\[N,2\] with N = 1/);
    await executable.dispose();
  });

  it('gives outputs their own names even where a value is called so, and one value twice', async () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [{ batch: 1 }]);
    const y = b.as('y').neg(x);
    b.output('x', y);
    b.output('y', y);
    b.output('same', x);
    const executable = await onnxruntimeEngine.open(b.build(), { threads: 1 });
    const results = await executable.step({ x: tensor('f32', [2], [1, 2]) });
    expect(Object.fromEntries(Object.entries(results).map(([k, v]) => [k, [...v.data]]))).toEqual({
      x: [-1, -2],
      y: [-1, -2],
      same: [1, 2],
    });
    await executable.dispose();
  });
});
