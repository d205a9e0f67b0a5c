import { elementCount } from '../../../base/dtype.js';
import { type Network, type Op, type OpKind, optionalParam, realValues } from '../../../network/index.js';
import { integerType } from '../ctypes.js';
import { NotInteger } from '../not-integer.js';
import { type Potential, type Term, type Train, type Value, type Weights, type Windows, extentOf } from './values.js';
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

const isDirect = ({ network }: LayerCall): boolean => network.coding?.name === 'direct';

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

/** What a 1 of a synapse's sums stands for: of all, or of each channel. */
function gainOf(call: LayerCall, train: Train, { scale }: Weights, channels: number): readonly number[] {
  const own = numbersOf(call, 'gain', channels);
  return own ?? scale.map((s) => s * train.unit);
}

function plainSynapse({ op, network }: LayerCall): void {
  if (network.coding?.name === 'sws' && 'planes' in op.attrs) throw new NotInteger(op.id, 'it reads planes');
}

const conv: Row = (call) => {
  const { op, network, inputs } = call;
  if (op.kind !== 'conv') return unsupported(call);
  if (inputs[0]?.kind === 'real' && isDirect(call)) return call.written(op, inputs);
  plainSynapse(call);
  const train = trainOf(op, inputs[0]);
  const to = extentOf(op.type.shape)!;
  const { kernel, stride, pads, dilation, groups } = op.attrs;
  const windows: Windows = { from: train.extent, to, kernel, stride, pads, dilation, groups };
  const weights = weightsOf(network, op, windows);
  return potential(call, [{ train, weights, gain: gainOf(call, train, weights, to[0]) }], train.steps, 'bias');
};

/** Each spike adds its weights where its position is scattered to. */
const transposedConv: Row = (call) => {
  const { op, network, inputs } = call;
  if (op.kind !== 'transposed_conv') return unsupported(call);
  plainSynapse(call);
  const train = trainOf(op, inputs[0]);
  const to = extentOf(op.type.shape)!;
  const { kernel, stride, pads, dilation, groups } = op.attrs;
  const windows: Windows = { from: train.extent, to, kernel, stride, pads, dilation, groups, scattered: true };
  const weights = weightsOf(network, op, windows);
  return potential(call, [{ train, weights, gain: gainOf(call, train, weights, to[0]) }], train.steps, 'bias');
};

const linear: Row = (call) => {
  const { op, network, inputs } = call;
  if (inputs[0]?.kind === 'real' && isDirect(call)) return call.written(op, inputs);
  plainSynapse(call);
  const train = trainOf(op, inputs[0]);
  if (op.type.shape.length > 1) throw new NotInteger(op.id, 'it is a linear layer of tokens');
  const [outputs] = op.type.shape as [number];
  const weights = linearWeights(network, op, train.extent, outputs);
  const gain = gainOf(call, train, weights, outputs);
  return potential(call, [{ train, weights, gain }], train.steps, 'bias');
};

const affine: Row = (call) => {
  const { op, inputs } = call;
  plainSynapse(call);
  const train = trainOf(op, inputs[0]);
  const scale = (numbersOf(call, 'scale', train.extent[0]) ?? [1]).map((s) => s * train.unit);
  if (scale.length > 1 && op.type.shape[0] !== train.extent[0])
    throw new NotInteger(op.id, 'its scale isn’t one a channel');
  const made = potential(call, [{ train, gain: scale }], train.steps, 'shift');
  return { ...made, extent: train.extent };
};

const add: Row = (call) => {
  const { op, inputs } = call;
  if (op.type.code.kind === 'spike') throw new NotInteger(op.id, 'it adds spikes to spikes');
  const parts = inputs.map((value): Potential => {
    if (value.kind === 'potential') return value;
    if (isDirect(call) && value.kind === 'bits')
      return {
        kind: 'potential',
        terms: [{ train: value, gain: [value.unit] }],
        extent: value.extent,
        steps: value.steps,
      };
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
  const most = area * train.top;
  const type = integerType(train.signed ? -most : 0, most);
  const pooled: Train = {
    kind: 'pooled',
    from: train,
    windows: { ...windows, from: train.extent, to: extent, dilation: [1, 1], groups: 1 },
    extent,
    steps: train.steps,
    most,
    type: type === 'u8' ? 'i16' : type,
    // stepwise weighted trains say what a mean is by the gain behind it
    unit: isDirect(call) ? train.unit / area : 1,
  };
  if (op.type.code.kind === 'spike' || isDirect(call)) return pooled;
  const gain = (numbersOf(call, 'gain', extent[0]) ?? [1]).map((g) => g / area);
  return potential(call, [{ train: pooled, gain }], train.steps, 'bias');
};

/** Values that stand one after another now; in memory they stay where they are. */
const flatten: Row = ({ op, inputs }) => {
  const [value] = inputs;
  if (value?.kind === 'bits' || value?.kind === 'pooled') return value;
  // an image's channels stand one after another already
  if (value?.kind === 'real' && value.planar) return { ...value, extent: [elementCount(op.type.shape), 1, 1] };
  throw new NotInteger(op.id, 'it flattens potentials');
};

const reshape: Row = (call) => {
  if (call.op.type.shape.length === 1) return flatten(call);
  throw new NotInteger(call.op.id, 'it gives values another shape');
};

/** Only of networks whose steps count alike. */
const directly =
  (row: Row): Row =>
  (call) =>
    isDirect(call) ? row(call) : unsupported(call);

const notDirectly =
  (row: Row): Row =>
  (call) =>
    isDirect(call) ? unsupported(call) : row(call);

/** How networks of spikes become integers: a row a kind; one without an answer doesn't compile. */
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
  delay: notDirectly(same),
  identity: same,
  dropout: same,
  quantize: refuse('it rounds values without time'),
  digit: refuse('it rounds values without time'),
  digit_neuron: unsupported,
  batchnorm: unsupported,
  transposed_conv: transposedConv,
  mul: unsupported,
  matmul: unsupported,
  concat: written,
  relu: unsupported,
  clip: unsupported,
  sigmoid: unsupported,
  function: unsupported,
  table: unsupported,
  channel_conv: unsupported,
  maxpool: directly(written),
  resample: written,
  transpose: unsupported,
  slice: written,
  pad: unsupported,
  recode: unsupported,
  product: unsupported,
  matrix_product: unsupported,
  softmax: unsupported,
  layernorm: unsupported,
  integer_softmax: unsupported,
  integer_norm: unsupported,
  embedding: unsupported,
  group_neuron: unsupported,
  lag: directly(written),
  mix_steps: unsupported,
  planes: directly(same),
  gather: directly(same),
  squeeze: directly(written),
};
