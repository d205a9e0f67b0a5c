import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { collectSamples, cutBatch, isSeparable, takeSamples } from '../../../src/engines/fused/samples.js';
import { type Dim, ProgramBuilder, type Value, concreteShape } from '../../../src/tensor/index.js';

const N: Dim = { batch: 1 };

it('puts cut batches together again, wherever the batch axis is', () => {
  const shapes: readonly (readonly Dim[])[] = [[N], [{ batch: 3 }, 2], [4, { batch: 2 }, 3], [2, N]];
  fc.assert(
    fc.property(
      fc.constantFrom(...shapes),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      (shape, n, largest) => {
        const concrete = concreteShape(shape, n);
        const count = concrete.reduce((a, b) => a * b, 1);
        const value = tensor(
          'i32',
          concrete,
          Array.from({ length: count }, (_, i) => i),
        );
        const collected = collectSamples({ dtype: 'i32', shape }, n);
        const parts = cutBatch(n, largest);
        for (const { first, count: size } of parts)
          collected.put(takeSamples(value, shape, n, first, size), first, size);
        expect(collected.tensor).toEqual(value);
        expect(parts.every((part) => part.count >= 1 && part.count <= largest)).toBe(true);
      },
    ),
  );
});

it('cuts only programs whose samples don’t meet', () => {
  const separable = (make: (b: ProgramBuilder, x: Value) => Value): boolean => {
    const b = new ProgramBuilder('p');
    b.output('y', make(b, b.input('x', 'f32', [{ batch: 2 }, 6])));
    return isSeparable(b.build());
  };
  expect(separable((b, x) => b.sum(x, [1], true))).toBe(true);
  expect(separable((b, x) => b.reshape(x, [{ batch: 2 }, 2, 3]))).toBe(true);
  expect(separable((b, x) => b.sum(b.reshape(x, [2, N, 6]), [0], false))).toBe(true);
  expect(separable((b, x) => b.sub(x, b.sum(x, [0], true)))).toBe(false);
  expect(separable((b, x) => b.reshape(x, [6, { batch: 2 }]))).toBe(false);
  expect(separable((b, x) => b.op('matmul', [x, x], { transA: true, transB: false }))).toBe(false);
});
