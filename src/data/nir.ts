import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import type { NirArray, NirGraph, NirNode } from '../frontends/nir/index.js';

/** What is used of the package h5wasm. */
interface Library {
  readonly ready: Promise<{ readonly activate_throwing_error_handler?: () => unknown }>;
  readonly File: new (path: string, mode: 'r' | 'w') => Group & { readonly close: () => void };
}

interface Group {
  readonly type: string;
  readonly keys: () => string[];
  readonly get: (name: string) => unknown;
  readonly create_group: (name: string) => Group;
  readonly create_dataset: (args: {
    name: string;
    data: unknown;
    shape?: readonly number[];
    dtype?: string;
  }) => unknown;
}

interface Dataset {
  readonly type: string;
  readonly shape: readonly number[] | null;
  readonly dtype: unknown;
  readonly value: unknown;
}

/** Elements of an array at most: far above any layer, far below what a crafted file may ask for. */
const mostElements = 2 ** 27;
/** Graphs in graphs at most. */
const deepest = 32;

let library: Library | undefined;

/** Loads the package that reads and writes HDF5, before a NIR file is opened or emitted. */
export async function loadNir(): Promise<void> {
  if (library !== undefined) return;
  const name: string = 'h5wasm/node';
  try {
    const loaded = (await import(name)) as { readonly default: Library };
    // what is wrong with a file is said by us, not on stderr
    (await loaded.default.ready).activate_throwing_error_handler?.();
    library = loaded.default;
  } catch (error) {
    if (error instanceof Error && 'code' in error) fail('data/package-missing', { what: 'NIR files', name: 'h5wasm' });
    throw error;
  }
}

/** The graph of a NIR file, as it stands. */
export function readNir(path: string): NirGraph {
  const { File } = present(library, 'nir: loadNir comes before a file is opened');
  const bad = (reason: string): never => fail('nir/unreadable', { file: basename(path), reason }, { file: path });
  let file: InstanceType<Library['File']>;
  try {
    file = new File(path, 'r');
  } catch {
    return bad('it isn’t HDF5, or damaged');
  }
  try {
    const root = groupOf(file, 'node', bad) ?? bad('it has no group `node`');
    return graphOf(root, bad, 0);
  } catch (error) {
    if (error instanceof DiagnosticError) throw error;
    return bad(`it can’t be read (${error instanceof Error ? error.message : String(error)})`);
  } finally {
    file.close();
  }
}

type Bad = (reason: string) => never;

function groupOf(group: Group, name: string, bad: Bad): Group | undefined {
  if (!group.keys().includes(name)) return undefined;
  const found = group.get(name) as Group | null;
  return found?.type === 'Group' ? found : bad(`"${name}" is no group`);
}

function graphOf(group: Group, bad: Bad, depth: number): NirGraph {
  if (depth > deepest) return bad(`its graphs are nested more than ${deepest} deep`);
  const inside = groupOf(group, 'nodes', bad) ?? bad('a graph has no group `nodes`');
  const nodes = new Map<string, NirNode>();
  for (const name of inside.keys()) nodes.set(name, nodeOf(groupOf(inside, name, bad)!, name, bad, depth));
  const metadata = groupOf(group, 'metadata', bad);
  const said = metadata === undefined ? undefined : fieldsOf(metadata, bad, () => true);
  return { nodes, edges: edgesOf(group, bad), ...(said === undefined ? {} : { metadata: said }) };
}

function nodeOf(group: Group, name: string, bad: Bad, depth: number): NirNode {
  const fields = fieldsOf(group, bad, (field) => field !== 'nodes' && field !== 'edges' && field !== 'metadata');
  const type = fields.get('type');
  if (typeof type !== 'string') return bad(`node "${name}" has no type`);
  fields.delete('type');
  return { type, fields, ...(type === 'NIRGraph' ? { graph: graphOf(group, bad, depth + 1) } : {}) };
}

