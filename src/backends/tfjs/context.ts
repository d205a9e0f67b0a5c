import type { DType } from '../../base/dtype.js';
import {
  type Dim,
  type PrimAttrs,
  type PrimKind,
  type Program,
  type TensorOp,
  type ValueInfo,
  attrsOf,
  isBatch,
} from '../../tensor/index.js';
import type { JsWriter } from './writer.js';

/**
 * Number formats inside emitted functions. Truth values are 0 and 1 in float32 there: the
 * wasm backend has vector code for float arithmetic, but goes through truth values one by
 * one (measured on 1.6 M elements: logicalAnd 22 ms, where 21 ms, and 276 ms with a scalar
 * branch; mul 1 ms).
 */
export const tfTypes: Readonly<Record<DType, string>> = {
  f32: 'float32',
  f64: 'float32',
  i32: 'int32',
  i8: 'int32',
  u8: 'int32',
  bool: 'float32',
};

/** Axes of [N,C,H,W] in the order in which TensorFlow.js convolves. */
export const toNhwc = [0, 2, 3, 1] as const;
const toNchw = [0, 3, 1, 2] as const;

export type Layout = 'plain' | 'nhwc';

/** A variable and how a value lies in it. */
export interface Lying {
  readonly variable: string;
  readonly layout: Layout;
}

/** The variables that hold one value, by layout. Values without four axes have only `plain`. */
interface Held {
  plain?: string;
  nhwc?: string;
}

/**
 * Knows in which variable, and in which layout, each value of the program lies.
 * TensorFlow.js convolves [N,H,W,C] only, so images stay in that layout from one
 * convolution through element-wise ops to the next, and are turned only where an op needs
 * the program's own [N,C,H,W].
 */
export class Variables {
  readonly js: JsWriter;
  readonly #held = new Map<string, Held>();
  readonly #parts = new Map<string, readonly Lying[]>();
  readonly #types = new Map<string, ValueInfo>();
  readonly #ops = new Map<string, TensorOp>();

  constructor(js: JsWriter, program: Program) {
    this.js = js;
    for (const value of [...program.inputs, ...program.params, ...program.ops]) this.#types.set(value.id, value);
    for (const op of program.ops) this.#ops.set(op.id, op);
  }

  type(id: string): ValueInfo {
    return this.#types.get(id)!;
  }

  /** The op that makes a value; undefined for what is fed. */
  op(id: string): TensorOp | undefined {
    return this.#ops.get(id);
  }

  /** The number that a scalar constant is. */
  number(id: string): number | undefined {
    const op = this.#ops.get(id);
    if (op?.kind !== 'const' || op.shape.length !== 0) return undefined;
    return attrsOf(op, 'const').value.data[0];
  }

  define(id: string, variable: string, layout: Layout = 'plain'): void {
    this.#held.set(id, layout === 'plain' ? { plain: variable } : { nhwc: variable });
  }

  /** Lets a value be what another is outside of a loop. */
  take(id: string, from: Variables, outer: string): void {
    this.#held.set(id, { ...from.#held.get(outer)! });
  }

  /** The results of a loop, by index. */
  defineParts(id: string, parts: readonly Lying[]): void {
    this.#parts.set(id, parts);
  }

  part(id: string, index: number): Lying {
    return this.#parts.get(id)![index]!;
  }

  /** Whether the value lies as [N,H,W,C] already. */
  isNhwc(id: string): boolean {
    return this.#held.get(id)!.nhwc !== undefined;
  }

  /** The variable with the value as the program sees it. */
  plain(id: string): string {
    const held = this.#held.get(id)!;
    return (held.plain ??= this.#turn(id, held.nhwc!, toNchw));
  }

  /** The variable with a value of four axes as [N,H,W,C]. */
  nhwc(id: string): string {
    const held = this.#held.get(id)!;
    return (held.nhwc ??= this.#turn(id, held.plain!, toNhwc));
  }

  /** A value of up to four axes so that it broadcasts against values in [N,H,W,C]. */
  aligned(id: string): string {
    const { shape } = this.type(id);
    if (shape.length === 4) return this.nhwc(id);
    const variable = this.plain(id);
    if (shape.length === 0) return variable;
    const full: Dim[] = [...new Array<number>(4 - shape.length).fill(1), ...shape];
    const turned = toNhwc.map((axis) => full[axis]!);
    const order = toNhwc.filter((axis) => full[axis] !== 1);
    if (order.every((axis, i) => i === 0 || order[i - 1]! < axis)) {
      return this.js.let(`${id}_aligned`, `tf.reshape(${variable}, ${dims(turned)})`, [variable]);
    }
    const reshaped = this.js.let(`${id}_4d`, `tf.reshape(${variable}, ${dims(full)})`, [variable]);
    return this.js.let(`${id}_aligned`, `tf.transpose(${reshaped}, [${toNhwc.join(', ')}])`, [reshaped]);
  }

  /** Transposes, or reshapes where only axes of size 1 change places. */
  #turn(id: string, variable: string, perm: readonly number[]): string {
    const { shape } = this.type(id);
    const hint = `${id}_${perm === toNchw ? 'nchw' : 'nhwc'}`;
    if (shape[1] === 1 || (shape[2] === 1 && shape[3] === 1)) {
      const target = perm === toNchw ? shape : toNhwc.map((axis) => shape[axis]!);
      return this.js.let(hint, `tf.reshape(${variable}, ${dims(target)})`, [variable]);
    }
    return this.js.let(hint, `tf.transpose(${variable}, [${perm.join(', ')}])`, [variable]);
  }
}

export interface EmitContext<A> {
  readonly js: JsWriter;
  readonly vars: Variables;
  readonly op: TensorOp;
  readonly attrs: A;
  /** Writes an op of a body. */
  readonly emitOp: (context: Pick<EmitContext<unknown>, 'js' | 'vars' | 'op'>) => void;
}

/** Name in the emitted function: whether the backend has kernels of its own for a convolution's gradients. */
export const nativeGradients = 'native';

/** Writes one primitive as TensorFlow.js calls and defines its value. */
export type Emit<A> = (context: EmitContext<A>) => void;

export type EmitTable = { readonly [K in PrimKind]: Emit<PrimAttrs[K]> };

/** A count in units of the axis: `3`, or `3 * N` on the batch axis. */
export function count(like: Dim, units: number): string {
  if (!isBatch(like) || units === 0) return String(units);
  return units === 1 ? 'N' : `${units} * N`;
}

/** A shape as a JavaScript array. */
export function dims(shape: readonly Dim[]): string {
  return `[${shape.map((dim) => count(dim, isBatch(dim) ? dim.batch : dim)).join(', ')}]`;
}

/** Defines the op's value as `code` over plain operands. */
export function plainOp({ js, vars, op }: EmitContext<unknown>, code: (names: readonly string[]) => string): void {
  const names = op.inputs.map((id) => vars.plain(id));
  vars.define(op.id, js.let(op.id, code(names), names));
}
