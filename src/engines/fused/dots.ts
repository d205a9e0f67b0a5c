import { type Tensor, elementCount } from '../../base/dtype.js';
import { isBatch, units } from '../../tensor/dims.js';
import { type Dim, type Program, type TensorOp, attrsOf } from '../../tensor/types.js';
import { FunctionBody } from './wasm.js';

/**
 * A linear layer with very few outputs, such as a weighted count of spikes: one pass over the
 * rows by a kernel of its own. Sums are f64, rounded once, as the reference computes them.
 */
export interface DotProduct {
  readonly op: TensorOp;
  /** The image [C, H, W] that a row was flattened from, if any. */
  readonly image: readonly [number, number, number] | undefined;
  /** [outputs, row length]. */
  readonly weights: Tensor<'f32'>;
}

const mostOutputs = 4;

/** The matrix products in f32 that are dot products with constants. */
export function findDotProducts(program: Program, constants: ReadonlyMap<string, Tensor>): Map<string, DotProduct> {
  const shapes = new Map<string, readonly Dim[]>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) shapes.set(value.id, value.shape);
  const reshapes = new Map(program.ops.filter((op) => op.kind === 'reshape').map((op) => [op.id, op]));
  const found = new Map<string, DotProduct>();
  for (const op of program.ops) {
    const [x, w] = op.inputs as [string, string];
    const weight = op.kind === 'matmul' ? constants.get(w) : undefined;
    if (weight === undefined || op.dtype !== 'f32' || weight.shape.length !== 2) continue;
    const shape = shapes.get(x)!;
    const { transA, transB } = attrsOf(op, 'matmul');
    const [outputs, length] = transB ? (weight.shape as [number, number]) : [weight.shape[1]!, weight.shape[0]!];
    if (transA || outputs > mostOutputs || shape.length !== 2 || !isBatch(shape[0]!)) continue;
    const from = reshapes.get(x);
    const direct = from !== undefined && !reshapes.has(from.inputs[0]!);
    const image = !direct ? undefined : imageOf(shapes.get(from.inputs[0]!)!, shape);
    const data = new Float32Array(outputs * length);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < length; k++) data[o * length + k] = weight.data[transB ? o * length + k : k * outputs + o]!;
    }
    found.set(op.id, { op, image, weights: { dtype: 'f32', shape: [outputs, length], data } });
  }
  return found;
}

function imageOf(from: readonly Dim[], flat: readonly Dim[]): readonly [number, number, number] | undefined {
  const [batch, ...image] = from;
  if (from.length !== 4 || batch === undefined || !isBatch(batch) || units(batch) !== units(flat[0]!)) return undefined;
  return image.map(units) as [number, number, number];
}

/** The same for rows that lie channels last. */
export function dotChannelsLast(dot: DotProduct): DotProduct {
  const [channels, height, width] = dot.image!;
  const area = height * width;
  const [outputs, length] = dot.weights.shape as [number, number];
  const data = new Float32Array(outputs * length);
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < area; p++) {
        data[o * length + p * channels + c] = dot.weights.data[o * length + c * area + p]!;
      }
    }
  }
  return { ...dot, weights: { ...dot.weights, data } };
}

/** The kernel: `rows` rows from address `from`, results to `to`. */
export function writeDots(
  { weights }: DotProduct,
  rows: number,
  at: { readonly from: number; readonly weights: number; readonly to: number },
): FunctionBody {
  const f = new FunctionBody();
  const [outputs, length] = weights.shape as [number, number];
  const [row, counter, offset, from, to] = [0, 1, 2, 3, 4].map(() => f.local('i32')) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const sums = Array.from({ length: outputs }, () => [f.local('v128'), f.local('v128')] as const);
  const whole = length - (length % 4);
  const start = (local: number) => {
    f.i32(0);
    f.set(local);
  };
  start(row);
  start(from);
  start(to);
  f.loop(row, rows, 1, () => {
    for (const local of sums.flat()) {
      f.constant(new Uint8Array(16));
      f.set(local);
    }
    start(counter);
    if (whole > 0) {
      f.loop(counter, whole, 4, () => {
        f.get(counter);
        f.i32(2);
        f.integer('shl');
        f.set(offset);
        accumulate(f, sums, { from, offset, x: at.from, weights: at.weights, length });
      });
    }
    for (let k = whole; k < length; k++) accumulateOne(f, sums, { from, x: at.from, weights: at.weights, length, k });
    sums.forEach((pair, o) => storeSum(f, pair, to, at.to + 4 * o));
    advance(f, from, 4 * length);
    advance(f, to, 4 * outputs);
  });
  return f;
}

interface Place {
  readonly from: number;
  readonly x: number;
  readonly weights: number;
  readonly length: number;
}

type Pair = readonly [number, number];

/** sums[o] += x·w for four elements, two in each vector. */
function accumulate(f: FunctionBody, sums: readonly Pair[], p: Place & { readonly offset: number }): void {
  for (const half of [0, 1] as const) {
    const x = f.local('v128');
    f.get(p.from);
    f.get(p.offset);
    f.integer('add');
    f.load('low64', p.x + 8 * half);
    f.vector('f64x2.promote_low_f32x4');
    f.set(x);
    sums.forEach((pair, o) => {
      f.get(pair[half]);
      f.get(x);
      f.get(p.offset);
      f.load('low64', p.weights + 4 * o * p.length + 8 * half);
      f.vector('f64x2.promote_low_f32x4');
      f.vector('f64x2.mul');
      f.vector('f64x2.add');
      f.set(pair[half]);
    });
  }
}

/** The same for one element; the loaded vectors hold zeros beside it. */
function accumulateOne(f: FunctionBody, sums: readonly Pair[], p: Place & { readonly k: number }): void {
  sums.forEach(([sum], o) => {
    f.get(sum);
    f.get(p.from);
    f.load('low32', p.x + 4 * p.k);
    f.vector('f64x2.promote_low_f32x4');
    f.i32(0);
    f.load('low32', p.weights + 4 * (o * p.length + p.k));
    f.vector('f64x2.promote_low_f32x4');
    f.vector('f64x2.mul');
    f.vector('f64x2.add');
    f.set(sum);
  });
}

function storeSum(f: FunctionBody, [a, b]: Pair, to: number, address: number): void {
  const total = f.local('v128');
  f.get(a);
  f.get(b);
  f.vector('f64x2.add');
  f.set(total);
  f.get(to);
  f.get(total);
  f.get(total);
  f.get(total);
  f.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
  f.vector('f64x2.add');
  f.vector('f32x4.demote_f64x2_zero');
  f.storeLane(32, address, 0);
}

function advance(f: FunctionBody, local: number, by: number): void {
  f.get(local);
  f.i32(by);
  f.integer('add');
  f.set(local);
}

/** Number of rows of a dot product's operand. */
export function dotRows({ op }: DotProduct, n: number): number {
  return elementCount([units(op.shape[0]!), n]);
}
