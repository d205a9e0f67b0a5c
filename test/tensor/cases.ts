import type { DType, Tensor } from '../../src/base/dtype.js';
import { tensor } from '../../src/base/dtype.js';
import { seededRandom } from '../../src/base/random.js';
import {
  type Dim,
  type PrimKind,
  type Program,
  ProgramBuilder,
  type Value,
  concreteShape,
} from '../../src/tensor/index.js';

/** A seeded uniform generator in [0, 1). */
export const random = seededRandom;

/** Values that a dtype can hold: reals around 0 (some of them halves and ties), small integers, truth values. */
export function randomTensor(dtype: DType, shape: readonly number[], next: () => number, spread = 3): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const one = (): number => {
    if (dtype === 'bool') return next() < 0.5 ? 0 : 1;
    if (dtype === 'u8') return Math.floor(next() * 9);
    if (dtype === 'i8' || dtype === 'i32') return Math.floor(next() * 9) - 4;
    const v = (next() * 2 - 1) * spread;
    return next() < 0.25 ? Math.round(v * 2) / 2 : v;
  };
  return tensor(dtype, shape, Array.from({ length: count }, one));
}

export function feedsFor(program: Program, n: number, seed = 1, spread = 3): Record<string, Tensor> {
  const next = random(seed);
  return Object.fromEntries(
    program.inputs.map(({ id, dtype, shape }) => [id, randomTensor(dtype, concreteShape(shape, n), next, spread)]),
  );
}

export interface Case {
  readonly kind: PrimKind;
  readonly label: string;
  readonly dtypes: readonly DType[];
  /** Builds the value under test from inputs of the builder. */
  readonly make: (b: ProgramBuilder, dtype: DType) => Value;
}

export function programOf(c: Case, dtype: DType): Program {
  const b = new ProgramBuilder(`${c.kind}-${dtype}`);
  b.output('y', c.make(b, dtype));
  return b.build();
}

const N: Dim = { batch: 1 };
const T3: Dim = { batch: 3 };
const floats: readonly DType[] = ['f32', 'f64'];
const numbers: readonly DType[] = ['f32', 'f64', 'i32'];
const all: readonly DType[] = ['f32', 'f64', 'i32', 'i8', 'u8', 'bool'];
const f32: readonly DType[] = ['f32'];

function unary(kind: PrimKind, dtypes: readonly DType[], range?: (b: ProgramBuilder, x: Value) => Value): Case {
  return {
    kind,
    label: kind,
    dtypes,
    make: (b, dtype) => {
      const x = b.input('x', dtype, [N, 3, 5]);
      return b.op(kind, [range === undefined ? x : range(b, x)], {} as never);
    },
  };
}

const pairs: readonly (readonly [string, readonly Dim[], readonly Dim[]])[] = [
  ['equal shapes', [N, 3, 5], [N, 3, 5]],
  ['a row for all', [N, 3, 5], [5]],
  ['both broadcast', [N, 1, 5], [3, 1]],
  ['a scalar first', [], [N, 4]],
];

function binary(
  kind: PrimKind,
  dtypes: readonly DType[],
  prepare?: (b: ProgramBuilder, x: Value, y: Value) => Value[],
): Case[] {
  return pairs.map(([label, left, right]) => ({
    kind,
    label: `${kind} ${label}`,
    dtypes,
    make: (b: ProgramBuilder, dtype: DType) => {
      const x = b.input('x', dtype, left);
      const y = b.input('y', dtype, right);
      return b.op(kind, prepare === undefined ? [x, y] : prepare(b, x, y), {} as never);
    },
  }));
}

function one(
  kind: PrimKind,
  label: string,
  dtypes: readonly DType[],
  shape: readonly Dim[],
  f: (b: ProgramBuilder, x: Value) => Value,
): Case {
  return { kind, label: `${kind} ${label}`, dtypes, make: (b, dtype) => f(b, b.input('x', dtype, shape)) };
}

