import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { ProgramBuilder, type Value, evaluate } from '../../src/tensor/index.js';
import { random, randomTensor } from './cases.js';

/** Sizes of one, primes, and more than one axis: nothing that a power of two would hide. */
const size = fc.constantFrom<number>(1, 2, 3, 5, 7);
const shapes = (least: number, most: number) => fc.array(size, { minLength: least, maxLength: most });
const seeds = fc.integer({ min: 1, max: 1e6 });
const runs = { numRuns: 60 };

type Index = readonly number[];

/** All places of a shape, the last axis fastest. */
function places(shape: readonly number[]): Index[] {
  return shape.reduce<Index[]>((all, n) => all.flatMap((at) => Array.from({ length: n }, (_, i) => [...at, i])), [[]]);
}

const at = ({ shape, data }: Tensor, index: Index): number =>
  data[shape.reduce((sum, n, axis) => sum * n + index[axis]!, 0)]!;

const numbers = (shape: readonly number[], seed: number): Tensor => randomTensor('f64', shape, random(seed));

function found(inputs: Readonly<Record<string, Tensor>>, make: (b: ProgramBuilder, x: Value[]) => Value): Tensor {
  const b = new ProgramBuilder('p');
  const values = Object.entries(inputs).map(([id, { dtype, shape }]) => b.input(id, dtype, shape));
  b.output('y', make(b, values));
  return evaluate(b.build(), inputs)['y']!;
}

/** The result has this shape, and at each place what `wanted` says. */
function expectAt(y: Tensor, shape: readonly number[], wanted: (index: Index) => number): void {
  expect(y.shape).toEqual(shape);
  for (const index of places(shape)) expect(at(y, index)).toBeCloseTo(wanted(index), 10);
}

/** A shape and some of its axes. */
const withAxes = shapes(1, 4).chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc.subarray(
      shape.map((_, axis) => axis),
      { minLength: 1 },
    ),
  ),
);

it('sum and reduce_max over any axes are those over all places that fall together', () => {
  fc.assert(
    fc.property(withAxes, fc.boolean(), seeds, ([shape, axes], keepdims, seed) => {
      const x = numbers(shape, seed);
      const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
      const left = shape.filter((_, axis) => !axes.includes(axis));
      for (const kind of ['sum', 'reduceMax'] as const) {
        const start = kind === 'sum' ? 0 : -Infinity;
        const fold = kind === 'sum' ? (a: number, b: number) => a + b : Math.max;
        const totals = new Map<string, number>();
        for (const index of places(shape)) {
          const key = index.map((i, axis) => (axes.includes(axis) ? 0 : i)).join();
          totals.set(key, fold(totals.get(key) ?? start, at(x, index)));
        }
        const y = found({ x }, (b, [v]) => b[kind](v!, axes, keepdims));
        expectAt(y, keepdims ? kept : left, (index) => {
          const rest = [...index];
          const full = keepdims ? index : shape.map((_, axis) => (axes.includes(axis) ? 0 : rest.shift()!));
          return totals.get(full.join())!;
        });
      }
    }),
    runs,
  );
});

it('argmax is the first place of the greatest along an axis', () => {
  fc.assert(
    fc.property(shapes(1, 4), fc.nat(3), seeds, (shape, axis, seed) => {
      fc.pre(axis < shape.length);
      const x = numbers(shape, seed);
      // equal ones, too
      const coarse = { ...x, data: x.data.map((v) => Math.round(v)) } as Tensor;
      const y = found({ x: coarse }, (b, [v]) => b.argmax(v!, axis));
      const rest = shape.toSpliced(axis, 1);
      expectAt(y, rest, (index) => {
        const along = Array.from({ length: shape[axis]! }, (_, i) => at(coarse, index.toSpliced(axis, 0, i)));
        return along.indexOf(Math.max(...along));
      });
    }),
    runs,
  );
});

