import protobuf from 'protobufjs/minimal.js';
import { decodeModel } from './wire.js';

/** A model whose inner tensors can be looked at. */
interface Exposed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The graph output under which each tensor comes. */
  readonly outputs: ReadonlyMap<string, string>;
}

/**
 * The same model with more graph outputs, to look at tensors inside it. Protobuf joins the parts of a
 * message that is given twice, so a second `graph` field that only lists outputs is appended to the
 * file's bytes: nothing is written anew, nothing else changes. The outputs' types are left to inference.
 * Names of the graph's own inputs and outputs are passed over. A tensor called `__proto__`, which no
 * object of JavaScript can hold as a key like others, comes through an Identity under another name.
 */
export function exposeTensors(bytes: Uint8Array, names: Iterable<string>): Exposed {
  const graph = protobuf.Writer.create();
  const model = decodeModel(bytes).graph;
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
  const extra = protobuf.Writer.create()
    .uint32((7 << 3) | 2)
    .bytes(graph.finish())
    .finish();
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
