import type { ELK, ElkNode } from 'elkjs';
import { type Network, type Op, opsById } from '../../network/index.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedOp {
  readonly op: Op;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly from: Op;
  readonly to: Op;
  readonly points: readonly Point[];
}

/** A network's graph with places in pixels. */
export interface PlacedGraph {
  readonly ops: readonly PlacedOp[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

export const boxHeight = 44;
const charWidth = 7.2;
const [narrowest, widest] = [112, 236];

/** Width of the box that holds a layer's two lines of text. */
export function boxWidth(...lines: readonly string[]): number {
  const longest = Math.max(...lines.map((line) => line.length));
  return Math.min(widest, Math.max(narrowest, Math.round(longest * charWidth) + 28));
}

/** The most characters of a line that fit in the widest box. */
export const mostCharacters = Math.floor((widest - 28) / charWidth);

const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.spacing.nodeNode': '34',
  'elk.spacing.edgeNode': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
};

/** Lays a network out in layers, inputs first; `lines` are the texts of an op's box. */
export async function layOut(
  network: Pick<Network, 'ops'>,
  lines: (op: Op) => readonly string[],
): Promise<PlacedGraph> {
  const byId = opsById(network);
  // ids of the drawing are numbers: ids of ops may be anything
  const numbers = new Map(network.ops.map((op, n) => [op.id, `n${n}`]));
  const pairs = network.ops.flatMap((to) => to.inputs.map((id) => ({ from: byId.get(id)!, to })));
  const graph: ElkNode = {
    id: 'root',
    layoutOptions: options,
    children: network.ops.map((op) => ({
      id: numbers.get(op.id)!,
      width: boxWidth(...lines(op)),
      height: boxHeight,
    })),
    edges: pairs.map(({ from, to }, n) => ({
      id: `e${n}`,
      sources: [numbers.get(from.id)!],
      targets: [numbers.get(to.id)!],
    })),
  };
  const elk = await newElk();
  const placed = await elk.layout(graph);
  const edges = (placed.edges ?? []).map((edge, n): PlacedEdge => {
    const section = edge.sections?.[0];
    const points = section === undefined ? [] : [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
    return { ...pairs[n]!, points };
  });
  return {
    ops: (placed.children ?? []).map(({ x = 0, y = 0, width = 0, height = 0 }, n) => ({
      op: network.ops[n]!,
      x,
      y,
      width,
      height,
    })),
    edges,
    width: placed.width ?? 0,
    height: placed.height ?? 0,
  };
}

/** elkjs is a CommonJS module whose types say otherwise; it is large, and loaded when the first network is drawn. */
async function newElk(): Promise<ELK> {
  const { default: Elk } = (await import('elkjs/lib/elk.bundled.js')) as unknown as { readonly default: new () => ELK };
  return new Elk();
}
