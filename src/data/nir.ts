import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import { otherFormat, signatureLength } from '../base/other-formats.js';
import { type Hdf5Group, type Hdf5Library, writeNir } from './nir-writing.js';
import { closeHdf5, hdf5Reason, importHdf5, readingHdf5 } from './packages.js';
import { TimeLimit } from './events/time-limit.js';
import { headOf } from './files.js';
import type { NirArray, NirGraph, NirNode } from '../frontends/nir/index.js';

interface Dataset {
  readonly type: string;
  readonly shape: readonly number[] | null;
  readonly dtype: unknown;
  readonly metadata: {
    readonly type: number;
    /** Bytes of an element. */
    readonly size: number;
    readonly chunks?: readonly number[] | null;
  };
  readonly value: unknown;
}

const textClass = 3;
/** HDF5's classes of elements that a NIR file has: integers, floats, texts, and enumerations, as which booleans are written. */
const readClasses: readonly number[] = [0, 1, textClass, 8];

/** Bytes that reading a file may take beside four times its size. */
const freeBytes = 2 ** 27;
/** What a node takes beside its arrays, and a text beside its bytes. */
const [nodeBytes, textBytes] = [2 ** 10, 2 ** 8];
/** Graphs in graphs at most. */
const deepest = 32;

let library: Hdf5Library | undefined;

/** Loads the package that reads and writes HDF5, before a NIR file is opened or emitted. */
export async function loadNir(): Promise<void> {
  if (library !== undefined) return;
  library = (await importHdf5('NIR files')) as Hdf5Library;
}

/** The graph of a NIR file, as it stands. */
export function readNir(path: string): NirGraph {
  const { File } = present(library, 'nir: loadNir comes before a file is opened');
  const bad = (reason: string): never => fail('nir/unreadable', { file: basename(path), reason }, { file: path });
  const { size } = statSync(path);
  const read = (): NirGraph => {
    let file: InstanceType<Hdf5Library['File']>;
    try {
      file = new File(path, 'r');
    } catch {
      return bad(otherFormat(headOf(path, signatureLength)) ?? 'it isn’t HDF5, or damaged');
    }
    try {
      return new Reading(bad, 4 * size + freeBytes).graph(file);
    } finally {
      closeHdf5(file);
    }
  };
  try {
    return readingHdf5(size, read);
  } catch (error) {
    if (error instanceof DiagnosticError) throw error;
    return bad(error instanceof TimeLimit ? error.message : `it can’t be read (${hdf5Reason(error)})`);
  }
}

type Bad = (reason: string) => never;

/** Reads one file within the memory that it may take: arrays are held to it by their shapes, before they are read. */
class Reading {
  #left: number;

  constructor(
    readonly bad: Bad,
    readonly most: number,
  ) {
    this.#left = most;
  }

  graph(file: Hdf5Group): NirGraph {
    return this.#graph(this.#group(file, 'node') ?? this.bad('it has no group `node`'), 0);
  }

