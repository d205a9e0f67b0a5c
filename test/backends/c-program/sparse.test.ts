import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/base/dtype.js';
import { elementCount, tensor } from '../../../src/base/dtype.js';
import { emitC } from '../../../src/backends/c-program/index.js';
import { ProgramBuilder, concreteShape, evaluate } from '../../../src/tensor/index.js';
import { optimisedEngines } from '../../support/native.js';
import { largestDifference, random, randomTensor } from '../../tensor/cases.js';

const shapes = [
  { label: 'a layer of a ResNet', x: [16, 9, 8], w: [16, 16, 3, 3], attrs: { pads: [1, 1, 1, 1] } },
  { label: 'filters that fill no vector', x: [12, 6, 7], w: [21, 12, 3, 3], attrs: { pads: [1, 0, 1, 1] } },
  { label: 'without pads', x: [32, 6, 6], w: [64, 32, 3, 3], attrs: {} },
  { label: 'dilated', x: [16, 9, 9], w: [8, 16, 3, 2], attrs: { pads: [2, 1, 2, 0], dilation: [2, 1] } },
  { label: '5×5', x: [17, 8, 8], w: [20, 17, 5, 5], attrs: { pads: [2, 2, 2, 2] } },
] as const;

/** Spikes at a share of places, by turns in each image, and some values that are no spikes. */
function spikes(shape: readonly number[], shares: readonly number[], seed: number): Tensor {
  const next = random(seed);
  const [image, all] = [elementCount(shape.slice(1)), elementCount(shape)];
  const one = (share: number): number => (next() < share ? (next() < 0.5 ? 1 : next() - 0.5) : 0);
  const data = Float32Array.from({ length: all }, (_, i) => one(shares[Math.floor(i / image) % shares.length]!));
  return tensor('f32', shape, data);
}

describe.each(optimisedEngines)('on $name, images', (engine) => {
  const b = new ProgramBuilder('sparse');
  shapes.forEach(({ x, w, attrs }, i) => {
    const input = b.input(`x${i}`, 'f32', [{ batch: 2 }, ...x]);
    const y = b.conv2d(input, b.input(`w${i}`, 'f32', w), attrs);
    const g = b.input(`g${i}`, 'f32', y.shape);
    const full = { stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...attrs };
    b.output(`y${i}`, y);
    b.output(`gw${i}`, b.conv2dWeightGrad(input, g, { ...full, kernel: w.slice(2) }));
  });
  const program = b.build();

  it('have a way by events for each of these convolutions and its gradient, beside that of dense images', () => {
    const { products } = emitC(program, { lanes: 16, registers: 32 });
    expect(products.match(/= find_events\(image/g)).toHaveLength(shapes.length);
    expect(products.match(/find_channel_events\(image/g)).toHaveLength(shapes.length);
    expect(products.match(/sparse = share\(image/g)).toHaveLength(2 * shapes.length);
  });

  // the first of eight images decides for all: those of other shares go the way of the first
  it.each([[0], [0.02], [0.15], [0.45], [0.9], [0.02, 1], [1, 0.02]])(
    'of which a share of %d are events, and of others %d, are convolved as any others',
    async (...shares) => {
      const opened = await engine.open(program, { threads: 2 });
      const next = random(3);
      const feeds = Object.fromEntries(
        program.inputs.map(({ id, dtype, shape }, i) => {
          const sizes = concreteShape(shape, 5);
          return [id, id.startsWith('x') ? spikes(sizes, shares, i) : randomTensor(dtype, sizes, next)];
        }),
      );
      const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
      await opened.dispose();
      // sums of up to 425 values that aren't zero, in another order
      const tolerance = shares.includes(1) ? 5e-5 : 2e-5;
      for (const name of Object.keys(expected)) {
        expect(largestDifference(found[name]!, expected[name]!), name).toBeLessThan(tolerance);
      }
    },
  );
});
