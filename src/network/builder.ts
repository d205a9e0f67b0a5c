import { type NeuronDef, withoutRanges } from '../equations/index.js';
import { InvariantError, present } from '../base/invariant.js';
import type { Place } from '../base/source.js';
import { type OpKind, attrProblems, opDef, readsAhead } from './ops/index.js';
import { inferType, levelsOf } from './infer-type.js';
import { settledTypes } from './settled-types.js';
import {
  type Attrs,
  type Coding,
  type Network,
  type Op,
  type Param,
  type UncheckedOp,
  type ValueType,
  checkedOp,
} from './types.js';

export interface NewOp {
  readonly id: string;
  readonly kind: OpKind;
  readonly inputs?: readonly string[];
  readonly attrs?: Attrs;
  readonly params?: Readonly<Record<string, string>>;
  readonly place?: Place | undefined;
  readonly origin?: string | undefined;
  /** Of an op that reads one that isn't there yet: the type that it is taken to have until the network is finished. */
  readonly ahead?: ValueType | undefined;
}

/** An op as a text says it with its attributes as those of its kind, or what is wrong with them. */
export function decodedOp<K extends OpKind>(op: UncheckedOp<K>): Op<K> | { readonly problems: readonly string[] } {
  const { attrs, otherAttrs } = opDef(op.kind);
  const problems = attrProblems(attrs, otherAttrs, op.attrs);
  return problems.length > 0 ? { problems } : checkedOp(op);
}

/** Attributes of a layer of neurons with the levels of its equations; the amplitude is theirs unless another is chosen. */
function withLevels(
  op: Required<Pick<NewOp, 'kind' | 'attrs' | 'params'>>,
  neurons: ReadonlyMap<string, NeuronDef>,
  steps: number | undefined,
): Attrs {
  const { attrs } = op;
  const own = levelsOf(op, neurons, steps);
  if (own === undefined) return attrs;
  const levels = [own.min, own.max];
  if ('levels' in attrs && 'amplitude' in attrs) return { ...attrs, levels };
  const { neuron, levels: _, ...rest } = attrs;
  if (!('amplitude' in rest)) return { neuron: neuron!, levels, amplitude: own.step, ...rest };
  return Object.fromEntries(
    Object.entries(attrs).flatMap((entry) => (entry[0] === 'amplitude' ? [['levels', levels], entry] : [entry])),
  );
}

/** The op, its type inferred from those of its inputs, or what is wrong with it. Every op is made here or read from text. */
export function makeOp<K extends OpKind>(
  { id, kind, inputs = [], attrs = {}, params = {}, place, origin }: NewOp & { readonly kind: K },
  types: readonly ValueType[],
  values: ReadonlyMap<string, Param>,
  neurons: ReadonlyMap<string, NeuronDef>,
): Op<K> | { readonly problem: string } {
  const settled = withLevels({ kind, attrs, params }, neurons, types[0]?.time?.steps);
  const type = inferType({ kind, attrs: settled, params }, types, values, neurons);
  if (typeof type === 'string') return { problem: type };
  return checkedOp({
    id,
    kind,
    inputs,
    attrs: settled,
    params,
    type,
    ...(place === undefined ? {} : { place }),
    ...(origin === undefined ? {} : { origin }),
  });
}

/** Builds networks op by op, with types inferred. Misuse throws: callers check user input first. */
export class NetworkBuilder {
  readonly #types = new Map<string, ValueType>();
  readonly #ops: Op[] = [];
  readonly #byId = new Map<string, Op>();
  readonly #params = new Map<string, Param>();
  readonly #neurons = new Map<string, NeuronDef>();
  readonly #notes: string[] = [];
  /** Ops that read one which wasn't there yet. */
  readonly #ahead = new Set<string>();

  constructor(readonly name: string) {}

  param(name: string, param: Param): string {
    if (this.#params.has(name)) throw new InvariantError(`network builder: parameter ${name} exists`);
    this.#params.set(name, param);
    return name;
  }

  neuron(def: NeuronDef): void {
    this.#neurons.set(def.name, withoutRanges(def));
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  has(id: string): boolean {
    return this.#types.has(id);
  }

  typeOf(id: string): ValueType {
    return present(this.#types.get(id), `network builder: no value ${id}`);
  }

  /** An op that was added. */
  opOf(id: string): Op {
    return present(this.#byId.get(id), `network builder: no op ${id}`);
  }

  /** A parameter that was added. */
  paramOf(name: string): Param {
    return present(this.#params.get(name), `network builder: no parameter ${name}`);
  }

  /** Adds an op, or says why it can't be: for callers that check user input. */
  tryAdd(op: NewOp): string | { readonly problem: string } {
    if (this.#types.has(op.id)) return { problem: `id ${op.id} exists` };
    if (op.ahead !== undefined && readsAhead(op) && !this.#types.has(op.inputs![0]!)) this.#ahead.add(op.id);
    const types = this.#ahead.has(op.id) ? [op.ahead!] : (op.inputs ?? []).map((id) => this.typeOf(id));
    const made = makeOp(op, types, this.#params, this.#neurons);
    if ('problem' in made) return made;
    this.#types.set(op.id, made.type);
    this.#ops.push(made);
    this.#byId.set(op.id, made);
    return op.id;
  }

  add(op: NewOp): string {
    const added = this.tryAdd(op);
    if (typeof added !== 'string') throw new InvariantError(`network builder: ${op.id} (${op.kind}): ${added.problem}`);
    return added;
  }

  /** Other names of what ops read that wasn't there yet. */
  redirect(names: (id: string) => string): void {
    this.#ops.forEach((op, i) => {
      if (this.#ahead.has(op.id)) this.#ops[i] = { ...op, inputs: op.inputs.map(names) };
    });
  }

  finish(outputs: readonly string[], coding?: Coding): Network {
    return {
      name: this.name,
      ...(coding === undefined ? {} : { coding }),
      ops: this.#ahead.size === 0 ? [...this.#ops] : settledTypes(this.#ops, this.#params, this.#neurons),
      outputs,
      params: this.#params,
      neurons: this.#neurons,
      notes: this.#notes,
    };
  }
}
