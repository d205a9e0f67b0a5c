import { encodeOnnx } from '../../../base/onnx-encode.js';
import { type OnnxMessage, attributeTypes } from '../../../base/onnx-proto.js';

type Attribute = OnnxMessage<'AttributeProto'>;

/** Writes the nodes that one node of another dialect stands for, in ONNX's own operators. */
export class StandardNodes {
  readonly #nodes: OnnxMessage<'NodeProto'>[] = [];

  /** `stem`: a name no tensor of the file begins with. */
  constructor(
    readonly stem: string,
    /** Version of ONNX's own operators. */
    readonly opset: number,
  ) {}

  /** Adds a node; its result is called `out`, or has a name of its own. */
  node(
    opType: string,
    input: readonly string[],
    attrs: Readonly<Record<string, number | readonly number[]>> = {},
    out = `${this.stem}${this.#nodes.length}`,
  ): string {
    const attribute = Object.entries(attrs).map(([name, value]): Attribute =>
      typeof value === 'number'
        ? { name, i: value, type: attributeTypes.int }
        : { name, ints: value, type: attributeTypes.ints },
    );
    this.#nodes.push({ opType, input, output: [out], name: out, attribute });
    return out;
  }

  /** A float32 constant without axes. */
  float(value: number): string {
    const out = `${this.stem}${this.#nodes.length}`;
    const t: OnnxMessage<'TensorProto'> = { dataType: 1, rawData: new Uint8Array(Float32Array.of(value).buffer) };
    this.#nodes.push({
      opType: 'Constant',
      output: [out],
      name: out,
      attribute: [{ name: 'value', t, type: attributeTypes.tensor }],
    });
    return out;
  }

  /** The nodes, serialised. */
  messages(): readonly Uint8Array[] {
    return this.#nodes.map((node) => encodeOnnx('NodeProto', node));
  }
}
