import { describe, expect, it } from 'vitest';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { ProgramBuilder, evaluate, primKinds, verify } from '../../../src/tensor/index.js';
import { tensor } from '../../../src/base/dtype.js';
import { cases, feedsFor, largestDifference, programOf, random } from '../../tensor/cases.js';

describe('ONNX backend in onnxruntime', () => {
  it('has a case for every primitive', () => {
    const covered = new Set(cases.map((c) => c.kind));
    expect(primKinds.filter((kind) => !covered.has(kind))).toEqual([]);
  });

  for (const c of cases) {
    for (const dtype of c.dtypes) {
      it(`${c.label} in ${dtype} equals the reference evaluator`, async () => {
        const program = programOf(c, dtype);
        expect(verify(program)).toEqual([]);
        const executable = await onnxruntimeEngine.open(program, { threads: 1 });
        for (const [n, seed] of [
          [2, 11],
          [3, 12],
        ] as const) {
          const feeds = feedsFor(program, n, seed);
          const expected = evaluate(program, feeds, { batch: 1 });
          const actual = await executable.step(feeds);
          const tolerance = dtype === 'f64' ? 1e-12 : 1e-5;
          expect(largestDifference(actual['y']!, expected['y']!)).toBeLessThanOrEqual(tolerance);
        }
        await executable.dispose();
      });
    }
  }

  it('is exact for integers in f32: a convolution of spikes stays below 2²⁴ and has one answer', async () => {
    const next = random(31);
    const integers = (shape: readonly number[], limit: number) =>
      tensor(
        'f32',
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.round((next() * 2 - 1) * limit)),
      );
    const b = new ProgramBuilder('spikes');
    const spikes = b.input('spikes', 'f32', [{ batch: 2 }, 64, 8, 8]);
    const product = b.conv2d(spikes, b.param('w', integers([32, 64, 3, 3], 20_000)), { pads: [1, 1, 1, 1] });
    const bias = b.param('bias', integers([32, 1, 1], 100_000));
    b.output('y', b.cast(b.add(product, bias), 'f64'));
    const feeds = { spikes: integers([6, 64, 8, 8], 1) };
    for (const threads of [1, 2]) {
      const executable = await onnxruntimeEngine.open(b.build(), { threads });
      const { y } = await executable.step(feeds);
      expect(largestDifference(y!, evaluate(b.build(), feeds)['y']!)).toBe(0);
      await executable.dispose();
    }
  });

  it('pools behind pads as wide as their windows, which onnxruntime would join to them and refuse', async () => {
    const image = tensor(
      'f32',
      [2, 1, 4, 4],
      Array.from({ length: 32 }, (_, i) => 3 - i),
    );
    for (const kind of ['maxpool', 'avgpool'] as const) {
      for (const [wide, value] of [
        [1, 0],
        [2, 0],
        [3, 0],
        [2, -1],
      ] as const) {
        const b = new ProgramBuilder(kind);
        const padded = b.pad(
          b.input('x', 'f32', [{ batch: 1 }, 1, 4, 4]),
          [0, 0, wide, wide],
          [0, 0, wide, wide],
          value,
        );
        const window = { kernel: [2, 2], stride: [2, 2] } as const;
        b.output('y', kind === 'maxpool' ? b.maxpool(padded, window) : b.avgpool(padded, window));
        const executable = await onnxruntimeEngine.open(b.build(), { threads: 1 });
        const { y } = await executable.step({ x: image });
        expect(largestDifference(y!, evaluate(b.build(), { x: image })['y']!), `${kind} ${wide} ${value}`).toBe(0);
        await executable.dispose();
      }
    }
  });
});
