import { elementCount } from '../../../base/dtype.js';
import {
  type Attrs,
  type Network,
  type Op,
  asImage,
  type Rewriter,
  attrsOf,
  channelAxisOf,
  linksOf,
  opsById,
  optionalParam,
  paramOf,
  realParam,
  realValues,
  rewrite,
  roleOf,
  sameShape,
} from '../../../network/index.js';
import { definePass } from '../../pass.js';
import { frontOf } from '../verify-accumulate-only.js';
import { addedUp } from './added-up.js';
import { isSplit } from './split.js';

/**
 * A 1×1 convolution (or a linear layer) of what other synapses deliver is a synapse itself: U∗(W∗S + b) =
 * (U·W)∗S + U·b. So the 1×1 convolution of an interlaminar connection, which reads membrane currents, becomes one
 * synapse on each of the two trains behind those currents, and only accumulates.
 */
export const composeSynapses = definePass({
  name: 'compose-synapses',
  doc: 'Multiplies a 1×1 convolution of membrane currents into the synapses that deliver them, U∗(W∗S) = (U·W)∗S, so that it reads spikes.',
  options: {},
  run: (network) => {
    if (isSplit(network)) return network;
    const reach = { network, byId: opsById(network), front: frontOf(network) };
    return rewrite(network, (op, inputs, to) => {
      const parts = composition(reach, op);
      return parts === undefined ? to.copy(op, inputs) : build(network, op, parts, to);
    });
  },
});

interface Reach {
  readonly network: Network;
  readonly byId: ReadonlyMap<string, Op>;
  readonly front: ReadonlySet<string>;
}

/** What a synapse weighs along one axis of its input. */
interface Along extends Reach {
  readonly axis: number;
}

/** A matrix [rows, columns]; of a convolution, columns run over input channels and taps. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** A synapse on a train: its weight and its window, none for the train itself through a 1×1 window. */
interface Part {
  readonly input: string;
  readonly weight: Matrix;
  readonly window?: Op;
}

interface Parts {
  readonly parts: readonly Part[];
  readonly bias: Float64Array;
}

/** The synapses on trains that together are `op`; nothing where it reads a train already or can't be composed. */
function composition(reach: Reach, op: Op): Parts | undefined {
  const [input] = op.inputs;
  if (input === undefined || op.type.code.kind !== 'psp' || readsTrain(reach, input) || !isPointwise(reach, op)) {
    return undefined;
  }
  const weight = matrixOf(reach, op);
  const found = partsOf({ ...reach, axis: channelAxisOf(op) }, input, weight);
  if (found === undefined || !found.parts.every(({ window }) => mayWiden(reach, op, window))) return undefined;
  const bias = optionalParam(reach.network, op, 'bias');
  return bias === undefined ? found : { parts: found.parts, bias: plus(found.bias, realValues(bias)) };
}

/** Spikes, or the real input whose first layer belongs to the encoder. */
function readsTrain({ byId, front }: Reach, id: string): boolean {
  return byId.get(id)!.type.code.kind === 'spike' || front.has(id);
}

/** Weights for its outputs, of all its inputs or of groups of them, and no gain. */
function isPlain(op: Op): boolean {
  return roleOf(op) === 'weighted' && op.params['gain'] === undefined;
}

/** One weight a pair of channels, and no border: a matrix. */
function isPointwise({ byId, network }: Reach, op: Op): boolean {
  if (!isPlain(op)) return false;
  const [, , ...kernel] = paramOf(network, op, 'weight').tensor.shape;
  if (kernel.length === 0) return true;
  const { shape } = byId.get(op.inputs[0]!)!.type;
  const isOne = ([0, 1] as const).every((axis) => linksOf(op, shape, axis).length === asImage(op.type.shape)[axis + 1]);
  return isOne && kernel.every((k) => k === 1);
}

/** Whether it leaves none of its inputs out and none empty between them. */
function keepsSize({ byId }: Reach, op: Op): boolean {
  return sameShape(op.type.shape.slice(1), byId.get(op.inputs[0]!)!.type.shape.slice(1));
}

/** Its weights, with zeros for the inputs of other groups. */
function matrixOf({ network }: Reach, op: Op): Matrix {
  const weight = paramOf(network, op, 'weight');
  const values = realValues(weight);
  const rows = weight.tensor.shape[0]!;
  const groups = Number(attrsOf(op)['groups'] ?? 1);
  const width = values.length / rows;
  if (groups === 1) return { rows, columns: width, values };
  const dense = new Float64Array(values.length * groups);
  for (let o = 0; o < rows; o++) {
    const group = Math.floor((o * groups) / rows);
    dense.set(values.subarray(o * width, (o + 1) * width), (o * groups + group) * width);
  }
  return { rows, columns: width * groups, values: dense };
}

