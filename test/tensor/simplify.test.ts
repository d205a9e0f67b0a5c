import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { ProgramBuilder, type Value, autodiff, evaluate, simplify, verify } from '../../src/tensor/index.js';
import { cases, feedsFor, largestDifference, programOf } from './cases.js';

/** The kinds of the ops left of `y`, in order. */
function left(make: (b: ProgramBuilder, x: Value) => Value, options = {}): string[] {
  const b = new ProgramBuilder('p');
  b.output('y', make(b, b.input('x', 'f32', [{ batch: 2 }, 3])));
  const program = simplify(b.build(), options);
  expect(verify(program)).toEqual([]);
  return program.ops.map((op) => op.kind);
}

describe('simplify', () => {
  it('drops what changes nothing', () => {
    expect(left((b, x) => b.add(b.mul(b.sub(b.div(x, 1), 0), 1), 0))).toEqual([]);
    expect(left((b, x) => b.min(b.max(x, -Infinity), Infinity))).toEqual([]);
    expect(left((b, x) => b.neg(b.neg(x)))).toEqual([]);
    expect(left((b, x) => b.transpose(b.transpose(x, [1, 0]), [1, 0]))).toEqual([]);
    expect(left((b, x) => b.reshape(b.reshape(x, [2, { batch: 1 }, 3]), [{ batch: 2 }, 3]))).toEqual([]);
    expect(left((b, x) => b.concat([b.step(x, 0), b.step(x, 1)], 0))).toEqual([]);
    expect(left((b, x) => b.step(b.concat([x, b.neg(x)], 0), 1))).toEqual(['neg', 'concat', 'slice']);
  });

  it('finds a slice among the operands of a concatenation', () => {
    expect(left((b, x) => b.slice(b.concat([b.exp(x), b.neg(x)], 0), [2, 0], [4, 3]))).toEqual(['neg']);
  });

  it('keeps x·0 and x + 1: they are not the same for NaN, or at all', () => {
    expect(left((b, x) => b.mul(x, 0))).toEqual(['const', 'mul']);
    expect(left((b, x) => b.add(x, 1))).toEqual(['const', 'add']);
  });

  it('keeps an operation with a neutral element that changes the shape', () => {
    expect(left((b, x) => b.add(b.constant(tensor('f32', [4, 1, 1], [0, 0, 0, 0])), x))).toEqual(['const', 'add']);
  });

  it('folds constants, comparisons of constants and what depends on them', () => {
    expect(left((b, x) => b.mul(x, b.sub(b.scalar('f32', 3), 2)))).toEqual([]);
    expect(left((b, x) => b.select(b.lt(b.scalar('i32', 1), 2), x, b.exp(x)))).toEqual([]);
    expect(left((b, x) => b.select(b.and(b.gt(x, 0), b.gt(b.scalar('f32', 1), 2)), x, b.neg(x)))).toEqual(['neg']);
  });

  it('rewrites sums with negatives', () => {
    expect(left((b, x) => b.add(b.exp(x), b.neg(x)))).toEqual(['exp', 'sub']);
    expect(left((b, x) => b.sub(b.exp(x), b.neg(x)))).toEqual(['exp', 'add']);
    expect(left((b, x) => b.sub(0, x))).toEqual(['neg']);
    expect(left((b, x) => b.mul(x, -1))).toEqual(['neg']);
  });

  it('lets binary ops repeat their operands themselves', () => {
    expect(left((b, x) => b.add(x, b.broadcast(b.constant(tensor('f32', [3], [1, 2, 3])), x.shape)))).toEqual([
      'const',
      'add',
    ]);
  });

  it('computes equal ops once, whatever the order of commuting operands', () => {
    expect(left((b, x) => b.add(b.mul(b.exp(x), x), b.mul(x, b.exp(x))))).toEqual(['exp', 'mul', 'add']);
    expect(left((b, x) => b.sub(b.sub(x, b.exp(x)), b.sub(b.exp(x), x)))).toEqual(['exp', 'sub', 'sub', 'sub']);
    expect(left((b, x) => b.add(b.pad(x, [0, 1], [0, 0], Infinity), b.pad(x, [0, 1], [0, 0], -Infinity)))).toEqual([
      'pad',
      'pad',
      'add',
    ]);
  });

  it('keeps detach and surrogates until derivatives are taken', () => {
    const f = (b: ProgramBuilder, x: Value) =>
      b.cast(b.and(b.ge(b.detach(x), 1, { surrogate: 'ste' }), b.ge(b.detach(x), 1)), 'f32');
    expect(left(f)).toEqual(['detach', 'const', 'ge', 'ge', 'and', 'cast']);
    expect(left(f, { differentiated: true })).toEqual(['const', 'ge', 'cast']);
  });

  it('leaves the values of every primitive as they are, bit for bit', () => {
    for (const c of cases) {
      for (const dtype of c.dtypes) {
        const program = programOf(c, dtype);
        const simple = simplify(program, { differentiated: true });
        expect(verify(simple)).toEqual([]);
        const feeds = feedsFor(program, 2, 21);
        const difference = largestDifference(evaluate(simple, feeds)['y']!, evaluate(program, feeds)['y']!);
        expect(difference, `${c.label} in ${dtype}`).toBe(0);
      }
    }
  });

  it('leaves no neutral operations in a derived program', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [{ batch: 1 }, 4]);
    const w = b.input('w', 'f32', [4, 2]);
    b.output('loss', b.sumAll(b.matmul(x, w)));
    const { program } = autodiff(b.build(), b.build().outputs['loss']!, ['w']);
    expect(program.ops.filter((op) => op.kind === 'mul' || op.kind === 'reshape')).toEqual([]);
  });
});
