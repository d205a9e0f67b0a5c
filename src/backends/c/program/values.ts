import { type DType, type Tensor, elementCount } from '../../../base/dtype.js';
import { type Program, type TensorOp, concreteShape } from '../../../tensor/index.js';
import type { Buffer } from '../arena.js';
import type { CType } from '../ctypes.js';

/** Where the values of a program are, for one sample: views of others, numbers, weights, working memory. */
export type Place =
  /** Element k of it is element k + offset of another value. */
  | { readonly kind: 'view'; readonly of: string; readonly offset: number }
  | { readonly kind: 'number'; readonly value: number }
  /** A constant array. */
  | { readonly kind: 'data'; readonly tensor: Tensor; name?: string; type?: CType }
  /** Computed from constants where it is read. */
  | { readonly kind: 'derived'; readonly op: TensorOp }
  /** An argument of the function, or a step of one. */
  | { readonly kind: 'pointer'; readonly text: string; readonly type: CType }
  /** Working memory, or a variable of a loop over elements where `buffer` is missing. */
  | { readonly kind: 'own'; readonly op: TensorOp; buffer?: Buffer; offset: number; in?: string };

/** A value with its shape for one sample. */
export interface Info {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly count: number;
}

export function infoOf({
  dtype,
  shape,
}: {
  readonly dtype: DType;
  readonly shape: Program['ops'][number]['shape'];
}): Info {
  const concrete = concreteShape(shape, 1);
  return { dtype, shape: concrete, count: elementCount(concrete) };
}

/** How far into its source a slice begins that takes consecutive elements; undefined where it doesn't. */
export function contiguousStart(op: TensorOp, from: readonly number[]): number | undefined {
  const { starts, ends, steps } = op.attrs as unknown as Record<'starts' | 'ends' | 'steps', readonly number[]>;
  const first = from.findIndex(
    (size, axis) => starts[axis] !== 0 || ends[axis] !== size || (steps[axis] !== 1 && size > 1),
  );
  if (first < 0) return 0;
  if (from.slice(0, first).some((size) => size !== 1)) return undefined;
  const taken = Math.ceil((ends[first]! - starts[first]!) / steps[first]!);
  if (steps[first] !== 1 && taken > 1) return undefined;
  const whole = from.every(
    (size, axis) => axis <= first || (starts[axis] === 0 && ends[axis] === size && steps[axis] === 1),
  );
  return whole ? starts[first]! * elementCount(from.slice(first + 1)) : undefined;
}
