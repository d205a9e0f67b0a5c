import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { describeNode } from './names.js';
import type { OnnxGraph, OnnxNode } from './wire.js';

/** A damaged file may give one diagnostic a node; this many are told. */
export const mostDiagnostics = 50;

interface OrderedGraph {
  /** Every node after those it reads from. */
  readonly nodes: readonly OnnxNode[];
  /** Who reads each tensor; a graph output counts as one. */
  readonly readers: ReadonlyMap<string, readonly (OnnxNode | 'output')[]>;
}

/** Orders the nodes and checks that every tensor that is read is written exactly once. Reports all that is wrong. */
export function orderGraph(graph: OnnxGraph, file: string, diagnostics: Diagnostic[]): OrderedGraph | undefined {
  const before = diagnostics.length;
  const writers = new Map<string, OnnxNode | 'given'>();
  const given = new Set([...graph.initializers, ...graph.inputs].map((tensor) => tensor.name));
  for (const name of given) writers.set(name, 'given');
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output === '') continue;
      if (writers.has(output) && diagnostics.length < mostDiagnostics)
        diagnostics.push(diagnostic('onnx/duplicate-tensor', { name: output }, place(file, node)));
      writers.set(output, node);
    }
  }
  const readers = new Map<string, (OnnxNode | 'output')[]>();
  const read = (name: string, by: OnnxNode | 'output'): void => {
    if (name === '' && by !== 'output') return;
    const list = readers.get(name);
    if (list === undefined) readers.set(name, [by]);
    else list.push(by);
    if ((name !== '' && writers.has(name)) || diagnostics.length >= mostDiagnostics) return;
    const where = by === 'output' ? { file, detail: `output "${name}"` } : place(file, by);
    diagnostics.push(diagnostic('onnx/unknown-tensor', { name }, where));
  };
  for (const node of graph.nodes) for (const input of node.inputs) read(input, node);
  for (const output of graph.outputs) read(output.name, 'output');
  if (diagnostics.length > before) return undefined;
  const nodes = topological(graph.nodes, writers);
  if (nodes.length === graph.nodes.length) return { nodes, readers };
  const done = new Set(nodes);
  const stuck = graph.nodes.filter((node) => !done.has(node));
  diagnostics.push(
    diagnostic('onnx/cyclic-graph', { nodes: findCycle(stuck, writers).map(describeNode) }, place(file, stuck[0]!)),
  );
  return undefined;
}

function place(file: string, node: OnnxNode): { file: string; detail: string } {
  return { file, detail: describeNode(node) };
}

/** The file's own order where that is valid, as it should be; else Kahn's algorithm, which leaves out nodes on or behind a cycle. */
function topological(
  nodes: readonly OnnxNode[],
  writers: ReadonlyMap<string, OnnxNode | 'given'>,
): readonly OnnxNode[] {
  const waiting = new Map<OnnxNode, number>();
  const followers = new Map<OnnxNode, OnnxNode[]>();
  const seen = new Set<OnnxNode>();
  let inOrder = true;
  for (const node of nodes) {
    const needed = new Set<OnnxNode>();
    for (const input of node.inputs) {
      const writer = writers.get(input);
      if (writer !== undefined && writer !== 'given') needed.add(writer);
    }
    for (const writer of needed) {
      if (!seen.has(writer)) inOrder = false;
      const list = followers.get(writer);
      if (list === undefined) followers.set(writer, [node]);
      else list.push(node);
    }
    waiting.set(node, needed.size);
    seen.add(node);
  }
  if (inOrder) return nodes;
  const ordered = nodes.filter((node) => waiting.get(node) === 0);
  for (let i = 0; i < ordered.length; i++) {
    for (const follower of followers.get(ordered[i]!) ?? []) {
      const left = waiting.get(follower)! - 1;
      waiting.set(follower, left);
      if (left === 0) ordered.push(follower);
    }
  }
  return ordered;
}

/** Walks backwards from a stuck node until one repeats. */
function findCycle(stuck: readonly OnnxNode[], writers: ReadonlyMap<string, OnnxNode | 'given'>): OnnxNode[] {
  const among = new Set(stuck);
  const seen: OnnxNode[] = [];
  let node = stuck[0]!;
  while (!seen.includes(node)) {
    if (seen.length > 1000) break;
    seen.push(node);
    const next = node.inputs
      .map((input) => writers.get(input))
      .find((writer) => writer !== undefined && writer !== 'given' && among.has(writer));
    if (next === undefined || next === 'given') break;
    node = next;
  }
  return seen.slice(Math.max(0, seen.indexOf(node))).reverse();
}
