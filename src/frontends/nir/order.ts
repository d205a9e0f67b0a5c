import { fail } from '../../base/diagnostics/index.js';
import type { FlatGraph } from './graph.js';
import { isNeuronType } from './neurons.js';

/** The order in which nodes are computed, and which edges carry what was a step before. */
export interface NirOrder {
  readonly order: readonly string[];
  /** Node → those of its inputs that it reads a step late: they close a cycle. */
  readonly late: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Nodes after what they read. Where that is impossible, an edge out of neurons (or a Delay) is taken out and read a step later. */
export function orderOf({ nodes, inputs }: FlatGraph, delays: (node: string) => boolean, file: string): NirOrder {
  const late = new Map<string, Set<string>>();
  const isLate = (from: string, to: string): boolean => late.get(to)?.has(from) === true;
  const keeps = (name: string): boolean => isNeuronType(nodes.get(name)!.type) && nodes.get(name)!.type !== 'Threshold';
  // from the outputs backwards: what comes back to where the search has been is feedback
  const names = [...nodes.keys()].sort((a, b) => Number(isOutput(nodes, b)) - Number(isOutput(nodes, a)));
  for (;;) {
    const { order, cycle } = sorted(names, (name) => inputs.get(name)!.filter((from) => !isLate(from, name)));
    if (cycle === undefined) return { order, late };
    // the cycle runs from what reads to what is read: its last edge is the one that came back
    const edges = cycle.map((to, i) => [cycle[(i + 1) % cycle.length]!, to] as const);
    const cut = edges.findLast(([, to]) => delays(to)) ?? edges.findLast(([from]) => keeps(from));
    if (cut === undefined) fail('nir/cycle', { node: cycle[0]! }, { file });
    const [from, to] = cut;
    late.set(to, new Set([...(late.get(to) ?? []), from]));
  }
}

function isOutput(nodes: FlatGraph['nodes'], name: string): boolean {
  return nodes.get(name)!.type === 'Output';
}

/** Depth first; a cycle, if there is one, as a list in which each reads the next. */
function sorted(
  names: readonly string[],
  reads: (name: string) => readonly string[],
): { readonly order: readonly string[]; readonly cycle?: readonly string[] } {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of names) {
    if (state.has(root)) continue;
    const path: { readonly name: string; readonly rest: string[] }[] = [{ name: root, rest: [...reads(root)] }];
    state.set(root, 'open');
    while (path.length > 0) {
      const top = path.at(-1)!;
      const next = top.rest.shift();
      if (next === undefined) {
        state.set(top.name, 'done');
        order.push(top.name);
        path.pop();
      } else if (state.get(next) === 'open') {
        const at = path.findIndex(({ name }) => name === next);
        return { order, cycle: path.slice(at).map(({ name }) => name) };
      } else if (!state.has(next)) {
        state.set(next, 'open');
        path.push({ name: next, rest: [...reads(next)] });
      }
    }
  }
  return { order };
}
