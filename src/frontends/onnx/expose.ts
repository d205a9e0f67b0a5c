import protobuf from 'protobufjs/minimal.js';
import { decodeModel } from './wire.js';

/**
 * The same model with more graph outputs, to look at tensors inside it. Protobuf joins the parts of a
 * message that is given twice, so a second `graph` field that only lists outputs is appended to the
 * file's bytes: nothing is written anew, nothing else changes. The outputs' types are left to inference.
 * Names of the graph's own inputs and outputs are passed over.
 */
export function exposeTensors(bytes: Uint8Array, names: Iterable<string>): Uint8Array<ArrayBuffer> {
  const graph = protobuf.Writer.create();
  const model = decodeModel(bytes).graph;
  const known = new Set([...(model?.inputs ?? []), ...(model?.outputs ?? [])].map((info) => info.name));
  for (const name of new Set(names)) {
    if (known.has(name)) continue;
    const info = protobuf.Writer.create().uint32(10).string(name).finish();
    graph.uint32((12 << 3) | 2).bytes(info);
  }
  const extra = protobuf.Writer.create()
    .uint32((7 << 3) | 2)
    .bytes(graph.finish())
    .finish();
  const result = new Uint8Array(bytes.length + extra.length);
  result.set(bytes);
  result.set(extra, bytes.length);
  return result;
}
