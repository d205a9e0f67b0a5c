import { type DType, type Tensor, tensor } from '../../base/dtype.js';
import { type OnnxMessage, attributeTypes } from '../../base/onnx-proto.js';
import { type Dim, type Program, isBatch } from '../../tensor/index.js';
import { onnxPieces } from '../../base/onnx-encode.js';
import { type Pieces, tensorBytes } from '../../base/pieces.js';

/** ONNX's numbers of our dtypes; i64 appears only in shapes and indices. */
export const elementType: Readonly<Record<DType | 'i64', number>> = {
  f32: 1,
  u8: 2,
  i8: 3,
  i32: 6,
  i64: 7,
  bool: 9,
  f64: 11,
};

export type AttrValue = number | string | readonly number[] | { readonly float: number } | { readonly graph: Subgraph };

/** The body of an operator; it reads values of the graph around it by name. */
export interface Subgraph {
  readonly graph: OnnxMessage<'GraphProto'>;
  /** What it reads from around it. */
  readonly captured: readonly string[];
}

/**
 * Collects nodes and initialisers of one ONNX graph. Values of the program keep their ids;
 * what a primitive needs besides is named after it, with `::`.
 */
export class GraphWriter {
  #nodes: OnnxMessage<'NodeProto'>[] = [];
  #initializers: OnnxMessage<'TensorProto'>[] = [];
  /** What nodes with bodies read in them, by node. */
  readonly #captured = new Map<string, readonly string[]>();
  readonly #shared = new Map<string, string>();
  readonly #program: Program;
  #count = 0;

  /** `around`: the graph in which this one is a body; constants and sizes stand there. */
  constructor(
    program: Program,
    private readonly around?: GraphWriter,
  ) {
    this.#program = program;
  }

  /** A graph for the body of an operator of this one. */
  inner(body: Program): GraphWriter {
    return new GraphWriter(body, this);
  }

  /** Adds a node with one result and returns its name: `out`, or a fresh one. */
  node(
    opType: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>> = {},
    out = this.fresh(opType),
  ): string {
    this.nodes(opType, inputs, attrs, [out]);
    return out;
  }