  #group(group: Hdf5Group, name: string): Hdf5Group | undefined {
    if (!group.keys().includes(name)) return undefined;
    const found = group.get(name) as Hdf5Group | null;
    return found?.type === 'Group' ? found : this.bad(`"${name}" is no group`);
  }

  #graph(group: Hdf5Group, depth: number): NirGraph {
    if (depth > deepest) return this.bad(`its graphs are nested more than ${deepest} deep`);
    const inside = this.#group(group, 'nodes') ?? this.bad('a graph has no group `nodes`');
    const nodes = new Map<string, NirNode>();
    for (const name of inside.keys()) nodes.set(name, this.#node(this.#group(inside, name)!, name, depth));
    const metadata = this.#group(group, 'metadata');
    const said = metadata === undefined ? undefined : this.#fields(metadata, () => true);
    return { nodes, edges: this.#edges(group), ...(said === undefined ? {} : { metadata: said }) };
  }

  #node(group: Hdf5Group, name: string, depth: number): NirNode {
    // a group may be linked from many places
    this.#take(nodeBytes, name);
    const fields = this.#fields(group, (field) => field !== 'nodes' && field !== 'edges' && field !== 'metadata');
    const type = fields.get('type');
    if (typeof type !== 'string') return this.bad(`node "${name}" has no type`);
    fields.delete('type');
    const metadata = this.#group(group, 'metadata');
    const said = metadata === undefined ? {} : { metadata: this.#fields(metadata, () => true) };
    return { type, fields, ...said, ...(type === 'NIRGraph' ? { graph: this.#graph(group, depth + 1) } : {}) };
  }

  #fields(group: Hdf5Group, wanted: (name: string) => boolean): Map<string, NirArray | string> {
    const fields = new Map<string, NirArray | string>();
    for (const name of group.keys()) {
      if (!wanted(name)) continue;
      const found = group.get(name) as Dataset | Hdf5Group | null;
      if (found?.type === 'Group' && !('dtype' in found)) continue;
      if (found?.type !== 'Dataset') return this.bad(`"${name}" is a link, or nothing that an array can be`);
      fields.set(name, this.#value(found as Dataset, name));
    }
    return fields;
  }

  #value(dataset: Dataset, name: string): NirArray | string {
    const count = this.#count(dataset, name);
    const { value } = dataset;
    if (typeof value === 'string') return withoutZeros(value);
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
      return { shape: [], data: Float64Array.of(Number(value)) };
    }
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return this.bad(`"${name}" holds neither numbers nor text`);
    const items = value as ArrayLike<unknown>;
    if (items.length === 1 && typeof items[0] === 'string') return withoutZeros(items[0]);
    if (items.length !== count) return this.bad(`"${name}" isn’t the array that it says`);
    const data = new Float64Array(count);
    for (let i = 0; i < count; i++) data[i] = Number(items[i]);
    return { shape: [...(dataset.shape ?? [])], data };
  }

  #edges(group: Hdf5Group): readonly (readonly [string, string])[] {
    if (!group.keys().includes('edges')) return [];
    const dataset = group.get('edges') as Dataset | null;
    if (dataset?.type !== 'Dataset') return this.bad('`edges` is no array');
    const [n = 0, pair] = dataset.shape ?? [];
    if (n === 0) return [];
    if (pair !== 2) return this.bad('`edges` aren’t pairs');
    this.#count(dataset, 'edges');
    const names = (dataset.value as readonly unknown[]).flat();
    if (names.length !== 2 * n || !names.every((name) => typeof name === 'string'))
      return this.bad('`edges` aren’t pairs of names');
    const clean = (names as string[]).map(withoutZeros);
    return Array.from({ length: n }, (_, i) => [clean[2 * i]!, clean[2 * i + 1]!] as const);
  }

  /** The elements of an array, whose memory is taken: its bytes twice and its numbers, or its chunks where these are larger. */
  #count({ shape, metadata }: Dataset, name: string): number {
    const { type, size, chunks } = metadata;
    if (!readClasses.includes(type)) return this.bad(`"${name}" holds neither numbers nor text`);
    const product = (axes: readonly number[]): number => axes.reduce((all, n) => all * n, 1);
    const count = product(shape ?? []);
    const most = Math.max(count, product(chunks ?? []));
    this.#take(most * (2 * size + (type === textClass ? textBytes : Float64Array.BYTES_PER_ELEMENT)), name);
    return count;
  }

  #take(bytes: number, name: string): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    const mega = (n: number): string => (n / 1e6).toLocaleString('en', { maximumFractionDigits: 0 });
    this.bad(
      `up to "${name}" it takes ${mega(this.most - this.#left)} MB, and four times its size and ${mega(freeBytes)} MB is the most; ` +
        'write it without compression (`nir.write(…, compression=None)`)',
    );
  }
}

function withoutZeros(text: string): string {
  return text.replace(/\0+$/, '');
}

/** A graph as the bytes of a NIR file. */
export function encodeNir(graph: NirGraph): Uint8Array {
  const writer = present(library, 'nir: loadNir comes before a file is written');
  const folder = mkdtempSync(join(tmpdir(), 'spikec-nir-'));
  try {
    const path = join(folder, 'graph.nir');
    writeNir(writer, path, graph);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
