import protobuf from 'protobufjs/minimal.js';
import { onnxProto } from '../../base/onnx-proto.js';
import { decodeModel } from './wire.js';

/** A model whose inner tensors can be looked at. */
interface Exposed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The graph output under which each tensor comes. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** A version of ONNX's own format that onnxruntime knows; what later ones add isn't in files that are imported. */
const mostIrVersion = 10;

/**
 * The same model with more graph outputs, to look at tensors inside it. Protobuf joins the parts of a
 * message that is given twice, so a second `graph` field that only lists outputs is appended to the
 * file's bytes: nothing is written anew, nothing else changes but the version of a format newer than onnxruntime's. The outputs' types are left to inference.
 * Names of the graph's own inputs and outputs are passed over. A tensor called `__proto__`, which no
 * object of JavaScript can hold as a key like others, comes through an Identity under another name.
 */
export function exposeTensors(bytes: Uint8Array, names: Iterable<string>): Exposed {
  const graph = protobuf.Writer.create();
  const { graph: model, irVersion } = decodeModel(bytes);
  const known = new Set([...(model?.inputs ?? []), ...(model?.outputs ?? [])].map((info) => info.name));
  const outputs = new Map<string, string>();
  for (const name of new Set(names)) {
    const output = name === '__proto__' ? freeName(model?.nodes.flatMap((node) => node.outputs) ?? []) : name;
    outputs.set(name, output);
    if (output === name && known.has(name)) continue;
    if (output !== name) {
      const node = protobuf.Writer.create().uint32(10).string(name).uint32(18).string(output);
      graph.uint32((1 << 3) | 2).bytes(node.uint32(34).string('Identity').finish());
    }
    const info = protobuf.Writer.create().uint32(10).string(output).finish();
    graph.uint32((12 << 3) | 2).bytes(info);
  }
  const appended = protobuf.Writer.create()
    .uint32((7 << 3) | 2)
    .bytes(graph.finish());
  // of a number that is given twice the last counts
  if (irVersion > mostIrVersion) appended.uint32(onnxProto.ModelProto.irVersion[0] << 3).int64(mostIrVersion);
  const extra = appended.finish();
  const result = new Uint8Array(bytes.length + extra.length);
  result.set(bytes);
  result.set(extra, bytes.length);
  return { bytes: result, outputs };
}

function freeName(taken: readonly string[]): string {
  let name = 'proto';
  while (taken.includes(name)) name += '_';
  return name;
}

/**
 * The part of a model that some of its tensors are computed by: their nodes and what these read, with no outputs declared.
 * Everything else of the file stays as it is, byte for byte.
 */
export function partFor(bytes: Uint8Array, names: Iterable<string>): Uint8Array<ArrayBuffer> {
  const nodes = decodeModel(bytes).graph?.nodes ?? [];
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const needed = new Set<(typeof nodes)[number]>();
  const read = new Set<string>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (read.has(name)) continue;
    read.add(name);
    const maker = makers.get(name);
    if (maker === undefined || needed.has(maker)) continue;
    needed.add(maker);
    pending.push(...maker.inputs);
  }
  let index = 0;
  const graph = (part: Uint8Array): Uint8Array =>
    filtered(part, (field, value) => {
      if (field === node[0]) return needed.has(nodes[index++]!) ? value : undefined;
      if (field === initializer[0]) return read.has(nameOf(value)) ? value : undefined;
      return field === output[0] ? undefined : value;
    });
  return filtered(bytes, (field, value) => (field === modelGraph[0] ? graph(value) : value));
}

const { graph: modelGraph } = onnxProto.ModelProto;
const { node, initializer, output } = onnxProto.GraphProto;

/** A message with its length-delimited fields changed, or left out; others stay, byte for byte. */
function filtered(
  bytes: Uint8Array,
  change: (field: number, value: Uint8Array) => Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const reader = protobuf.Reader.create(bytes);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if ((tag & 7) !== 2) reader.skipType(tag & 7);
    else {
      const old = reader.bytes();
      const value = change(tag >>> 3, old);
      if (value === undefined) continue;
      if (value !== old) {
        parts.push(protobuf.Writer.create().uint32(tag).bytes(value).finish());
        continue;
      }
    }
    parts.push(bytes.subarray(start, reader.pos));
  }
  return new Uint8Array(Buffer.concat(parts));
}

function nameOf(tensorBytes: Uint8Array): string {
  const reader = protobuf.Reader.create(tensorBytes);
  let name = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((onnxProto.TensorProto.name[0] << 3) | 2)) name = reader.string();
    else reader.skipType(tag & 7);
  }
  return name;
}
