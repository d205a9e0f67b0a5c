import { StandardNodes } from '../standard/nodes.js';
import type { OnnxGraph, OnnxNode } from '../wire.js';

/**
 * Inputs of no numbers that are only joined with others (a cache of keys before the first word): nothing, wherever they stand.
 */
export function emptyInputs(graph: OnnxGraph): ReadonlySet<string> {
  const initial = new Set(graph.initializers.map(({ name }) => name));
  const empty = new Set(
    graph.inputs.filter(({ name, dims }) => dims?.includes(0) === true && !initial.has(name)).map(({ name }) => name),
  );
  if (empty.size === 0) return empty;
  for (const { opType, domain, inputs } of graph.nodes) {
    const joins = opType === 'Concat' && domain === '' && inputs.some((name) => !empty.has(name));
    if (!joins) for (const name of inputs) empty.delete(name);
  }
  for (const { name } of graph.outputs) empty.delete(name);
  return empty;
}

/** Whether a node joins something with nothing. */
export function joinsNothing({ opType, inputs }: OnnxNode, empty: ReadonlySet<string>): boolean {
  return opType === 'Concat' && inputs.some((name) => empty.has(name));
}

/** The same without the nothing. */
export function joinedRest(node: OnnxNode, to: StandardNodes, empty: ReadonlySet<string>): boolean {
  const rest = node.inputs.filter((name) => !empty.has(name));
  if (rest.length === 1) to.node('Identity', rest, {}, node.outputs[0]);
  else to.node('Concat', rest, StandardNodes.attributesOf(node), node.outputs[0]);
  return true;
}
