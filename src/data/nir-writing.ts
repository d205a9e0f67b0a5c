import type { NirArray, NirGraph } from '../frontends/nir/index.js';

/** What is used of the package h5wasm. */
export interface Hdf5Library {
  readonly File: new (path: string, mode: 'r' | 'w') => Hdf5Group & { readonly close: () => void };
}

export interface Hdf5Group {
  readonly type: string;
  readonly keys: () => string[];
  readonly get: (name: string) => unknown;
  readonly create_group: (name: string) => Hdf5Group;
  readonly create_dataset: (args: {
    name: string;
    data: unknown;
    shape?: readonly number[];
    dtype?: string;
  }) => unknown;
}

/** The version of NIR that is written. */
const version = '1.0.8';

/** Writes a graph as a NIR file, to a path of the library's own file system. Nothing here needs Node. */
export function writeNir({ File }: Hdf5Library, path: string, graph: NirGraph): void {
  const file = new File(path, 'w');
  file.create_dataset({ name: 'version', data: version });
  writeGraph(file.create_group('node'), graph);
  file.close();
}

function writeGraph(group: Hdf5Group, { nodes, edges, metadata }: NirGraph): void {
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
    writeMetadata(own, node.metadata);
  }
  writeMetadata(group, metadata);
}

function writeMetadata(group: Hdf5Group, metadata: NirGraph['metadata']): void {
  if (metadata === undefined || metadata.size === 0) return;
  const said = group.create_group('metadata');
  for (const [field, value] of metadata) writeField(said, field, value);
}

function writeField(group: Hdf5Group, name: string, value: NirArray | string): void {
  if (typeof value === 'string') group.create_dataset({ name, data: value });
  else if (value.narrow === true) {
    const whole = value.data.some((x) => x > 127) ? Uint8Array.from(value.data) : Int8Array.from(value.data);
    group.create_dataset({ name, data: whole, shape: value.shape, dtype: whole instanceof Uint8Array ? '<B' : '<b' });
  } else if (value.integer === true) {
    const data = BigInt64Array.from(value.data, BigInt);
    group.create_dataset({ name, data: value.shape.length === 0 ? data[0]! : data, shape: value.shape, dtype: '<q' });
  } else {
    const single = value.data.every((x) => Math.fround(x) === x);
    const data = single ? Float32Array.from(value.data) : value.data;
    group.create_dataset({ name, data, shape: value.shape, dtype: single ? '<f' : '<d' });
  }
}
