import { elementCount } from '../../../base/dtype.js';
import { type Network, type Op, type OpKind, optionalParam, realValues } from '../../../network/index.js';
import { integerType } from '../ctypes.js';
import { NotInteger } from '../not-integer.js';
import { type Potential, type Term, type Train, type Value, type Windows, extentOf } from './values.js';
import { linearWeights, weightsOf } from './weights.js';

/** What a layer makes of values, where nothing is to be written for it by itself. */
export interface LayerCall {
  readonly network: Network;
  readonly op: Op;
  readonly inputs: readonly Value[];
  /** Layers that are written: encoders, neurons, running maxima. */
  readonly written: (op: Op, inputs: readonly Value[]) => Value;
}

type Row = (call: LayerCall) => Value;

const refuse =
  (why: string): Row =>
  ({ op }) => {
    throw new NotInteger(op.id, why);
  };

const same: Row = ({ inputs }) => inputs[0]!;
const written: Row = ({ op, inputs, written: write }) => write(op, inputs);
const unsupported: Row = ({ op }) => {
  throw new NotInteger(op.id, `${op.kind} has no form in integers yet`);
};

function trainOf(op: Op, value: Value | undefined): Train {
  if (value?.kind === 'bits' || value?.kind === 'pooled') return value;
  throw new NotInteger(op.id, 'it reads no spikes');
}

/** A parameter's numbers: one, or one a channel; of all neurons only where `wide`. */
function numbersOf({ network, op }: LayerCall, role: string, channels: number, wide = false): number[] | undefined {
  const param = optionalParam(network, op, role);
  if (param === undefined) return undefined;
  const values = [...realValues(param)];
  if (values.length === 1 || values.length === channels) return values;
  const { shape } = op.type;
  if (wide && values.length === elementCount(shape)) return values;
  // [C, 1, 1] and the like were caught by their count
  throw new NotInteger(op.id, `its ${role} isn’t one a channel`);
}

function potential(call: LayerCall, terms: readonly Term[], steps: number, role: string): Potential {
  const extent = extentOf(call.op.type.shape);
  if (extent === undefined) throw new NotInteger(call.op.id, 'it has no rows and columns');
  const bias = numbersOf(call, role, extent[0], true);
  return { kind: 'potential', terms, extent, steps, ...(bias === undefined ? {} : { bias }) };
}

function plainSynapse(op: Op): void {
  if ('planes' in op.attrs) throw new NotInteger(op.id, 'it reads planes');
}

const conv: Row = (call) => {
  const { op, network, inputs } = call;
  if (op.kind !== 'conv') return unsupported(call);
  plainSynapse(op);
  const train = trainOf(op, inputs[0]);
  const to = extentOf(op.type.shape)!;
  const { kernel, stride, pads, dilation, groups } = op.attrs;
  const windows: Windows = { from: train.extent, to, kernel, stride, pads, dilation, groups };
  const gain = numbersOf(call, 'gain', to[0]) ?? [1];
  return potential(call, [{ train, weights: weightsOf(network, op, windows), gain }], train.steps, 'bias');
};

const linear: Row = (call) => {
  const { op, network, inputs } = call;
  plainSynapse(op);
  const train = trainOf(op, inputs[0]);
  if (op.type.shape.length > 1) throw new NotInteger(op.id, 'it is a linear layer of tokens');
  const [outputs] = op.type.shape as [number];
  const gain = numbersOf(call, 'gain', outputs) ?? [1];
  const weights = linearWeights(network, op, train.extent, outputs);
  return potential(call, [{ train, weights, gain }], train.steps, 'bias');
};

const affine: Row = (call) => {
  const { op, inputs } = call;
  plainSynapse(op);
  const train = trainOf(op, inputs[0]);
  const scale = numbersOf(call, 'scale', train.extent[0]) ?? [1];
  if (scale.length > 1 && op.type.shape[0] !== train.extent[0])
    throw new NotInteger(op.id, 'its scale isn’t one a channel');
  const made = potential(call, [{ train, gain: scale }], train.steps, 'shift');
  return { ...made, extent: train.extent };
};

