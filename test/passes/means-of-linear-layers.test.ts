import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { multiplyingOps } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { imported, randomFloats } from '../frontends/onnx/harness.js';
import { type HandNeuron, convertToMeans, meansOf, simulateMeans } from '../support/means.js';

type Make = (b: OnnxBuilder, x: string) => string;

function floats(b: OnnxBuilder, name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  return b.floats(name, dims, randomFloats(name.length * 7 + count, count, 0.6));
}

const conv = (b: OnnxBuilder, x: string, name: string, dims: readonly number[], attributes = {}): string =>
  b.node('Conv', [x, floats(b, name, dims), floats(b, `${name}_bias`, [dims[0]!])], attributes);

const integrateAndFire: HandNeuron = {
  start: 0.5,
  top: 1,
  step: (u, x) => {
    const s = u + x >= 1 ? 1 : 0;
    return { s, u: u + x - s };
  },
};

const same = { pads: [1, 1, 1, 1] };
const steps = 12;

describe('layers without an activation between them, in networks of means', () => {
  it.each<[string, Make]>([
    [
      'an inverted residual: a depthwise convolution, a projection, a sum with what it began with, an expansion',
      (b, x) => {
        const stem = conv(b, x, 'stem', [3, 4, 1, 1]);
        const wide = b.node('Relu', [conv(b, stem, 'expand', [6, 3, 1, 1])]);
        const depth = conv(b, wide, 'depth', [6, 1, 3, 3], { ...same, group: 6 });
        const sum = b.node('Add', [stem, conv(b, depth, 'project', [3, 6, 1, 1])]);
        return b.node('Relu', [conv(b, sum, 'next', [4, 3, 1, 1])]);
      },
    ],
    [
      'a projection in groups, with strides',
      (b, x) => b.node('Relu', [conv(b, conv(b, x, 'k', [6, 2, 3, 3], { group: 2 }), 'p', [4, 3, 1, 1], { group: 2, strides: [2, 2] })]),
    ],
    [
      'channels shuffled and halved',
      (b, x) => {
        const five = b.node('Reshape', [x, b.ints('five', [0, 2, 2, 6, 6])]);
        const turned = b.node('Transpose', [five], { perm: [0, 2, 1, 3, 4] });
        const shuffled = b.node('Reshape', [turned, b.ints('four', [0, 4, 6, 6])]);
        const half = b.node('Slice', [shuffled, b.ints('s', [1]), b.ints('e', [3]), b.ints('a', [1])]);
        return b.node('Relu', [conv(b, half, 'h', [4, 2, 3, 3])]);
      },
    ],
    [
      'the maximum of a concatenation',
      (b, x) => {
        const parts = [b.node('Relu', [conv(b, x, 'one', [2, 4, 1, 1])]), b.node('Relu', [conv(b, x, 'three', [3, 4, 3, 3], same)])];
        return b.node('MaxPool', [b.node('Concat', parts, { axis: 1 })], { kernel_shape: [2, 2], strides: [2, 2] });
      },
    ],
  ])('%s: only spikes are weighed, and step by step it is what neurons one by one give', (_, make) => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 2, 6, 6]);
    const y = make(b, b.node('Relu', [conv(b, 'x', 'first', [4, 2, 3, 3], same)]));
    const mean = b.node('Flatten', [b.node('GlobalAveragePool', [y])]);
    const channels = _.startsWith('the maximum') ? 5 : 4;
    b.output(b.node('Gemm', [mean, floats(b, 'head', [3, channels])], { transB: 1 }));
    const { clipped, spiking } = convertToMeans(imported(b.bytes()).network, meansOf('IF', { start: 0.5 }, steps, () => 1.3));
    expect(multiplyingOps(spiking)).toEqual([]);
    const image = randomFloats(5, 72, 1.5);
    const { program } = lower(spiking);
    const found = evaluate(program, { [program.inputs[0]!.id]: tensor('f32', [1, 2, 6, 6], image) })['0']!.data;
    const wanted = simulateMeans(clipped, Float64Array.from(image), steps, integrateAndFire).at(-1)!;
    wanted.forEach((logit, i) => expect(found[i]).toBeCloseTo(logit, 4));
  }); // prettier-ignore
});
