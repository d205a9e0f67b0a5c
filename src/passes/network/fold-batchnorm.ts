import { elementCount } from '../../base/dtype.js';
import { mappedTensor } from '../../base/lazy-tensor.js';
import {
  type Network,
  type Op,
  type Param,
  channelAxisOf,
  consumersOf,
  hasRole,
  opsById,
  optionalParam,
  paramOf,
  realParam,
  realTensor,
  realValues,
  rewrite,
  hasWeightMatrix,
} from '../../network/index.js';
import { definePass } from '../pass.js';

/** Per channel: y = factor·x + shift, from gamma, beta, mean, variance and epsilon. */
export function batchnormAffine(network: Network, op: Op<'batchnorm'>): { factor: Float64Array; shift: Float64Array } {
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((role) =>
    realValues(paramOf(network, op, role)),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array];
  // threshold-dependent batch norm (tdBN) scales by the threshold of the neurons behind it
  const { epsilon, threshold = 1 } = op.attrs;
  const factor = gamma.map((g, c) => (threshold * g) / Math.sqrt(variance[c]! + epsilon));
  return { factor, shift: beta.map((b, c) => b - mean[c]! * factor[c]!) };
}

/** The weight with output channel c multiplied by factor[c]: quantised codes stay, their scales change. */
function scaleOutputs(weight: Param, factor: Float64Array): Param {
  const { shape } = weight.tensor;
  const channels = shape[0]!;
  if (weight.quant !== undefined && (weight.quant.axis === 0 || weight.quant.scale.length === 1)) {
    const { scale, zero } = weight.quant;
    const scales = Array.from({ length: channels }, (_, c) => scale[scale.length === 1 ? 0 : c]! * factor[c]!);
    return { tensor: weight.tensor, quant: { scale: scales, zero, axis: 0 } };
  }
  const inner = elementCount(shape) / channels;
  return { tensor: mappedTensor(realTensor(weight), (w, i) => w * factor[Math.floor(i / inner)]!) };
}

/** The factor and the shift per channel of a batch norm or an affine; undefined of an affine of single elements. */
function perChannel(network: Network, op: Op): { factor: Float64Array; shift: Float64Array } | undefined {
  if (op.kind === 'batchnorm') return batchnormAffine(network, op);
  if (!hasRole(op, 'scaling') || op.attrs.planes !== undefined) return undefined;
  const channels = op.type.shape[channelAxisOf(op)]!;
  const spread = (param: Param | undefined): Float64Array | undefined => {
    if (param === undefined) return new Float64Array(channels);
    const values = realValues(param);
    if (values.length === 1) return new Float64Array(channels).fill(values[0]!);
    return param.tensor.shape.length === 1 && values.length === channels ? values : undefined;
  };
  const factor = spread(paramOf(network, op, 'scale'));
  const shift = spread(optionalParam(network, op, 'shift'));
  return factor === undefined || shift === undefined ? undefined : { factor, shift };
}

/** Synapses of which a batch norm, or an affine with one number a channel, is the only reader. */
function foldable(network: Network): ReadonlyMap<string, Op> {
  const consumers = consumersOf(network);
  const byId = opsById(network);
  const folded = new Map<string, Op>();
  for (const op of network.ops) {
    const before = byId.get(op.inputs[0] ?? '');
    if (before === undefined || !hasWeightMatrix(before) || perChannel(network, op) === undefined) continue;
    if (channelAxisOf(op) !== channelAxisOf(before)) continue;
    if (consumers.get(before.id)!.length === 1 && !network.outputs.includes(before.id)) folded.set(before.id, op);
  }
  return folded;
}

/** One batch norm or affine behind each synapse goes into it. */
function folding(network: Network, folded: ReadonlyMap<string, Op>): Network {
  const gone = new Set([...folded.values()].map(({ id }) => id));
  return rewrite(network, (op, inputs, to) => {
    if (gone.has(op.id)) return inputs[0]!;
    const norm = folded.get(op.id);
    if (norm === undefined) return to.copy(op, inputs);
    const { factor, shift } = perChannel(network, norm)!;
    const old = optionalParam(network, op, 'bias');
    const oldBias = old === undefined ? new Float64Array(factor.length) : realValues(old);
    const bias = oldBias.map((b, c) => b * factor[c]! + shift[c]!);
    const weight = to.param(`${op.id}.weight.folded`, scaleOutputs(paramOf(network, op, 'weight'), factor));
    // a layer without a bias of its own says so: its costs are those of the network before folding
    const attrs = old === undefined ? { ...op.attrs, folded_bias: true } : op.attrs;
    const params = { ...op.params, weight, bias: to.param(`${op.id}.bias.folded`, realParam([bias.length], bias)) };
    return to.copy(op, inputs, { attrs, params, origin: norm.origin });
  });
}

/** Folds inference-time batch norm into the synapse before it, or makes an affine of it. */
export const foldBatchnorm = definePass({
  name: 'fold-batchnorm',
  doc: 'Folds batch norm, and affines with one number a channel, into the convolution or linear layer before them (weights times γ/√(σ²+ε)); elsewhere makes an affine of batch norm.',
  options: {},
  run: (network) => {
    let from = network;
    // one behind the other
    for (let folded = foldable(from); folded.size > 0; folded = foldable(from)) from = folding(from, folded);
    return rewrite(from, (op, inputs, to) => {
      if (op.kind !== 'batchnorm') return to.copy(op, inputs);
      const { factor, shift } = batchnormAffine(from, op);
      const axis = channelAxisOf(op);
      const scale = to.param(`${op.id}.scale`, realParam([factor.length], factor));
      const offset = to.param(`${op.id}.shift`, realParam([shift.length], shift));
      return to.copy(op, inputs, {
        kind: 'affine',
        attrs: axis === 0 ? {} : { axis },
        params: { scale, shift: offset },
      });
    });
  },
});
