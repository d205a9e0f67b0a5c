import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';
import { importOnnx } from '../../../src/frontends/onnx/index.js';

type Attributes = Parameters<OnnxBuilder['node']>[2];

/** A model of one input; `make` adds nodes and returns the output's name. */
function model(dims: readonly (number | string)[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', dims);
  builder.output(make(builder));
  return builder.bytes();
}

async function agrees(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Promise<string[]> {
  const input = randomFloats(
    dims.length,
    dims.reduce((a, b) => a * b, 1),
    3,
  );
  const { network, compared } = await compareWithOnnxruntime(model(['N', ...dims], make, opset), input);
  expect(compared).toBeGreaterThan(0);
  return network.network.ops.map((op) => op.kind);
}

function convNode(b: OnnxBuilder, weightDims: readonly number[], attributes: Attributes, bias = true): string {
  const count = weightDims.reduce((x, y) => x * y, 1);
  const inputs = ['x', b.floats('w', weightDims, randomFloats(1, count))];
  if (bias) inputs.push(b.floats('b', [weightDims[0]!], randomFloats(2, weightDims[0]!)));
  return b.node('Conv', inputs, attributes);
}

describe('Conv', () => {
  const cases: readonly [string, readonly number[], readonly number[], Attributes, boolean?][] = [
    ['plain, without kernel_shape', [3, 7, 6], [4, 3, 3, 2], {}],
    ['without bias', [3, 7, 6], [4, 3, 3, 3], { kernel_shape: [3, 3] }, false],
    ['strides and asymmetric pads', [2, 8, 9], [3, 2, 3, 3], { strides: [2, 3], pads: [0, 1, 2, 1] }],
    ['dilations', [2, 9, 9], [3, 2, 3, 2], { dilations: [2, 3], pads: [1, 1, 1, 1] }],
    ['groups', [4, 6, 6], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
    ['depthwise with a multiplier', [3, 6, 6], [6, 1, 3, 3], { group: 3 }],
    ['auto_pad SAME_UPPER', [2, 7, 8], [3, 2, 4, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }],
    ['auto_pad SAME_LOWER', [2, 7, 8], [3, 2, 4, 3], { auto_pad: 'SAME_LOWER', strides: [2, 2] }],
    ['auto_pad VALID', [2, 7, 8], [3, 2, 4, 3], { auto_pad: 'VALID' }],
    ['1×1', [5, 4, 4], [2, 5, 1, 1], { strides: [2, 2] }],
  ];
  for (const [name, dims, weight, attributes, bias] of cases) {
    it(name, async () => {
      expect(await agrees(dims, (b) => convNode(b, weight, attributes, bias))).toEqual(['input', 'conv']);
    });
  }

  it('a constant added behind it becomes its bias', async () => {
    const kinds = await agrees([2, 5, 5], (b) => {
      const y = convNode(b, [3, 2, 3, 3], {}, false);
      return b.node('Add', [b.floats('c', [3, 1, 1], [0.5, -1, 2]), y]);
    });
    expect(kinds).toEqual(['input', 'conv']);
  });

  it('a weight of fewer axes than its input is refused', () => {
    const bytes = model(['N', 3, 8, 8], (b) => convNode(b, [4, 3, 3], {}));
    expect(codes(refused(bytes))).toEqual(['onnx/unsupported-form']);
  });

  it('weights may be double, and are typed fields or raw bytes', async () => {
    await agrees([2, 4, 4], (b) => {
      const w = b.constant('w', { type: 'float', dims: [2, 2, 1, 1], values: [1, 2, -3, 0.25], packed: true });
      return b.node('Conv', ['x', w]);
    });
    const double = model(['N', 2, 4, 4], (b) =>
      b.node('Conv', ['x', b.constant('w', { type: 'double', dims: [1, 2, 1, 1], values: [0.1, 0.2], packed: true })]),
    );
    const { network } = imported(double);
    expect([...network.params.values()][0]!.tensor).toMatchObject({ dtype: 'f64', data: Float64Array.of(0.1, 0.2) });
  });
});

describe('Gemm and MatMul', () => {
  const weights = (b: OnnxBuilder, dims: readonly number[]): string =>
    b.floats('w', dims, randomFloats(3, dims[0]! * dims[1]!));

  it.each([
    ['transB', { transB: 1 }, [4, 6], [4]],
    ['without transB', {}, [6, 4], [4]],
    ['alpha and beta', { transB: 1, alpha: { float: 0.5 }, beta: { float: -2 } }, [4, 6], [4]],
    ['bias as a row', {}, [6, 4], [1, 4]],
    ['one bias for all', {}, [6, 4], [1]],
  ] as [string, Attributes, number[], number[]][])('Gemm %s', async (_, attributes, dims, bias) => {
    const kinds = await agrees([6], (b) => {
      const c = b.floats(
        'c',
        bias,
        randomFloats(
          4,
          bias.reduce((x, y) => x * y, 1),
        ),
      );
      return b.node('Gemm', ['x', weights(b, dims), c], attributes);
    });
    expect(kinds).toEqual(['input', 'linear']);
  });

  it('Gemm without bias', async () => {
    expect(await agrees([6], (b) => b.node('Gemm', ['x', weights(b, [6, 4])]))).toEqual(['input', 'linear']);
  });

  it('MatMul, alone and with a bias added', async () => {
    expect(await agrees([6], (b) => b.node('MatMul', ['x', weights(b, [6, 4])]))).toEqual(['input', 'linear']);
    const kinds = await agrees([6], (b) =>
      b.node('Add', [b.node('MatMul', ['x', weights(b, [6, 4])]), b.floats('c', [4], [1, 2, 3, 4])]),
    );
    expect(kinds).toEqual(['input', 'linear']);
  });

  it('a MatMul that two nodes read keeps its own value', async () => {
    const kinds = await agrees([4], (b) => {
      const y = b.node('MatMul', ['x', weights(b, [4, 4])]);
      return b.node('Add', [b.node('Add', [y, b.floats('c', [4], [1, 2, 3, 4])]), y]);
    });
    expect(kinds).toEqual(['input', 'linear', 'affine', 'add']);
  });

  it('weights may pass through Transpose and Reshape', async () => {
    await agrees([6], (b) => b.node('MatMul', ['x', b.node('Transpose', [weights(b, [4, 6])], { perm: [1, 0] })]));
    await agrees([6], (b) => b.node('MatMul', ['x', b.node('Reshape', [weights(b, [8, 3]), b.ints('s', [6, -1])])]));
  });

  it('sizes that do not fit are reported with both shapes', () => {
    const [problem] = refused(model(['N', 5], (b) => b.node('Gemm', ['x', weights(b, [6, 4])])));
    expect(problem).toMatchObject({ code: 'onnx/shape-mismatch' });
    expect(problem!.message).toContain('takes 6 features');
    expect(problem!.message).toContain('[N, 5]');
  });
});

describe('element-wise', () => {
  it('BatchNormalization', async () => {
    const kinds = await agrees([3, 4, 4], (b) => {
      const params = ['gamma', 'beta', 'mean'].map((name, i) => b.floats(name, [3], randomFloats(i + 9, 3)));
      return b.node('BatchNormalization', ['x', ...params, b.floats('var', [3], [0.5, 1, 2])], {
        epsilon: { float: 1e-3 },
      });
    });
    expect(kinds).toEqual(['input', 'batchnorm']);
  });

  it('Relu, and Clip in its several spellings', async () => {
    expect(await agrees([5], (b) => b.node('Relu', ['x']))).toEqual(['input', 'relu']);
    const bounds = (b: OnnxBuilder): string[] => ['x', b.scalar('lo', 'float', 0), b.scalar('hi', 'float', 2)];
    expect(await agrees([5], (b) => b.node('Clip', bounds(b)))).toEqual(['input', 'clip']);
    expect(await agrees([5], (b) => b.node('Clip', ['x', '', b.scalar('hi', 'float', 1)]))).toEqual(['input', 'clip']);
    expect(await agrees([5], (b) => b.node('Clip', ['x', b.scalar('lo', 'float', 0)]))).toEqual(['input', 'relu']);
    const attributes = { min: { float: -0.5 }, max: { float: 0.5 } };
    expect(await agrees([5], (b) => b.node('Clip', ['x'], attributes), 9)).toEqual(['input', 'clip']);
  });

  it.each(['Add', 'Sub', 'Mul', 'Div'])(
    '%s with a scalar, a channel vector, and a whole tensor, on either side',
    async (op) => {
      const constants: [string, number[]][] = [
        ['scalar', []],
        ['one', [1]],
        ['channels', [3, 1, 1]],
        ['full rank', [1, 3, 1, 1]],
        ['rows', [4, 1]],
        ['all', [3, 4, 2]],
      ];
      for (const [, dims] of constants) {
        const values = randomFloats(
          dims.length + 1,
          dims.reduce((x, y) => x * y, 1),
          2,
        ).map((v) => v + 3);
        expect(await agrees([3, 4, 2], (b) => b.node(op, ['x', b.floats('c', dims, values)]))).toEqual([
          'input',
          'affine',
        ]);
        if (op !== 'Div') {
          expect(await agrees([3, 4, 2], (b) => b.node(op, [b.floats('c', dims, values), 'x']))).toEqual([
            'input',
            'affine',
          ]);
        }
      }
    },
  );

  it('Add of two activations', async () => {
    const kinds = await agrees([2, 3, 3], (b) => b.node('Add', [b.node('Relu', ['x']), 'x']));
    expect(kinds).toEqual(['input', 'relu', 'add']);
  });

  it('products of an activation with another, or with one factor a channel', async () => {
    const product = model(['N', 4], (b) => b.node('Mul', ['x', b.node('Relu', ['x'])]));
    expect((await compareWithOnnxruntime(product, randomFloats(1, 4))).compared).toBeGreaterThan(1);
    const gate = (b: OnnxBuilder) => b.node('Sigmoid', [b.node('GlobalAveragePool', ['x'])]);
    const after = model(['N', 2, 3, 3], (b) => b.node('Mul', ['x', gate(b)]));
    expect((await compareWithOnnxruntime(after, randomFloats(2, 18))).compared).toBe(3);
    const before = model(['N', 2, 3, 3], (b) => b.node('Mul', [gate(b), 'x']));
    expect((await compareWithOnnxruntime(before, randomFloats(2, 18))).compared).toBe(3);
    for (const opType of ['Sub', 'Div']) {
      const other = model(['N', 2, 3, 3], (b) => b.node(opType, ['x', b.node('Sigmoid', ['x'])]));
      expect((await compareWithOnnxruntime(other, randomFloats(3, 18))).compared).toBe(2);
    }
    const inverse = model(['N', 4], (b) => b.node('Div', [b.floats('c', [4], [1, 2, 3, 4]), b.node('Sigmoid', ['x'])]));
    expect((await compareWithOnnxruntime(inverse, randomFloats(4, 4))).compared).toBe(2);
  });

  it('axes of size 1 of an activation are repeated; a factor a channel stays one', async () => {
    const shape = ['N', 2, 3, 3] as const;
    const rows = model(shape, (b) => b.node('Mul', ['x', b.node('AveragePool', ['x'], { kernel_shape: [1, 3] })]));
    expect((await compareWithOnnxruntime(rows, randomFloats(4, 18))).compared).toBe(2);
    const sum = model(shape, (b) => b.node('Add', [b.node('GlobalAveragePool', ['x']), 'x']));
    expect((await compareWithOnnxruntime(sum, randomFloats(5, 18))).compared).toBe(2);
    const unlike = model(shape, (b) => b.node('Add', ['x', b.node('AveragePool', ['x'], { kernel_shape: [2, 2] })]));
    const [problem] = refused(unlike);
    expect(problem!.message).toContain('[N, 2, 3, 3]');
    expect(problem!.message).toContain('[N, 2, 2, 2]');
  });
});

describe('pooling', () => {
  const cases: readonly [string, readonly number[], Attributes][] = [
    ['2×2', [2, 6, 6], { kernel_shape: [2, 2], strides: [2, 2] }],
    ['overlapping with pads', [2, 7, 7], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
    ['asymmetric pads', [2, 7, 5], { kernel_shape: [3, 2], strides: [1, 2], pads: [0, 1, 2, 0] }],
    ['SAME_UPPER', [2, 7, 6], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
    ['ceil_mode', [2, 7, 8], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
    ['ceil_mode with pads', [1, 6, 8], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }],
    ['ceil_mode that changes nothing', [1, 6, 8], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
    [
      'ceil_mode whose last window would start in the padding',
      [1, 5, 5],
      { kernel_shape: [1, 1], strides: [3, 3], ceil_mode: 1 },
    ],
  ];
  for (const [name, dims, attributes] of cases) {
    it(`MaxPool ${name}`, async () => {
      expect(await agrees(dims, (b) => b.node('MaxPool', ['x'], attributes), 12)).toEqual(['input', 'maxpool']);
    });
    it(`AveragePool ${name}`, async () => {
      expect(await agrees(dims, (b) => b.node('AveragePool', ['x'], attributes), 12)).toEqual(['input', 'avgpool']);
    });
  }

  it('AveragePool that counts its padding', async () => {
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 };
    await agrees([2, 6, 6], (b) => b.node('AveragePool', ['x'], attributes));
  });

  it('global pools, and ReduceMean over H and W', async () => {
    expect(await agrees([3, 4, 5], (b) => b.node('GlobalAveragePool', ['x']))).toEqual(['input', 'globalavgpool']);
    expect(await agrees([3, 4, 5], (b) => b.node('GlobalMaxPool', ['x']))).toEqual(['input', 'maxpool']);
    expect(await agrees([3, 4, 5], (b) => b.node('ReduceMean', ['x'], { axes: [2, 3] }))).toEqual([
      'input',
      'globalavgpool',
    ]);
    const kinds = await agrees(
      [3, 4, 5],
      (b) => b.node('ReduceMean', ['x', b.ints('a', [-1, -2])], { keepdims: 0 }),
      18,
    );
    expect(kinds).toEqual(['input', 'globalavgpool', 'flatten']);
  });

  it('other reductions, dilated pools and indices that are read are refused', () => {
    const builder = new OnnxBuilder();
    builder.input('x', ['N', 3, 8, 8]);
    const y = builder.node('MaxPool', ['x'], { kernel_shape: [2, 2] });
    (builder.graph.node[0] as { output: string[] }).output.push('indices');
    builder.output(builder.node('Add', [y, builder.node('Cast', ['indices'], { to: 1 })]));
    expect(codes(refused(builder.bytes()))).toEqual(['onnx/unsupported-form']);
    const reduce = model(['N', 3, 4, 4], (b) => b.node('ReduceMean', ['x'], { axes: [0, 1] }));
    expect(codes(refused(reduce))).toEqual(['onnx/unsupported-form']);
    const dilated = model(['N', 3, 8, 8], (b) => b.node('MaxPool', ['x'], { kernel_shape: [2, 2], dilations: [2, 2] }));
    expect(codes(refused(dilated))).toEqual(['onnx/unsupported-form']);
  });
});

describe('shapes', () => {
  const cases: readonly [string, readonly number[], (b: OnnxBuilder) => string, string[]][] = [
    ['Flatten', [2, 3, 4], (b) => b.node('Flatten', ['x']), ['flatten']],
    ['Flatten, negative axis', [2, 3, 4], (b) => b.node('Flatten', ['x'], { axis: -3 }), ['flatten']],
    ['Reshape to [-1, F]', [2, 3, 4], (b) => b.node('Reshape', ['x', b.ints('s', [-1, 24])]), ['flatten']],
    ['Reshape to [0, -1]', [2, 3, 4], (b) => b.node('Reshape', ['x', b.ints('s', [0, -1])]), ['flatten']],
    ['Reshape to other axes', [2, 3, 4], (b) => b.node('Reshape', ['x', b.ints('s', [0, 4, -1, 2])]), ['reshape']],
    ['Squeeze', [3, 1, 1], (b) => b.node('Squeeze', ['x', b.ints('a', [2, -1])]), ['flatten']],
    ['Unsqueeze', [3], (b) => b.node('Unsqueeze', ['x', b.ints('a', [2, 3])]), ['reshape']],
    ['Pad', [2, 3, 4], (b) => b.node('Pad', ['x', b.ints('p', [0, 0, 1, 2, 0, 0, 3, 0])]), ['pad']],
    [
      'Pad with a value',
      [2, 3, 4],
      (b) => b.node('Pad', ['x', b.ints('p', [0, 0, 1, 0, 0, 0, 0, 1]), b.scalar('v', 'float', 0.5)]),
      ['pad'],
    ],
    [
      'Concat along the channels',
      [2, 3, 3],
      (b) => b.node('Concat', ['x', b.node('Relu', ['x']), 'x'], { axis: -3 }),
      ['relu', 'concat'],
    ],
    ['Concat of features', [4], (b) => b.node('Concat', ['x', b.node('Relu', ['x'])], { axis: 1 }), ['relu', 'concat']],
    [
      'Transposes that cancel, around channels-last element-wise ops',
      [2, 3, 4],
      (b) => {
        const last = b.node('Relu', [b.node('Transpose', ['x'], { perm: [0, 2, 3, 1] })]);
        return b.node('Transpose', [b.node('Add', [last, last])], { perm: [0, 3, 1, 2] });
      },
      ['relu', 'add'],
    ],
    [
      'a Transpose that moves only axes of size 1',
      [3, 4, 4],
      (b) => b.node('Flatten', [b.node('Transpose', [b.node('GlobalAveragePool', ['x'])], { perm: [0, 2, 3, 1] })]),
      ['globalavgpool', 'flatten'],
    ],
    [
      'x.view(x.size(0), -1) as PyTorch exports it',
      [2, 3, 4],
      (b) => {
        const zero = b.scalar('zero', 'int64', 0);
        const size = b.node('Gather', [b.node('Shape', ['x']), zero], { axis: 0 });
        const axes = b.ints('axes', [0]);
        const shape = b.node('Concat', [b.node('Unsqueeze', [size, axes]), b.ints('rest', [-1])], { axis: 0 });
        return b.node('Reshape', ['x', shape]);
      },
      ['flatten'],
    ],
  ];
  for (const [name, dims, make, kinds] of cases) {
    it(name, async () => {
      // the output of a pure shape op has to differ from the input's name
      expect(await agrees(dims, make)).toEqual(['input', ...kinds]);
    });
  }

  it('opset 9 spellings: axes, pads and shapes as attributes', async () => {
    await agrees([3, 1, 1], (b) => b.node('Squeeze', ['x'], { axes: [2, 3] }), 9);
    await agrees([3], (b) => b.node('Unsqueeze', ['x'], { axes: [2, 3] }), 9);
    await agrees([2, 3, 4], (b) => b.node('Pad', ['x'], { pads: [0, 0, 1, 2, 0, 0, 3, 0], value: { float: 0.25 } }), 9);
  });

  it('opset 18 Pad names its axes', async () => {
    await agrees([2, 3, 4], (b) => b.node('Pad', ['x', b.ints('p', [1, 2, 0, 1]), '', b.ints('a', [2, -1])]), 18);
  });

  it('allowzero makes a zero a zero', () => {
    const bytes = model(
      ['N', 2, 3, 4],
      (b) => b.node('Reshape', ['x', b.ints('s', [-1, 0, 24])], { allowzero: 1 }),
      14,
    );
    expect(codes(refused(bytes))).toEqual(['onnx/shape-mismatch']);
  });

  it('what changes nothing leaves no op: Identity, Dropout, zero pads, reshapes to the same shape', async () => {
    const kinds = await agrees([2, 3, 4], (b) => {
      const id = b.node('Dropout', [b.node('Identity', ['x'])]);
      const same = b.node('Reshape', [id, b.ints('s', [0, 2, 3, 4])]);
      return b.node('Relu', [b.node('Pad', [same, b.ints('p', [0, 0, 0, 0, 0, 0, 0, 0])])]);
    });
    expect(kinds).toEqual(['input', 'relu']);
  });

  it('the batch axis must stay', () => {
    const deeper = model(['N', 2, 3, 4, 5, 6], (b) => b.node('Relu', ['x']));
    expect(codes(refused(deeper))).toEqual(['onnx/input-shape']);
    const moved = model(['N', 2, 3, 4], (b) => b.node('Reshape', ['x', b.ints('s', [2, -1])]));
    expect(codes(refused(moved))).toEqual(['onnx/unsupported-form']);
    const transposed = model(['N', 2, 3, 4], (b) => b.node('Transpose', ['x'], { perm: [1, 0, 2, 3] }));
    expect(codes(refused(transposed))).toEqual(['onnx/unsupported-form']);
  });

  it('a convolution on a transposed value reads it through a transposition', async () => {
    const bytes = model(['N', 8, 8, 3], (b) => {
      const w = b.floats('w', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]);
      return b.node('Conv', [b.node('Transpose', ['x'], { perm: [0, 3, 1, 2] }), w]);
    });
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(1, 8 * 8 * 3));
    expect(network.network.ops.map((op) => op.kind)).toEqual(['input', 'transpose', 'conv']);
  });
});

describe('the end of a network', () => {
  it.each(['Softmax', 'LogSoftmax', 'Sigmoid'])('%s is dropped with a note', (op) => {
    const bytes = model(['N', 4], (b) => b.node(op, [b.node('Relu', ['x'])]));
    const { value, diagnostics } = importOnnx({ name: 'net.onnx', bytes });
    expect(diagnostics.map((d) => [d.code, d.severity])).toEqual([['onnx/softmax-dropped', 'note']]);
    expect(value!.sourceOutput).toEqual({ name: `${op}_1_out`, logits: 'Relu_0_out', dropped: op });
    expect(value!.network.ops.at(-1)).toMatchObject({ kind: 'relu', origin: 'Relu_0_out' });
    expect(value!.network.notes[0]).toContain(op);
  });

  it('Softmax elsewhere is a layer', async () => {
    const inside = model(['N', 4], (b) => b.node('Relu', [b.node('Softmax', ['x'])]));
    expect((await compareWithOnnxruntime(inside, randomFloats(1, 4))).compared).toBe(2);
    const image = model(['N', 4, 2, 2], (b) => b.node('LogSoftmax', ['x'], { axis: 3 }));
    expect((await compareWithOnnxruntime(image, randomFloats(2, 16))).compared).toBe(1);
  });

  it('a batch the file fixes is reported', () => {
    const fixed = model([1, 4], (b) => b.node('Relu', ['x']));
    expect(imported(fixed).sourceInputs).toEqual([{ name: 'x', shape: [4], batch: 1, dtype: 'f32' }]);
    const reshaped = model(['N', 2, 2, 2], (b) => b.node('Reshape', ['x', b.ints('s', [1, -1])]));
    expect(imported(reshaped).sourceInputs[0]!.batch).toBe(1);
  });
});
