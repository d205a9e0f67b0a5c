import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { exposeTensors, importOnnx } from '../../../src/frontends/onnx/index.js';
import { decodeModel } from '../../../src/frontends/onnx/wire.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { processorTime } from '../../support/processor-time.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

function model(make: (b: OnnxBuilder) => string, dims: readonly (number | string)[] = ['N', 4]): Uint8Array {
  const builder = new OnnxBuilder();
  builder.input('x', dims);
  builder.output(make(builder));
  return builder.bytes();
}

describe('bounded work', () => {
  it('constants that broadcasting would blow up', () => {
    const outer = model((b) => {
      const [row, column] = [
        b.floats('row', [1, 4096], new Float32Array(4096)),
        b.floats('column', [4096, 1], new Float32Array(4096)),
      ];
      return b.node('MatMul', ['x', b.node('Add', [row, column])]);
    });
    expect(codes(refused(outer))).toEqual(['onnx/too-large']);
  });

  it('ten thousand unsupported operators give fifty diagnostics', () => {
    const bytes = model((b) => {
      for (let i = 0; i < 10_000; i++) b.node(`Unknown${i}`, ['x']);
      return b.node('LpNormalization', ['x']);
    });
    expect(refused(bytes)).toHaveLength(50);
  });

  it('a batch of none, or with which the input is larger than any value, is refused', () => {
    const withBatch = (batch: number): Uint8Array => model((b) => b.node('Relu', ['x']), [batch, 4]);
    expect(codes(refused(withBatch(0)))).toEqual(['onnx/input-shape']);
    expect(codes(refused(withBatch(-7)))).toEqual(['onnx/input-shape']);
    expect(codes(refused(withBatch(2 ** 31)))).toEqual(['onnx/too-large']);
    expect(imported(withBatch(3)).sourceInputs[0]?.batch).toBe(3);
    expect(imported(withBatch(-1)).sourceInputs[0]?.batch).toBeUndefined();
  });

  it('an output without a name, and a constant of a negative shape, are refused', () => {
    const nameless = new OnnxBuilder();
    nameless.input('x', ['N', 4]);
    nameless.node('Relu', ['x']);
    nameless.output('');
    expect(codes(refused(nameless.bytes()))).toEqual(['onnx/unknown-tensor']);
    const negative = model((b) => b.node('Mul', ['x', b.node('ConstantOfShape', [b.ints('shape', [-1])])]));
    expect(codes(refused(negative))).toEqual(['onnx/unsupported-form']);
  });

  it('an infinite factor or divisor is refused', () => {
    for (const op of ['Mul', 'Div']) {
      const bytes = model((b) => b.node(op, ['x', b.scalar('c', 'float', Infinity)]));
      expect(codes(refused(bytes))).toEqual(['onnx/not-finite']);
    }
    const integer = model((b) => {
      const w = b.constant('w', { type: 'int8', dims: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] });
      const q = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.1), b.scalar('z', 'uint8', 3)]);
      const product = b.node('MatMulInteger', [q, w, b.scalar('z2', 'uint8', 3)]);
      return b.node('Mul', [b.node('Cast', [product], { to: 1 }), b.scalar('c', 'float', Infinity)]);
    });
    expect(codes(refused(integer))).toEqual(['onnx/not-finite']);
  });

  it('an unknown operator points to the list, however many there are', () => {
    const bytes = model((b) => {
      for (let i = 0; i < 60; i++) b.node('Zzyzx', ['x']);
      return b.node('toString', ['x']);
    });
    const helps = refused(bytes).map((d) => d.help ?? '');
    expect(new Set(helps)).toEqual(new Set(['docs/onnx-import.md lists what is supported']));
  });

  it('twenty thousand nodes of one name get their ids quickly', () => {
    const bytes = model((b) => {
      let x = 'x';
      for (let i = 0; i < 20_000; i++) x = b.node('Relu', [x], {}, { name: 'same' });
      return x;
    });
    let ids: readonly string[] = [];
    const read = () => (ids = imported(bytes).network.ops.map(({ id }) => id));
    expect(processorTime(read)).toBeLessThan(10_000);
    expect(new Set(ids).size).toBe(20_001);
    expect(ids[2]).toBe('same_2');
  });
});

describe('weights are views of the file', () => {
  it('int8 codes always, floats where they lie aligned', () => {
    const file = (extra: number): Uint8Array =>
      model(
        (b) => {
          const w = b.constant('w', { type: 'int8', dims: [400, 1000], values: randomInts(1, 400_000, -9, 9) });
          const wdq = b.node('DequantizeLinear', [w, b.scalar('s', 'float', 0.5)]);
          const x = b.node('Gemm', ['x', wdq], { transB: 1 });
          const v = b.floats('v', [300, 400], randomFloats(1, 120_000));
          return b.node('Gemm', [x, v], { transB: 1 }, { name: 'n'.repeat(1 + extra) });
        },
        ['N', 1000],
      );
    let floatViews = 0;
    for (let extra = 0; extra < 4; extra++) {
      const bytes = file(extra);
      const [codesParam, floatsParam] = [...imported(bytes).network.params.values()];
      expect(codesParam!.tensor.data.buffer).toBe(bytes.buffer);
      if (floatsParam!.tensor.data.buffer === bytes.buffer) floatViews++;
      expect([...floatsParam!.tensor.data.subarray(0, 3)]).toEqual([...randomFloats(1, 120_000).subarray(0, 3)]);
    }
    expect(floatViews).toBe(1);
  });
});