/** `outer` times the value `id`, as synapses on trains. */
function partsOf(reach: Along, id: string, outer: Matrix): Parts | undefined {
  const op = reach.byId.get(id)!;
  const none = new Float64Array(outer.rows);
  if (readsTrain(reach, id)) return { parts: [{ input: id, weight: outer }], bias: none };
  switch (roleOf(op)) {
    case 'weighted': {
      if (!isPlain(op) || channelAxisOf(op) !== reach.axis) return undefined;
      const weight = product(outer, matrixOf(reach, op));
      const own = optionalParam(reach.network, op, 'bias');
      const bias = own === undefined ? none : product(outer, column(realValues(own))).values;
      const [input] = op.inputs as [string];
      if (readsTrain(reach, input)) return { parts: [{ input, weight, window: op }], bias };
      // a synapse on currents in its turn: one of stride 1 is a matrix like `outer`
      if (!isPointwise(reach, op) || !keepsSize(reach, op)) return undefined;
      return merged([partsOf(reach, input, weight)], bias);
    }
    case 'scaling': {
      const factors = realValues(paramOf(reach.network, op, 'scale'));
      const scale = spread(factors, outer.columns);
      const shift = optionalParam(reach.network, op, 'shift');
      const moved = shift === undefined ? new Float64Array(outer.columns) : spread(realValues(shift), outer.columns);
      if (scale === undefined || moved === undefined) return undefined;
      const perChannel = factors.length > 1 || (shift !== undefined && shift.tensor.data.length > 1);
      if (perChannel && channelAxisOf(op) !== reach.axis) return undefined;
      const values = outer.values.map((w, i) => w * scale[i % outer.columns]!);
      const bias = product(outer, column(moved)).values;
      return merged([partsOf(reach, op.inputs[0]!, { ...outer, values })], bias);
    }
    case 'sum':
      return merged(
        op.inputs.map((input) => partsOf(reach, input, outer)),
        none,
      );
    case 'concatenation': {
      if (reach.axis !== 0) return undefined;
      let from = 0;
      const found = op.inputs.map((input) => {
        const channels = reach.byId.get(input)!.type.shape[0]!;
        from += channels;
        return partsOf(reach, input, columns(outer, from - channels, channels));
      });
      return merged(found, none);
    }
    default:
      return undefined;
  }
}

function merged(all: readonly (Parts | undefined)[], bias: Float64Array): Parts | undefined {
  const parts: Part[] = [];
  let sum = bias;
  for (const one of all) {
    if (one === undefined) return undefined;
    parts.push(...one.parts);
    sum = plus(sum, one.bias);
  }
  return { parts, bias: sum };
}

/** One synapse a part, added up under the id of the op they stand for. */
function build(network: Network, op: Op, { parts, bias }: Parts, to: Rewriter): string {
  const made = parts.map(({ input, weight, window }, n) => {
    const id = parts.length === 1 ? op.id : `${op.id}.part${n + 1}`;
    const taps = paramOf(network, window ?? op, 'weight').tensor.shape.slice(2);
    const channels = weight.columns / elementCount(taps);
    const shape = [weight.rows, channels, ...taps];
    const params: Record<string, string> = {
      weight: to.param(`${id}.weight.composed`, realParam(shape, weight.values)),
    };
    if (n === 0 && bias.some((b) => b !== 0)) {
      params['bias'] = to.param(`${op.id}.bias.composed`, realParam([bias.length], bias));
    }
    const attrs = windowOf(op, window);
    return to.builder.add({
      id,
      kind: (window ?? op).kind,
      inputs: [to.renamed(input)],
      attrs,
      params,
      place: op.place,
    });
  });
  return addedUp(op, made, to);
}

/** Whether a synapse of the window of `inner` can take every so many of the outputs that `outer` does. */
function mayWiden(reach: Reach, outer: Op, inner: Op | undefined): boolean {
  return inner === undefined || inner.kind === outer.kind || keepsSize(reach, outer);
}

interface Strided {
  readonly stride?: readonly number[];
}

/** The window of the inner synapse, taken at the outer one's strides. */
function windowOf(outer: Op, inner: Op | undefined): Attrs {
  const own = attrsOf(inner ?? outer);
  const names = ['kernel', 'stride', 'pads', 'dilation', 'groups'].filter((name) => name in own);
  const window = Object.fromEntries(names.map((name) => [name, own[name]!]));
  const { stride } = (inner?.attrs ?? {}) as Strided;
  const { stride: outerStride = [1, 1] } = outer.attrs as Strided;
  // the composed weights are of all inputs
  if ('groups' in window) window['groups'] = 1;
  return stride === undefined ? window : { ...window, stride: stride.map((s, i) => s * outerStride[i]!) };
}

function product(a: Matrix, b: Matrix): Matrix {
  const values = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.values[i * a.columns + k]!;
      if (factor === 0) continue;
      const [to, from] = [i * b.columns, k * b.columns];
      for (let j = 0; j < b.columns; j++) values[to + j]! += factor * b.values[from + j]!;
    }
  }
  return { rows: a.rows, columns: b.columns, values };
}

function column(values: Float64Array): Matrix {
  return { rows: values.length, columns: 1, values };
}

function columns({ rows, columns: width, values }: Matrix, from: number, count: number): Matrix {
  const part = Float64Array.from(
    { length: rows * count },
    (_, i) => values[Math.floor(i / count) * width + from + (i % count)]!,
  );
  return { rows, columns: count, values: part };
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((v, i) => v + b[i]!);
}

/** One value a channel; nothing where there is one for every neuron. */
function spread(values: Float64Array, channels: number): Float64Array | undefined {
  if (values.length === channels) return values;
  return values.length === 1 ? new Float64Array(channels).fill(values[0]!) : undefined;
}