function fieldsOf(group: Group, bad: Bad, wanted: (name: string) => boolean): Map<string, NirArray | string> {
  const fields = new Map<string, NirArray | string>();
  for (const name of group.keys()) {
    if (!wanted(name)) continue;
    const found = group.get(name) as Dataset | Group | null;
    if (found?.type === 'Group' && !('dtype' in found)) continue;
    if (found?.type !== 'Dataset') return bad(`"${name}" is a link, or nothing that an array can be`);
    fields.set(name, valueOf(found as Dataset, name, bad));
  }
  return fields;
}

function valueOf(dataset: Dataset, name: string, bad: Bad): NirArray | string {
  const shape = dataset.shape ?? [];
  const count = shape.reduce((product, n) => product * n, 1);
  if (count > mostElements) return bad(`"${name}" has ${count} elements`);
  const { value } = dataset;
  if (typeof value === 'string') return value.replace(/\0+$/, '');
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return { shape: [], data: Float64Array.of(Number(value)) };
  }
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items = [...(value as ArrayLike<unknown> as unknown[])];
    if (items.length === 1 && typeof items[0] === 'string') return items[0].replace(/\0+$/, '');
    const data = Float64Array.from(items, Number);
    if (data.length !== count) return bad(`"${name}" isn’t the array that it says`);
    return { shape: [...shape], data };
  }
  return bad(`"${name}" holds neither numbers nor text`);
}

function edgesOf(group: Group, bad: Bad): readonly (readonly [string, string])[] {
  if (!group.keys().includes('edges')) return [];
  const dataset = group.get('edges') as Dataset | null;
  if (dataset?.type !== 'Dataset') return bad('`edges` is no array');
  const [n = 0, pair] = dataset.shape ?? [];
  if (n === 0) return [];
  if (pair !== 2 || n > mostElements) return bad('`edges` aren’t pairs');
  const names = [...(dataset.value as ArrayLike<unknown> as unknown[])].flat();
  if (names.length !== 2 * n || !names.every((name) => typeof name === 'string'))
    return bad('`edges` aren’t pairs of names');
  const clean = (names as string[]).map((name) => name.replace(/\0+$/, ''));
  return Array.from({ length: n }, (_, i) => [clean[2 * i]!, clean[2 * i + 1]!] as const);
}

/** The version of NIR that is written. */
const version = '1.0.8';

/** A graph as the bytes of a NIR file. */
export function encodeNir(graph: NirGraph): Uint8Array {
  const { File } = present(library, 'nir: loadNir comes before a file is written');
  const folder = mkdtempSync(join(tmpdir(), 'spikec-nir-'));
  try {
    const path = join(folder, 'graph.nir');
    const file = new File(path, 'w');
    file.create_dataset({ name: 'version', data: version });
    writeGraph(file.create_group('node'), graph);
    file.close();
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeGraph(group: Group, { nodes, edges, metadata }: NirGraph): void {
  group.create_dataset({ name: 'type', data: 'NIRGraph' });
  group.create_dataset({ name: 'edges', data: edges.flat(), shape: [edges.length, 2] });
  const inside = group.create_group('nodes');
  for (const [name, node] of nodes) {
    const own = inside.create_group(name);
    if (node.graph !== undefined) {
      writeGraph(own, node.graph);
      continue;
    }
    own.create_dataset({ name: 'type', data: node.type });
    for (const [field, value] of node.fields) writeField(own, field, value);
  }
  if (metadata === undefined || metadata.size === 0) return;
  const said = group.create_group('metadata');
  for (const [field, value] of metadata) writeField(said, field, value);
}

function writeField(group: Group, name: string, value: NirArray | string): void {
  if (typeof value === 'string') group.create_dataset({ name, data: value });
  else if (value.integer === true) {
    const data = BigInt64Array.from(value.data, BigInt);
    group.create_dataset({ name, data: value.shape.length === 0 ? data[0]! : data, shape: value.shape, dtype: '<q' });
  } else {
    const single = value.data.every((x) => Math.fround(x) === x);
    const data = single ? Float32Array.from(value.data) : value.data;
    group.create_dataset({ name, data, shape: value.shape, dtype: single ? '<f' : '<d' });
  }
}
