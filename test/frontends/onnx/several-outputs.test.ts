import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { codes, imported, randomInts } from './harness.js';

/** x quantised, a hidden layer, and two heads on it; `softmax` ends the second, `broken` is another output that can't be read. */
function twoHeads(extra: { readonly softmax?: boolean; readonly broken?: boolean } = {}): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 6]);
  if (extra.broken === true) b.input('other', ['N', 6]);
  const weight = (name: string, dims: readonly number[]): string => {
    const count = dims[0]! * dims[1]!;
    b.constant(`${name}_q`, { type: 'int8', dims, values: randomInts(count, count, -90, 90) });
    b.scalar(`${name}_s`, 'float', 0.011);
    return b.node('DequantizeLinear', [`${name}_q`, `${name}_s`]);
  };
  const h = b.fakeQuant(b.node('Gemm', [b.fakeQuant('x', 0.021, 117), weight('w', [5, 6])], { transB: 1 }), 0.0307, 0);
  const a = b.node('Gemm', [h, weight('a', [3, 5])], { transB: 1 }, { output: 'a' });
  const logits = b.node('Gemm', [h, weight('c', [4, 5])], { transB: 1 }, { output: 'c' });
  b.output(a);
  b.output(extra.softmax === true ? b.node('Softmax', [logits], {}, { output: 'p' }) : logits);
  if (extra.broken === true) b.output(b.node('Tan', ['other'], {}, { output: 'e' }));
  return b.bytes();
}

describe('networks with several outputs', () => {
  it('all outputs become outputs of the spiking network, with a note', async () => {
    const bytes = twoHeads();
    const { spiking } = await convertsExactly(bytes);
    expect(spiking.outputs).toHaveLength(2);
    const { value, diagnostics } = importOnnx({ name: 'two.onnx', bytes });
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([['onnx/several-outputs', 'note']]);
    expect(diagnostics[0]!.help).toContain('--output');
    expect(value!.outputs).toEqual(['a', 'c']);
    expect(value!.network.outputs.map((id) => value!.network.ops.find((op) => op.id === id)!.origin)).toEqual([
      'a',
      'c',
    ]);
  });

  it('one is taken by its name, with what it needs of the graph', async () => {
    const bytes = twoHeads({ broken: true });
    const { value, diagnostics } = importOnnx({ name: 'two.onnx', bytes }, { output: 'c' });
    expect(diagnostics).toEqual([]);
    expect(value!.outputs).toEqual(['c']);
    expect(value!.network.ops.filter((op) => op.kind === 'linear')).toHaveLength(2);
    expect(value!.sourceInputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('a Softmax behind one of them is left out there', () => {
    const both = imported(twoHeads({ softmax: true }));
    expect(both.sourceOutput).toEqual({ name: 'a', logits: 'a' });
    expect(both.network.ops.find((op) => op.id === both.network.outputs[1])!.origin).toBe('c');
    const one = importOnnx({ name: 'two.onnx', bytes: twoHeads({ softmax: true }) }, { output: 'p' }).value!;
    expect(one.sourceOutput).toEqual({ name: 'p', logits: 'c', dropped: 'Softmax' });
  });

  it('a hidden layer that is an output too is read out and goes on', async () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 4]);
    const w = b.constant('wq', { type: 'int8', dims: [4, 4], values: randomInts(3, 16, -90, 90) });
    const weight = b.node('DequantizeLinear', [w, b.scalar('ws', 'float', 0.013)]);
    const h = b.fakeQuant(b.node('Gemm', [b.fakeQuant('x', 0.021, 117), weight]), 0.0307, 100);
    b.output(h);
    b.output(b.node('Gemm', [h, weight]));
    await convertsExactly(b.bytes());
  });

  it('a name that no output has is refused with those there are', () => {
    const { value, diagnostics } = importOnnx({ name: 'two.onnx', bytes: twoHeads() }, { output: 'cc' });
    expect(value).toBeUndefined();
    expect(codes(diagnostics)).toEqual(['onnx/unknown-output']);
    expect(diagnostics[0]!.message).toContain('a, c');
  });

  it('an output that can’t be read is refused with all of them', () => {
    const { diagnostics } = importOnnx({ name: 'two.onnx', bytes: twoHeads({ broken: true }) });
    expect(codes(diagnostics)).toEqual(['onnx/unsupported-op']);
    expect(diagnostics[0]!.message).toContain('Tan');
  });
});