  /** Adds a node with these results. */
  nodes(
    opType: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>>,
    outputs: readonly string[],
  ): void {
    this.#nodes.push({
      name: outputs.find((name) => name !== '')!,
      opType,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attrs).map(([name, value]) => attribute(name, value)),
    });
    const captured = Object.values(attrs).flatMap((value) =>
      typeof value === 'object' && 'graph' in value ? value.graph.captured : [],
    );
    if (captured.length > 0)
      this.#captured.set(
        outputs.find((name) => name !== '')!,
        captured,
      );
  }

  fresh(hint: string): string {
    if (this.around !== undefined) return this.around.fresh(hint);
    return `::${hint}.${++this.#count}`;
  }

  initializer(name: string, tensor: Tensor): string {
    if (this.around !== undefined) return this.around.initializer(name, tensor);
    const { dtype, shape } = tensor;
    this.#initializers.push({
      name,
      dims: [...shape],
      dataType: elementType[dtype],
      rawData: tensorBytes(tensor),
    });
    return name;
  }

  /** An int64 vector (or scalar, where `shape` is []), shared between equal ones. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): string {
    if (this.around !== undefined) return this.around.ints(values, shape);
    return this.share(`i64[${shape.join()}](${values.join()})`, (name) => {
      const rawData = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
      this.#initializers.push({ name, dims: [...shape], dataType: elementType.i64, rawData });
    });
  }

  /** A scalar constant, shared between equal ones. */
  scalar(dtype: DType, value: number): string {
    return this.share(`${dtype}(${value})`, (name) => {
      this.initializer(name, tensor(dtype, [], [value]));
    });
  }

  /** A value made by `make` the first time its key is asked for. */
  share(key: string, make: (name: string) => void): string {
    if (this.around !== undefined) return this.around.share(key, make);
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = `::${key}`;
    this.#shared.set(key, name);
    make(name);
    return name;
  }

  /** The int64 vector [units · N]. */
  batches(units: number): string {
    if (this.around !== undefined) return this.around.batches(units);
    if (units === 0) return this.ints([0]);
    return this.share(`${units}N`, (name) => {
      if (units !== 1) return this.node('Mul', [this.batches(1), this.ints([units])], {}, name);
      const source = this.#program.inputs.find(({ shape }) => shape.some(isBatch));
      if (source === undefined) return this.node('Identity', [this.ints([1])], {}, name);
      const axis = source.shape.findIndex(isBatch);
      const size = this.node('Gather', [this.node('Shape', [source.id]), this.ints([axis])], { axis: 0 });
      const factor = (source.shape[axis] as { readonly batch: number }).batch;
      return this.node('Div', [size, this.ints([factor])], {}, name);
    });
  }

  /** The int64 vector of a shape with N filled in at run time. */
  dynamicShape(shape: readonly Dim[]): string {
    if (this.around !== undefined) return this.around.dynamicShape(shape);
    const parts: string[] = [];
    let plain: number[] = [];
    const flush = () => {
      if (plain.length > 0) parts.push(this.ints(plain));
      plain = [];
    };
    for (const dim of shape) {
      if (isBatch(dim)) {
        flush();
        parts.push(this.batches(dim.batch));
      } else plain.push(dim);
    }
    flush();
    if (parts.length === 0) return this.ints([]);
    return parts.length === 1
      ? parts[0]!
      : this.share(`shape(${parts.join()})`, (name) => this.node('Concat', parts, { axis: 0 }, name));
  }

  /** Drops nodes and initialisers that no output needs. */
  #prune(outputs: readonly OnnxMessage<'ValueInfoProto'>[]): void {
    const live = new Set(outputs.map((output) => output.name!));
    const kept: OnnxMessage<'NodeProto'>[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.output!.some((name) => live.has(name))) continue;
      for (const name of [...node.input!, ...(this.#captured.get(node.name!) ?? [])]) live.add(name);
      kept.push(node);
    }
    this.#nodes = kept.toReversed();
    this.#initializers = this.#initializers.filter(({ name }) => live.has(name!));
  }

  /** The serialised ModelProto of what the outputs need. */
  finish(outputs: readonly OnnxMessage<'ValueInfoProto'>[]): Pieces {
    this.#prune(outputs);
    return onnxPieces('ModelProto', {
      irVersion: 8,
      producerName: 'spikec',
      opsetImport: [{ domain: '', version: 17 }],
      graph: this.#graph(outputs),
    });
  }

  /** What the outputs need as the body of an operator. */
  finishBody(outputs: readonly OnnxMessage<'ValueInfoProto'>[]): Subgraph {
    this.#prune(outputs);
    const made = new Set([
      ...this.#program.inputs.map(({ id }) => id),
      ...this.#nodes.flatMap(({ output }) => output!),
    ]);
    const read = this.#nodes.flatMap(({ name, input }) => [...input!, ...(this.#captured.get(name!) ?? [])]);
    return { graph: this.#graph(outputs), captured: [...new Set(read)].filter((name) => !made.has(name)) };
  }

  #graph(outputs: readonly OnnxMessage<'ValueInfoProto'>[]): OnnxMessage<'GraphProto'> {
    return {
      name: this.#program.name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#program.inputs.map(({ id, dtype, shape }) => valueInfo(id, dtype, shape)),
      output: [...outputs],
    };
  }
}

/** Type and shape of a graph input or output; the batch is a named symbol. */
export function valueInfo(name: string, dtype: DType, shape: readonly Dim[]): OnnxMessage<'ValueInfoProto'> {
  const dim = shape.map((d) => (isBatch(d) ? { dimParam: d.batch === 1 ? 'N' : `${d.batch}N` } : { dimValue: d }));
  return { name, type: { tensorType: { elemType: elementType[dtype], shape: { dim } } } };
}

function attribute(name: string, value: AttrValue): OnnxMessage<'AttributeProto'> {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: value };
  if (typeof value === 'string') return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  if ('graph' in value) return { name, type: attributeTypes.graph, g: value.graph.graph };
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: [...value] };
}
