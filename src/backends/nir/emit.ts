import { type Diagnostic, DiagnosticError, diagnostic } from '../../base/diagnostics/index.js';
import { present } from '../../base/invariant.js';
import {
  type NirArray,
  type NirGraph,
  type NirNode,
  attributesText,
  extensionVersion,
  withMetadata,
} from '../../frontends/nir/index.js';
import { type Attrs, type Network, type Op, type OpKind, opsById } from '../../network/index.js';
import { type NirReader, conventions } from './conventions.js';
import { inFull, standIn } from './extend.js';
import { layers } from './layers.js';
import { type RowCall, integers, node } from './row.js';
import { addedUp, nodesOf, sumsOf } from './sums.js';

/** What became of a layer in the file. */
export interface NirNodeReport {
  readonly layer: string;
  /** The node's name in the file, and its type. */
  readonly node: string;
  readonly type: string;
  readonly rating: 'faithful' | 'approximate' | 'extended';
  /** Why it is no more than approximate; of an extended one, what NIR can't say and its metadata do. */
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

/**
 * A network as a NIR graph for a tool. All that NIR can't say is an error, layer by layer; with `extensions` it stands in the metadata of nodes
 * (docs/nir.md, "Extensions").
 */
export function exportNir(network: Network, reader: NirReader = 'nir', extensions = false): NirExport {
  const convention = conventions[reader];
  const byId = opsById(network);
  const place = new Map(network.ops.map(({ id }, i) => [id, i]));
  const nodes = new Map<string, NirNode>();
  const names = new Map<string, string>();
  const refused: Diagnostic[] = [];
  const approximate: Diagnostic[] = [];
  const passes = new Set<string>();
  const reports: NirNodeReport[] = [];
  const unsaid = new Map<string, Op[]>();
  const gaps = new Map<string, readonly string[]>();
  const ends = extensions ? endsOf(network) : undefined;
  for (const op of network.ops) {
    const [from] = op.inputs;
    const reasons: string[] = [];
    const call: RowCall = {
      network,
      op,
      convention,
      from: from === undefined ? [] : present(byId.get(from), `nir: no op ${from}`).type.shape,
      closes: from !== undefined && place.get(from)! > place.get(op.id)!,
      approximate: (why) => {
        reasons.push(why);
        approximate.push(diagnostic('nir/approximate', { layer: op.id, why }, op.place));
      },
    };
    const made = ends?.has(op.id) === true ? 'through' : rowOf(call, extensions);
    const name = nameFor(op.id, nodes);
    const put = (one: NirNode, rated: Pick<NirNodeReport, 'rating' | 'why'>): void => {
      names.set(op.id, name);
      nodes.set(name, one);
      reports.push({ layer: op.id, node: name, type: one.type, ...rated });
    };
    if (made === 'through') passes.add(op.id);
    else if (!('cannot' in made)) {
      const isExact = reasons.length === 0;
      const full = extensions && op.kind !== 'input' ? inFull(network, op, name, made) : made;
      put(full, isExact ? { rating: 'faithful' } : { rating: 'approximate', why: reasons.join('; ') });
    } else if (!extensions) {
      const alike = unsaid.get(made.cannot) ?? [];
      unsaid.set(made.cannot, alike);
      alike.push(op);
    } else {
      const near = standIn(call);
      const rated = { rating: 'extended', why: made.cannot } as const;
      if (near !== undefined) {
        put(withMetadata(inFull(network, op, name, near.node), near.words), rated);
        continue;
      }
      // a gap: its values leave through Outputs, and come back through an Input
      nodes.set(name, node('Input', {}));
      const reads = op.inputs.map((input) => {
        const exit = nameFor(`${op.id}_in`, nodes);
        const output = node('Output', { shape: integers(byId.get(input)!.type.shape) });
        nodes.set(exit, withMetadata(output, new Map([['gap', name]])));
        return exit;
      });
      gaps.set(op.id, reads);
      put(inFull(network, op, name, node('Input', { shape: integers(op.type.shape) }), reads), rated);
    }
  }
  const sources = (id: string): readonly string[] => nodesOf(sumsOf(id, { byId, passes, names }));
  refused.push(...[...unsaid].map(([what, alike]) => cannotSay(what, alike)));
  if (refused.length > 0) throw new DiagnosticError(refused);
  const edges: [string, string][] = [];
  const connect = (op: Pick<Op, 'id' | 'place'>, from: readonly string[], to: string): void => {
    if (new Set(from).size < from.length) {
      refused.push(diagnostic('nir/unsupported', { layer: op.id, what: 'the sum of a value with itself' }, op.place));
    }
    for (const one of new Set(from)) edges.push([one, to]);
  };
  /** Edges add up: what is added first, and what a sum is called, is metadata. */
  const noteSums = (id: string, reader: string): void => {
    const sums = extensions ? addedUp(sumsOf(id, { byId, passes, names })) : [];
    if (sums.length > 0) nodes.set(reader, withMetadata(nodes.get(reader)!, new Map([['sums', JSON.stringify(sums)]])));
  };
  for (const op of network.ops) {
    const reads = gaps.get(op.id);
    if (reads !== undefined) {
      reads.forEach((exit, i) => {
        connect(op, sources(op.inputs[i]!), exit);
        noteSums(op.inputs[i]!, exit);
      });
    } else if (!passes.has(op.id)) {
      const name = names.get(op.id)!;
      connect(
        op,
        op.inputs.flatMap((input) => sources(input)),
        name,
      );
      if (op.inputs.length === 1) noteSums(op.inputs[0]!, name);
    }
  }
  for (const id of network.outputs) {
    const name = nameFor(network.outputs.length === 1 ? 'output' : `output_${id}`, nodes);
    const output = node('Output', { shape: integers(byId.get(id)!.type.shape) });
    nodes.set(name, ends?.has(id) === true ? withMetadata(output, endText('readout', byId.get(id)!)) : output);
    connect(byId.get(id)!, sources(id), name);
    noteSums(id, name);
  }
  if (refused.length > 0) throw new DiagnosticError(refused);
  for (const op of network.ops) {
    const input = names.get(op.inputs[0] ?? '');
    if (ends?.has(op.id) === true && op.kind === 'encode' && input !== undefined)
      nodes.set(input, withMetadata(nodes.get(input)!, endText('coding', op)));
  }
  return {
    graph: { nodes, edges, metadata: metadataOf(network, convention.dt, extensions) },
    nodes: reports,
    faithful:
      nodes.size - [...gaps.values()].flat().length - reports.filter(({ rating }) => rating !== 'faithful').length,
    approximate,
  };
}

/** One error for all layers that have something in common. */
function cannotSay(what: string, layers: readonly Op[]): Diagnostic {
  const named = layers.slice(0, layers.length > 4 ? 3 : 4).map(({ id }) => id);
  const rest = layers.length - named.length;
  const last = rest > 0 ? `${rest} more layers` : named.length > 1 ? `%${named.pop()!}` : undefined;
  const layer = last === undefined ? named[0]! : `${named.join(', %')} and ${last}`;
  return diagnostic('nir/unsupported', { layer, what }, layers[0]!.place, {
    help: 'with `--nir-extensions` it stands in metadata, which spikec reads back and other tools may',
  });
}

/** What a layer is in NIR; a train that begins later has no node of its own there. */
function rowOf(call: RowCall, extensions: boolean): ReturnType<(typeof layers)[OpKind]> {
  const { op } = call;
  if (!extensions) return layers[op.kind](call);
  if (op.kind === 'delay') return { cannot: 'a train that begins later' };
  if (op.kind === 'encode') return { cannot: 'how values become trains' };
  if (op.kind === 'decode') return { cannot: 'how trains become values' };
  return layers[op.kind](call);
}

/** Where values become trains right behind the input, and trains values right before the output: what the metadata of Input and Output say. */
function endsOf({ ops, outputs }: Network): ReadonlySet<string> {
  const readers = (id: string): number => ops.filter(({ inputs }) => inputs.includes(id)).length;
  const inputs = new Set(ops.filter(({ kind }) => kind === 'input').map(({ id }) => id));
  const isEnd = ({ id, kind, inputs: [from] }: Op): boolean =>
    kind === 'encode'
      ? inputs.has(from!) && readers(from!) === 1
      : kind === 'decode' && outputs.includes(id) && readers(id) === 0;
  return new Set(ops.filter(isEnd).map(({ id }) => id));
}

function endText(name: 'coding' | 'readout', { id, attrs }: Op): ReadonlyMap<string, string> {
  return new Map([
    [name, attributesText(attrs as Attrs)],
    [`${name}_layer`, id],
  ]);
}

/** What a file can't say otherwise: the length of a step, and how many there are. */
function metadataOf(network: Network, dt: number, extensions: boolean): ReadonlyMap<string, NirArray | string> {
  const steps = network.ops.find((op) => op.kind === 'encode')?.attrs.steps ?? 1;
  return new Map<string, NirArray | string>([
    ['made_by', 'spikec'],
    ['dt', { shape: [], data: Float64Array.of(dt) }],
    ['steps', { shape: [], data: Float64Array.of(steps), integer: true }],
    ...(extensions ? extended(network) : []),
  ]);
}

function extended({ coding }: Network): readonly (readonly [string, NirArray | string])[] {
  const version = ['extensions', { shape: [], data: Float64Array.of(extensionVersion), integer: true }] as const;
  if (coding === undefined) return [version];
  return [version, ['coding', coding.name], ['coding_attributes', attributesText(coding.args)]];
}

/** A name for a node: HDF5 takes a slash for a group, and readers that make PyTorch modules of nodes refuse dots. */
function nameFor(id: string, taken: ReadonlyMap<string, unknown>): string {
  const plain = id.replace(/[/.]/g, '_');
  let name = plain === '' ? 'node' : plain;
  while (taken.has(name)) name = `${name}_`;
  return name;
}
