import { present } from '../../base/invariant.js';
import { type Network, type Op, opsById, readsAhead } from '../../network/index.js';

/**
 * The order in which a network is lowered: its ops, those of a cycle together, each after what it reads. Ops that close
 * no cycle keep their order.
 */
export function loweringOrder(network: Network): readonly (Op | readonly Op[])[] {
  const { ops } = network;
  if (!ops.some(readsAhead)) return ops;
  const cycles = cyclesOf(ops);
  if (cycles.size === 0) return ops;
  const byId = opsById(network);
  const order: (Op | readonly Op[])[] = [];
  const placed = new Set<string>();
  for (const op of ops) {
    const pending = [op];
    while (pending.length > 0) {
      const next = pending.at(-1)!;
      const cycle = cycles.get(next.id);
      const members = cycle ?? [next];
      const before = placed.has(next.id)
        ? undefined
        : members
            .flatMap(({ inputs }) => inputs)
            .find((id) => !placed.has(id) && (cycle === undefined || cycles.get(id) !== cycle));
      if (before !== undefined) {
        pending.push(present(byId.get(before), `lower: no op ${before}`));
        continue;
      }
      pending.pop();
      if (placed.has(next.id)) continue;
      for (const { id } of members) placed.add(id);
      order.push(cycle ?? next);
    }
  }
  return order;
}

/** Of a graph: what it reads, by id. */
interface Node {
  readonly id: string;
  readonly inputs: readonly string[];
}

/** The ops that depend on themselves, by id: those of the same cycle share one list, in the network's order. */
export function cyclesOf<N extends Node>(ops: readonly N[]): ReadonlyMap<string, readonly N[]> {
  const byId = new Map(ops.map((op) => [op.id, op]));
  const cycles = new Map<string, readonly N[]>();
  const places = new Map(ops.map(({ id }, i) => [id, i]));
  for (const component of componentsOf(ops)) {
    const [only] = component as [string];
    if (component.length === 1 && !byId.get(only)!.inputs.includes(only)) continue;
    const members = component.map((id) => byId.get(id)!).sort((a, b) => places.get(a.id)! - places.get(b.id)!);
    for (const { id } of members) cycles.set(id, members);
  }
  return cycles;
}

/** Strongly connected components (Tarjan), without recursion: networks may be deep. */
function componentsOf(ops: readonly Node[]): readonly (readonly string[])[] {
  const byId = new Map(ops.map((op) => [op.id, op]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const components: string[][] = [];
  for (const root of ops) {
    if (index.has(root.id)) continue;
    const calls: { readonly id: string; next: number }[] = [{ id: root.id, next: 0 }];
    while (calls.length > 0) {
      const call = calls.at(-1)!;
      const { id } = call;
      if (call.next === 0) {
        index.set(id, index.size);
        low.set(id, index.get(id)!);
        stack.push(id);
        onStack.add(id);
      }
      const { inputs } = present(byId.get(id), `lower: no op ${id}`);
      const input = inputs[call.next++];
      if (input !== undefined) {
        if (!index.has(input)) calls.push({ id: input, next: 0 });
        else if (onStack.has(input)) low.set(id, Math.min(low.get(id)!, index.get(input)!));
        continue;
      }
      calls.pop();
      const caller = calls.at(-1);
      if (caller !== undefined) low.set(caller.id, Math.min(low.get(caller.id)!, low.get(id)!));
      if (low.get(id) !== index.get(id)) continue;
      const component: string[] = [];
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        onStack.delete(member);
        component.push(member);
        if (member === id) break;
      }
      components.push(component);
    }
  }
  return components;
}
