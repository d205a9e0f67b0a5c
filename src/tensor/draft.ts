import { type DType, type Tensor, tensor } from '../base/dtype.js';
import { invariant } from '../base/invariant.js';
import { ShapeError, checkShape, sameInfo, showType } from './dims.js';
import type { Value } from './op-builder.js';
import { opDef } from './ops/index.js';
import type { Attrs, Dim, PrimKind, Program, ProgramInput, ProgramParam, TensorOp, ValueInfo } from './types.js';

/** A program in the making: what all views of one builder share. */
export class Draft {
  readonly title: string;
  readonly ops: TensorOp[] = [];
  /** The network op that the next ops come from, and the part of it they belong to. */
  from: string | undefined;
  section: string | undefined;
  readonly #inputs: ProgramInput[] = [];
  readonly #params: ProgramParam[] = [];
  readonly #outputs = new Map<string, string>();
  readonly #values = new Map<string, Value>();
  readonly #makers = new Map<string, TensorOp>();
  readonly #scalars = new Map<string, Value>();
  readonly #suffix = new Map<string, number>();

  constructor(title: string) {
    this.title = title;
  }

  build(): Program {
    return {
      name: this.title,
      inputs: [...this.#inputs],
      params: [...this.#params],
      ops: [...this.ops],
      outputs: Object.fromEntries(this.#outputs),
    };
  }

  has(id: string): boolean {
    return this.#values.has(id);
  }

  /** The op that makes a value; undefined for inputs and params. */
  makerOf(id: string): TensorOp | undefined {
    return this.#makers.get(id);
  }

  value(id: string): Value {
    const value = this.#values.get(id);
    if (value === undefined) throw new TypeError(`there is no value "${id}" in program "${this.title}"`);
    return value;
  }

  input(id: string, dtype: DType, shape: readonly Dim[]): Value {
    checkShape(shape, `input "${id}"`);
    const value = this.#declare({ id, dtype, shape });
    this.#inputs.push(value);
    return value;
  }

  param(id: string, data: Tensor): Value {
    const { dtype, shape } = data;
    const value = this.#declare({ id, dtype, shape });
    this.#params.push({ ...value, data });
    return value;
  }

  output(name: string, value: Value): void {
    this.#check(value);
    if (this.#outputs.has(name)) throw new TypeError(`output "${name}" is already defined`);
    this.#outputs.set(name, value.id);
  }

  scalar(dtype: DType, value: number): Value {
    // no op of a network has a name like it
    const name = `#${Object.is(value, -0) ? '-0' : value}${dtype === 'f32' ? '' : `.${dtype}`}`;
    const known = this.#scalars.get(name);
    if (known !== undefined) return known;
    const made = this.push('const', [], { value: tensor(dtype, [], [value]) }, this.#unique(name), undefined);
    this.#scalars.set(name, made);
    return made;
  }

  /** A free id after the current network op and section. */
  name(base: string): string {
    return this.#unique([this.from, this.section, base].filter((part) => part !== undefined).join('.'));
  }

  push(
    kind: PrimKind,
    inputs: readonly Value[],
    attrs: unknown,
    id: string,
    from: string | undefined,
    after?: string,
  ): Value {
    const def = opDef(kind);
    for (const input of inputs) this.#check(input);
    if (def.arity === 'many' ? inputs.length === 0 : inputs.length !== def.arity) {
      throw new ShapeError(`${id}: ${kind} takes ${def.arity} operands, got ${inputs.length}`);
    }
    let info: ValueInfo;
    try {
      info = def.infer(inputs, attrs);
    } catch (error) {
      if (error instanceof ShapeError) error.message = `${id}: ${error.message}`;
      throw error;
    }
    const { dtype, shape, parts } = info;
    const value = this.#declare(parts === undefined ? { id, dtype, shape } : { id, dtype, shape, parts });
    const made = { id, kind, inputs: inputs.map((input) => input.id), attrs: attrs as Attrs, dtype, shape };
    const op: TensorOp & { parts?: typeof parts; from?: string; after?: string } = made;
    if (parts !== undefined) op.parts = parts;
    if (from !== undefined) op.from = from;
    if (after !== undefined) op.after = after;
    this.ops.push(op);
    this.#makers.set(id, op);
    return value;
  }

  /** Puts an op with more results in the place of a scan with the same operands. */
  extend(id: string, attrs: Attrs): Value {
    const at = this.ops.findIndex((op) => op.id === id);
    const old = this.ops[at];
    invariant(old?.kind === 'scan', `program "${this.title}": "${id}" is no scan`);
    const info = opDef('scan').infer(
      old.inputs.map((input) => this.value(input)),
      attrs,
    );
    const op: TensorOp = { ...old, attrs, ...typeOf(info) };
    const value: Value = { id, ...typeOf(info) };
    this.ops[at] = op;
    this.#makers.set(id, op);
    this.#values.set(id, value);
    return value;
  }

  #declare(value: Value): Value {
    if (this.#values.has(value.id)) throw new TypeError(`the id "${value.id}" is already used`);
    this.#values.set(value.id, value);
    return value;
  }

  #check(value: Value): void {
    const known = this.#values.get(value.id);
    if (known === undefined) throw new TypeError(`value "${value.id}" is not of program "${this.title}"`);
    invariant(
      sameInfo(known, value),
      `program "${this.title}": value "${value.id}" is ${showType(known)}, used as ${showType(value)}`,
    );
  }

  #unique(name: string): string {
    if (!this.#values.has(name)) return name;
    let count = this.#suffix.get(name) ?? 1;
    while (this.#values.has(`${name}.${count}`)) count++;
    this.#suffix.set(name, count + 1);
    return `${name}.${count}`;
  }
}

function typeOf({ dtype, shape, parts }: ValueInfo): ValueInfo {
  return parts === undefined ? { dtype, shape } : { dtype, shape, parts };
}
