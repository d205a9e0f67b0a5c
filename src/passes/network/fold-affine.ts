import { elementCount } from '../../base/dtype.js';
import {
  type Network,
  type Op,
  channelAxisOf,
  consumersOf,
  hasRole,
  hasWeightMatrix,
  isFlattening,
  opsById,
  optionalParam,
  paramOf,
  realParam,
  realValues,
  rewrite,
  roleOf,
  traitsOf,
} from '../../network/index.js';
import { definePass } from '../pass.js';
import { borderSums } from './border.js';
import { isRearranged } from './front.js';
import { inputChannels, timesInputs } from './scale-inputs.js';

type Weighted = Op<'conv' | 'linear'>;

/** What a weighted layer takes over from an affine before it: its inputs are scale·x + shift. */
interface Folding {
  /** What reads the affine: the layer, or the first op between them. */
  readonly reader: string;
  /** What it reads instead. */
  readonly source: string;
  /** One number each per input channel of the layer. */
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

interface Graph {
  readonly network: Network;
  readonly byId: ReadonlyMap<string, Op>;
  readonly consumers: ReadonlyMap<string, readonly Op[]>;
}

function graphOf(network: Network): Graph {
  return { network, byId: opsById(network), consumers: consumersOf(network) };
}

/** Maxima, averages and flattenings that a layer alone reads, nearest it first, and what is before them. */
function chainBefore(layer: Op, { network, byId, consumers }: Graph): { chain: readonly Op[]; before: Op } {
  const chain: Op[] = [];
  for (let op = byId.get(layer.inputs[0]!)!; ; op = byId.get(op.inputs[0]!)!) {
    const role = roleOf(op);
    const alone = consumers.get(op.id)!.length === 1 && !network.outputs.includes(op.id);
    if (!alone || !(isFlattening(op) || role === 'maximum' || role === 'average')) return { chain, before: op };
    chain.push(op);
  }
}

/** Whether an op averages zeros of a border in, or divides by fewer there; undefined where it has no border. */
function countsBorder(op: Op): boolean | undefined {
  if (traitsOf(op).padding !== 'averaged' || !isPadded(op)) return undefined;
  return 'include_pad' in op.attrs && op.attrs.include_pad === true;
}

function isPadded({ attrs }: Op): boolean {
  return 'pads' in attrs && (attrs.pads as readonly number[]).some((n) => n !== 0);
}

function isFront(op: Op, byId: ReadonlyMap<string, Op>): boolean {
  let from = op;
  while (isRearranged(from)) from = byId.get(from.inputs[0]!)!;
  return roleOf(from) === 'input';
}

function foldingOf(layer: Weighted, graph: Graph): Folding | undefined {
  const { network, byId } = graph;
  const { chain, before } = chainBefore(layer, graph);
  if (!hasRole(before, 'scaling') || before.attrs.planes !== undefined || isFront(before, byId)) return undefined;
  // tokens have no one order of channels
  if (channelAxisOf(before) !== 0 || channelAxisOf(layer) !== 0) return undefined;
  // of a layer with weights before it, it is that layer's
  if (hasWeightMatrix(byId.get(before.inputs[0]!)!)) return undefined;
  const inputs = layer.kind === 'linear' ? byId.get(layer.inputs[0]!)!.type.shape[0]! : channelsOf(layer, network);
  const [channels] = before.type.shape as [number];
  const whole = elementCount(before.type.shape);
  const spread = (role: 'scale' | 'shift', missing: number): Float64Array | undefined => {
    const param = optionalParam(network, before, role);
    const values = param === undefined ? Float64Array.of(missing) : realValues(param);
    if (values.length === 1) return new Float64Array(inputs).fill(values[0]!);
    if (values.length === channels && param!.tensor.shape.length === 1)
      return Float64Array.from({ length: inputs }, (_, i) => values[Math.floor((i * channels) / inputs)]!);
    // one number a value: only where all of them are inputs of the layer, in their order
    const flat = chain.every((op) => roleOf(op) === 'reshape');
    return flat && inputs === whole && values.length === whole ? values : undefined;
  };
  const [scale, shift] = [spread('scale', 1), spread('shift', 0)];
  if (scale === undefined || shift === undefined) return undefined;
  if (chain.some((op) => roleOf(op) === 'maximum') && scale.some((s) => !(s > 0))) return undefined;
  // a constant isn't its own average where zeros of a border are averaged in
  if (chain.some((op) => countsBorder(op) === true) && shift.some((s) => s !== 0)) return undefined;
  return { reader: chain.at(-1)?.id ?? layer.id, source: before.inputs[0]!, scale, shift };
}

function channelsOf(layer: Weighted, network: Network): number {
  const [, within] = paramOf(network, layer, 'weight').tensor.shape as [number, number];
  return within * (layer.kind === 'conv' ? layer.attrs.groups : 1);
}

/** What a constant `shift` of each input channel adds to each output: one number, or a map where a border has none of it. */
function shifted(layer: Weighted, network: Network, shift: Float64Array): { shape: number[]; values: Float64Array } {
  const weight = paramOf(network, layer, 'weight');
  const [out, within, ...kernel] = weight.tensor.shape as [number, number, ...number[]];
  const taps = elementCount(kernel);
  const channel = inputChannels(weight.tensor.shape, shift.length);
  const perTap = new Float64Array(out * taps);
  for (const [at, w] of realValues(weight).entries()) {
    const [o, i] = [Math.floor(at / (within * taps)), Math.floor(at / taps) % within];
    perTap[o * taps + (at % taps)]! += w * shift[channel(o, i)]!;
  }
  if (isPadded(layer)) {
    const from = opsById(network).get(layer.inputs[0]!)!.type.shape;
    const values = borderSums(layer, perTap, out, kernel as [number, number], from);
    return { shape: [...layer.type.shape], values };
  }
  const values = Float64Array.from({ length: out }, (_, o) => {
    return perTap.subarray(o * taps, (o + 1) * taps).reduce((sum, w) => sum + w, 0);
  });
  return { shape: [out], values };
}

function foldAll(network: Network, foldings: ReadonlyMap<string, Folding>): Network {
  const sources = new Map([...foldings.values()].map(({ reader, source }) => [reader, source] as const));
  return rewrite(network, (op, given, to) => {
    const source = sources.get(op.id);
    const inputs = source === undefined ? given : [to.renamed(source)];
    const folding = foldings.get(op.id);
    if (folding === undefined) return to.copy(op, inputs);
    const layer = op as Weighted;
    const weight = to.param(`${op.id}.weight.folded`, timesInputs(paramOf(network, op, 'weight'), folding.scale));
    const params = { ...op.params, weight };
    if (folding.shift.every((s) => s === 0)) return to.copy(op, inputs, { params });
    const { shape, values } = shifted(layer, network, folding.shift);
    if (shape.length === 1) {
      const own = optionalParam(network, op, 'bias');
      const bias = own === undefined ? values : realValues(own).map((b, o) => b + values[o]!);
      return to.copy(op, inputs, {
        params: { ...params, bias: to.param(`${op.id}.bias.folded`, realParam(shape, bias)) },
      });
    }
    const inner = to.copy(op, inputs, { id: `${op.id}.weights`, params, origin: undefined });
    const scale = to.param(`${op.id}.border.scale`, realParam([1], [1]));
    const shift = to.param(`${op.id}.border.shift`, realParam(shape, values));
    return to.builder.add({
      id: op.id,
      kind: 'affine',
      inputs: [inner],
      params: { scale, shift },
      place: op.place,
      origin: op.origin,
    });
  });
}

/** Averages that divide by fewer values at the border, all of whose results a linear layer reads: by the one layer behind them. */
function unevenAverages(graph: Graph): ReadonlySet<string> {
  const uneven = graph.network.ops.flatMap((op) => {
    if (op.kind !== 'linear') return [];
    const { chain } = chainBefore(op, graph);
    const last = chain.find((link) => roleOf(link) !== 'reshape');
    return last !== undefined && countsBorder(last) === false ? [last.id] : [];
  });
  return new Set(uneven);
}

/** Each of them as an average that counts the border's zeros, times window/counted at each position. */
function evened(network: Network, uneven: ReadonlySet<string>): Network {
  const byId = opsById(network);
  return rewrite(network, (op, inputs, to) => {
    if (!uneven.has(op.id) || op.kind !== 'avgpool') return to.copy(op, inputs);
    const [channels] = op.type.shape as [number];
    const { kernel } = op.attrs;
    const size = kernel[0] * kernel[1];
    const ones = new Float64Array(channels * size).fill(1);
    const counted = borderSums(op, ones, channels, kernel, byId.get(op.inputs[0]!)!.type.shape);
    const attrs = { ...op.attrs, include_pad: true };
    const average = to.copy(op, inputs, { id: `${op.id}.counted`, attrs, origin: undefined });
    const factors = realParam(
      op.type.shape,
      counted.map((count) => size / count),
    );
    const params = { scale: to.param(`${op.id}.scale`, factors) };
    return to.builder.add({ id: op.id, kind: 'affine', inputs: [average], params, place: op.place, origin: op.origin });
  });
}

/**
 * w∗(a⊙x + c) = (w⊙a)∗x + w∗c: an affine that stands behind an activation (a batch norm, a DequantizeLinear of another scale, scales per
 * channel) goes into the layers that read it, through maxima (where a > 0), averages and flattenings. Where a convolution pads with
 * zeros, the border has no c: its constant is a map. An average that divides by fewer values at the border is such an affine.
 */
export const foldAffine = definePass({
  name: 'fold-affine',
  doc: 'Folds affines behind activations into the convolutions and linear layers that read them, through max pooling (positive factors), averages and flattenings; with padding the constant becomes a map. So do averages that divide by fewer values at the border.',
  options: {},
  run: (network) => {
    const uneven = unevenAverages(graphOf(network));
    let from = uneven.size === 0 ? network : evened(network, uneven);
    for (;;) {
      const graph = graphOf(from);
      const foldings = new Map<string, Folding>();
      for (const op of from.ops) {
        if (op.kind !== 'conv' && op.kind !== 'linear') continue;
        const folding = foldingOf(op, graph);
        if (folding !== undefined) foldings.set(op.id, folding);
      }
      if (foldings.size === 0) return from;
      from = foldAll(from, foldings);
    }
  },
});
