import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { NetworkBuilder, type Network, type Op, type OpKind, opKinds, attrsOf } from '../../src/network/index.js';

// A backend at the level of layers: a table over all kinds of them; one without an answer is a compile error.

type Emit = (op: Op) => string | undefined;

const layer =
  (name: string, ...attrs: readonly string[]): Emit =>
  (op) =>
    `${name}(${[...op.inputs, ...attrs.map((attr) => `${attr}=${String(attrsOf(op)[attr])}`)].join(', ')})`;
const none: Emit = () => undefined;

/** One line a layer, in the manner of a framework; what it has no layer for is left to its user. */
const emitters: Readonly<Record<OpKind, Emit>> = {
  input: layer('Input', 'shape'),
  quantize: layer('FakeQuantize', 'scale', 'zero'),
  conv: layer('Conv2d', 'stride', 'pads', 'groups'),
  conv3d: layer('Conv3d', 'stride', 'pads', 'groups'),
  transposed_conv: layer('ConvTranspose2d', 'stride', 'pads', 'groups'),
  linear: layer('Linear'),
  batchnorm: layer('BatchNorm2d', 'epsilon'),
  affine: layer('Scale'),
  add: layer('Add'),
  softmax: layer('Softmax', 'axis'),
  layernorm: layer('LayerNorm', 'axis'),
  integer_softmax: none,
  integer_norm: none,
  embedding: layer('Embedding'),
  matrix_product: none,
  group_neuron: none,
  mul: layer('Mul'),
  matmul: layer('MatMul'),
  concat: layer('Concat'),
  relu: layer('ReLU'),
  clip: layer('Hardtanh', 'min', 'max'),
  function: layer('Function', 'name'),
  table: none,
  recode: none,
  product: none,
  digit: none,
  digit_neuron: none,
  sigmoid: layer('Sigmoid'),
  channel_conv: layer('Conv1d', 'kernel'),
  avgpool: layer('AvgPool2d', 'kernel'),
  globalavgpool: layer('AdaptiveAvgPool2d'),
  maxpool: layer('MaxPool2d', 'kernel'),
  flatten: layer('Flatten'),
  reshape: layer('Reshape'),
  resample: layer('Upsample', 'rows', 'columns'),
  transpose: layer('Transpose'),
  slice: layer('Slice'),
  pad: layer('ConstantPad2d', 'pads'),
  dropout: layer('Dropout', 'rate'),
  identity: layer('Identity'),
  encode: layer('Repeat', 'steps'),
  neuron: ({ attrs, inputs }) => `${String(attrsOf({ attrs })['neuron'])}(${inputs.join(', ')})`,
  maxprefix: none,
  delay: none,
  lag: layer('Lag', 'steps'),
  mix_steps: layer('StepMixing'),
  decode: layer('Mean'),
  planes: none,
  gather: none,
  squeeze: none,
};

// @ts-expect-error a kind without an answer doesn't compile
const lacking: Readonly<Record<OpKind, Emit>> = (({ conv: _, ...rest }) => rest)(emitters);

function emitted(network: Network): string {
  return network.ops.map((op) => `${op.id} = ${emitters[op.kind](op) ?? `custom("${op.kind}")`}`).join('\n');
}

it('a backend at the level of layers is a table over their kinds', () => {
  expect(Object.keys(emitters).sort()).toEqual([...opKinds].sort());
  expect(Object.keys(lacking)).toHaveLength(opKinds.length - 1);
  const b = new NetworkBuilder('n');
  b.param('w', { tensor: tensor('f32', [3, 4], new Array(12).fill(1)) });
  b.add({ id: 'x', kind: 'input', attrs: { shape: [4] } });
  b.add({ id: 'f', kind: 'linear', inputs: ['x'], params: { weight: 'w' } });
  b.add({ id: 'r', kind: 'clip', inputs: ['f'], attrs: { min: 0, max: 6 } });
  expect(emitted(b.finish(['r']))).toBe('x = Input(shape=4)\nf = Linear(x)\nr = Hardtanh(f, min=0, max=6)');
});
