import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/base/dtype.js';
import { tensor } from '../../../src/base/dtype.js';
import { ProgramBuilder, concreteShape, evaluate } from '../../../src/tensor/index.js';
import { nativeEngines } from '../../support/native.js';
import { largestDifference, random, randomTensor } from '../../tensor/cases.js';

const shapes = [
  { label: 'a layer of a ResNet', x: [16, 9, 8], w: [16, 16, 3, 3], attrs: { pads: [1, 1, 1, 1] } },
  { label: 'filters that fill no vector', x: [12, 6, 7], w: [21, 12, 3, 3], attrs: { pads: [1, 0, 1, 1] } },
  { label: 'without pads', x: [32, 6, 6], w: [64, 32, 3, 3], attrs: {} },
  { label: 'dilated', x: [16, 9, 9], w: [8, 16, 3, 2], attrs: { pads: [2, 1, 2, 0], dilation: [2, 1] } },
  { label: '5×5', x: [17, 8, 8], w: [20, 17, 5, 5], attrs: { pads: [2, 2, 2, 2] } },
] as const;

/** Spikes at a share of places, and some values that are no spikes. */
function spikes(shape: readonly number[], share: number, seed: number): Tensor {
  const next = random(seed);
  const one = (): number => (next() < share ? (next() < 0.5 ? 1 : next() - 0.5) : 0);
  return tensor('f32', shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, one));
}

describe.each(nativeEngines)('on $name, images', (engine) => {
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

  // the share is looked at in every eighth image: a batch of both kinds takes both ways
  it.each([0, 0.02, 0.15, 0.45, 0.9])(
    'of which a share of %d are events are convolved as any others',
    async (share) => {
      const opened = await engine.open(program, { threads: 2 });
      const next = random(3);
      const feeds = Object.fromEntries(
        program.inputs.map(({ id, dtype, shape }, i) => {
          const sizes = concreteShape(shape, 5);
          return [id, id.startsWith('x') ? spikes(sizes, share, i) : randomTensor(dtype, sizes, next)];
        }),
      );
      const [found, expected] = [await opened.step(feeds), evaluate(program, feeds)];
      await opened.dispose();
      for (const name of Object.keys(expected)) {
        expect(largestDifference(found[name]!, expected[name]!), name).toBeLessThan(2e-5);
      }
    },
  );
});
