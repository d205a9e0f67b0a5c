import { type Diagnostic, DiagnosticError, diagnostic } from '../../base/diagnostics/index.js';
import { present } from '../../base/invariant.js';
import type { NirArray, NirGraph, NirNode } from '../../frontends/nir/index.js';
import { type Network, type Op, opsById } from '../../network/index.js';
import { type NirReader, conventions } from './conventions.js';
import { layers } from './layers.js';
import { integers, node } from './row.js';

/** What became of a layer in the file. */
export interface NirNodeReport {
  readonly layer: string;
  /** The node's name in the file, and its type. */
  readonly node: string;
  readonly type: string;
  readonly rating: 'faithful' | 'approximate';
  /** Why it is no more than approximate. */
  readonly why?: string;
}

export interface NirExport {
  readonly graph: NirGraph;
  /** Of each node that stands for a layer, in the network's order. */
  readonly nodes: readonly NirNodeReport[];
  /** Nodes that are exactly what the network does, and why others are not. */
  readonly faithful: number;
  readonly approximate: readonly Diagnostic[];
}

/** A network as a NIR graph for a tool; all that NIR can't say is an error, layer by layer. */
export function exportNir(network: Network, reader: NirReader = 'nir'): NirExport {
  const convention = conventions[reader];
  const byId = opsById(network);
  const place = new Map(network.ops.map(({ id }, i) => [id, i]));
  const nodes = new Map<string, NirNode>();
  const names = new Map<string, string>();
  const refused: Diagnostic[] = [];
  const approximate: Diagnostic[] = [];
  const passes = new Set<string>();
  const reports: NirNodeReport[] = [];
  for (const op of network.ops) {
    const [from] = op.inputs;
    const reasons: string[] = [];
    const made = layers[op.kind]({
      network,
      op,
      convention,
      from: from === undefined ? [] : present(byId.get(from), `nir: no op ${from}`).type.shape,
      closes: from !== undefined && place.get(from)! > place.get(op.id)!,
      approximate: (why) => {
        reasons.push(why);
        approximate.push(diagnostic('nir/approximate', { layer: op.id, why }, op.place));
      },
    });
    if (made === 'through') passes.add(op.id);
    else if ('cannot' in made)
      refused.push(diagnostic('nir/unsupported', { layer: op.id, what: made.cannot }, op.place));
    else {
      const name = nameFor(op.id, nodes);
      names.set(op.id, name);
      nodes.set(name, made);
      const [why] = reasons;
      const rated =
        why === undefined
          ? { rating: 'faithful' as const }
          : { rating: 'approximate' as const, why: reasons.join('; ') };
      reports.push({ layer: op.id, node: name, type: made.type, ...rated });
    }
  }
  const sources = (id: string, seen: ReadonlySet<string> = new Set()): readonly string[] => {
    if (!passes.has(id)) return [present(names.get(id), `nir: %${id} has no node`)];
    if (seen.has(id)) return [];
    const op = byId.get(id)!;
    return op.inputs.flatMap((input) => sources(input, new Set([...seen, id])));
  };
  if (refused.length > 0) throw new DiagnosticError(refused);
  const edges: [string, string][] = [];
  const connect = (op: Pick<Op, 'id' | 'place'>, from: readonly string[], to: string): void => {
    if (new Set(from).size < from.length) {
      refused.push(diagnostic('nir/unsupported', { layer: op.id, what: 'the sum of a value with itself' }, op.place));
    }
    for (const one of new Set(from)) edges.push([one, to]);
  };
  for (const op of network.ops) {
    if (!passes.has(op.id))
      connect(
        op,
        op.inputs.flatMap((input) => sources(input)),
        names.get(op.id)!,
      );
  }
  for (const id of network.outputs) {
    const name = nameFor(network.outputs.length === 1 ? 'output' : `output_${id}`, nodes);
    nodes.set(name, node('Output', { shape: integers(byId.get(id)!.type.shape) }));
    connect(byId.get(id)!, sources(id), name);
  }
  if (refused.length > 0) throw new DiagnosticError(refused);
  return {
    graph: { nodes, edges, metadata: metadataOf(network, convention.dt) },
    nodes: reports,
    faithful: nodes.size - reports.filter(({ rating }) => rating === 'approximate').length,
    approximate,
  };
}

/** What a file can't say otherwise: the length of a step, and how many there are. */
function metadataOf(network: Network, dt: number): ReadonlyMap<string, NirArray | string> {
  const steps = network.ops.find((op) => op.kind === 'encode')?.attrs.steps ?? 1;
  return new Map<string, NirArray | string>([
    ['made_by', 'spikec'],
    ['dt', { shape: [], data: Float64Array.of(dt) }],
    ['steps', { shape: [], data: Float64Array.of(steps), integer: true }],
  ]);
}

/** A name for a node: HDF5 takes a slash for a group, and readers that make PyTorch modules of nodes refuse dots. */
function nameFor(id: string, taken: ReadonlyMap<string, unknown>): string {
  const plain = id.replace(/[/.]/g, '_');
  let name = plain === '' ? 'node' : plain;
  while (taken.has(name)) name = `${name}_`;
  return name;
}
