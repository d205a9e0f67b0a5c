import {
  type Network,
  type Op,
  type ValueType,
  inferType,
  opsById,
  sameShape,
  hasWeightMatrix,
} from '../network/index.js';
import { type Alignment, alignNetworks } from './align.js';
import { type Field, changedFields, isSameValue, typeFields } from './fields.js';
import { RewiredInputs } from './rewired.js';
import type { FieldChange, FieldValue, NetworkChange, NetworkDiff, WeightChange } from './types.js';
import { compareParams } from './weights.js';

/**
 * What differs between two networks, causes apart from consequences. Names of parameters, places in user files and
 * the name of the network say nothing about what it computes, and are left out.
 */
export function diffNetworks(from: Network, to: Network): NetworkDiff {
  const comparison = new Comparison(from, to, alignNetworks(from, to));
  return comparison.run();
}

interface Pair {
  readonly from: Op;
  readonly to: Op;
}

class Comparison {
  readonly #changed: FieldChange[] = [];
  readonly #consequences: FieldChange[] = [];
  readonly #weights: WeightChange[] = [];
  readonly #compared = new Set<string>();
  readonly #typesOfFrom: ReadonlyMap<string, Op>;
  readonly #typesOfTo: ReadonlyMap<string, Op>;
  readonly #rewired: RewiredInputs;

  constructor(
    readonly from: Network,
    readonly to: Network,
    readonly alignment: Alignment,
  ) {
    this.#typesOfFrom = opsById(from);
    this.#typesOfTo = opsById(to);
    this.#rewired = new RewiredInputs(this.#typesOfFrom, this.#typesOfTo, alignment);
  }

  run(): NetworkDiff {
    for (const pair of this.alignment.pairs) this.#pair(pair);
    const { added, removed, pairs } = this.alignment;
    const renamed = pairs.flatMap(({ from, to }) => (from.id === to.id ? [] : [{ from: from.id, to: to.id }]));
    const network = this.#network();
    const notes = {
      added: this.to.notes.filter((note) => !this.from.notes.includes(note)),
      removed: this.from.notes.filter((note) => !this.to.notes.includes(note)),
    };
    const lists = [added, removed, renamed, this.#changed, this.#consequences, network, notes.added, notes.removed];
    return {
      identical: lists.every((list) => list.length === 0) && this.#weights.every(({ equal }) => equal),
      network,
      added,
      removed,
      renamed,
      changed: this.#changed,
      consequences: this.#consequences,
      weights: this.#weights,
      notes,
      matched: pairs.length,
      kinds: new Map(this.from.ops.map((op) => [op.id, op.kind])),
    };
  }

  #pair(pair: Pair): void {
    const { from, to } = pair;
    const own = changedFields(from, to, this);
    const inputs = this.#rewired.inputsOf(from, to);
    if (inputs?.follows === false) own.push(inputs.field);
    if (inputs?.follows === true) this.#consequences.push({ id: from.id, ...inputs.field });
    const types = typeFields(from.type, to.type);
    const inherited = types.length === 0 ? [] : this.#inherited(pair, types);
    for (const field of [...own, ...types.filter((f) => !inherited.includes(f))]) {
      this.#changed.push({ id: from.id, ...field });
    }
    for (const field of inherited) this.#consequences.push({ id: from.id, ...field });
    for (const role of Object.keys(from.params)) this.#param(pair, role);
  }

  /** Type fields that would not have changed had the op read what it read before. */
  #inherited({ from, to }: Pair, types: readonly Field[]): readonly Field[] {
    const before = from.inputs.map((id) => this.#typesOfFrom.get(id)!.type);
    const type = inferred(to, before, this.to);
    // its weights fit only the new inputs: they had to change with them, so did the type, unless the op changed itself
    if (type === undefined) return changedFields(from, to, this).length === 0 ? types : [];
    const own = new Set(typeFields(from.type, type).map(({ field }) => field));
    return types.filter(({ field }) => !own.has(field));
  }

  #param({ from, to }: Pair, role: string): void {
    const [id, other] = [from.params[role]!, to.params[role]];
    const [a, b] = [this.from.params.get(id), other === undefined ? undefined : this.to.params.get(other)];
    // layers may share a parameter
    if (a === undefined || b === undefined || this.#compared.has(`${id}\0${other}`)) return;
    this.#compared.add(`${id}\0${other}`);
    const change = compareParams(a, b);
    const follows = change.shape !== undefined && this.#isForced({ from, to }, role, change.shape);
    this.#weights.push({ id, op: from.id, role, ...change, ...(follows ? { follows } : {}) });
  }

  /** Whether the old parameters can't stay at the new inputs, and the op's own width is as before. */
  #isForced({ from, to }: Pair, role: string, shape: NonNullable<WeightChange['shape']>): boolean {
    const after = to.inputs.map((id) => this.#typesOfTo.get(id)!.type);
    if (from.kind !== to.kind || inferred(from, after, this.from) !== undefined) return false;
    const isMatrix = hasWeightMatrix(from);
    const width = ([out, , ...kernel]: readonly number[]): readonly number[] => [out!, ...kernel];
    return !isMatrix || (role === 'weight' && sameShape(width(shape.from), width(shape.to)));
  }

  #network(): NetworkChange[] {
    const changes: NetworkChange[] = [];
    const compare = (field: string, from: FieldValue, to: FieldValue): void => {
      if (!isSameValue(from, to)) changes.push({ field, from, to });
    };
    const [a, b] = [this.from.coding, this.to.coding];
    compare('coding', a?.name ?? null, b?.name ?? null);
    for (const name of new Set([...Object.keys(a?.args ?? {}), ...Object.keys(b?.args ?? {})])) {
      compare(`coding.${name}`, a?.args[name] ?? null, b?.args[name] ?? null);
    }
    if (!this.#outputsFollow()) compare('outputs', this.from.outputs, this.to.outputs);
    return changes;
  }

  /** Whether the outputs correspond, or only because of added and removed ops don't; then that is a consequence. */
  #outputsFollow(): boolean {
    const [before, after] = [this.from.outputs, this.to.outputs];
    if (before.length !== after.length) return false;
    const moved = before.flatMap((id, i) =>
      this.alignment.toOf.get(id) === after[i] ? [] : [[id, after[i]!] as const],
    );
    if (!moved.every(([from, to]) => this.#rewired.isAround(from, to))) return false;
    for (const [from, to] of moved) this.#consequences.push({ id: from, field: 'output', from, to });
    return true;
  }
}

/** The type of an op on other inputs; undefined where it doesn't fit them. */
function inferred(op: Op, inputs: readonly ValueType[], { params, neurons }: Network): ValueType | undefined {
  const type = inferType({ kind: op.kind, attrs: op.attrs, params: op.params }, inputs, params, neurons);
  return typeof type === 'string' ? undefined : type;
}
