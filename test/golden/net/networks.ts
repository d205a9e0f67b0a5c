import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';

/** Numbers in [-1, 1) that look random and are always the same. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);

function codes(b: OnnxBuilder, name: string, dims: readonly number[], seed: number): string {
  const values = numbers(sizeOf(dims), seed).map((v) => Math.round(v * 127));
  return b.constant(name, { type: 'int8', dims: [...dims], values });
}

/** An int8 weight with its DequantizeLinear. */
function weight(b: OnnxBuilder, name: string, dims: readonly number[], seed: number): string {
  const scale = b.scalar(`${name}.scale`, 'float', 1 / 256);
  return b.node('DequantizeLinear', [codes(b, name, dims, seed), scale, b.scalar(`${name}.zero`, 'int8', 0)]);
}

/** QDQ: a residual join, both poolings, concatenation, grouped and strided convolutions. [2, 8, 8] → 3 classes. */
export function joined(): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 2, 8, 8]);
  const conv = (x: string, name: string, dims: readonly number[], seed: number, more: object = {}): string => {
    const bias = b.floats(`${name}.bias`, [dims[0]!], numbers(dims[0]!, seed + 50));
    return b.node('Conv', [x, weight(b, name, dims, seed), bias], { pads: [1, 1, 1, 1], ...more });
  };
  const image = b.fakeQuant('image', 1 / 255, 0);
  const stem = b.fakeQuant(b.node('Relu', [conv(image, 'stem', [4, 2, 3, 3], 1)]), 0.02, 0);
  const left = b.fakeQuant(conv(stem, 'left', [4, 2, 3, 3], 2, { group: 2 }), 0.03, 128);
  const sum = b.fakeQuant(b.node('Relu', [b.node('Add', [left, stem])]), 0.04, 0);
  const pooled = b.node('MaxPool', [sum], { kernel_shape: [2, 2], strides: [2, 2] });
  const strided = b.fakeQuant(b.node('Relu', [conv(sum, 'strided', [4, 4, 3, 3], 3, { strides: [2, 2] })]), 0.04, 0);
  const both = b.node('Concat', [pooled, strided], { axis: 1 });
  const means = b.fakeQuant(b.node('GlobalAveragePool', [both]), 0.04, 0);
  const flat = b.node('Flatten', [means]);
  b.output(
    b.node('Gemm', [flat, weight(b, 'head', [3, 8], 4), b.floats('head.bias', [3], [0.1, 0, -0.2])], { transB: 1 }),
  );
  return b.bytes();
}

/** Operator form, as quantisers of onnxruntime write it. [1, 6, 6] → 3 classes. */
export function operators(): Uint8Array {
  const ms = { domain: 'com.microsoft' };
  const b = new OnnxBuilder(13, { 'com.microsoft': 1 });
  b.input('image', ['N', 1, 6, 6]);
  const grid = (name: string, scale: number, zero: number): [string, string] => [
    b.scalar(`${name}.scale`, 'float', scale),
    b.scalar(`${name}.zero`, 'uint8', zero),
  ];
  const weights = (name: string, dims: readonly number[], seed: number): [string, string, string] => [
    codes(b, name, dims, seed),
    b.scalar(`${name}.scale`, 'float', 1 / 256),
    b.scalar(`${name}.zero`, 'int8', 0),
  ];
  const [x, one, two, sum] = [grid('x', 1 / 255, 0), grid('one', 0.02, 0), grid('two', 0.03, 0), grid('sum', 0.04, 0)];
  const image = b.node('QuantizeLinear', ['image', ...x]);
  const same = { pads: [1, 1, 1, 1] };
  const first = b.node('QLinearConv', [image, ...x, ...weights('w1', [4, 1, 3, 3], 1), ...one], same);
  const second = b.node('QLinearConv', [first, ...one, ...weights('w2', [4, 4, 3, 3], 2), ...two], same);
  const join = b.node('QLinearAdd', [second, ...two, first, ...one, ...sum], {}, ms);
  const means = b.node('QLinearGlobalAveragePool', [join, ...sum, ...sum], { channels_last: 0 }, ms);
  const flat = b.node('Flatten', [b.node('DequantizeLinear', [means, ...sum])]);
  b.output(b.node('Gemm', [flat, weight(b, 'head', [3, 4], 3)], { transB: 1 }));
  return b.bytes();
}

/** Real numbers: batch norm, a residual join, average pooling. [2, 8, 8] → 3 classes. */
export function real(): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 2, 8, 8]);
  const conv = (x: string, name: string, dims: readonly number[], seed: number): string =>
    b.node('Conv', [x, b.floats(name, dims, numbers(sizeOf(dims), seed))], { pads: [1, 1, 1, 1] });
  const norm = (x: string, name: string, seed: number): string => {
    const of = (role: string, from: number, to: number): string => {
      const values = numbers(4, seed++).map((v) => from + ((to - from) * (v + 1)) / 2);
      return b.floats(`${name}.${role}`, [4], values);
    };
    const params = [of('scale', 0.5, 1.5), of('shift', -0.5, 0.5), of('mean', -1, 1), of('variance', 0.5, 2)];
    return b.node('BatchNormalization', [x, ...params]);
  };
  const relu = (x: string, name: string): string => b.node('Relu', [x], {}, { name });
  const stem = relu(norm(conv('image', 'stem', [4, 2, 3, 3], 1), 'n1', 11), 'first');
  const block = relu(norm(conv(stem, 'block', [4, 4, 3, 3], 2), 'n2', 21), 'second');
  const sum = relu(b.node('Add', [norm(conv(block, 'last', [4, 4, 3, 3], 3), 'n3', 31), stem]), 'third');
  const flat = b.node('Flatten', [b.node('AveragePool', [sum], { kernel_shape: [4, 4], strides: [4, 4] })]);
  b.output(
    b.node('Gemm', [flat, b.floats('head', [3, 16], numbers(48, 4)), b.floats('head.bias', [3], [0.1, 0, -0.2])], {
      transB: 1,
    }),
  );
  return b.bytes();
}
