import { encodeOnnx } from '../../../base/onnx-encode.js';
import { type OnnxMessage, attributeTypes } from '../../../base/onnx-proto.js';

import type { OnnxNode } from '../wire.js';

type Attribute = OnnxMessage<'AttributeProto'>;

/** A whole number, a word, whole numbers, a real number. */
export type StandardAttribute = number | string | readonly number[] | { readonly float: number };

/** Writes the nodes that one node of another dialect stands for, in ONNX's own operators. */
export class StandardNodes {
  readonly #nodes: OnnxMessage<'NodeProto'>[] = [];
  #kept = false;

  /** `stem`: a name no tensor of the file begins with. */
  constructor(
    readonly stem: string,
    /** Version of ONNX's own operators. */
    readonly opset: number,
  ) {}

  /** Adds a node; its result is called `out` (its results, in a row), or has a name of its own. */
  node(
    opType: string,
    input: readonly string[],
    attrs: Readonly<Record<string, StandardAttribute>> = {},
    out: string | readonly string[] = `${this.stem}${this.#nodes.length}`,
    domain?: string,
  ): string {
    const attribute = Object.entries(attrs).map(([name, value]): Attribute => {
      if (typeof value === 'number') return { name, i: value, type: attributeTypes.int };
      if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: attributeTypes.string };
      if ('float' in value) return { name, f: value.float, type: attributeTypes.float };
      return { name, ints: value, type: attributeTypes.ints };
    });
    const output = typeof out === 'string' ? [out] : out;
    const [name] = output as [string];
    this.#nodes.push({ opType, input, output, name, attribute, ...(domain === undefined ? {} : { domain }) });
    return name;
  }

  /** A float32 constant without axes. */
  float(value: number): string {
    return this.#constant({ dataType: 1, rawData: new Uint8Array(Float32Array.of(value).buffer) });
  }

  /** A constant of float32. */
  tensor(dims: readonly number[], values: Float32Array<ArrayBuffer>): string {
    return this.#constant({ dims, dataType: 1, rawData: new Uint8Array(values.buffer) });
  }

  /** A constant of bytes. */
  uint8(dims: readonly number[], rawData: Uint8Array): string {
    return this.#constant({ dims, dataType: 2, rawData });
  }

  /** An int32 constant without axes. */
  int32(value: number): string {
    return this.#constant({ dataType: 6, rawData: new Uint8Array(Int32Array.of(value).buffer) });
  }

  /** A vector of int64. */
  ints(values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant({ dims: [values.length], dataType: 7, rawData });
  }

  #constant(t: OnnxMessage<'TensorProto'>): string {
    const out = `${this.stem}${this.#nodes.length}`;
    const attribute = [{ name: 'value', t, type: attributeTypes.tensor }];
    this.#nodes.push({ opType: 'Constant', output: [out], name: out, attribute });
    return out;
  }

  /** The attributes of a node, for one of another operator. */
  static attributesOf(node: OnnxNode): Readonly<Record<string, StandardAttribute>> {
    return Object.fromEntries(
      [...node.attributes].map(([name, { f, i, s, ints }]) => [
        name,
        s ?? i ?? (f === undefined ? ints : { float: f }),
      ]),
    );
  }

  /** Leaves the node as it is. */
  keep(): void {
    this.#kept = true;
  }

  get kept(): boolean {
    return this.#kept;
  }

  /** The nodes, serialised. */
  messages(): readonly Uint8Array[] {
    return this.#nodes.map((node) => encodeOnnx('NodeProto', node));
  }
}