it('reshape keeps the order, transpose exchanges axes, broadcast repeats axes of one', () => {
  fc.assert(
    fc.property(shapes(1, 4), seeds, (shape, seed) => {
      const x = numbers(shape, seed);
      const next = random(seed);
      const perm = shape
        .map((_, axis) => ({ axis, key: next() }))
        .sort((a, b) => a.key - b.key)
        .map(({ axis }) => axis);
      const moved = found({ x }, (b, [v]) => b.transpose(v!, perm));
      expectAt(
        moved,
        perm.map((axis) => shape[axis]!),
        (index) =>
          at(
            x,
            shape.map((_, axis) => index[perm.indexOf(axis)]!),
          ),
      );
      const reversed = [...shape].reverse();
      expect(found({ x }, (b, [v]) => b.reshape(v!, reversed))).toEqual({ ...x, shape: reversed });
      const wide = [3, ...shape.map((n) => (n === 1 ? 5 : n))];
      const y = found({ x }, (b, [v]) => b.broadcast(v!, wide));
      expectAt(y, wide, (index) =>
        at(
          x,
          index.slice(1).map((i, axis) => (shape[axis] === 1 ? 0 : i)),
        ),
      );
    }),
    runs,
  );
});

it('slice takes every so many places, pad puts a number around, concat one behind the other', () => {
  fc.assert(
    fc.property(shapes(1, 3), seeds, fc.nat(2), (shape, seed, axis) => {
      fc.pre(axis < shape.length);
      const x = numbers(shape, seed);
      const next = random(seed + 1);
      const whole = (from: number, to: number): number => from + Math.floor(Math.abs(next()) * (to - from + 1));
      const starts = shape.map((n) => Math.min(n - 1, whole(0, n - 1)));
      const ends = shape.map((n, i) => Math.max(starts[i]! + 1, Math.min(n, whole(1, n))));
      const steps = shape.map(() => whole(1, 3));
      const part = found({ x }, (b, [v]) => b.slice(v!, starts, ends, steps));
      const lengths = shape.map((_, i) => Math.ceil((ends[i]! - starts[i]!) / steps[i]!));
      expectAt(part, lengths, (index) =>
        at(
          x,
          index.map((i, k) => starts[k]! + i * steps[k]!),
        ),
      );

      const [before, after] = [shape.map(() => whole(0, 2)), shape.map(() => whole(0, 3))];
      const padded = found({ x }, (b, [v]) => b.pad(v!, before, after, -1.5));
      const outer = shape.map((n, i) => before[i]! + n + after[i]!);
      expectAt(padded, outer, (index) => {
        const inner = index.map((i, k) => i - before[k]!);
        return inner.every((i, k) => i >= 0 && i < shape[k]!) ? at(x, inner) : -1.5;
      });

      const other = numbers(shape.with(axis, 3), seed + 2);
      const joined = found({ x, z: other }, (b, [v, w]) => b.concat([v!, w!, v!], axis));
      const n = shape[axis]!;
      expectAt(joined, shape.with(axis, 2 * n + 3), (index) => {
        const i = index[axis]!;
        if (i < n) return at(x, index);
        return i < n + 3 ? at(other, index.with(axis, i - n)) : at(x, index.with(axis, i - n - 3));
      });
    }),
    runs,
  );
});

it('operations on elements broadcast as NumPy does, from the last axis on', () => {
  const operations: Readonly<Record<'add' | 'sub' | 'mul' | 'min' | 'max', (a: number, b: number) => number>> = {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    min: Math.min,
    max: Math.max,
  };
  fc.assert(
    fc.property(shapes(1, 4), seeds, (shape, seed) => {
      const next = random(seed);
      const thin = shape.map((n) => (next() > 0 ? 1 : n)).slice(Math.floor(Math.abs(next()) * shape.length));
      const [x, z] = [numbers(shape, seed), numbers(thin, seed + 1)];
      const drop = shape.length - thin.length;
      const of = (index: Index): number =>
        at(
          z,
          index.slice(drop).map((i, axis) => (thin[axis] === 1 ? 0 : i)),
        );
      for (const [name, work] of Object.entries(operations)) {
        const y = found({ x, z }, (b, [v, w]) => b[name as keyof typeof operations](v!, w!));
        expectAt(y, shape, (index) => work(at(x, index), of(index)));
      }
      const chosen = found({ x, z }, (b, [v, w]) => b.select(b.gt(v!, w!), v!, w!));
      expectAt(chosen, shape, (index) => Math.max(at(x, index), of(index)));
    }),
    runs,
  );
});

