import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/base/invariant.js';
import { tensor } from '../../src/base/dtype.js';
import {
  type Program,
  ProgramBuilder,
  type TensorOp,
  type Value,
  showType,
  verified,
  verify,
} from '../../src/tensor/index.js';
import { cases, programOf } from './cases.js';

const N = { batch: 1 };

function builder(): { b: ProgramBuilder; x: Value; train: Value; image: Value; flag: Value } {
  const b = new ProgramBuilder('p');
  return {
    b,
    x: b.input('x', 'f32', [N, 4]),
    train: b.input('train', 'f32', [{ batch: 8 }, 4]),
    image: b.input('image', 'f32', [N, 3, 8, 8]),
    flag: b.input('flag', 'bool', [N, 4]),
  };
}

type Misuse = (context: ReturnType<typeof builder>) => unknown;

const misuses: Readonly<Record<string, Misuse>> = {
  'operands of two dtypes': ({ b, x }) => b.add(x, b.scalar('f64', 1)),
  'arithmetic on truth values': ({ b, flag }) => b.add(flag, flag),
  'logic on numbers': ({ b, x }) => b.and(x, x),
  'shapes that do not broadcast': ({ b, x }) => b.add(x, b.broadcast(b.scalar('f32', 1), [3])),
  'a batch against a time-folded batch': ({ b, x, train }) => b.add(x, train),
  'a condition that is a number': ({ b, x }) => b.select(x, x, x),
  'an axis that is not there': ({ b, x }) => b.sum(x, [2]),
  'an axis twice': ({ b, x }) => b.sum(x, [1, 1]),
  'argmax over the batch': ({ b, x }) => b.argmax(x, 0),
  'a reshape that loses elements': ({ b, x }) => b.reshape(x, [N, 3]),
  'a reshape that fixes the batch': ({ b, x }) => b.reshape(x, [4, 4]),
  'two batch axes': ({ b }) => b.input('bad', 'f32', [N, N]),
  'a permutation with a repeat': ({ b, x }) => b.op('transpose', [x], { perm: [0, 0] }),
  'a slice past the end': ({ b, x }) => b.sliceAxis(x, 1, 2, 5),
  'a step past the train': ({ b, train }) => b.step(train, 8),
  'a slice with a stride of zero': ({ b, x }) => b.sliceAxis(x, 1, 0, 4, 0),
  'negative padding': ({ b, x }) => b.pad(x, [0, -1], [0, 0]),
  'joining along unequal axes': ({ b, x, image }) => b.concat([x, image], 1),
  'a table without a value for each step': ({ b, x }) =>
    b.lookup(x, b.constant(tensor('f32', [2], [0, 1])), b.constant(tensor('f32', [2], [0, 1]))),
  'joining nothing': ({ b }) => b.concat([], 0),
  'a broadcast that shrinks': ({ b, x }) => b.broadcast(x, [N, 1]),
  'inner sizes that differ': ({ b, x }) => b.matmul(x, x),
  'a product with two batch axes': ({ b, x }) => b.matmul(x, x, { transB: true }),
  'channels that do not match the weight': ({ b, image }) =>
    b.conv2d(image, b.broadcast(b.scalar('f32', 1), [2, 4, 3, 3])),
  'filters not divisible into groups': ({ b, image }) =>
    b.conv2d(image, b.broadcast(b.scalar('f32', 1), [4, 1, 3, 3]), { groups: 3 }),
  'a kernel larger than the input': ({ b, image }) => b.conv2d(image, b.broadcast(b.scalar('f32', 1), [2, 3, 9, 9])),
  'a convolution of integers': ({ b, image }) =>
    b.conv2d(b.cast(image, 'i32'), b.broadcast(b.scalar('i32', 1), [2, 3, 3, 3])),
  'a pool of vectors': ({ b, x }) => b.maxpool(x, { kernel: [2, 2] }),
  'pads as large as the kernel': ({ b, image }) => b.maxpool(image, { kernel: [2, 2], pads: [2, 0, 0, 0] }),
  'a gradient of another shape': ({ b, image }) => b.maxpoolGrad(image, image, { kernel: [2, 2] }),
  'a value of another program': ({ b }) => b.neg(new ProgramBuilder('other').input('y', 'f32', [])),
  'an id that is taken': ({ b }) => b.input('x', 'f32', []),
  'two numbers': ({ b }) => b.add(1, 2),
  'a wrong number of operands': ({ b, x }) => b.op('add', [x], {}),
  'an output twice': ({ b, x }) => {
    b.output('y', x);
    b.output('y', x);
  },
};

