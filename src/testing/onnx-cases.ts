import { elementCount } from '../base/dtype.js';
import { seededRandom } from '../base/random.js';
import type { OpKind } from '../network/index.js';
import { OnnxBuilder } from './onnx-builder.js';

/** The file of a case, with constants that are drawn. */
class CaseFile extends OnnxBuilder {
  readonly #next = seededRandom(5);

  /** A constant of numbers from `around` - 0.4 to `around` + 0.6. */
  drawn(name: string, dims: readonly number[], around = 0): string {
    const values = Array.from({ length: elementCount(dims) }, () => this.#next() - 0.4 + around);
    return this.floats(name, dims, values);
  }
}

/** An ONNX file whose operator becomes a layer of a kind, and what it is called there; or why no operator does. */
export interface OnnxCase {
  readonly operator: string;
  /** Adds nodes that read `x` [N,4,6,6], and gives what they give. */
  readonly nodes: (b: CaseFile) => string;
}

/** A node that reads `x` alone. */
const plain = (operator: string, attributes: Parameters<OnnxBuilder['node']>[2] = {}): OnnxCase => ({
  operator,
  nodes: (b) => b.node(operator, ['x'], attributes),
});

/** Another value of the shape of `x`. */
const other = (b: CaseFile): string => b.node('Conv', ['x', b.drawn('w2', [4, 4, 1, 1])]);

const conversions = 'only conversions and time have it';

/** One operator for each kind of layer that files have. */
export const onnxCases: Readonly<Record<OpKind, OnnxCase | string>> = {
  input: { operator: 'an input of the graph', nodes: () => 'x' },
  quantize: { operator: 'QuantizeLinear, DequantizeLinear', nodes: (b) => b.fakeQuant('x', 0.05, 3) },
  conv: {
    operator: 'Conv',
    nodes: (b) => b.node('Conv', ['x', b.drawn('w', [3, 4, 3, 3]), b.drawn('b', [3])], { pads: [1, 1, 1, 1] }),
  },
  conv3d: {
    operator: 'Conv',
    nodes: (b) => {
      const deep = b.node('Reshape', ['x', b.ints('deep', [-1, 2, 2, 6, 6])]);
      const conv = b.node('Conv', [deep, b.drawn('w', [3, 2, 1, 3, 3])], { pads: [0, 1, 1, 0, 1, 1] });
      return b.node('Reshape', [conv, b.ints('flat', [-1, 216])]);
    },
  },
  transposed_conv: {
    operator: 'ConvTranspose',
    nodes: (b) => b.node('ConvTranspose', ['x', b.drawn('w', [4, 3, 2, 2])], { strides: [2, 2] }),
  },
  linear: {
    operator: 'Gemm, MatMul',
    nodes: (b) => b.node('Gemm', [b.node('Flatten', ['x']), b.drawn('w', [5, 144]), b.drawn('b', [5])], { transB: 1 }),
  },
  batchnorm: {
    operator: 'BatchNormalization',
    nodes: (b) => {
      const roles = ['gamma', 'beta', 'mean'].map((role) => b.drawn(role, [4]));
      return b.node('BatchNormalization', ['x', ...roles, b.drawn('variance', [4], 1)]);
    },
  },
  affine: { operator: 'Mul, Add by a constant', nodes: (b) => b.node('Mul', ['x', b.drawn('w', [4, 1, 1])]) },
  add: { operator: 'Add', nodes: (b) => b.node('Add', ['x', other(b)]) },
  mul: { operator: 'Mul', nodes: (b) => b.node('Mul', ['x', other(b)]) },
  matmul: { operator: 'MatMul', nodes: (b) => b.node('MatMul', ['x', other(b)]) },
  concat: { operator: 'Concat', nodes: (b) => b.node('Concat', ['x', other(b)], { axis: 1 }) },
  relu: plain('Relu'),
  clip: {
    operator: 'Clip',
    nodes: (b) => b.node('Clip', ['x', b.scalar('low', 'float', -0.5), b.scalar('high', 'float', 0.75)]),
  },
  sigmoid: plain('Sigmoid'),
  function: plain('Tanh'),
  softmax: plain('Softmax', { axis: 1 }),
  layernorm: {
    operator: 'LayerNormalization',
    nodes: (b) => b.node('LayerNormalization', ['x', b.drawn('scale', [6], 1), b.drawn('shift', [6])]),
  },
  embedding: {
    operator: 'Gather of a table by whole numbers',
    nodes: (b) => b.node('Gather', [b.drawn('w', [9, 3]), 'x']),
  },
  integer_softmax: 'iSoftmax, ITAMax and ITAPartialMax of integers become it, with a `quantize`',
  integer_norm: 'iLayerNorm and iRMSNorm of integers become it, with a `quantize`',
  table: conversions,
  digit: conversions,
  channel_conv: 'a Conv over [1, channels] becomes `conv` between `reshape`s',
  avgpool: plain('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }),
  globalavgpool: plain('GlobalAveragePool'),
  maxpool: plain('MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }),
  flatten: plain('Flatten'),
  reshape: { operator: 'Reshape', nodes: (b) => b.node('Reshape', ['x', b.ints('shape', [-1, 8, 3, 6])]) },
  resample: {
    operator: 'Resize',
    nodes: (b) =>
      b.node('Resize', ['x', '', b.floats('scales', [4], [1, 1, 2, 2])], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
  },
  transpose: plain('Transpose', { perm: [0, 2, 1, 3] }),
  slice: {
    operator: 'Slice',
    nodes: (b) =>
      b.node('Slice', ['x', b.ints('from', [1]), b.ints('to', [6]), b.ints('axes', [2]), b.ints('steps', [2])]),
  },
  pad: {
    operator: 'Pad',
    nodes: (b) => b.node('Pad', ['x', b.ints('pads', [0, 0, 1, 2, 0, 0, 0, 1]), b.scalar('value', 'float', 0.5)]),
  },
  dropout: 'Dropout is nothing in inference',
  identity: 'Identity is nothing',
  encode: conversions,
  neuron: conversions,
  recode: conversions,
  product: conversions,
  matrix_product: conversions,
  group_neuron: conversions,
  digit_neuron: conversions,
  maxprefix: conversions,
  delay: conversions,
  lag: conversions,
  mix_steps: conversions,
  decode: conversions,
  planes: conversions,
  gather: conversions,
  squeeze: conversions,
};

/** The file of a case. */
export function onnxFile({ operator, nodes }: OnnxCase): Uint8Array<ArrayBuffer> {
  const b = new CaseFile(17);
  if (operator.startsWith('Gather')) b.input('x', ['N', 5], 'int64');
  else b.input('x', ['N', 4, 6, 6]);
  const made = nodes(b);
  b.output(made === 'x' ? b.node('Relu', ['x']) : made);
  return Uint8Array.from(b.bytes());
}
