import { OnnxBuilder } from '../../src/testing/onnx-builder.js';

/** Numbers in [-1, 1) that look random and are always the same. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A quantised network [1, 6, 6] → 3 classes in QDQ form: conv, ReLU, fully connected; its logits are codes where asked for. */
export function tinyQuantised({
  logits = 'real',
  size = 6,
}: { logits?: 'real' | 'codes'; size?: number } = {}): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 1, size, size]);
  const quantised = (value: string, scale: number, zero: number): string => {
    const scaleName = b.floats(`${value}.scale`, [], [scale]);
    const zeroName = b.constant(`${value}.zero`, { type: 'uint8', dims: [], values: [zero] });
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, scaleName, zeroName]), scaleName, zeroName]);
  };
  const weight = (name: string, dims: readonly number[], seed: number): string => {
    const count = dims.reduce((product, n) => product * n, 1);
    const values = numbers(count, seed).map((v) => Math.round(v * 127));
    const codes = b.constant(name, { type: 'int8', dims: [...dims], values });
    const zero = b.constant(`${name}.zero`, { type: 'int8', dims: [], values: [0] });
    return b.node('DequantizeLinear', [codes, b.floats(`${name}.scale`, [], [1 / 127]), zero]);
  };
  const image = quantised('image', 1 / 255, 0);
  const conv = b.node('Conv', [image, weight('w1', [4, 1, 3, 3], 1), b.floats('b1', [4], numbers(4, 2))], {
    pads: [1, 1, 1, 1],
  });
  const hidden = quantised(b.node('Relu', [conv]), 4 / 255, 0);
  const flat = b.node('Flatten', [hidden]);
  const gemm = b.node('Gemm', [flat, weight('w2', [3, 4 * size ** 2], 3), b.floats('b2', [3], numbers(3, 4))], {
    transB: 1,
  });
  b.output(logits === 'codes' ? quantised(gemm, 1 / 8, 128) : gemm);
  return Uint8Array.from(b.bytes());
}

/** An IDX pair of `count` images, 6×6 unless another edge is given, with labels 0…2. */
export function tinyImages(count: number, edge = 6): { images: Uint8Array; labels: Uint8Array } {
  const pixels = numbers(count * edge ** 2, 7).map((v) => Math.floor((v + 1) * 127.99));
  const size = [count >>> 24, (count >>> 16) & 255, (count >>> 8) & 255, count & 255];
  return {
    images: Uint8Array.from([0, 0, 8, 3, ...size, 0, 0, 0, edge, 0, 0, 0, edge, ...pixels]),
    labels: Uint8Array.from([0, 0, 8, 1, ...size, ...Array.from({ length: count }, (_, i) => i % 3)]),
  };
}

/** The float network [1, 6, 6] → 3 classes: conv, ReLU, fully connected. `shift` is added before the ReLU. */
export function tinyFloat(shift = 0): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 1, 6, 6]);
  const bias = numbers(4, 2).map((v) => v + shift);
  const conv = b.node('Conv', ['image', b.floats('w1', [4, 1, 3, 3], numbers(36, 1)), b.floats('b1', [4], bias)], {
    pads: [1, 1, 1, 1],
  });
  const flat = b.node('Flatten', [b.node('Relu', [conv])]);
  const weight = b.floats('w2', [3, 144], numbers(432, 3));
  b.output(b.node('Gemm', [flat, weight, b.floats('b2', [3], numbers(3, 4))], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

/** A quantised chain [8] → 8 → … → 8, fully connected layers with ReLUs whose sums are much larger than what is left of them. */
export function deepQuantised(layers: number): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 8]);
  const quantised = (value: string, scale: number): string => {
    const scaleName = b.floats(`${value}.scale`, [], [scale]);
    const zeroName = b.constant(`${value}.zero`, { type: 'uint8', dims: [], values: [0] });
    return b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, scaleName, zeroName]), scaleName, zeroName]);
  };
  let value = quantised('x', 1 / 255);
  for (let i = 0; i < layers; i++) {
    const values = numbers(64, 11 + i).map((v) => Math.round(v * 127));
    const codes = b.constant(`w${i}`, { type: 'int8', dims: [8, 8], values });
    const zero = b.constant(`w${i}.zero`, { type: 'int8', dims: [], values: [0] });
    const weight = b.node('DequantizeLinear', [codes, b.floats(`w${i}.scale`, [], [4 / 127]), zero]);
    const gemm = b.node('Gemm', [value, weight], { transB: 1 });
    value = i === layers - 1 ? gemm : quantised(b.node('Relu', [gemm]), 1 / 255);
  }
  b.output(value);
  return Uint8Array.from(b.bytes());
}
