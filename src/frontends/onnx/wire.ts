import protobuf from 'protobufjs/minimal.js';

/**
 * The part of ONNX's protobuf messages an importer needs, decoded straight from the wire:
 * tensors' contents stay views of the file's bytes, and subgraphs are noted but not entered,
 * so decoding needs little memory and no recursion whatever the file says.
 */
export interface OnnxModel {
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producer: string;
  readonly graph: OnnxGraph | undefined;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly hasSparseInitializers: boolean;
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** An attribute; which field holds its value depends on its type. */
interface OnnxAttribute {
  readonly name: string;
  readonly f?: number;
  readonly i?: number;
  readonly s?: string;
  readonly t?: OnnxTensor;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly isGraph: boolean;
}

export interface OnnxValueInfo {
  readonly name: string;
  /** ONNX number of the element type; undefined for what is no tensor, or untyped. */
  readonly elementType: number | undefined;
  /** A number where the size is fixed, its name (perhaps empty) where it isn't; undefined without a shape. */
  readonly dims: readonly (number | string)[] | undefined;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian contents, a view of the file. */
  readonly raw: Uint8Array | undefined;
  /** Packed `float_data`, `int32_data`, `int64_data`, `double_data` or `uint64_data`, by field number. */
  readonly packed: readonly { readonly field: number; readonly bytes: Uint8Array }[];
  readonly external: ReadonlyMap<string, string> | undefined;
}

type Reader = protobuf.Reader;
type FieldReader = (reader: Reader, wireType: number) => void;

const lengthDelimited = 2;

/** Decodes a serialised ModelProto. Throws an Error for anything that is no protobuf of this form. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const opsets: { domain: string; version: number }[] = [];
  const graphs: Uint8Array[] = [];
  let producer = '';
  eachField(bytes, {
    2: (r) => (producer = r.string()),
    7: (r) => graphs.push(r.bytes()),
    8: (r) => opsets.push(decodeOpset(r.bytes())),
  });
  return { opsets, producer, graph: graphs.length === 0 ? undefined : decodeGraph(graphs) };
}

/** Decodes a TensorProto on its own, as in test vectors. */
export function decodeTensor(bytes: Uint8Array): OnnxTensor {
  const dims: number[] = [];
  const packed: { field: number; bytes: Uint8Array }[] = [];
  const external = new Map<string, string>();
  let [dataType, name, location] = [0, '', 0];
  let raw: Uint8Array | undefined;
  const typedData =
    (field: number): FieldReader =>
    (r, wire) => {
      if (wire === lengthDelimited) packed.push({ field, bytes: r.bytes() });
      else {
        const start = r.pos;
        r.skipType(wire);
        packed.push({ field, bytes: bytes.subarray(start, r.pos) });
      }
    };
  eachField(bytes, {
    1: (r, wire) => int64s(r, wire, dims),
    2: (r) => (dataType = r.int32()),
    4: typedData(4),
    5: typedData(5),
    7: typedData(7),
    8: (r) => (name = r.string()),
    9: (r) => (raw = r.bytes()),
    10: typedData(10),
    11: typedData(11),
    13: (r) => {
      const [key, value] = decodePair(r.bytes());
      external.set(key, value);
    },
    14: (r) => (location = r.int32()),
  });
  return { name, dims, dataType, raw, packed, external: location === 1 ? external : undefined };
}

/** Several parts of one graph, as concatenated messages leave them, count as one (protobuf's merge rule). */
function decodeGraph(parts: readonly Uint8Array[]): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  let name = '';
  let hasSparseInitializers = false;
  for (const part of parts) {
    eachField(part, {
      1: (r) => nodes.push(decodeNode(r.bytes())),
      2: (r) => (name = r.string()),
      5: (r) => initializers.push(decodeTensor(r.bytes())),
      11: (r) => inputs.push(decodeValueInfo(r.bytes())),
      12: (r) => outputs.push(decodeValueInfo(r.bytes())),
      15: (r, wire) => {
        hasSparseInitializers = true;
        r.skipType(wire);
      },
    });
  }
  return { name, nodes, initializers, inputs, outputs, hasSparseInitializers };
}

