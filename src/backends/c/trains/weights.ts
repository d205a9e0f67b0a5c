import { type Network, type Op, centredCodes, paramOf } from '../../../network/index.js';
import { NotInteger } from '../not-integer.js';
import type { Source } from '../unit.js';
import { codeBits } from '../weights.js';
import type { Extent, Weights, Windows } from './values.js';

/** A weight's whole numbers, and what a 1 of them stands for: of all, or of each output. */
function codesOf(network: Network, op: Op): { readonly data: ArrayLike<number>; readonly scale: readonly number[] } {
  const param = paramOf(network, op, 'weight');
  const { tensor, quant } = param;
  if (network.coding?.name === 'sws') {
    if (quant !== undefined || 'weight_step' in op.params)
      throw new NotInteger(op.id, 'its weights are quantised in steps of their own');
    if (!tensor.data.every(Number.isInteger)) throw new NotInteger(op.id, 'its weights aren’t whole numbers');
    return { data: tensor.data, scale: [1] };
  }
  if (quant === undefined || (quant.axis !== 0 && quant.scale.length > 1))
    throw new NotInteger(op.id, 'its weights aren’t quantised');
  const data = centredCodes(param);
  if (codeBits(data) > 16) throw new NotInteger(op.id, 'its weights have more than 16 bits');
  return { data, scale: quant.scale };
}

/** The weight of a convolution or linear layer as rows of outputs, input by input and tap by tap. */
export function weightsOf(network: Network, op: Op, windows: Windows): Weights {
  const { data, scale } = codesOf(network, op);
  const { from, to, kernel, groups } = windows;
  const [taps, inputs, outputs] = [kernel[0] * kernel[1], from[0] / groups, to[0] / groups];
  const rows = new Float64Array(data.length);
  const sums = new Float64Array(to[0]);
  const rowSums = new Float64Array(to[0] * kernel[0]);
  for (let o = 0; o < to[0]; o++) {
    const group = Math.floor(o / outputs);
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) {
        const w = data[(o * inputs + i) * taps + tap]!;
        // from right to left, as the outputs lie that an input reaches
        const turned = tap - (tap % kernel[1]) + kernel[1] - 1 - (tap % kernel[1]);
        rows[((group * inputs + i) * taps + turned) * outputs + (o % outputs)] = w;
        sums[o]! += Math.abs(w);
        rowSums[o * kernel[0] + Math.floor(tap / kernel[1])]! += Math.abs(w);
      }
    }
  }
  const [most, mostOfRow] = [sums, rowSums].map((values) => values.reduce((a, b) => Math.max(a, b), 0)) as [
    number,
    number,
  ];
  return { name: op.params['weight']!, scale, windows, rows, outputs, bits: codeBits(data), sums, most, mostOfRow };
}

/** The weight of a linear layer behind values that lie with their channels last. */
export function linearWeights(network: Network, op: Op, from: Extent, outputs: number): Weights {
  const [channels, height, width] = from;
  const pixels = height * width;
  const inputs = channels * pixels;
  const windows: Windows = {
    from: [inputs, 1, 1],
    to: [outputs, 1, 1],
    kernel: [1, 1],
    stride: [1, 1],
    pads: [0, 0, 0, 0],
    dilation: [1, 1],
    groups: 1,
  };
  const plain = weightsOf(network, op, windows);
  if (pixels === 1) return plain;
  const rows = new Float64Array(plain.rows.length);
  for (let i = 0; i < inputs; i++) {
    const feature = (i % channels) * pixels + Math.floor(i / channels);
    rows.set(plain.rows.subarray(feature * outputs, (feature + 1) * outputs), i * outputs);
  }
  return { ...plain, rows };
}

/** The rows at their bits, each beginning a byte; of 4 bits and where not `plain`, of 16 outputs the first 8 in the low nibbles. */
export function weightArray(source: Source, { rows, outputs, bits, name }: Weights, plain = false): string {
  const bytes = Math.ceil((outputs * bits) / 8);
  const count = rows.length / outputs;
  const packed = new Uint8Array(count * bytes);
  for (let row = 0; row < count; row++) {
    for (let j = 0; j < outputs; j++) {
      const code = rows[row * outputs + j]!;
      const base = row * bytes * 8;
      const whole = bits === 4 && !plain && j < outputs - (outputs % 16);
      const at = whole ? (j - (j % 16)) * 4 + (j % 8) * 8 + (j % 16 < 8 ? 0 : 4) : j * bits;
      for (let b = 0; b < bits; b++) {
        if (((code >> b) & 1) === 1) packed[(base + at + b) >> 3]! |= 1 << ((base + at + b) & 7);
      }
    }
  }
  return source.numbers('u8', packed, `${name}: ${rows.length} codes of ${bits} bits`).name;
}
