import { tensor } from '../../base/dtype.js';
import { fitsBits } from '../../base/packing.js';
import { bestGrid } from '../../base/weight-grid.js';
import {
  type Network,
  type Op,
  type Param,
  paramOf,
  realValues,
  rewrite,
  hasWeightMatrix,
} from '../../network/index.js';
import { optional, perLayer, whole } from '../options/index.js';
import { definePass } from '../pass.js';
import { reportUnmatched } from '../report-unmatched.js';

/** Layers whose weights have bits. */
export function isWeighted(op: Op): boolean {
  return hasWeightMatrix(op);
}

/**
 * Weights of chosen layers as integer codes of fewer bits: per output channel one scale, so that the squared error is
 * least. Codes that fit already stay as they are. Biases stay real.
 */
export const quantiseWeights = definePass({
  name: 'quantise-weights',
  doc: 'Gives the weights of chosen layers fewer bits: codes with one scale per output channel, of least squared error; codes that fit stay.',
  options: {
    bits: optional(perLayer(whole(1, 16)), 'Bits of the weights of a layer, by its id; where none are said they stay.'),
  },
  run: (network, { bits }, context) => {
    if (bits === undefined) return network;
    const layers = network.ops.filter(isWeighted).map(({ id }) => id);
    reportUnmatched(bits, layers, context);
    return withWeightBits(network, bits.of);
  },
});

/** The network with the weights of layers in so many bits; undefined leaves them. */
export function withWeightBits(network: Network, weightBits: (id: string) => number | undefined): Network {
  return rewrite(network, (op, inputs, to) => {
    const bits = isWeighted(op) ? weightBits(op.id) : undefined;
    if (bits === undefined) return to.copy(op, inputs);
    const weight = paramOf(network, op, 'weight');
    const attrs = { ...op.attrs, weight_bits: bits };
    if (hasCodesOf(weight, bits)) return to.copy(op, inputs, { attrs });
    const name = to.param(`${op.id}.weight.codes`, quantisedWeight(weight, bits));
    return to.copy(op, inputs, { attrs, params: { ...op.params, weight: name } });
  });
}

/** Whether a weight is in codes of so many bits as it is. */
export function hasCodesOf({ tensor: { data }, quant }: Param, bits: number): boolean {
  return quant !== undefined && quant.zero.every((zero) => zero === 0) && fitsBits(data, bits);
}

/** [out, …] in codes of B bits, one scale for each of axis 0. */
export function quantisedWeight(weight: Param, bits: number): Param {
  const { shape } = weight.tensor;
  const values = realValues(weight);
  const out = shape[0]!;
  const row = values.length / out;
  const codes = new Int32Array(values.length);
  const scale = Array.from({ length: out }, (_, o) => {
    const grid = bestGrid(values.subarray(o * row, (o + 1) * row), bits);
    codes.set(grid.codes, o * row);
    return grid.scale;
  });
  return {
    tensor: tensor(bits <= 8 ? 'i8' : 'i32', shape, codes),
    quant: { scale, zero: [0], axis: 0 },
  };
}
