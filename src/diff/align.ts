import type { Network, Op } from '../network/index.js';
import { type Graph, Interner, graphOf } from './fingerprint.js';
import { PairQueue } from './pair-queue.js';

/** Which op of one network corresponds to which of the other. */
export interface Alignment {
  /** In the order of the second network. */
  readonly pairs: readonly { readonly from: Op; readonly to: Op }[];
  readonly added: readonly Op[];
  readonly removed: readonly Op[];
  /** Id in the second network by id in the first. */
  readonly toOf: ReadonlyMap<string, string>;
  readonly fromOf: ReadonlyMap<string, string>;
}

/** Weights of what speaks for a pair. */
const evidence = { id: 4, inputs: 3, readers: 3, content: 2, shape: 1, above: 1.5, below: 1.5 } as const;
/** Ops of different ids need at least this much: one side of the neighbourhood and a like structure beyond it. */
const enough = 5;

/**
 * Aligns the ops of two networks. Weights that occur once in both are the surest sign, under any id. From there, and
 * from equal ids, inputs and outputs, the match that most speaks for is taken first, and what it says of its neighbours
 * counts for them: so an inserted layer moves nobody, even where all numbers in ids shift.
 */
export function alignNetworks(from: Network, to: Network): Alignment {
  return new Aligner(from, to).run();
}

class Aligner {
  readonly #a: Graph;
  readonly #b: Graph;
  readonly #toOf = new Map<string, string>();
  readonly #fromOf = new Map<string, string>();
  readonly #queue = new PairQueue<readonly [Op, Op]>();
  /** How far equal ids mean equal ops, in 0…1. */
  #trust = 1;

  constructor(from: Network, to: Network) {
    const interner = new Interner();
    this.#a = graphOf(from, interner);
    this.#b = graphOf(to, interner);
  }

  run(): Alignment {
    this.#matchWeights();
    this.#trust = this.#trustInIds();
    this.#propose();
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      const [from, to] = next.item;
      // what was matched meanwhile may speak against it
      if (this.#score(from, to) < next.score) this.#offer(from, to);
      else this.#match(from, to);
    }
    const { ops } = this.#b.network;
    const pairs = ops.flatMap((to) => {
      const from = this.#a.byId.get(this.#fromOf.get(to.id) ?? '');
      return this.#fromOf.has(to.id) && from !== undefined ? [{ from, to }] : [];
    });
    return {
      pairs,
      added: ops.filter(({ id }) => !this.#fromOf.has(id)),
      removed: this.#a.network.ops.filter(({ id }) => !this.#toOf.has(id)),
      toOf: this.#toOf,
      fromOf: this.#fromOf,
    };
  }

  /** Equal weights under one id first, then those that occur once on either side. */
  #matchWeights(): void {
    for (const op of this.#a.network.ops) {
      const other = this.#b.byId.get(op.id);
      const print = this.#a.prints.get(op.id)!.weight;
      if (other !== undefined && print !== undefined && this.#b.prints.get(op.id)!.weight === print) {
        this.#match(op, other);
      }
    }
    const unique = (graph: Graph, taken: ReadonlyMap<string, string>): ReadonlyMap<number, Op | undefined> => {
      const found = new Map<number, Op | undefined>();
      for (const op of graph.network.ops) {
        const print = graph.prints.get(op.id)!.weight;
        if (print !== undefined && !taken.has(op.id)) found.set(print, found.has(print) ? undefined : op);
      }
      return found;
    };
    const others = unique(this.#b, this.#fromOf);
    for (const [print, op] of unique(this.#a, this.#toOf)) {
      const other = others.get(print);
      if (op !== undefined && other !== undefined) this.#match(op, other);
    }
  }

  /** Where weights show that ids went to other ops, as running numbers do, equal ids say less. */
  #trustInIds(): number {
    const matched = [...this.#toOf];
    const kept = matched.filter(([from, to]) => from === to).length;
    const shifted = matched.filter(([from, to]) => from !== to && this.#b.byId.has(from)).length;
    return shifted === 0 ? 1 : kept / (kept + shifted);
  }

  #propose(): void {
    for (const op of this.#a.network.ops) {
      const other = this.#b.byId.get(op.id);
      if (other !== undefined) this.#offer(op, other);
    }
    const inputs = ({ network }: Graph): readonly Op[] => network.ops.filter((op) => op.kind === 'input');
    this.#offerAll(inputs(this.#a), inputs(this.#b));
    const ends = ({ network, byId }: Graph): readonly Op[] => network.outputs.map((id) => byId.get(id)!);
    this.#offerAll(ends(this.#a), ends(this.#b));
  }

  #offerAll(some: readonly Op[], others: readonly Op[]): void {
    for (const op of some) for (const other of others) this.#offer(op, other);
  }

  #offer(from: Op, to: Op): void {
    if (this.#toOf.has(from.id) || this.#fromOf.has(to.id)) return;
    if (from.kind !== to.kind && from.id !== to.id) return;
    const score = this.#score(from, to);
    if (from.id === to.id || score >= enough) this.#queue.push(score, [from, to]);
  }

  #match(from: Op, to: Op): void {
    if (this.#toOf.has(from.id) || this.#fromOf.has(to.id)) return;
    this.#toOf.set(from.id, to.id);
    this.#fromOf.set(to.id, from.id);
    this.#offerAll(
      from.inputs.map((id) => this.#a.byId.get(id)!),
      to.inputs.map((id) => this.#b.byId.get(id)!),
    );
    this.#offerAll(this.#a.consumers.get(from.id)!, this.#b.consumers.get(to.id)!);
  }

  #score(from: Op, to: Op): number {
    const [a, b] = [this.#a.prints.get(from.id)!, this.#b.prints.get(to.id)!];
    let score = from.id === to.id ? evidence.id * this.#trust : 0;
    score += evidence.inputs * this.#agreement(from.inputs, to.inputs);
    score += evidence.readers * this.#agreement(this.#readers(this.#a, from), this.#readers(this.#b, to));
    if (a.content === b.content) score += evidence.content;
    if (from.type.shape.join() === to.type.shape.join()) score += evidence.shape;
    if (a.above === b.above) score += evidence.above;
    if (a.below === b.below) score += evidence.below;
    return score;
  }

  /** Ids of the readers; the outside reads outputs. */
  #readers({ consumers, outputs }: Graph, { id }: Op): readonly string[] {
    const ids = consumers.get(id)!.map((op) => op.id);
    return outputs.has(id) ? [...ids, outside] : ids;
  }

  /**
   * The part of the neighbours that correspond less the part that corresponds to others, in −1…1; 1 where neither has
   * any. A neighbour without a match may be an op that was put between: then others don't speak against the pair.
   */
  #agreement(from: readonly string[], to: readonly string[]): number {
    const most = Math.max(from.length, to.length);
    if (most === 0) return 1;
    const others = new Set(to);
    const open = to.some((id) => id !== outside && !this.#fromOf.has(id));
    let sum = 0;
    for (const id of from) {
      const match = id === outside ? outside : this.#toOf.get(id);
      if (match !== undefined) sum += others.has(match) ? 1 : open ? 0 : -1;
    }
    return sum / most;
  }
}

/** An id that no op has. */
const outside = '\0outside';