const convs = [
  { label: 'plain', x: [N, 3, 7, 6], w: [4, 3, 3, 3], attrs: {} },
  { label: 'padded, stride 2', x: [N, 2, 8, 7], w: [4, 2, 3, 3], attrs: { stride: [2, 2], pads: [1, 1, 1, 1] } },
  { label: 'leftover rows, stride 2', x: [N, 2, 8, 8], w: [3, 2, 3, 3], attrs: { stride: [2, 2] } },
  { label: 'asymmetric pads', x: [N, 2, 6, 6], w: [3, 2, 2, 3], attrs: { pads: [1, 0, 0, 2] } },
  { label: 'dilated', x: [N, 2, 9, 9], w: [3, 2, 3, 3], attrs: { dilation: [2, 2], pads: [1, 2, 2, 1] } },
  { label: 'groups', x: [N, 4, 6, 6], w: [6, 2, 3, 3], attrs: { groups: 2, pads: [1, 1, 1, 1] } },
  {
    label: 'depthwise, stride 2',
    x: [T3, 4, 6, 6],
    w: [4, 1, 3, 3],
    attrs: { groups: 4, stride: [2, 2], pads: [1, 1, 1, 1] },
  },
  { label: '1×1, stride 2', x: [T3, 4, 5, 5], w: [3, 4, 1, 1], attrs: { stride: [2, 2] } },
  { label: 'many channels', x: [N, 9, 5, 6], w: [4, 9, 3, 3], attrs: { pads: [1, 0, 2, 1] } },
  {
    label: 'many channels, dilated',
    x: [N, 8, 7, 7],
    w: [4, 8, 3, 3],
    attrs: { pads: [1, 1, 1, 1], dilation: [2, 1] },
  },
  { label: 'many channels, 1×1', x: [N, 8, 3, 3], w: [4, 8, 1, 1], attrs: {} },
  { label: 'many filters, one position', x: [N, 2, 3, 3], w: [6, 2, 3, 3], attrs: {} },
  {
    label: 'many filters, few positions, stride 2',
    x: [T3, 2, 4, 4],
    w: [20, 2, 3, 3],
    attrs: { pads: [1, 1, 1, 1], stride: [2, 2] },
  },
  { label: '5×5 same', x: [N, 1, 8, 8], w: [2, 1, 5, 5], attrs: { pads: [2, 2, 2, 2] } },
] as const;

const convCases: Case[] = convs.flatMap(({ label, x, w, attrs }) => {
  const forward = (b: ProgramBuilder, dtype: DType) => {
    const [input, weight] = [b.input('x', dtype, x), b.input('w', dtype, w)];
    return { input, weight, y: b.conv2d(input, weight, attrs) };
  };
  const shapeOf = (dtype: DType) => forward(new ProgramBuilder('shape'), dtype).y.shape;
  const full = { stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...attrs };
  return [
    { kind: 'conv2d', label: `conv2d ${label}`, dtypes: f32, make: (b, dtype) => forward(b, dtype).y },
    {
      kind: 'conv2d_input_grad',
      label: `conv2d_input_grad ${label}`,
      dtypes: f32,
      make: (b, dtype) =>
        b.conv2dInputGrad(b.input('w', dtype, w), b.input('g', dtype, shapeOf(dtype)), {
          ...full,
          input: [x[2], x[3]],
        }),
    },
    {
      kind: 'conv2d_weight_grad',
      label: `conv2d_weight_grad ${label}`,
      dtypes: f32,
      make: (b, dtype) =>
        b.conv2dWeightGrad(b.input('x', dtype, x), b.input('g', dtype, shapeOf(dtype)), {
          ...full,
          kernel: [w[2], w[3]],
        }),
    },
  ];
});

const pools = [
  { label: '2×2', attrs: { kernel: [2, 2] } },
  { label: '3×3 stride 2 padded', attrs: { kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] } },
  { label: '3×2 overlapping', attrs: { kernel: [3, 2], stride: [1, 1], pads: [0, 1, 1, 0] } },
  { label: '2×2 stride 3', attrs: { kernel: [2, 2], stride: [3, 3] } },
] as const;

const poolCases: Case[] = pools.flatMap(({ label, attrs }): Case[] => [
  one('maxpool', label, floats, [N, 3, 8, 6], (b, x) => b.maxpool(x, attrs)),
  {
    kind: 'maxpool_grad',
    label: `maxpool_grad ${label}`,
    dtypes: f32,
    make: (b, dtype) => {
      // Few levels, so that many windows have several maxima.
      const x = b.round(b.input('x', dtype, [N, 3, 8, 6]));
      return b.maxpoolGrad(x, b.input('g', dtype, b.maxpool(x, attrs).shape), attrs);
    },
  },
  one('avgpool', `${label}, with pads`, f32, [N, 3, 8, 6], (b, x) => b.avgpool(x, { ...attrs, include_pad: true })),
  one('avgpool', `${label}, without pads`, f32, [N, 3, 8, 6], (b, x) => b.avgpool(x, { ...attrs, include_pad: false })),
]);