const add: Row = ({ op, inputs }) => {
  const parts = inputs.map((value) => {
    if (value.kind === 'potential') return value;
    throw new NotInteger(op.id, 'it adds spikes');
  });
  const [first] = parts as [Potential];
  const { extent, steps } = first;
  if (parts.some((part) => part.extent.some((size, i) => size !== extent[i]))) {
    throw new NotInteger(op.id, 'it adds what lies differently in memory');
  }
  const wide = Math.max(...parts.map(({ bias }) => bias?.length ?? 0));
  const at = (bias: ArrayLike<number>, i: number): number =>
    bias.length === 1 ? bias[0]! : bias.length === wide ? bias[i]! : bias[Math.floor(i / (wide / extent[0]))]!;
  const bias = Array.from({ length: wide }, (_, i) =>
    parts.reduce((sum, part) => sum + (part.bias === undefined ? 0 : at(part.bias, i)), 0),
  );
  const terms = parts.flatMap((part) => part.terms);
  return { kind: 'potential', terms, extent, steps, ...(wide === 0 ? {} : { bias }) };
};

/** Sums of spikes over windows; with a gain a potential. */
const average: Row = (call) => {
  const { op, inputs } = call;
  const train = trainOf(op, inputs[0]);
  if (train.kind !== 'bits') throw new NotInteger(op.id, 'it averages averages');
  const extent = extentOf(op.type.shape)!;
  const [, height, width] = train.extent;
  let windows: Omit<Windows, 'from' | 'to' | 'dilation' | 'groups'>;
  if (op.kind === 'avgpool') {
    const { kernel, stride, pads, include_pad } = op.attrs;
    if (!include_pad && pads.some((n) => n > 0)) throw new NotInteger(op.id, 'its windows divide by different numbers');
    windows = { kernel, stride, pads };
  } else windows = { kernel: [height, width], stride: [1, 1], pads: [0, 0, 0, 0] };
  const area = windows.kernel[0] * windows.kernel[1];
  const type = integerType(train.signed ? -area : 0, area);
  const pooled: Train = {
    kind: 'pooled',
    from: train,
    windows: { ...windows, from: train.extent, to: extent, dilation: [1, 1], groups: 1 },
    extent,
    steps: train.steps,
    most: area,
    type: type === 'u8' ? 'i16' : type,
  };
  if (op.type.code.kind === 'spike') return pooled;
  const gain = (numbersOf(call, 'gain', extent[0]) ?? [1]).map((g) => g / area);
  return potential(call, [{ train: pooled, gain }], train.steps, 'bias');
};

/** Values that stand one after another now; in memory they stay where they are. */
const flatten: Row = ({ op, inputs }) => {
  const [value] = inputs;
  if (value?.kind === 'bits' || value?.kind === 'pooled') return value;
  throw new NotInteger(op.id, 'it flattens potentials');
};

const reshape: Row = (call) => {
  if (call.op.type.shape.length === 1) return flatten(call);
  throw new NotInteger(call.op.id, 'it gives values another shape');
};

/** How networks of stepwise weighted spikes become integers: a row a kind; one without an answer doesn't compile. */
export const layers: Readonly<Record<OpKind, Row>> = {
  input: written,
  encode: written,
  neuron: written,
  maxprefix: written,
  decode: written,
  conv,
  linear,
  conv3d: refuse('it is a convolution over three axes'),
  affine,
  add,
  avgpool: average,
  globalavgpool: average,
  flatten,
  reshape,
  delay: same,
  identity: same,
  dropout: same,
  quantize: refuse('it rounds values without time'),
  digit: refuse('it rounds values without time'),
  digit_neuron: unsupported,
  batchnorm: unsupported,
  transposed_conv: unsupported,
  mul: unsupported,
  matmul: unsupported,
  concat: unsupported,
  relu: unsupported,
  clip: unsupported,
  sigmoid: unsupported,
  function: unsupported,
  table: unsupported,
  channel_conv: unsupported,
  maxpool: unsupported,
  resample: unsupported,
  transpose: unsupported,
  slice: unsupported,
  pad: unsupported,
  recode: unsupported,
  product: unsupported,
  matrix_product: unsupported,
  softmax: unsupported,
  layernorm: unsupported,
  embedding: unsupported,
  group_neuron: unsupported,
  lag: unsupported,
  planes: unsupported,
  gather: unsupported,
  squeeze: unsupported,
};
