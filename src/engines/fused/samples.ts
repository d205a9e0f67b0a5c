import { type Tensor, type TypedArray, allocate, arrayConstructor, elementCount } from '../../base/dtype.js';
import { batchAxis, concreteShape, isBatch, units } from '../../tensor/dims.js';
import { type Dim, type Program, type ValueInfo, attrsOf } from '../../tensor/types.js';

/**
 * Whether every sample of a batch is computed by itself, so that a batch may be cut into
 * smaller ones: no op sums, searches or reshapes across samples, and outputs keep the batch.
 */
export function isSeparable(program: Program): boolean {
  const hasBatch = program.inputs.some(isBatched);
  return hasBatch && actsOnSamples(program);
}

const isBatched = ({ shape, parts }: ValueInfo): boolean =>
  parts === undefined ? shape.some(isBatch) : parts.every(isBatched);

/** The same of a program or the body of a loop, wherever its batch comes from. */
function actsOnSamples(program: Pick<Program, 'inputs' | 'params' | 'ops' | 'outputs'>): boolean {
  const types = new Map<string, ValueInfo>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) types.set(value.id, value);
  const batched = (id: string) => isBatched(types.get(id)!);
  return (
    Object.values(program.outputs).every(batched) &&
    program.ops.every((op) => {
      if (!op.inputs.some(batched)) return true;
      if (!batched(op.id)) return false;
      if (op.kind === 'scan') return actsOnSamples(attrsOf(op, 'scan').body);
      return op.kind !== 'reshape' || sameSampleLayout(types.get(op.inputs[0]!)!.shape, op.shape);
    })
  );
}

/** Reshapes that keep what lies before and after a sample's place in memory. */
function sameSampleLayout(from: readonly Dim[], to: readonly Dim[]): boolean {
  const [a, b] = [layoutOf(from), layoutOf(to)];
  return a.outer === b.outer && a.inner === b.inner;
}

/** A batched shape as [outer, N, inner]: time steps and the like, samples, a sample's elements. */
function layoutOf(shape: readonly Dim[]): { readonly outer: number; readonly inner: number } {
  const axis = batchAxis(shape);
  const sizes = shape.map(units);
  return { outer: elementCount(sizes.slice(0, axis + 1)), inner: elementCount(sizes.slice(axis + 1)) };
}

/** Samples `first` to `first + count` − 1 of a tensor of `n`, copied; without batch axis, all of it. */
export function takeSamples(value: Tensor, shape: readonly Dim[], n: number, first: number, count: number): TypedArray {
  if (!shape.some(isBatch)) return value.data.slice();
  const { outer, inner } = layoutOf(shape);
  const part = allocate(value.dtype, outer * count * inner);
  for (let o = 0; o < outer; o++) {
    const from = (o * n + first) * inner;
    part.set(value.data.subarray(from, from + count * inner), o * count * inner);
  }
  return part;
}

/** An empty tensor for a batch of `n`, and a way to put samples into it. */
export function collectSamples({ dtype, shape }: ValueInfo, n: number) {
  const { outer, inner } = layoutOf(shape);
  const data = new (arrayConstructor(dtype))(outer * n * inner);
  return {
    tensor: { dtype, shape: concreteShape(shape, n), data } as Tensor,
    put(part: TypedArray, first: number, count: number): void {
      for (let o = 0; o < outer; o++) {
        data.set(part.subarray(o * count * inner, (o + 1) * count * inner), (o * n + first) * inner);
      }
    },
  };
}

/** Cuts `n` samples into as few parts of at most `largest` as possible, as equal as possible. */
export function cutBatch(n: number, largest: number): { readonly first: number; readonly count: number }[] {
  const parts = Math.max(1, Math.ceil(n / largest));
  return Array.from({ length: parts }, (_, i) => {
    const first = Math.floor((i * n) / parts);
    return { first, count: Math.floor(((i + 1) * n) / parts) - first };
  });
}
