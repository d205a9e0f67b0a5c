import { elementCount } from '../../base/dtype.js';
import { type Network, centredCodes } from '../../network/index.js';
import type { Source } from './unit.js';

/** A weight as whole codes of few bits, and what they are multiplied by for each output. */
export interface PackedWeight {
  readonly codes: ArrayLike<number>;
  readonly bits: number;
  /** One, or one an output. */
  readonly scale: readonly number[];
  /** Of the weight: outputs first. */
  readonly shape: readonly number[];
}

/** Bits of two's complement that hold all the codes. */
export function codeBits(codes: ArrayLike<number>): number {
  let [lo, hi] = [0, 0];
  for (let i = 0; i < codes.length; i++) {
    lo = Math.min(lo, codes[i]!);
    hi = Math.max(hi, codes[i]!);
  }
  let bits = 1;
  while (-(2 ** (bits - 1)) > lo || 2 ** (bits - 1) - 1 < hi) bits++;
  return bits;
}

/** Codes one after another at their bits, the lowest bits first; each group of so many begins a byte. */
export function packed(codes: ArrayLike<number>, bits: number, group = codes.length): Uint8Array {
  const row = Math.ceil((group * bits) / 8);
  const bytes = new Uint8Array(Math.ceil(codes.length / group) * row);
  for (let i = 0; i < codes.length; i++) {
    const start = Math.floor(i / group) * row * 8 + (i % group) * bits;
    for (let b = 0; b < bits; b++) {
      if (((codes[i]! >> b) & 1) === 1) bytes[(start + b) >> 3]! |= 1 << ((start + b) & 7);
    }
  }
  return bytes;
}

/** The quantised weights of a network by the names that they have in its program. */
export function packedWeights(network: Network): Map<string, PackedWeight> {
  const found = new Map<string, PackedWeight>();
  for (const [name, param] of network.params) {
    const { quant, tensor } = param;
    if (quant === undefined || (quant.axis !== 0 && quant.scale.length > 1)) continue;
    if (tensor.shape.length < 2 || elementCount(tensor.shape) === 0) continue;
    const codes = centredCodes(param);
    const bits = codeBits(codes);
    if (bits > 16) continue;
    found.set(`${name}.real:f32`, { codes, bits, scale: quant.scale, shape: tensor.shape });
  }
  return found;
}

export function packedArray(source: Source, { codes, bits }: PackedWeight, label: string): string {
  return source.numbers('u8', packed(codes, bits), `${label}: ${codes.length} codes of ${bits} bits`).name;
}
