import { tensor } from '../../base/dtype.js';
import {
  type Network,
  type Op,
  type Param,
  consumersOf,
  opsById,
  optionalParam,
  paramOf,
  realParam,
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
  const { shape, data } = weight.tensor;
  const channels = shape[0]!;
  if (weight.quant !== undefined && (weight.quant.axis === 0 || weight.quant.scale.length === 1)) {
    const { scale, zero } = weight.quant;
    const scales = Array.from({ length: channels }, (_, c) => scale[scale.length === 1 ? 0 : c]! * factor[c]!);
    return { tensor: weight.tensor, quant: { scale: scales, zero, axis: 0 } };
  }
  const inner = data.length / channels;
  return {
    tensor: tensor(
      'f64',
      shape,
      realValues(weight).map((w, i) => w * factor[Math.floor(i / inner)]!),
    ),
  };
}

/** Folds inference-time batch norm into the synapse before it, or makes an affine of it. */
export const foldBatchnorm = definePass({
  name: 'fold-batchnorm',
  doc: 'Folds batch norm into the convolution or linear layer before it (weights times γ/√(σ²+ε)); elsewhere makes an affine of it.',
  options: {},
  run: (network) => {
    const consumers = consumersOf(network);
    const byId = opsById(network);
    /** synapse id → the batch norm that is folded into it */
    const folded = new Map<string, Op<'batchnorm'>>();
    for (const op of network.ops) {
      if (op.kind !== 'batchnorm') continue;
      const before = byId.get(op.inputs[0]!);
      if (before === undefined || !hasWeightMatrix(before)) continue;
      if (consumers.get(before.id)!.length === 1 && !network.outputs.includes(before.id)) folded.set(before.id, op);
    }
    return rewrite(network, (op, inputs, to) => {
      if (op.kind === 'batchnorm') {
        if (folded.has(op.inputs[0]!)) return inputs[0]!;
        const { factor, shift } = batchnormAffine(network, op);
        const scale = to.param(`${op.id}.scale`, realParam([factor.length], factor));
        const offset = to.param(`${op.id}.shift`, realParam([shift.length], shift));
        return to.copy(op, inputs, { kind: 'affine', attrs: {}, params: { scale, shift: offset } });
      }
      const norm = folded.get(op.id);
      if (norm === undefined) return to.copy(op, inputs);
      const { factor, shift } = batchnormAffine(network, norm);
      const old = optionalParam(network, op, 'bias');
      const oldBias = old === undefined ? new Float64Array(factor.length) : realValues(old);
      const weight = to.param(`${op.id}.weight.folded`, scaleOutputs(paramOf(network, op, 'weight'), factor));
      const bias = to.param(
        `${op.id}.bias.folded`,
        realParam(
          [factor.length],
          oldBias.map((b, c) => b * factor[c]! + shift[c]!),
        ),
      );
      // a layer without a bias of its own says so: its costs are those of the network before folding
      const attrs = old === undefined ? { ...op.attrs, folded_bias: true } : op.attrs;
      return to.copy(op, inputs, { attrs, params: { ...op.params, weight, bias }, origin: norm.origin });
    });
  },
});
