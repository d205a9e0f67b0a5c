import type { DType, Tensor } from '../base/dtype.js';
import { Draft } from './draft.js';
import { OpBuilder, type Value } from './op-builder.js';
import { type Dim, type PrimAttrs, type PrimKind, type Program, type TensorOp, attrsOf } from './types.js';

export type { Operand, Value } from './op-builder.js';

/**
 * Builds a {@link Program} op by op; every method infers its result's type by the shape
 * rules and throws a TypeError on misuse.
 *
 * Names: `b.at('stage1.conv')` makes the following ops come from that op of the network;
 * `b.as('u').add(x, y)` names this op `stage1.conv.u`. An op without a name is called by
 * its kind. A name already taken gets a number.
 */
export class ProgramBuilder extends OpBuilder {
  readonly #draft: Draft;
  #hint: string | undefined;

  constructor(program: string | Draft, hint?: string) {
    super();
    this.#draft = typeof program === 'string' ? new Draft(program) : program;
    this.#hint = hint;
  }

  /**
   * The following ops come from this op of the network, and are named after it (and after
   * `section`, as in `stem.grad.mul`).
   */
  at(from: string | undefined, section?: string): this {
    this.#draft.from = from;
    this.#draft.section = section;
    return this;
  }

  /** The following ops belong to this part of the network op: `u` in `stem.spike.u.mul`. */
  within(section: string | undefined): this {
    this.#draft.section = section;
    return this;
  }

  /** The same builder, whose next op is called `name` within the current `at`. */
  as(name: string): ProgramBuilder {
    return new ProgramBuilder(this.#draft, name);
  }

  /** The program so far. */
  build(): Program {
    return this.#draft.build();
  }

  /** The ops so far, in order. */
  get operations(): readonly TensorOp[] {
    return this.#draft.ops;
  }

  /** The op that makes a value; undefined for inputs and params. */
  makerOf(id: string): TensorOp | undefined {
    return this.#draft.makerOf(id);
  }

  value(id: string): Value {
    return this.#draft.value(id);
  }

  has(id: string): boolean {
    return this.#draft.has(id);
  }

  input(id: string, dtype: DType, shape: readonly Dim[]): Value {
    return this.#draft.input(id, dtype, shape);
  }

  param(id: string, data: Tensor): Value {
    return this.#draft.param(id, data);
  }

  output(name: string, value: Value): void {
    this.#draft.output(name, value);
  }

  /** Takes over all of `program` but its outputs, under the same ids. */
  include(program: Program): void {
    for (const { id, dtype, shape } of program.inputs) this.input(id, dtype, shape);
    for (const { id, data } of program.params) this.param(id, data);
    for (const op of program.ops) this.append(op);
  }

  /** Appends an op that has its id already; its type is inferred anew. */
  append(op: TensorOp): Value {
    const inputs = op.inputs.map((id) => this.value(id));
    return this.#draft.push(op.kind, inputs, op.attrs, op.id, op.from, op.after);
  }

  op<K extends PrimKind>(kind: K, inputs: readonly Value[], attrs: PrimAttrs[K]): Value {
    const { from } = this.#draft;
    return this.#draft.push(kind, inputs, definedOnly(attrs), this.#draft.name(this.takeHint() ?? kind), from);
  }

  scalar(dtype: DType, value: number): Value {
    return this.#draft.scalar(dtype, value);
  }

  // -- loops -------------------------------------------------------------------------------

  /**
   * A loop over `steps` time steps (see {@link ScanAttrs}). `body` takes the states, one step of each of `scanned`
   * [steps·k, …] as [k, …], and `invariants`, under its own names and in this order; its outputs are the states' next
   * values, then what is stacked.
   */
  scan({ body, steps, initial, scanned = [], invariants = [], reverse = false }: ScanSpec): Scanned {
    const hint = this.takeHint();
    // the body last: it is long in print
    const attrs = { steps, states: initial.length, scanned: scanned.length, reverse, body };
    const tuple = this.last(hint).op('scan', [...initial, ...scanned, ...invariants], attrs);
    const parts = Object.keys(body.outputs).map((name, index) => this.scanOutput(tuple, index, name));
    return { tuple, final: parts.slice(0, initial.length), stacked: parts.slice(initial.length) };
  }

  scanOutput(tuple: Value, index: number, name?: string): Value {
    return this.last(name).op('scan_output', [tuple], { index });
  }

  /** Gives a scan further stacked outputs: values of its body, under new names; returns the trains. */
  extendScan(tuple: Value, further: Readonly<Record<string, string>>): Value[] {
    const { body, ...rest } = attrsOf(this.makerOf(tuple.id)!, 'scan');
    const known = Object.keys(body.outputs).length;
    const attrs = { ...rest, body: { ...body, outputs: { ...body.outputs, ...further } } };
    const wider = this.#draft.extend(tuple.id, attrs);
    return Object.keys(further).map((name, i) => this.scanOutput(wider, known + i, name));
  }

  // -- inside ------------------------------------------------------------------------------

  protected takeHint(): string | undefined {
    const hint = this.#hint;
    this.#hint = undefined;
    return hint;
  }

  protected override last(hint: string | undefined): ProgramBuilder {
    return hint === undefined ? this : this.as(hint);
  }
}

export interface ScanSpec {
  readonly body: Program;
  readonly steps: number;
  readonly initial: readonly Value[];
  readonly scanned?: readonly Value[];
  readonly invariants?: readonly Value[];
  readonly reverse?: boolean;
}

/** The results of a scan: each state after its last step, and the stacked trains. */
export interface Scanned {
  readonly tuple: Value;
  readonly final: readonly Value[];
  readonly stacked: readonly Value[];
}

/** Attributes without those that are undefined, so that equal ops have equal attributes. */
function definedOnly(attrs: object): object {
  return Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined));
}