/** Small programs that between them use every primitive, in all its forms. */
export const cases: readonly Case[] = [
  {
    kind: 'const',
    label: 'const',
    dtypes: all,
    make: (b, dtype) => b.constant(randomTensor(dtype, [2, 3], random(5))),
  },
  ...all.map((to): Case => one('cast', `to ${to}`, all, [N, 6], (b, x) => b.op('cast', [x], { to }))),
  one('cast', 'f32 to i8 saturates', f32, [N, 6], (b, x) => b.cast(b.mul(x, 100), 'i8')),
  one('cast', 'i32 to u8 saturates', ['i32'], [N, 6], (b, x) => b.cast(b.mul(x, 100), 'u8')),
  one('detach', '', all, [N, 3], (b, x) => b.detach(x)),
  unary('neg', numbers),
  unary('abs', numbers),
  unary('sign', numbers),
  unary('floor', floats),
  unary('round', floats),
  unary('exp', floats),
  unary('log', floats, (b, x) => b.add(b.abs(x), 0.1)),
  unary('sqrt', floats, (b, x) => b.abs(x)),
  unary('sigmoid', floats),
  unary('tanh', floats),
  unary('atan', floats),
  unary('not', ['bool']),
  ...binary('add', numbers),
  ...binary('sub', numbers),
  ...binary('mul', numbers),
  ...binary('div', numbers, (b, x, y) => [x, b.add(b.abs(y), 1)]),
  ...binary('pow', floats, (b, x, y) => [b.add(b.abs(x), 0.1), y]),
  ...binary('min', numbers),
  ...binary('max', numbers),
  ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).flatMap((kind) => binary(kind, all)),
  ...binary('and', ['bool']),
  ...binary('or', ['bool']),
  {
    kind: 'select',
    label: 'select',
    dtypes: all,
    make: (b, dtype) =>
      b.select(b.input('c', 'bool', [N, 3, 1]), b.input('x', dtype, [3, 5]), b.input('y', dtype, [N, 1, 1])),
  },
  one('sum', 'over the batch', numbers, [N, 3, 4], (b, x) => b.sum(x, [0])),
  one('sum', 'two axes kept', numbers, [T3, 3, 4], (b, x) => b.sum(x, [0, 2], true)),
  one('sum', 'everything', numbers, [N, 3, 4], (b, x) => b.sumAll(x)),
  one('sum', 'nothing', numbers, [N, 3], (b, x) => b.sum(x, [])),
  one('reduce_max', 'last axis', numbers, [N, 3, 4], (b, x) => b.reduceMax(x, [2])),
  one('reduce_max', 'two axes kept', numbers, [N, 3, 4], (b, x) => b.reduceMax(x, [0, 1], true)),
  one('argmax', 'last axis', numbers, [N, 6], (b, x) => b.argmax(x, -1)),
  one('argmax', 'middle axis', numbers, [N, 6, 2], (b, x) => b.argmax(x, 1)),
  ...[1, 4, 7, 300].map((count): Case => ({
    kind: 'lookup',
    label: `lookup among ${count}`,
    dtypes: numbers,
    make: (b, dtype) => {
      const at = (i: number) => (dtype === 'i32' ? Math.floor((i * 8) / count) - 4 : (i * 6) / count - 3);
      const thresholds = tensor(
        dtype,
        [count],
        Array.from({ length: count }, (_, i) => at(i)),
      );
      const values = tensor(
        dtype,
        [count + 1],
        Array.from({ length: count + 1 }, (_, i) => (i * 7) % 11),
      );
      return b.lookup(b.input('x', dtype, [N, 3, 5]), b.constant(thresholds), b.constant(values));
    },
  })),
  {
    kind: 'lookup',
    label: 'lookup in an image, behind a convolution',
    dtypes: f32,
    make: (b) => {
      const x = b.input('x', 'f32', [N, 2, 4, 5]);
      const weight = b.constant(tensor('f32', [2, 2, 1, 1], [1, -0.5, 0.25, 2]));
      const thresholds = b.constant(tensor('f32', [2], [-1, 1]));
      return b.lookup(b.conv2d(x, weight), thresholds, b.constant(tensor('f32', [3], [5, -2, 3])));
    },
  },
  one('reshape', 'flatten', all, [T3, 3, 4], (b, x) => b.reshape(x, [T3, 12])),
  one('reshape', 'time out of the batch', all, [T3, 4], (b, x) => b.reshape(x, [3, N, 4])),
  one('transpose', 'batch inwards', all, [N, 3, 4], (b, x) => b.transpose(x, [2, 0, 1])),
  one('slice', 'inner axes', all, [N, 5, 6], (b, x) => b.slice(x, [0, 1, 0], [1, 4, 6], [1, 1, 2])),
  one('slice', 'one time step', all, [T3, 4], (b, x) => b.step(x, 1)),
  one('slice', 'time and channels', all, [T3, 4], (b, x) => b.slice(x, [1, 1], [3, 3])),
  one('slice', 'every second time step', all, [{ batch: 5 }, 4], (b, x) => b.sliceAxis(x, 0, 0, 5, 2)),
  one('pad', 'inner axes', all, [N, 2, 3], (b, x) => b.pad(x, [0, 1, 0], [0, 0, 2], 1)),
  one('pad', 'time', all, [{ batch: 2 }, 3], (b, x) => b.pad(x, [1, 0], [2, 1], 0)),
  {
    kind: 'concat',
    label: 'concat time',
    dtypes: all,
    make: (b, dtype) => b.concat([b.input('x', dtype, [N, 2]), b.input('y', dtype, [T3, 2])], 0),
  },
  {
    kind: 'concat',
    label: 'concat channels',
    dtypes: all,
    make: (b, dtype) => b.concat([b.input('x', dtype, [N, 2, 3]), b.input('y', dtype, [N, 4, 3])], 1),
  },
  ...[
    [2, 2],
    [3, 1],
    [1, 2],
  ].map(([down, across]) =>
    one('broadcast', `repeating pixels ${down}×${across}`, all, [N, 3, 4, 5], (b, x) => {
      const apart = b.reshape(x, [N, 3, 4, 1, 5, 1]);
      return b.reshape(b.broadcast(apart, [N, 3, 4, down!, 5, across!]), [N, 3, 4 * down!, 5 * across!]);
    }),
  ),
  one('broadcast', 'almost repeating pixels', f32, [N, 3, 4, 5], (b, x) => {
    const apart = b.reshape(x, [N, 3, 4, 1, 5, 1]);
    return b.reshape(b.broadcast(apart, [N, 3, 4, 2, 5, 2]), [N, 3, 10, 8]);
  }),
  one('broadcast', 'to the batch', all, [3, 1], (b, x) => b.broadcast(x, [{ batch: 2 }, 3, 4])),
  one('broadcast', 'with the batch', all, [T3, 1], (b, x) => b.broadcast(x, [T3, 4])),
  ...[false, true].flatMap((transA) =>
    [false, true].flatMap((transB): Case[] => [
      {
        kind: 'matmul',
        label: `matmul ${transA ? 'Aᵀ' : 'A'}${transB ? 'Bᵀ' : 'B'}`,
        dtypes: numbers,
        make: (b, dtype) =>
          b.matmul(b.input('x', dtype, transA ? [4, N] : [N, 4]), b.input('y', dtype, transB ? [5, 4] : [4, 5]), {
            transA,
            transB,
          }),
      },
      {
        kind: 'matmul',
        label: `matmul of stacks ${transA ? 'Aᵀ' : 'A'}${transB ? 'Bᵀ' : 'B'}`,
        dtypes: numbers,
        make: (b, dtype) =>
          b.matmul(
            b.input('x', dtype, transA ? [N, 4, 2] : [N, 2, 4]),
            b.input('y', dtype, transB ? [N, 5, 4] : [N, 4, 5]),
            {
              transA,
              transB,
            },
          ),
      },
    ]),
  ),
  {
    kind: 'matmul',
    label: 'matmul over the batch',
    dtypes: numbers,
    make: (b, dtype) => b.matmul(b.input('x', dtype, [N, 3]), b.input('y', dtype, [N, 2]), { transA: true }),
  },
  ...convCases,
  ...poolCases,
  ...(['scan', 'scan_output'] as const).map((kind): Case => ({
    kind,
    label: kind === 'scan' ? 'a running sum, stacked' : 'a running sum, its end',
    dtypes: numbers,
    make: (b, dtype) => {
      const step = new ProgramBuilder('step');
      const sum = step.add(step.input('sum', dtype, [N, 2]), step.input('x', dtype, [N, 2]));
      step.output('next', sum);
      step.output('sums', step.mul(sum, sum));
      const initial = b.input('initial', dtype, [N, 2]);
      const { final, stacked } = b.scan({
        body: step.build(),
        steps: 3,
        initial: [initial],
        scanned: [b.input('x', dtype, [T3, 2])],
      });
      return kind === 'scan' ? stacked[0]! : final[0]!;
    },
  })),
];

/** Compares with a tolerance relative to the larger of 1 and the expected value. */
export function largestDifference(actual: Tensor, expected: Tensor): number {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join()) {
    throw new Error(`${actual.dtype}[${actual.shape.join()}] instead of ${expected.dtype}[${expected.shape.join()}]`);
  }
  let worst = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [actual.data[i]!, expected.data[i]!];
    if (Object.is(a, e) || a === e) continue;
    const difference = Math.abs(a - e) / Math.max(1, Math.abs(e));
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
  }
  return worst;
}