it('matmul sums over the inner axis, the axes in front alike, either operand transposed', () => {
  fc.assert(
    fc.property(
      shapes(0, 2),
      size,
      size,
      size,
      fc.boolean(),
      fc.boolean(),
      seeds,
      (front, m, k, n, transA, transB, seed) => {
        const x = numbers([...front, ...(transA ? [k, m] : [m, k])], seed);
        const z = numbers([...front, ...(transB ? [n, k] : [k, n])], seed + 1);
        const y = found({ x, z }, (b, [v, w]) => b.matmul(v!, w!, { transA, transB }));
        expectAt(y, [...front, m, n], (index) => {
          const [head, row, column] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
          let total = 0;
          for (let i = 0; i < k; i++) {
            total +=
              at(x, [...head, ...(transA ? [i, row] : [row, i])]) *
              at(z, [...head, ...(transB ? [column, i] : [i, column])]);
          }
          return total;
        });
      },
    ),
    runs,
  );
});

const window = fc.record({
  channels: fc.integer({ min: 1, max: 3 }),
  sizes: fc.tuple(fc.integer({ min: 3, max: 8 }), fc.integer({ min: 3, max: 8 })),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
  counted: fc.boolean(),
  seed: seeds,
});

it('pools take the greatest or the mean of their windows; the gradient of a maximum goes to the first greatest', () => {
  fc.assert(
    fc.property(window, ({ channels, sizes, kernel, stride, pads, counted, seed }) => {
      fc.pre(pads.every((pad, i) => pad < kernel[i % 2]!));
      const x = numbers([2, channels, ...sizes], seed);
      const out = ([0, 1] as const).map(
        (i) => Math.floor((sizes[i] + pads[i] + pads[i + 2]! - kernel[i]) / stride[i]) + 1,
      );
      const shape = [2, channels, ...out];
      /** What a window covers of the image, row by row. */
      const covered = ([n, c, row, column]: Index): Index[] =>
        places(kernel)
          .map(([i, j]) => [n!, c!, row! * stride[0] + i! - pads[0], column! * stride[1] + j! - pads[1]])
          .filter(([, , y, z]) => y! >= 0 && y! < sizes[0] && z! >= 0 && z! < sizes[1]);
      const attrs = { kernel, stride, pads };
      const greatest = found({ x }, (b, [v]) => b.maxpool(v!, attrs));
      expectAt(greatest, shape, (index) => Math.max(...covered(index).map((one) => at(x, one))));
      const mean = found({ x }, (b, [v]) => b.avgpool(v!, { ...attrs, include_pad: counted }));
      expectAt(mean, shape, (index) => {
        const inside = covered(index);
        const total = inside.reduce((sum, one) => sum + at(x, one), 0);
        return total / (counted ? kernel[0] * kernel[1] : inside.length);
      });
      const g = numbers(shape, seed + 1);
      const back = found({ x, g }, (b, [v, w]) => b.maxpoolGrad(v!, w!, attrs));
      const wanted = new Map<string, number>();
      for (const index of places(shape)) {
        const best = covered(index)
          .reduce((a, b) => (at(x, b) > at(x, a) ? b : a))
          .join();
        wanted.set(best, (wanted.get(best) ?? 0) + at(g, index));
      }
      expectAt(back, x.shape, (index) => wanted.get(index.join()) ?? 0);
    }),
    runs,
  );
});

it('lookup counts the thresholds that a number reaches, and gives that entry', () => {
  fc.assert(
    fc.property(shapes(1, 3), fc.integer({ min: 1, max: 9 }), seeds, (shape, count, seed) => {
      const x = numbers(shape, seed);
      const thresholds = tensor(
        'f64',
        [count],
        Array.from(numbers([count], seed + 1).data).sort((a, b) => a - b),
      );
      const values = numbers([count + 1], seed + 2);
      const y = found({ x, thresholds, values }, (b, [v, t, w]) => b.lookup(v!, t!, w!));
      expectAt(y, shape, (index) => values.data[thresholds.data.filter((t) => t <= at(x, index)).length]!);
    }),
    runs,
  );
});
