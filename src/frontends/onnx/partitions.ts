import { type Outcome, diagnostic } from '../../base/diagnostics/index.js';
import { encodeOnnx } from '../../base/onnx-encode.js';
import { onnxProto } from '../../base/onnx-proto.js';
import { checkExternalLocation } from './external.js';
import { joined, mapField, withField } from './standard/fields.js';
import { type OnnxGraph, type OnnxModel, type OnnxNode, decodeModel, decodeNode } from './wire.js';

/** Nodes whose layers lie in a file of their own: FINN's builds leave such a parent, and a child for each part. */
const partitionOps: ReadonlySet<string> = new Set(['StreamingDataflowPartition', 'GenericPartition']);

/** Gives the bytes of a file in the parent's folder. */
export type ReadBeside = (location: string) => Uint8Array | undefined;

/** Protobuf's own limit of a file. */
const mostBytes = 2 ** 31 - 1;

/** A reason not to read a part, and of which node. */
class Unreadable extends Error {
  constructor(
    readonly node: OnnxNode,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/**
 * A parent with the layers of its partitions in place of the nodes that stand for them: one file that needs no other.
 * A child is looked for in the parent's folder alone: where the attribute `model` says, which is mostly a path of the machine
 * that built it, or where the last parts of that path say (`kernel_partitions/partition_1.onnx`, `partition_1.onnx`). Its
 * tensors get names that are free; its inputs and outputs are the node's, in their order.
 * Undefined for a file without partitions. Throws nothing: what can't be read is `onnx/partition`.
 */
export function withPartitions(
  file: string,
  bytes: Uint8Array,
  read: ReadBeside,
): Outcome<Uint8Array<ArrayBuffer>> | undefined {
  let model: OnnxModel;
  try {
    model = decodeModel(bytes);
  } catch {
    // the import says what is wrong with it
    return undefined;
  }
  if (!model.graph?.nodes.some(isPartition)) return undefined;
  try {
    return { value: new Uint8Array(new Joining(read).join(bytes, model)), diagnostics: [] };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { node, reason } = error;
    const args = { name: node.name, model: modelOf(node), reason };
    const help = 'keep the files of a build together, or convert that one by itself';
    return { diagnostics: [diagnostic('onnx/partition', args, { file, detail: `node "${node.name}"` }, { help })] };
  }
}

function isPartition({ opType }: OnnxNode): boolean {
  return partitionOps.has(opType);
}

function modelOf(node: OnnxNode): string {
  return node.attributes.get('model')?.s ?? '';
}

/** What a child brings along: fields of the graph, serialised. */
interface Part {
  readonly nodes: readonly Uint8Array[];
  readonly others: readonly Uint8Array[];
}

const { node: nodeField, initializer, quantizationAnnotation } = onnxProto.GraphProto;

class Joining {
  /** Files that are in already: no part is there twice, which ends cycles as well. */
  readonly #used = new Set<string>();
  readonly #taken = new Set<string>();
  #bytes = 0;

  constructor(private readonly read: ReadBeside) {}

  join(bytes: Uint8Array, model: OnnxModel): Uint8Array {
    this.#bytes += bytes.length;
    for (const { inputs, outputs } of model.graph?.nodes ?? [])
      for (const name of [...inputs, ...outputs]) this.#taken.add(name);
    const opsets = new Map(model.opsets.map(({ domain, version }) => [domain, version]));
    const others: Uint8Array[] = [];
    const written = (message: Uint8Array): readonly Uint8Array[] => {
      const node = decodeNode(message);
      if (!isPartition(node)) return [message];
      const part = this.#part(node, opsets);
      others.push(...part.others);
      return part.nodes;
    };
    const graph = (message: Uint8Array): readonly Uint8Array[] => {
      const nodes = mapField(message, nodeField[0], written);
      return [joined([nodes, ...others.splice(0)])];
    };
    const whole = mapField(bytes, onnxProto.ModelProto.graph[0], graph);
    const missing = [...opsets].filter(([domain]) => !model.opsets.some((one) => one.domain === domain));
    const imports = missing.map(([domain, version]) =>
      withField(onnxProto.ModelProto.opsetImport[0], encodeOnnx('OperatorSetIdProto', { domain, version })),
    );
    return joined([whole, ...imports]);
  }

  #part(node: OnnxNode, opsets: Map<string, number>): Part {
    const refuse = (reason: string): never => {
      throw new Unreadable(node, reason);
    };
    const given = this.#child(node);
    this.#bytes += given.length;
    if (this.#bytes > mostBytes) refuse('the files are more than 2 GiB together');
    let model = decoded(given, node);
    let bytes = given;
    if (model.graph?.nodes.some(isPartition)) {
      bytes = this.join(given, model);
      model = decoded(bytes, node);
    }
    const { graph } = model;
    if (graph === undefined) return refuse('it has no graph');
    for (const { domain, version } of model.opsets) {
      const other = opsets.get(domain);
      if (other === undefined) opsets.set(domain, version);
      else if (other !== version)
        refuse(`it is written in version ${version} of the operators "${domain}", the parent in ${other}`);
    }
    const initial = new Set(graph.initializers.map(({ name }) => name));
    const inputs = graph.inputs.filter(({ name }) => !initial.has(name)).map(({ name }) => name);
    const outputs = graph.outputs.map(({ name }) => name);
    if (inputs.length !== node.inputs.length || outputs.length !== node.outputs.length)
      refuse(
        `it has ${inputs.length} inputs and ${outputs.length} outputs, the node ${node.inputs.length} and ${node.outputs.length}`,
      );
    if (graph.initializers.some(({ external }) => external !== undefined))
      refuse('its weights lie in a file of their own');
    const stem = this.#stem(node);
    return renamed(bytes, graph, { inputs, outputs, node, rename: (name) => (name === '' ? '' : `${stem}${name}`) });
  }

  /** The child's bytes, from the first place in the parent's folder that has it. */
  #child(node: OnnxNode): Uint8Array {
    const model = modelOf(node);
    if (model === '') throw new Unreadable(node, 'the node names none');
    const parts = model.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
    const places = parts.map((_, i) => parts.slice(i).join('/')).slice(-deepest);
    for (const place of places) {
      if (checkExternalLocation(place) !== undefined) continue;
      const bytes = this.read(place);
      if (bytes === undefined) continue;
      if (this.#used.has(place)) throw new Unreadable(node, 'another node stands for it already');
      this.#used.add(place);
      return bytes;
    }
    throw new Unreadable(node, `no "${parts.at(-1)}" is in the folder of the file`);
  }

  /** A beginning that no tensor's name has so far. */
  #stem({ name, outputs }: OnnxNode): string {
    const own = name === '' ? (outputs[0] ?? '') : name;
    for (let n = 0; ; n++) {
      const stem = `${own}${n === 0 ? '' : `.${n}`}/`;
      if ([...this.#taken].some((name) => name.startsWith(stem))) continue;
      this.#taken.add(stem);
      return stem;
    }
  }
}

/** Folders of a path that are looked at. */
const deepest = 32;

function decoded(bytes: Uint8Array, node: OnnxNode): OnnxModel {
  try {
    return decodeModel(bytes);
  } catch (error) {
    throw new Unreadable(node, `it is no ONNX file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A child's nodes, weights and notes with its own names replaced, between the tensors that the node reads and writes. */
function renamed(
  bytes: Uint8Array,
  graph: OnnxGraph,
  {
    inputs,
    outputs,
    node,
    rename,
  }: {
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly node: OnnxNode;
    readonly rename: (name: string) => string;
  },
): Part {
  const written = new Set(graph.nodes.flatMap((one) => one.outputs));
  const places = new Map(inputs.map((name, i) => [name, node.inputs[i]!]));
  const passed: Uint8Array[] = [];
  for (const [i, name] of outputs.entries()) {
    const out = node.outputs[i]!;
    // a tensor that comes out twice, or as it came in
    if (written.has(name) && !places.has(name)) places.set(name, out);
    else
      passed.push(
        encodeOnnx('NodeProto', {
          opType: 'Identity',
          input: [places.get(name) ?? rename(name)],
          output: [out],
          name: out,
        }),
      );
  }
  const place = (name: Uint8Array): readonly Uint8Array[] => {
    const text = utf8.decode(name);
    return [encoder.encode(places.get(text) ?? rename(text))];
  };
  const field = onnxProto.NodeProto;
  const nodes: Uint8Array[] = [];
  const others: Uint8Array[] = [];
  const collect = (message: Uint8Array): readonly Uint8Array[] => {
    mapField(message, nodeField[0], (one) => {
      const named = mapField(mapField(one, field.input[0], place), field.output[0], place);
      nodes.push(mapField(named, field.name[0], (name) => [encoder.encode(rename(utf8.decode(name)))]));
      return [];
    });
    mapField(message, initializer[0], (one) => {
      others.push(withField(initializer[0], mapField(one, onnxProto.TensorProto.name[0], place)));
      return [];
    });
    mapField(message, quantizationAnnotation[0], (one) => {
      others.push(withField(quantizationAnnotation[0], mapField(one, onnxProto.TensorAnnotation.tensorName[0], place)));
      return [];
    });
    return [];
  };
  mapField(bytes, onnxProto.ModelProto.graph[0], collect);
  return { nodes: [...nodes, ...passed], others };
}

const utf8 = new TextDecoder();
const encoder = new TextEncoder();