describe('order and names', () => {
  it('nodes may stand in any order', async () => {
    const builder = new OnnxBuilder();
    builder.input('x', ['N', 4]);
    builder.node('Relu', ['b'], {}, { output: 'c', name: 'last' });
    builder.node('Add', ['a', 'x'], {}, { output: 'b', name: 'middle' });
    builder.node('Relu', ['x'], {}, { output: 'a', name: 'first' });
    builder.output('c');
    const { network } = imported(builder.bytes());
    expect(network.ops.map((op) => op.id)).toEqual(['x', 'first', 'middle', 'last']);
  });

  it.each([
    ['/stage1/0/conv1/Conv', 'stage1.0.conv1'],
    ['/layer1/layer1.0/conv1/Conv', 'layer1.0.conv1'],
    ['/layer1/layer1.0/relu/Conv_1', 'layer1.0.relu.Conv_1'],
    ['conv/BiasAdd;with odd:chars', 'conv.BiasAdd_with_odd.chars'],
    ['', 'out'],
    ['///', '_'],
    ['x', 'x_2'],
  ])('a node named %j gives the id %j', (name, id) => {
    const bytes = model(
      (b) => b.node('Conv', ['x', b.floats('w', [1, 1, 1, 1], [1])], {}, { name, output: '/out_output_0' }),
      ['N', 1, 2, 2],
    );
    expect(imported(bytes).network.ops[1]!.id).toBe(id);
  });

  it('ops stand for the tensors they name, and know their node', () => {
    const { network } = imported(model((b) => b.node('Relu', ['x'], {}, { name: 'act', output: 'y' })));
    expect(network.ops[1]).toMatchObject({ origin: 'y', place: { file: 'test.onnx', detail: 'node "act" (Relu)' } });
  });
});

describe('values read in two ways', () => {
  it('integer products under two scales', async () => {
    const bytes = model((b) => {
      const params = [b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 117)];
      const w = b.constant('w', { type: 'uint8', dims: [4, 3], values: randomInts(9, 12, 0, 40) });
      const product = b.node(
        'Cast',
        [b.node('MatMulInteger', [b.node('QuantizeLinear', ['x', ...params]), w, params[1]!])],
        { to: 1 },
      );
      const [one, two] = [0.5, 0.25].map((s, i) => b.node('Mul', [product, b.scalar(`unit${i}`, 'float', s)]));
      return b.node('Add', [one!, two!]);
    });
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(4, 4, 2));
    expect(network.network.ops.map((op) => op.kind)).toEqual(['input', 'quantize', 'linear', 'linear', 'add']);
  });

  it('one value quantised in two axis orders', async () => {
    const bytes = model(
      (b) => {
        const last = b.node('Transpose', [b.fakeQuant(b.node('Transpose', ['x'], { perm: [0, 2, 3, 1] }), 0.1, 3)], {
          perm: [0, 3, 1, 2],
        });
        return b.node('Concat', [last, b.fakeQuant('x', 0.1, 3)], { axis: 1 });
      },
      ['N', 2, 3, 4],
    );
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(4, 24, 2));
    expect(network.network.ops.map((op) => op.kind)).toEqual(['input', 'quantize', 'concat']);
  });
});

describe('exposeTensors', () => {
  it('adds outputs without touching the rest; inputs and outputs are passed over', async () => {
    const bytes = model((b) => b.node('Relu', [b.node('Add', ['x', b.floats('c', [4], [1, 2, 3, 4])])]));
    const { bytes: exposed } = exposeTensors(bytes, ['Add_0_out', 'x', 'Relu_1_out', 'Add_0_out']);
    expect(exposed.subarray(0, bytes.length)).toEqual(bytes);
    expect(decodeModel(exposed).graph!.outputs.map((info) => info.name)).toEqual(['Relu_1_out', 'Add_0_out']);
    const session = await ort.InferenceSession.create(exposed, { graphOptimizationLevel: 'disabled' });
    const result = await session.run({ x: new ort.Tensor('float32', [-2, -2, -2, -2], [1, 4]) });
    expect([...(result['Add_0_out']!.data as Float32Array)]).toEqual([-1, 0, 1, 2]);
    await session.release();
  });

  it('a tensor called __proto__ comes under another name', async () => {
    const bytes = model((b) => b.node('Neg', [b.node('Relu', ['x'], {}, { output: '__proto__' })]));
    const { bytes: exposed, outputs } = exposeTensors(bytes, ['__proto__']);
    const session = await ort.InferenceSession.create(exposed, { graphOptimizationLevel: 'disabled' });
    const result = await session.run({ x: new ort.Tensor('float32', [-2, 1, 2, 3], [1, 4]) });
    expect([...(result[outputs.get('__proto__')!]!.data as Float32Array)]).toEqual([0, 1, 2, 3]);
    await session.release();
  });
});

const lenet = join(import.meta.dirname, '../../../../shared/models/lenet5-maxpool-mnist.qop.onnx');
if (!existsSync(lenet)) console.warn(`skipped: damage to a trained network, ${lenet} is absent`);

describe.skipIf(!existsSync(lenet))('a damaged trained network', () => {
  it('property: gives a network or diagnostics, cut or flipped anywhere', () => {
    const bytes = new Uint8Array(readFileSync(lenet));
    // most of the file is weights; the graph is its first 8,000 bytes
    const place = fc.oneof(fc.nat(8000), fc.nat(bytes.length - 1));
    const damage = fc.record({
      flips: fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 4 }),
      length: fc.option(place, { nil: bytes.length }),
    });
    fc.assert(
      fc.property(damage, ({ flips, length }) => {
        const damaged = bytes.slice(0, length);
        for (const [at, value] of flips) damaged[at] = value;
        const { value, diagnostics } = importOnnx({ name: 'damaged.onnx', bytes: damaged });
        expect(value !== undefined || diagnostics.some((d) => d.severity === 'error')).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
