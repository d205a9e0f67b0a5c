import { elementCount } from '../../base/dtype.js';
import type { NirNode } from '../../frontends/nir/index.js';
import { type Op, type OpKind, optionalParam, paramOf, realValues } from '../../network/index.js';
import { neuronNode } from './neurons.js';
import { type Row, type RowCall, integers, node, numbers } from './row.js';

const cannot =
  (what: string): Row =>
  () => ({ cannot: what });

const through: Row = () => 'through';

/** A weight with the gain behind it, outputs first. */
function weightOf({ network, op }: RowCall): Float64Array {
  const weight = realValues(paramOf(network, op, 'weight'));
  const gain = optionalParam(network, op, 'gain');
  if (gain === undefined) return weight;
  const values = realValues(gain);
  const outputs = paramOf(network, op, 'weight').tensor.shape[0]!;
  const each = weight.length / outputs;
  return weight.map((w, i) => w * values[values.length === 1 ? 0 : Math.floor(i / each)]!);
}

function biasOf({ network, op }: RowCall, outputs: number): Float64Array | undefined {
  const bias = optionalParam(network, op, 'bias');
  if (bias === undefined) return undefined;
  const values = realValues(bias);
  return values.length === 1 ? new Float64Array(outputs).fill(values[0]!) : values;
}

function onPlanes(op: Op): boolean {
  return 'planes' in op.attrs;
}

const conv: Row = (call) => {
  const { op, network, from } = call;
  if (op.kind !== 'conv') return { cannot: op.kind };
  if (onPlanes(op)) return { cannot: 'binary planes of spikes' };
  if (from.length !== 3) return { cannot: 'a convolution over one axis' };
  const { kernel, stride, pads, dilation, groups } = op.attrs;
  if (pads[0] !== pads[2] || pads[1] !== pads[3]) return { cannot: 'padding that differs from side to side' };
  const { shape } = paramOf(network, op, 'weight').tensor;
  const outputs = shape[0]!;
  const bias = biasOf(call, outputs);
  if (bias !== undefined && bias.length !== outputs) return { cannot: 'a bias that differs from place to place' };
  return node('Conv2d', {
    input_shape: integers(from.slice(1)),
    weight: numbers([outputs, shape[1]!, ...kernel], weightOf(call)),
    stride: integers(stride),
    padding: integers([pads[0], pads[1]]),
    dilation: integers(dilation),
    groups: integers([groups], true),
    bias: numbers([outputs], bias ?? new Float64Array(outputs)),
  });
};

const linear: Row = (call) => {
  const { op, network, from } = call;
  if (onPlanes(op)) return { cannot: 'binary planes of spikes' };
  if (from.length > 1) return { cannot: 'a linear layer of tokens' };
  const { shape } = paramOf(network, op, 'weight').tensor;
  const bias = biasOf(call, shape[0]!);
  const weight = numbers(shape, weightOf(call));
  if (bias === undefined) return node('Linear', { weight });
  return node('Affine', { weight, bias: numbers([shape[0]!], bias) });
};

const affine: Row = ({ network, op }) => {
  if (onPlanes(op)) return { cannot: 'binary planes of spikes' };
  if (optionalParam(network, op, 'shift') !== undefined) return { cannot: 'a constant that is added behind a scale' };
  const scale = realValues(paramOf(network, op, 'scale'));
  const { shape } = op.type;
  const count = elementCount(shape);
  const each = count / scale.length;
  return node('Scale', {
    scale: numbers(
      shape,
      Float64Array.from({ length: count }, (_, i) => scale[Math.floor(i / each)]!),
    ),
  });
};

function averageNode(kernel: readonly number[], stride: readonly number[], padding: readonly number[]): NirNode {
  return node('AvgPool2d', { kernel_size: integers(kernel), stride: integers(stride), padding: integers(padding) });
}

const avgpool: Row = ({ network, op }) => {
  if (op.kind !== 'avgpool') return { cannot: op.kind };
  const { kernel, stride, pads, include_pad } = op.attrs;
  if (optionalParam(network, op, 'gain') ?? optionalParam(network, op, 'bias'))
    return { cannot: 'an average with a gain' };
  if (pads[0] !== pads[2] || pads[1] !== pads[3]) return { cannot: 'padding that differs from side to side' };
  if (!include_pad && pads.some((n) => n > 0)) return { cannot: 'averages that leave padding out' };
  return averageNode(kernel, stride, [pads[0], pads[1]]);
};

