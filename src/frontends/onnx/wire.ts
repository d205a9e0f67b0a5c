import protobuf from 'protobufjs/minimal.js';
import { onnxProto } from '../../base/onnx-proto.js';

/**
 * The part of ONNX's protobuf messages an importer needs, decoded straight from the wire:
 * tensors' contents stay views of the file's bytes, and subgraphs are noted but not entered,
 * so decoding needs little memory and no recursion whatever the file says.
 */
export interface OnnxModel {
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producer: string;
  /** Version of ONNX's own format; 0 where it is missing. */
  readonly irVersion: number;
  readonly graph: OnnxGraph | undefined;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** What the file says of tensors between, if it does. */
  readonly valueInfo: readonly OnnxValueInfo[];
  readonly hasSparseInitializers: boolean;
  /** The types that FINN notes of tensors (`UINT8`, `INT4`, `BIPOLAR` …), by name. */
  readonly finnTypes: ReadonlyMap<string, string>;
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
export interface OnnxAttribute {
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
  const field = onnxProto.ModelProto;
  const opsets: { domain: string; version: number }[] = [];
  const graphs: Uint8Array[] = [];
  let [producer, irVersion] = ['', 0];
  eachField(bytes, {
    [field.irVersion[0]]: (r) => (irVersion = r.uint32()),
    [field.producerName[0]]: (r) => (producer = r.string()),
    [field.graph[0]]: (r) => graphs.push(r.bytes()),
    [field.opsetImport[0]]: (r) => opsets.push(decodeOpset(r.bytes())),
  });
  return { opsets, producer, irVersion, graph: graphs.length === 0 ? undefined : decodeGraph(graphs) };
}

/** Decodes a TensorProto on its own, as in test vectors. */
export function decodeTensor(bytes: Uint8Array): OnnxTensor {
  const field = onnxProto.TensorProto;
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
    [field.dims[0]]: (r, wire) => int64s(r, wire, dims),
    [field.dataType[0]]: (r) => (dataType = r.int32()),
    [field.floatData[0]]: typedData(field.floatData[0]),
    [field.int32Data[0]]: typedData(field.int32Data[0]),
    [field.int64Data[0]]: typedData(field.int64Data[0]),
    [field.name[0]]: (r) => (name = r.string()),
    [field.rawData[0]]: (r) => (raw = r.bytes()),
    [field.doubleData[0]]: typedData(field.doubleData[0]),
    [field.uint64Data[0]]: typedData(field.uint64Data[0]),
    [field.externalData[0]]: (r) => {
      const [key, value] = decodePair(r.bytes());
      external.set(key, value);
    },
    [field.dataLocation[0]]: (r) => (location = r.int32()),
  });
  return { name, dims, dataType, raw, packed, external: location === 1 ? external : undefined };
}

/** Several parts of one graph, as concatenated messages leave them, count as one (protobuf's merge rule). */
function decodeGraph(parts: readonly Uint8Array[]): OnnxGraph {
  const field = onnxProto.GraphProto;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  const valueInfo: OnnxValueInfo[] = [];
  const finnTypes = new Map<string, string>();
  let name = '';
  let hasSparseInitializers = false;
  for (const part of parts) {
    eachField(part, {
      [field.node[0]]: (r) => nodes.push(decodeNode(r.bytes())),
      [field.name[0]]: (r) => (name = r.string()),
      [field.initializer[0]]: (r) => initializers.push(decodeTensor(r.bytes())),
      [field.input[0]]: (r) => inputs.push(decodeValueInfo(r.bytes())),
      [field.output[0]]: (r) => outputs.push(decodeValueInfo(r.bytes())),
      [field.valueInfo[0]]: (r) => valueInfo.push(decodeValueInfo(r.bytes())),
      [field.quantizationAnnotation[0]]: (r) => noteFinnType(r.bytes(), finnTypes),
      [field.sparseInitializer[0]]: (r, wire) => {
        hasSparseInitializers = true;
        r.skipType(wire);
      },
    });
  }
  return { name, nodes, initializers, inputs, outputs, valueInfo, hasSparseInitializers, finnTypes };
}

function noteFinnType(bytes: Uint8Array, into: Map<string, string>): void {
  const field = onnxProto.TensorAnnotation;
  const pairs: [string, string][] = [];
  let tensor = '';
  eachField(bytes, {
    [field.tensorName[0]]: (r) => (tensor = r.string()),
    [field.quantParameterTensorNames[0]]: (r) => pairs.push(decodePair(r.bytes())),
  });
  const type = pairs.find(([key]) => key === 'finn_datatype')?.[1];
  if (type !== undefined) into.set(tensor, type);
}