describe('shape rules', () => {
  for (const [what, misuse] of Object.entries(misuses)) {
    it(`refuse ${what} with a TypeError`, () => {
      expect(() => misuse(builder())).toThrow(TypeError);
    });
  }

  it('say which op does not fit, and how', () => {
    const { b, x } = builder();
    expect(() =>
      b
        .at('stage1')
        .as('join')
        .concat([x, b.neg(x)], 2),
    ).toThrow('stage1.join: concat: axis 2');
  });

  it('infer the types of windows', () => {
    const { b, image } = builder();
    const w = b.broadcast(b.scalar('f32', 1), [6, 3, 3, 3]);
    expect(showType(b.conv2d(image, w, { stride: [2, 2], pads: [1, 1, 1, 1] }))).toBe('f32[N,6,4,4]');
    expect(showType(b.maxpool(image, { kernel: [3, 3], stride: [2, 2] }))).toBe('f32[N,3,3,3]');
  });

  it('fold and unfold time', () => {
    const { b, train } = builder();
    const unfolded = b.reshape(train, [8, N, 4]);
    expect(showType(unfolded)).toBe('f32[8,N,4]');
    expect(showType(b.mean(unfolded, [0]))).toBe('f32[N,4]');
    expect(showType(b.step(train, 3))).toBe('f32[N,4]');
    expect(showType(b.pad(train, [2, 0], [0, 0]))).toBe('f32[10N,4]');
  });
});

describe('the builder', () => {
  it('names ops after the network op and the hint, and counts repeats', () => {
    const { b, x } = builder();
    const ids = [b.at('stem').neg(x), b.neg(x), b.as('u').exp(x), b.as('u').exp(x)].map((v) => v.id);
    expect(ids).toEqual(['stem.neg', 'stem.neg.1', 'stem.u', 'stem.u.1']);
    expect(b.operations.every((op) => op.from === 'stem')).toBe(true);
  });

  it('shares equal scalars but not those of another dtype', () => {
    const { b, x } = builder();
    b.add(b.mul(x, 2), 2);
    expect(b.scalar('f64', 2).id).toBe('#2.f64');
    expect(b.operations.filter((op) => op.kind === 'const')).toHaveLength(2);
  });
});

describe('verify', () => {
  const good = (): Program => {
    const b = new ProgramBuilder('p');
    b.output('y', b.as('y').neg(b.as('h').exp(b.input('x', 'f32', [N, 2]))));
    return b.build();
  };
  const change = (id: string, changes: Partial<TensorOp>): Program => {
    const p = good();
    return { ...p, ops: p.ops.map((op) => (op.id === id ? { ...op, ...changes } : op)) };
  };

  it('finds nothing wrong with what the builder makes', () => {
    for (const c of cases) for (const dtype of c.dtypes) expect(verify(programOf(c, dtype))).toEqual([]);
  });
  it('finds a use before the definition', () => {
    const p = good();
    expect(verify({ ...p, ops: p.ops.toReversed() })[0]).toMatch(/"y" reads "h"/);
  });
  it('finds a second definition', () => {
    const p = good();
    expect(verify({ ...p, ops: [...p.ops, p.ops[1]!] })).toEqual(['"y" is defined twice']);
  });
  it('finds wrong types, arity, attributes and outputs', () => {
    expect(verify(change('h', { dtype: 'f64' }))[0]).toBe('"h" (exp) says f64[N,2], is f32[N,2]');
    expect(verify(change('h', { shape: [N, 3] }))[0]).toMatch(/says f32\[N,3\]/);
    expect(verify(change('h', { inputs: ['x', 'x'] }))[0]).toMatch(/2 operands instead of 1/);
    expect(verify(change('h', { kind: 'sum' }))[0]).toMatch(/wrong attributes/);
    expect(verify({ ...good(), outputs: { y: 'z' } })).toEqual(['output "y" is "z", which is not defined']);
  });
  it('finds a param whose data is of another shape', () => {
    const p = good();
    const param = { id: 'w', dtype: 'f32', shape: [3], data: tensor('f32', [2], [1, 2]) } as const;
    expect(verify({ ...p, params: [param] })[0]).toMatch(/param "w" is f32\[3\]/);
  });
  it('stops a phase that made a wrong program', () => {
    expect(verified(good(), 'lowering').name).toBe('p');
    expect(() => verified(change('h', { dtype: 'f64' }), 'lowering')).toThrow(InvariantError);
  });
});
