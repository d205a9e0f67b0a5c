import type * as TensorFlow from '@tensorflow/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadTensorFlow, tfjsEngine } from '../../src/engines/tfjs.js';
import { ProgramBuilder } from '../../src/tensor/index.js';
import { random } from '../tensor/cases.js';

const [images, side, channels] = [4, 8, 32];
const shape: [number, number, number, number] = [images, side, side, channels];
const size = images * side * side * channels;

describe('element-wise operations of the wasm backend that wait', async () => {
  const tf = await loadTensorFlow('wasm');
  const b = new ProgramBuilder('any');
  b.output('y', b.neg(b.input('x', 'f32', [1])));
  await (await tfjsEngine('wasm').open(b.build())).dispose();
  const next = random(7);
  const values = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => {
      const special = [0, -0, NaN, Infinity, -Infinity, 1, -1][i % 97];
      return special ?? Math.fround(4 * next() - 2);
    });
  const [x, y] = [values(size), values(size)];
  const [row, wide] = [values(channels), values(2 * channels)];

  beforeEach(async () => {
    await tf.setBackend('wasm');
  });

  /** What `compute` gives on the wasm backend and on cpu's, and how many arrays it leaves in wasm's memory. */
  const both = async (
    compute: (given: Record<'x' | 'y' | 'row' | 'wide', TensorFlow.Tensor>) => TensorFlow.Tensor[],
  ) => {
    const found: Float32Array[][] = [];
    let left = 0;
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend);
      const before = tf.backend().numDataIds();
      const given = {
        x: tf.tensor(x, shape),
        y: tf.tensor(y, shape),
        row: tf.tensor(row, [1, 1, 1, channels]),
        wide: tf.tensor(wide, [2 * channels]),
      };
      const results = tf.tidy(() => compute(given));
      tf.dispose(given);
      found.push(results.map((one) => one.dataSync() as Float32Array));
      tf.dispose(results);
      if (backend === 'wasm') left = tf.backend().numDataIds() - before;
    }
    return { wasm: found[0]!, cpu: found[1]!, left };
  };

  const same = async (compute: Parameters<typeof both>[0]): Promise<void> => {
    const { wasm, cpu, left } = await both(compute);
    // zeros of either sign are equal
    cpu.forEach((expected, i) => expect(wasm[i]!.map((v) => v + 0)).toEqual(expected.map((v) => v + 0)));
    expect(left).toBe(0);
  };

  it('give what cpu gives, number for number, of every kind and of special numbers', async () => {
    await same(({ x, y }) => [
      tf.add(x, y),
      tf.sub(x, y),
      tf.mul(x, y),
      tf.div(x, y),
      tf.abs(x),
      tf.neg(x),
      tf.sqrt(tf.abs(y)),
      tf.step(x),
      tf.clipByValue(x, -0.5, 0.75),
      tf.clipByValue(x, 0, Infinity),
      tf.clipByValue(x, -Infinity, 1),
    ]);
  });

  it('read rows and numbers along', async () => {
    await same(({ x, row }) => [tf.mul(tf.sub(x, row), 0.5), tf.add(row, tf.mul(2, x)), tf.sub(1, tf.step(x))]);
  });

  it('read rows of another length', async () => {
    await same(({ x, row, wide }) => {
      const shifted = tf.sub(x, row);
      const flat = tf.reshape(shifted, [-1, 2 * channels]);
      return [tf.mul(flat, wide), tf.add(tf.reshape(tf.abs(x), [-1, 2 * channels]), wide)];
    });
  });

  it('keep what they wait for when it is disposed of, and forget what nobody asks for', async () => {
    await same(({ x, y }) => {
      const held = tf.mul(x, 3);
      const sum = tf.add(
        tf.pad(held, [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
        ]),
        y,
      );
      tf.add(held, 1).dispose();
      held.dispose();
      return [sum];
    });
  });

  it('go on for longer than one loop', async () => {
    await same(({ x, y }) => {
      let u = x;
      for (let i = 0; i < 50; i++) u = tf.clipByValue(tf.add(tf.mul(u, 0.5), y), -2, 2);
      return [u, tf.step(u)];
    });
  });

  it('are one tensor under several shapes', async () => {
    await same(({ x, y }) => {
      const sum = tf.add(x, y);
      const flat = tf.reshape(sum, [size]);
      const again = tf.clone(sum);
      sum.dispose();
      return [tf.sum(flat, 0, true), tf.mul(again, again), flat];
    });
  });

  it('leave whole numbers, spreads over other axes and small arrays to the backend', async () => {
    await same(({ x, row }) => {
      const column = tf.reshape(tf.slice(tf.reshape(x, [-1]), [0], [side]), [1, side, 1, 1]);
      return [tf.mul(x, column), tf.sub(row, 1), tf.cast(tf.add(tf.cast(tf.step(x), 'int32'), 1), 'float32')];
    });
  });

  it('move to another backend', async () => {
    const a = tf.tensor(x, shape);
    const doubled = tf.mul(a, 2);
    await tf.setBackend('cpu');
    const negative = tf.neg(doubled).dataSync();
    expect(Array.from(negative.slice(5, 9))).toEqual(x.slice(5, 9).map((v) => Math.fround(-2 * v)));
    tf.dispose([a, doubled]);
  });
});
