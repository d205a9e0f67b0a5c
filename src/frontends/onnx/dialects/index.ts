import { StandardNodes } from '../standard/nodes.js';
import { type OnnxGraph, type OnnxNode, decodeNode } from '../wire.js';
import { emptyInputs, joinedRest, joinsNothing } from './empty-inputs.js';
import { isRequantisedSum, requantisedSum } from './dory.js';
import { finnForm } from './finn.js';
import { FinnGraph } from './finn-graph.js';
import { hardwareLayer, isStreamlined } from './finn-layers.js';

export { finnInputs, wrongAttribute } from './finn-layers.js';

/** Whether a node is one that a tool writes in terms of its own: of FINN, or a sum of quantlab and DORY. */
export function isOfDialect(node: OnnxNode): boolean {
  return isStreamlined(node) || hardwareLayer(node) !== undefined || isRequantisedSum(node);
}

/**
 * Nodes of tools' own (FINN's streamlined networks and hardware layers, requantised sums), and what is joined with nothing, in operators of ONNX, QONNX and
 * PULP: serialised nodes for one node, undefined where it stays what it is. Undefined for a graph that has none of them.
 */
export function dialectRewriter(
  graph: OnnxGraph,
  opset: number,
): ((node: OnnxNode) => readonly Uint8Array[] | undefined) | undefined {
  const empty = emptyInputs(graph);
  if (empty.size === 0 && !graph.nodes.some((node) => isOfDialect(node))) return undefined;
  const around = new FinnGraph(graph);
  const formOf = (node: OnnxNode): ReturnType<typeof finnForm> => {
    if (joinsNothing(node, empty)) return (given, to) => joinedRest(given, to, empty);
    return isRequantisedSum(node) ? requantisedSum : finnForm(node);
  };
  return (node) => {
    const form = formOf(node);
    if (form === undefined) return undefined;
    const to = new StandardNodes(`${node.outputs[0] ?? ''}.`, opset);
    return form(node, to, around) ? to.messages() : undefined;
  };
}

/** The graph without nodes of tools' own. */
export function withoutDialects(graph: OnnxGraph, opset: number): OnnxGraph {
  const rewrite = dialectRewriter(graph, opset);
  if (rewrite === undefined) return graph;
  const written = (node: OnnxNode): readonly OnnxNode[] =>
    rewrite(node)?.map((message) => decodeNode(message)) ?? [node];
  const empty = emptyInputs(graph);
  const inputs = graph.inputs.filter(({ name }) => !empty.has(name));
  return { ...graph, inputs, nodes: graph.nodes.flatMap((node) => written(node)) };
}
