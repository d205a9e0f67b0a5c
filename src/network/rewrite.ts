import { InvariantError, present } from '../base/invariant.js';
import { NetworkBuilder, type NewOp } from './builder.js';
import { readsAhead } from './ops/index.js';
import { withoutDeadOps } from './graph.js';
import type { Network, Op, Param } from './types.js';

/**
 * What a rewrite says of one op, its inputs already renamed: keep it (changed or not) by adding ops
 * and naming the value that takes its place.
 */
export type RewriteRule = (op: Op, inputs: readonly string[], to: Rewriter) => string;

/** Rebuilds a network op by op; types follow from the new inputs. */
export class Rewriter {
  readonly builder: NetworkBuilder;
  readonly #renamed = new Map<string, string>();

  constructor(readonly from: Network) {
    this.builder = new NetworkBuilder(from.name);
    for (const [name, param] of from.params) this.builder.param(name, param);
    for (const neuron of from.neurons.values()) this.builder.neuron(neuron);
    for (const note of from.notes) this.builder.note(note);
  }

  /** The new name of a value of the old network. */
  renamed(id: string): string {
    return present(this.#renamed.get(id), `rewrite: ${id} isn't built yet`);
  }

  /** Adds the op as it is, reading `inputs`, with changes. */
  copy(op: Op, inputs: readonly string[], changes: Partial<NewOp> = {}): string {
    return this.builder.add({
      id: op.id,
      kind: op.kind,
      inputs,
      attrs: op.attrs,
      params: op.params,
      place: op.place,
      origin: op.origin,
      ...(readsAhead(op) ? { ahead: op.type } : {}),
      ...changes,
    });
  }

  /** A parameter name not in use, from a wish. */
  param(wish: string, param: Param): string {
    let name = wish;
    for (let n = 2; this.#taken.has(name) || this.from.params.has(name); n++) name = `${wish}.${n}`;
    this.#taken.add(name);
    return this.builder.param(name, param);
  }
  readonly #taken = new Set<string>();

  run(rule: RewriteRule): Network {
    for (const op of this.from.ops) {
      // what closes a cycle reads an op that isn't built yet, under its old name
      const inputs = op.inputs.map((id) => (readsAhead(op) ? (this.#renamed.get(id) ?? id) : this.renamed(id)));
      this.#renamed.set(op.id, rule(op, inputs, this));
    }
    this.builder.redirect((id) => this.renamed(id));
    const outputs = this.from.outputs.map((id) => this.renamed(id));
    if (outputs.some((id) => !this.builder.has(id))) throw new InvariantError('rewrite: an output was lost');
    return withoutDeadOps(this.builder.finish(outputs, this.from.coding));
  }
}

/** Rewrites a network with one rule. */
export function rewrite(network: Network, rule: RewriteRule): Network {
  return new Rewriter(network).run(rule);
}
