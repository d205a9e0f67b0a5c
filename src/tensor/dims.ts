import type { Dim, ValueInfo } from './types.js';

/** Thrown by shape rules: the caller composed operations that don't fit. */
export class ShapeError extends TypeError {
  override readonly name = 'ShapeError';
}

export function isBatch(dim: Dim): dim is { readonly batch: number } {
  return typeof dim !== 'number';
}

export function sameDim(a: Dim, b: Dim): boolean {
  return isBatch(a) ? isBatch(b) && a.batch === b.batch : a === b;
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]!));
}

/** `8N`, `N` or `32`. */
export function showDim(dim: Dim): string {
  if (!isBatch(dim)) return String(dim);
  return dim.batch === 1 ? 'N' : `${dim.batch}N`;
}

/** `[8N,3,32,32]`. */
export function showShape(shape: readonly Dim[]): string {
  return `[${shape.map(showDim).join(',')}]`;
}

/** `f32[8N,3,32,32]`; a tuple as `(f32[N], f32[8N])`. */
export function showType({ dtype, shape, parts }: ValueInfo): string {
  return parts === undefined ? dtype + showShape(shape) : `(${parts.map(showType).join(', ')})`;
}

/** The shape for a batch of `n`. */
export function concreteShape(shape: readonly Dim[], n: number): number[] {
  return shape.map((dim) => (isBatch(dim) ? dim.batch * n : dim));
}

/** Index of the batch axis, or -1. */
export function batchAxis(shape: readonly Dim[]): number {
  return shape.findIndex(isBatch);
}

/** The size of a dimension that must not depend on the batch. */
export function fixed(dim: Dim | undefined, what: string): number {
  if (dim === undefined) throw new ShapeError(`${what}: there is no such axis`);
  if (isBatch(dim)) throw new ShapeError(`${what} must not be the batch axis`);
  return dim;
}

/** The size of a dimension in its own unit: elements, or whole batches on the batch axis. */
export function units(dim: Dim): number {
  return isBatch(dim) ? dim.batch : dim;
}

/** A dimension of the same unit as `like`. */
export function withUnits(like: Dim, size: number): Dim {
  return isBatch(like) ? { batch: size } : size;
}

/** The product of a shape as (number, how many batch factors). */
export function volume(shape: readonly Dim[]): { readonly factor: number; readonly batches: number } {
  return {
    factor: shape.reduce<number>((product, dim) => product * units(dim), 1),
    batches: shape.filter(isBatch).length,
  };
}

/** Numpy's broadcasting of two shapes; a batch axis pairs with an equal one or with 1. */
export function broadcastShapes(a: readonly Dim[], b: readonly Dim[], what: string): Dim[] {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (sameDim(x, y) || y === 1) out.push(x);
    else if (x === 1) out.push(y);
    else throw new ShapeError(`${what}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
  }
  return out;
}

/** Checks that a shape is made of non-negative integers with at most one batch axis. */
export function checkShape(shape: readonly Dim[], what: string): void {
  for (const dim of shape) {
    if (!Number.isSafeInteger(units(dim)) || units(dim) < 0) {
      throw new ShapeError(`${what}: ${showShape(shape)} is not a shape`);
    }
  }
  if (volume(shape).batches > 1) throw new ShapeError(`${what}: ${showShape(shape)} has more than one batch axis`);
}

export function sameInfo(a: ValueInfo, b: ValueInfo): boolean {
  const [of, other] = [a.parts ?? [], b.parts ?? []];
  if (of.length !== other.length || !of.every((part, i) => sameInfo(part, other[i]!))) return false;
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