/** Decodes a NodeProto on its own. */
export function decodeNode(bytes: Uint8Array): OnnxNode {
  const field = onnxProto.NodeProto;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let [name, opType, domain] = ['', '', ''];
  eachField(bytes, {
    [field.input[0]]: (r) => inputs.push(r.string()),
    [field.output[0]]: (r) => outputs.push(r.string()),
    [field.name[0]]: (r) => (name = r.string()),
    [field.opType[0]]: (r) => (opType = r.string()),
    [field.attribute[0]]: (r) => {
      const attribute = decodeAttribute(r.bytes());
      attributes.set(attribute.name, attribute);
    },
    [field.domain[0]]: (r) => (domain = r.string()),
  });
  return { name, opType, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
}

/** Decodes an AttributeProto on its own. */
export function decodeAttribute(bytes: Uint8Array): OnnxAttribute {
  const field = onnxProto.AttributeProto;
  const ints: number[] = [];
  const floats: number[] = [];
  const single: { f?: number; i?: number; s?: string; t?: OnnxTensor } = {};
  let name = '';
  let isGraph = false;
  eachField(bytes, {
    [field.name[0]]: (r) => (name = r.string()),
    [field.f[0]]: (r) => (single.f = r.float()),
    [field.i[0]]: (r) => (single.i = int64(r)),
    [field.s[0]]: (r) => (single.s = r.string()),
    [field.t[0]]: (r) => (single.t = decodeTensor(r.bytes())),
    [field.g[0]]: (r, wire) => {
      isGraph = true;
      r.skipType(wire);
    },
    [field.floats[0]]: (r, wire) => {
      if (wire !== lengthDelimited) floats.push(r.float());
      else for (let n = r.uint32() / 4; n > 0; n--) floats.push(r.float());
    },
    [field.ints[0]]: (r, wire) => int64s(r, wire, ints),
  });
  return { name, floats, ints, isGraph, ...single };
}

export function decodeValueInfo(bytes: Uint8Array): OnnxValueInfo {
  let name = '';
  let elementType: number | undefined;
  let dims: (number | string)[] | undefined;
  const dimension: FieldReader = (r) => {
    let size: number | string = '';
    const field = onnxProto.Dimension;
    eachField(r.bytes(), {
      [field.dimValue[0]]: (d) => (size = int64(d)),
      [field.dimParam[0]]: (d) => (size = d.string()),
    });
    dims!.push(size);
  };
  const shape: FieldReader = (r) => {
    dims = [];
    eachField(r.bytes(), { [onnxProto.TensorShapeProto.dim[0]]: dimension });
  };
  const typed = onnxProto.TypeProtoTensor;
  const tensorType: FieldReader = (r) =>
    eachField(r.bytes(), { [typed.elemType[0]]: (t) => (elementType = t.int32()), [typed.shape[0]]: shape });
  const field = onnxProto.ValueInfoProto;
  eachField(bytes, {
    [field.name[0]]: (r) => (name = r.string()),
    [field.type[0]]: (r) => eachField(r.bytes(), { [onnxProto.TypeProto.tensorType[0]]: tensorType }),
  });
  return { name, elementType, dims };
}

function decodeOpset(bytes: Uint8Array): { domain: string; version: number } {
  const opset = { domain: '', version: 0 };
  const field = onnxProto.OperatorSetIdProto;
  eachField(bytes, {
    [field.domain[0]]: (r) => (opset.domain = r.string()),
    [field.version[0]]: (r) => (opset.version = int64(r)),
  });
  return opset.domain === 'ai.onnx' ? { ...opset, domain: '' } : opset;
}

function decodePair(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', ''];
  const field = onnxProto.StringStringEntryProto;
  eachField(bytes, {
    [field.key[0]]: (r) => (pair[0] = r.string()),
    [field.value[0]]: (r) => (pair[1] = r.string()),
  });
  return pair;
}

/** Runs the reader of each field present; skips the others. */
function eachField(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>): void {
  const reader = protobuf.Reader.create(bytes);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === 0) throw new Error('field number 0');
      const read = fields[tag >>> 3];
      if (read === undefined) reader.skipType(tag & 7);
      else read(reader, tag & 7);
    }
  } catch (error) {
    const beyond = /^index out of range: (\d+) \+ (\d+) > (\d+)$/.exec(error instanceof Error ? error.message : '');
    if (beyond === null) throw error;
    const [, from, size, end] = beyond;
    throw new Error(`it ends early, at byte ${end}: what begins at byte ${from} has ${size} bytes`, { cause: error });
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
