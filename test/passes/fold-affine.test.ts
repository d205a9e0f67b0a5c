import { describe, expect, it } from 'vitest';
import type { Network } from '../../src/network/index.js';
import { type passes, runPipeline } from '../../src/passes/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { convertsExactly } from '../frontends/onnx/exact-snn.js';
import { imported, randomFloats, randomInts } from '../frontends/onnx/harness.js';
import { passNamed, surroundings, sws } from '../support/sws.js';

type Make = (b: OnnxBuilder, x: string) => string;

function floats(b: OnnxBuilder, name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  return b.floats(name, dims, randomFloats(name.length + count, count));
}

/** An image, a convolution, Relu, then what `make` does. */
function network(make: Make): Network {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 2, 6, 6]);
  const y = b.node('Relu', [b.node('Conv', ['x', floats(b, 'first', [4, 2, 3, 3])], { pads: [1, 1, 1, 1] })]);
  b.output(make(b, y));
  return imported(b.bytes()).network;
}

/** A batch norm over 4 channels, its factors positive unless `signed`. */
function norm(b: OnnxBuilder, x: string, signed = false): string {
  const gamma = signed ? [1.5, -0.7, 2, 0.3] : [1.5, 0.7, 2, 0.3];
  const parts = [b.floats('gamma', [4], gamma), floats(b, 'beta', [4]), floats(b, 'mean', [4])];
  return b.node('BatchNormalization', [x, ...parts, b.floats('variance', [4], [1, 2, 0.5, 3])]);
}

function folded(from: Network): Network {
  const order = ['canonicalise', 'fold-batchnorm', 'fold-affine'].map((name) =>
    passNamed(name as (typeof passes)[number]['name']),
  );
  const result = runPipeline(from, order, surroundings);
  expect(result.diagnostics).toEqual([]);
  return result.network!;
}

function expectSame(before: Network, after: Network): void {
  const x = Float64Array.from(randomFloats(11, 72, 2));
  const [a, b] = [before, after].map((one) => evaluateAnn(one, x).get(one.outputs[0]!)!) as [
    Float64Array,
    Float64Array,
  ];
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => expect(b[i]).toBeCloseTo(value, 9));
}

const conv: Make = (b, x) => b.node('Conv', [x, floats(b, 'w', [3, 4, 3, 3]), floats(b, 'bias', [3])]);
const padded: Make = (b, x) =>
  b.node('Conv', [x, floats(b, 'w', [3, 4, 3, 3])], { pads: [1, 1, 0, 1], strides: [2, 1], dilations: [1, 2] });
const linear: Make = (b, x) => {
  const flat = b.node('Flatten', [x]);
  return b.node('Gemm', [flat, floats(b, 'w', [3, 36]), floats(b, 'bias', [3])], { transB: 1 });
};
const max = (b: OnnxBuilder, x: string): string => b.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });

describe('an affine behind an activation goes into the layers that read it', () => {
  it.each<[string, Make, readonly string[]]>([
    ['a convolution', (b, x) => conv(b, norm(b, x, true)), ['conv']],
    ['a padded convolution: its constant is a map', (b, x) => padded(b, norm(b, x, true)), ['conv', 'affine']],
    [
      'a grouped convolution',
      (b, x) => b.node('Conv', [norm(b, x, true), floats(b, 'w', [4, 2, 1, 1])], { group: 2, pads: [0, 1, 0, 0] }),
      ['conv', 'affine'],
    ],
    ['through a maximum and a flattening, a linear layer', (b, x) => linear(b, max(b, norm(b, x))), ['maxpool', 'flatten', 'linear']],
    [
      'through averages and a flattening',
      (b, x) => linear(b, b.node('AveragePool', [norm(b, x, true)], { kernel_shape: [2, 2], strides: [2, 2] })),
      ['avgpool', 'flatten', 'linear'],
    ],
    [
      'two of them, one behind the other',
      (b, x) => conv(b, b.node('Mul', [norm(b, x), floats(b, 'factor', [4, 1, 1])])),
      ['conv'],
    ],
    [
      'factors of single values, which a linear layer reads',
      (b, x) => linear(b, b.node('Mul', [max(b, x), floats(b, 'factor', [4, 3, 3])])),
      ['maxpool', 'flatten', 'linear'],
    ],
    [
      'an average that divides by fewer values at the border, into a linear layer',
      (b, x) => linear(b, b.node('AveragePool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })),
      ['avgpool', 'flatten', 'linear'],
    ],
  ])('%s', (_, make, kinds) => {
    const before = network(make);
    const after = folded(before);
    expectSame(before, after);
    expect(after.ops.slice(3).map((op) => op.kind)).toEqual(kinds);
  }); // prettier-ignore

  it('each of several layers that read it, and another reader keeps it', () => {
    const before = network((b, x) => {
      const y = norm(b, x);
      const first = b.node('Conv', [y, floats(b, 'w1', [4, 4, 1, 1])]);
      return b.node('Add', [b.node('Add', [first, b.node('Conv', [y, floats(b, 'w2', [4, 4, 1, 1])])]), y]);
    });
    const after = folded(before);
    expectSame(before, after);
    expect(after.ops.filter((op) => op.kind === 'affine')).toHaveLength(1);
  });

  it.each<[string, Make]>([
    ['a negative factor doesn’t pass a maximum', (b, x) => linear(b, max(b, norm(b, x, true)))],
    [
      'a constant doesn’t pass an average that counts a border',
      (b, x) => {
        const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 };
        return linear(b, b.node('AveragePool', [norm(b, x)], attributes));
      },
    ],
  ])('%s', (_, make) => {
    const before = network(make);
    const after = folded(before);
    expectSame(before, after);
    expect(after.ops.some((op) => op.kind === 'affine')).toBe(true);
  });
});

describe('spiking networks of such affines', () => {
  function weight(b: OnnxBuilder, name: string, dims: readonly number[]): string {
    const count = dims.reduce((a, n) => a * n, 1);
    b.constant(`${name}_q`, { type: 'int8', dims, values: randomInts(count, count, -100, 100) });
    b.scalar(`${name}_s`, 'float', 0.01);
    return b.node('DequantizeLinear', [`${name}_q`, `${name}_s`]);
  }

  it.each<[string, Make]>([
    ['a batch norm in front of a padded convolution', (b, x) => {
      const y = b.node('Conv', [norm(b, x, true), weight(b, 'v', [3, 4, 3, 3])], { pads: [1, 1, 1, 1] });
      return b.node('Gemm', [b.node('Flatten', [b.fakeQuant(y, 0.0817, 128)]), weight(b, 'f', [3, 108])], { transB: 1 });
    }],
    ['averages that divide by fewer values at the border', (b, x) => {
      const y = b.node('AveragePool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
      return b.node('Gemm', [b.node('Flatten', [y]), weight(b, 'f', [3, 36])], { transB: 1 });
    }],
  ])('%s: exact', async (_, make) => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 2, 6, 6]);
    const conv1 = b.node('Conv', [b.fakeQuant('x', 0.0207, 120), weight(b, 'w', [4, 2, 3, 3])], { pads: [1, 1, 1, 1] });
    b.output(make(b, b.fakeQuant(b.node('Relu', [conv1]), 0.0413, 0)));
    await convertsExactly(b.bytes());
  }); // prettier-ignore

  it('where a convolution reads such averages and there are no digits, the pool is refused by its name', () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 2, 6, 6]);
    const y = b.node('AveragePool', [b.fakeQuant('x', 0.0207, 120)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    b.output(b.node('Conv', [y, weight(b, 'w', [4, 2, 3, 3])]));
    const { diagnostics } = runPipeline(imported(b.bytes()).network, sws({ beta: 1.5, steps: 16 }), surroundings);
    expect(diagnostics.map(({ code }) => code)).toEqual(['convert/no-spiking-form']);
    expect(diagnostics[0]!.message).toContain('avgpool');
    expect(diagnostics[0]!.help).toContain('quantise the pool');
  });
});