const globalavgpool: Row = ({ network, op, from }) => {
  if (optionalParam(network, op, 'gain') ?? optionalParam(network, op, 'bias'))
    return { cannot: 'an average with a gain' };
  return averageNode(from.slice(1), from.slice(1), [0, 0]);
};

const flatten: Row = ({ op, from }) => {
  if (from.length === 1) return 'through';
  if (op.type.shape.length !== 1) return { cannot: 'another shape than a flat one' };
  return node('Flatten', {
    input_type: integers(from),
    start_dim: integers([0], true),
    end_dim: integers([-1], true),
  });
};

const encode: Row = ({ op, approximate }) => {
  if (op.kind !== 'encode') return { cannot: op.kind };
  if (op.attrs.coding === 'sws') return { cannot: 'time steps that count differently' };
  if (op.attrs.coding === 'rate') approximate('its Input takes the spikes that the coding draws from the image');
  return 'through';
};

const decode: Row = ({ op }) => {
  if (op.kind !== 'decode') return { cannot: op.kind };
  if (op.attrs.readout === 'membrane') return { cannot: 'membranes as outputs of neurons that fire' };
  return op.attrs.coding === 'sws' ? { cannot: 'time steps that count differently' } : 'through';
};

const lag: Row = ({ network, op, closes, convention, approximate }) => {
  if (op.kind !== 'lag') return { cannot: op.kind };
  const { steps } = op.attrs;
  // what comes back from neurons in NIR comes a step later
  const fromNeurons = network.ops.some(({ id, kind }) => id === op.inputs[0] && kind === 'neuron');
  if (closes && steps === 1 && fromNeurons) return 'through';
  if (closes) approximate(`it comes back ${steps} steps later, and tools may add one`);
  const count = elementCount(op.type.shape);
  return node('Delay', { delay: numbers(op.type.shape, new Float64Array(count).fill(steps * convention.dt)) });
};

const max = cannot('the greatest of several values (max pooling)');

/** How layers are said in NIR: a row a kind; one without an answer doesn't compile. */
export const layers: Readonly<Record<OpKind, Row>> = {
  input: ({ op }) => node('Input', { shape: integers(op.type.shape) }),
  encode,
  decode,
  conv,
  conv3d: cannot('a convolution over three axes'),
  linear,
  affine,
  avgpool,
  globalavgpool,
  flatten,
  reshape: flatten,
  neuron: neuronNode,
  lag,
  mix_steps: cannot('sums over all time steps'),
  add: through,
  delay: through,
  identity: through,
  dropout: through,
  maxpool: max,
  maxprefix: max,
  mul: cannot('a product of values'),
  matmul: cannot('a product of values'),
  product: cannot('a product of values'),
  matrix_product: cannot('a product of values'),
  concat: cannot('values side by side (a concatenation)'),
  batchnorm: cannot('batch normalisation that isn’t folded into weights'),
  transposed_conv: cannot('a transposed convolution'),
  channel_conv: cannot('a convolution over the channels'),
  relu: cannot('a function of values that are no spikes'),
  clip: cannot('a function of values that are no spikes'),
  sigmoid: cannot('a function of values that are no spikes'),
  function: cannot('a function of values that are no spikes'),
  softmax: cannot('a function of values that are no spikes'),
  layernorm: cannot('a function of values that are no spikes'),
  integer_softmax: cannot('a function of values that are no spikes'),
  integer_norm: cannot('a function of values that are no spikes'),
  embedding: cannot('rows of a table that values choose (an embedding)'),
  table: cannot('a table of values'),
  quantize: cannot('a quantiser'),
  digit: cannot('digits of a value'),
  digit_neuron: cannot('neurons that wait for their whole input'),
  group_neuron: cannot('neurons that wait for their whole input'),
  recode: cannot('neurons that wait for their whole input'),
  resample: cannot('another resolution (upsampling)'),
  transpose: cannot('another order of axes'),
  slice: cannot('a part of values'),
  pad: cannot('padding by itself'),
  planes: cannot('binary planes of spikes'),
  gather: cannot('binary planes of spikes'),
  squeeze: cannot('a mean over time steps'),
};
