import { type Tensor, allocate } from '../../base/dtype.js';
import { isBatch } from '../dims.js';
import type { Program, TensorOp, ValueInfo } from '../types.js';
import { attrsOf } from '../types.js';

/** The part of a program that is already simplified: what rules look things up in. */
export class Rewritten {
  readonly #ops = new Map<string, TensorOp>();
  readonly #types = new Map<string, ValueInfo>();

  constructor(program: Program) {
    for (const value of [...program.inputs, ...program.params]) this.#types.set(value.id, value);
  }

  add(op: TensorOp): void {
    this.#ops.set(op.id, op);
    this.#types.set(op.id, op);
  }

  /** The op that makes a value; undefined for inputs and params. */
  op(id: string): TensorOp | undefined {
    return this.#ops.get(id);
  }

  type(id: string): ValueInfo {
    return this.#types.get(id)!;
  }

  constant(id: string): Tensor | undefined {
    const op = this.#ops.get(id);
    return op?.kind === 'const' ? attrsOf(op, 'const').value : undefined;
  }

  /** The number that all elements of a value are, if it is such a constant, seen through repetition. */
  uniform(id: string): number | undefined {
    const op = this.#ops.get(id);
    if (op === undefined) return undefined;
    if (op.kind === 'broadcast' || op.kind === 'reshape') return this.uniform(op.inputs[0]!);
    if (op.kind !== 'const') return undefined;
    const { data } = attrsOf(op, 'const').value;
    const first = data[0];
    return first !== undefined && data.every((v) => v === first) ? first : undefined;
  }
}

/** What a rule makes of an op: another value that it equals, or an op in its place. */
export type Rewrite = { readonly same: string } | { readonly op: TensorOp };

export function same(id: string): Rewrite {
  return { same: id };
}

/** The same result computed by another primitive. */
export function become(
  op: TensorOp,
  kind: TensorOp['kind'],
  inputs: readonly string[],
  attrs: TensorOp['attrs'] = {},
): Rewrite {
  return { op: { ...op, kind, inputs, attrs } };
}

/** The op as a constant, where it has no batch axis. */
export function uniformConstant(op: TensorOp, value: number): Rewrite | undefined {
  if (op.shape.some(isBatch)) return undefined;
  const shape = op.shape as readonly number[];
  const data = allocate(
    op.dtype,
    shape.reduce((a, b) => a * b, 1),
  ).fill(value);
  return become(op, 'const', [], { value: { dtype: op.dtype, shape, data } as Tensor });
}