function decodeNode(bytes: Uint8Array): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let [name, opType, domain] = ['', '', ''];
  eachField(bytes, {
    1: (r) => inputs.push(r.string()),
    2: (r) => outputs.push(r.string()),
    3: (r) => (name = r.string()),
    4: (r) => (opType = r.string()),
    5: (r) => {
      const attribute = decodeAttribute(r.bytes());
      attributes.set(attribute.name, attribute);
    },
    7: (r) => (domain = r.string()),
  });
  return { name, opType, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
}

function decodeAttribute(bytes: Uint8Array): OnnxAttribute {
  const ints: number[] = [];
  const floats: number[] = [];
  const single: { f?: number; i?: number; s?: string; t?: OnnxTensor } = {};
  let name = '';
  let isGraph = false;
  eachField(bytes, {
    1: (r) => (name = r.string()),
    2: (r) => (single.f = r.float()),
    3: (r) => (single.i = int64(r)),
    4: (r) => (single.s = r.string()),
    5: (r) => (single.t = decodeTensor(r.bytes())),
    6: (r, wire) => {
      isGraph = true;
      r.skipType(wire);
    },
    7: (r, wire) => {
      if (wire !== lengthDelimited) floats.push(r.float());
      else for (let n = r.uint32() / 4; n > 0; n--) floats.push(r.float());
    },
    8: (r, wire) => int64s(r, wire, ints),
  });
  return { name, floats, ints, isGraph, ...single };
}

function decodeValueInfo(bytes: Uint8Array): OnnxValueInfo {
  let name = '';
  let elementType: number | undefined;
  let dims: (number | string)[] | undefined;
  const dimension: FieldReader = (r) => {
    let size: number | string = '';
    eachField(r.bytes(), { 1: (d) => (size = int64(d)), 2: (d) => (size = d.string()) });
    dims!.push(size);
  };
  const shape: FieldReader = (r) => {
    dims = [];
    eachField(r.bytes(), { 1: dimension });
  };
  const tensorType: FieldReader = (r) => eachField(r.bytes(), { 1: (t) => (elementType = t.int32()), 2: shape });
  eachField(bytes, { 1: (r) => (name = r.string()), 2: (r) => eachField(r.bytes(), { 1: tensorType }) });
  return { name, elementType, dims };
}

function decodeOpset(bytes: Uint8Array): { domain: string; version: number } {
  const opset = { domain: '', version: 0 };
  eachField(bytes, { 1: (r) => (opset.domain = r.string()), 2: (r) => (opset.version = int64(r)) });
  return opset.domain === 'ai.onnx' ? { ...opset, domain: '' } : opset;
}

function decodePair(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', ''];
  eachField(bytes, { 1: (r) => (pair[0] = r.string()), 2: (r) => (pair[1] = r.string()) });
  return pair;
}

/** Runs the reader of each field present; skips the others. */
function eachField(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 0) throw new Error('field number 0');
    const read = fields[tag >>> 3];
    if (read === undefined) reader.skipType(tag & 7);
    else read(reader, tag & 7);
  }
  if (reader.pos !== reader.len) throw new Error('a message ends inside a field');
}

function int64s(reader: Reader, wireType: number, into: number[]): void {
  if (wireType !== lengthDelimited) {
    into.push(int64(reader));
    return;
  }
  const inner = protobuf.Reader.create(reader.bytes());
  while (inner.pos < inner.len) into.push(int64(inner));
}

/** An int64 as a double; exact below 2^53, which shapes never exceed honestly. */
export function int64(reader: Reader): number {
  // a plain number where the package `long` is absent
  return Number(reader.int64() as unknown as string);
}
