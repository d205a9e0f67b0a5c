import type * as TensorFlow from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/base/dtype.js';
import { loadTensorFlow, tfjsEngine } from '../../src/engines/tfjs.js';
import { type Program, ProgramBuilder, evaluate } from '../../src/tensor/index.js';
import { largestDifference, random, randomTensor } from '../tensor/cases.js';

interface Form {
  readonly channels: number;
  readonly filters: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads?: readonly number[];
  readonly dilation?: number;
  readonly groups?: number;
}

/** A convolution and both its gradients. */
function convolutions(form: Form): Program {
  const { channels, filters, kernel, stride = [1, 1], pads = [0, 0, 0, 0], dilation = 1, groups = 1 } = form;
  const attrs = { stride, pads, dilation: [dilation, dilation], groups };
  const b = new ProgramBuilder('convolutions');
  const x = b.input('x', 'f32', [{ batch: 1 }, channels, ...form.size]);
  const w = b.input('w', 'f32', [filters, channels / groups, ...kernel]);
  const y = b.conv2d(x, w, attrs);
  const g = b.mul(y, 0.25);
  b.output('y', y);
  b.output('gx', b.conv2dInputGrad(w, g, { ...attrs, input: form.size }));
  b.output('gw', b.conv2dWeightGrad(x, g, { ...attrs, kernel }));
  return b.build();
}

const forms: Readonly<Record<string, Form>> = {
  'a multiple of eight filters': { channels: 4, filters: 16, size: [9, 9], kernel: [3, 3], pads: [1, 1, 1, 1] },
  'one channel, twelve filters': { channels: 1, filters: 12, size: [8, 7], kernel: [3, 3], pads: [1, 1, 1, 1] },
  'filters that are no multiple of four': { channels: 3, filters: 7, size: [6, 5], kernel: [2, 3] },
  'windows as large as the image': { channels: 2, filters: 3, size: [5, 5], kernel: [5, 5] },
  'strides that leave rows over': { channels: 3, filters: 8, size: [8, 9], kernel: [2, 3], stride: [2, 3] },
  'pads that differ': { channels: 2, filters: 9, size: [7, 6], kernel: [3, 3], stride: [2, 2], pads: [1, 0, 2, 1] },
  pointwise: { channels: 5, filters: 13, size: [4, 4], kernel: [1, 1] },
  'dilated, which is not for these kernels': { channels: 2, filters: 4, size: [7, 7], kernel: [3, 3], dilation: 2 },
  'in groups': { channels: 4, filters: 6, size: [6, 6], kernel: [3, 3], groups: 2 },
};

describe('kernels of our own on the wasm backend', async () => {
  const tf = await loadTensorFlow('wasm');
  const next = random(3);

  const compared = async (program: Program, feeds: Record<string, Tensor>): Promise<void> => {
    const opened = await tfjsEngine('wasm').open(program);
    const expected = evaluate(program, feeds);
    // the second call finds the loops made
    for (let i = 0; i < 2; i++) {
      const found = await opened.step(feeds);
      for (const [name, value] of Object.entries(expected)) {
        expect(largestDifference(found[name]!, value)).toBeLessThan(2e-5);
      }
    }
    await opened.dispose();
  };

  beforeAll(async () => {
    await (await tfjsEngine('wasm').open(convolutions(forms['pointwise']!))).dispose();
  });

  it('are there, with the gradient of a filter, which the backend has none of', () => {
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).toBeDefined();
  });

  it.each(Object.entries(forms))('%s: convolution and gradients equal the reference evaluator', async (_, form) => {
    const { channels, filters, size, kernel, groups = 1 } = form;
    await compared(convolutions(form), {
      x: randomTensor('f32', [3, channels, ...size], next),
      w: randomTensor('f32', [filters, channels / groups, ...kernel], next),
    });
  });

  it.each([
    [1, 1, 1],
    [5, 3, 8],
    [7, 40, 13],
    [64, 9, 10],
  ])('a product of [%i, %i] and [·, %i] equals the reference evaluator', async (rows, run, outputs) => {
    const b = new ProgramBuilder('product');
    b.output('y', b.matmul(b.input('a', 'f32', [rows, run]), b.input('b', 'f32', [run, outputs])));
    await compared(b.build(), {
      a: randomTensor('f32', [rows, run], next),
      b: randomTensor('f32', [run, outputs], next),
    });
  });

  it.each([
    [[2, 3, 4], [2, 1, 4], 1],
    [[3, 8], [3, 36], -1],
    [[3, 8], [3, 5], 1],
    [[1, 2, 4], [5, 2, 4], 0],
    [[2, 0, 4], [2, 3, 4], 1],
  ])('%j and %j side by side along axis %i lie as they do on cpu', async (first, second, axis) => {
    const found: unknown[] = [];
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend);
      const [a, b] = [first, second].map((shape, i) => {
        const count = shape.reduce((x, y) => x * y, 1);
        return tf.tensor(
          Array.from({ length: count }, (_, k) => 100 * i + k),
          shape,
          'float32',
        );
      });
      found.push(tf.concat([a!, b!, a!], axis).arraySync());
    }
    await tf.setBackend('wasm');
    expect(found[0]).toEqual(found[1]);
  });

  it('of an image without numbers are not asked', () => {
    const y = tf.conv2d(
      tf.zeros<TensorFlow.Rank.R4>([0, 4, 4, 2]),
      tf.zeros<TensorFlow.Rank.R4>([3, 3, 2, 8]),
      1,
      'valid',
    );
    expect(y.shape).toEqual([0, 2, 2, 8]);
    y.dispose();
  });
});
