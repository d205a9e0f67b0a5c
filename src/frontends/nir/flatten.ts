import { fail } from '../../base/diagnostics/index.js';
import type { FlatGraph, NirGraph, NirNode } from './graph.js';

/** All nodes of a graph and of those in it: what reads a nested graph reads its Output, and its Input reads what that reads. */
export function flattened(graph: NirGraph, file: string): FlatGraph {
  const nodes = new Map<string, NirNode>();
  const inputs = new Map<string, string[]>();
  const graphs = [{ graph, prefix: '' }];
  for (const { graph: one, prefix } of graphs) {
    const { nodes: own, edges } = one;
    for (const [name, node] of own) {
      const full = prefix + name;
      if (node.graph === undefined) {
        nodes.set(full, node);
        inputs.set(full, inputs.get(full) ?? []);
      } else graphs.push({ graph: node.graph, prefix: `${full}.` });
    }
    for (const [from, to] of distinct(edges)) {
      const missing = [from, to].find((name) => !own.has(name));
      if (missing !== undefined) fail('nir/unknown-node', { from, to, missing }, { file });
      const source = portOf(own.get(from)!, prefix + from, 'Output', file);
      const target = portOf(own.get(to)!, prefix + to, 'Input', file);
      inputs.set(target, [...(inputs.get(target) ?? []), source]);
    }
  }
  return { nodes, inputs };
}

/** Edges without repetitions: they mean nothing. */
function distinct(edges: NirGraph['edges']): NirGraph['edges'] {
  const seen = new Set<string>();
  return edges.filter((edge) => {
    const key = JSON.stringify(edge);
    return !seen.has(key) && seen.add(key);
  });
}

/** The node that an edge into or out of a graph is about. */
function portOf(outer: NirNode, path: string, type: 'Input' | 'Output', file: string): string {
  let name = path;
  for (let node = outer; ;) {
    if (node.graph === undefined) return name;
    const ports = [...node.graph.nodes].filter(([, one]) => one.type === type);
    const [first, second] = ports;
    if (first === undefined || second !== undefined) {
      const problem = `needs one ${type} to be read by its name, it has ${ports.length}`;
      fail('nir/bad-node', { node: name, problem }, { file });
    }
    node = first[1];
    name = `${name}.${first[0]}`;
  }
}
