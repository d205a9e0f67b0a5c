import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;

/** Numbers of ONNX's element types. */
export const elementTypes = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  float16: 10,
  double: 11,
  uint4: 21,
  int4: 22,
} as const;

export type BuilderType = keyof typeof elementTypes;
type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorSpec };

export interface TensorSpec {
  readonly type: BuilderType;
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  /** Contents as raw bytes (default) or in the typed field. */
  readonly packed?: boolean;
}

/** Small ONNX models for tests, written as their graph reads. */
export class OnnxBuilder {
  readonly #graph: onnxProto.onnx.IGraphProto &
    Record<'node' | 'initializer' | 'input' | 'output' | 'valueInfo', object[]>;
  #count = 0;

  constructor(
    readonly opset = 13,
    readonly domains: Readonly<Record<string, number>> = { 'com.microsoft': 1 },
  ) {
    this.#graph = { name: 'test', node: [], initializer: [], input: [], output: [], valueInfo: [] };
  }

  input(name: string, dims: readonly (number | string)[], type: BuilderType = 'float'): string {
    this.#graph.input.push(valueInfo(name, dims, type));
    return name;
  }

  /** Notes the shape and type of a value between nodes, as exporters do. */
  between(name: string, dims: readonly (number | string)[], type: BuilderType = 'float'): void {
    this.#graph.valueInfo.push(valueInfo(name, dims, type));
  }

  /** Notes the type that FINN gives a tensor's numbers. */
  finnType(tensorName: string, value: string): void {
    const note = { tensorName, quantParameterTensorNames: [{ key: 'finn_datatype', value }] };
    (this.#graph.quantizationAnnotation ??= []).push(note);
  }

  /** Declares an output; its type only where given. */
  output(name: string, dims?: readonly (number | string)[], type: BuilderType = 'float'): this {
    this.#graph.output.push(dims === undefined ? { name } : valueInfo(name, dims, type));
    return this;
  }

  constant(name: string, spec: TensorSpec): string {
    this.#graph.initializer.push(tensorProto(name, spec));
    return name;
  }

  /** A float initialiser. */
  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    return this.constant(name, { type: 'float', dims, values });
  }

  /** An int64 initialiser of one axis. */
  ints(name: string, values: readonly number[]): string {
    return this.constant(name, { type: 'int64', dims: [values.length], values });
  }

  scalar(name: string, type: BuilderType, value: number): string {
    return this.constant(name, { type, dims: [], values: [value] });
  }

  /** Adds a node, named after its op type and number, and gives the name of its output. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { readonly domain?: string; readonly output?: string; readonly name?: string } = {},
  ): string {
    const output = options.output ?? `${opType}_${this.#count}_out`;
    this.nodes(opType, inputs, [output], attributes, options);
    return output;
  }

  /** The same with several outputs, by their names. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { readonly domain?: string; readonly name?: string } = {},
  ): void {
    this.#graph.node.push({
      name: options.name ?? `${opType}_${this.#count}`,
      opType,
      domain: options.domain ?? '',
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    });
    this.#count++;
  }

  /** QuantizeLinear then DequantizeLinear with scalar parameters, perhaps with a Clip between. */
  fakeQuant(
    x: string,
    scale: number,
    zero: number,
    type: BuilderType = 'uint8',
    clip?: readonly [number, number],
  ): string {
    const n = this.#count;
    const params = [this.scalar(`scale_${n}`, 'float', scale), this.scalar(`zero_${n}`, type, zero)];
    let codes = this.node('QuantizeLinear', [x, ...params]);
    if (clip !== undefined) {
      codes = this.node('Clip', [
        codes,
        this.scalar(`min_${n}`, type, clip[0]),
        this.scalar(`max_${n}`, type, clip[1]),
      ]);
    }
    return this.node('DequantizeLinear', [codes, ...params]);
  }

  /** The graph's message, for tests that damage it. */
  get graph(): onnxProto.onnx.IGraphProto &
    Record<'node' | 'initializer' | 'input' | 'output' | 'valueInfo', object[]> {
    return this.#graph;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const opsetImport = [{ domain: '', version: this.opset }];
    for (const [domain, version] of Object.entries(this.domains)) opsetImport.push({ domain, version });
    const model = {
      irVersion: this.opset >= 21 ? 10 : 8,
      opsetImport,
      producerName: 'spikec tests',
      graph: this.#graph,
    };
    return new Uint8Array(onnx.ModelProto.encode(model).finish());
  }
}

function valueInfo(name: string, dims: readonly (number | string)[], type: BuilderType): object {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

export function tensorProto(name: string, spec: TensorSpec): onnxProto.onnx.ITensorProto {
  const { type, dims, values } = spec;
  const base = { name, dataType: elementTypes[type], dims: [...dims] };
  if (spec.packed !== true) return { ...base, rawData: rawBytes(type, values) };
  const list = Array.from(values);
  if (type === 'float') return { ...base, floatData: list };
  if (type === 'double') return { ...base, doubleData: list };
  if (type === 'int64') return { ...base, int64Data: list };
  return { ...base, int32Data: list };
}

/** Little-endian contents. */
export function rawBytes(type: BuilderType, values: ArrayLike<number>): Uint8Array {
  const of = (array: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(array.buffer);
  switch (type) {
    case 'float':
      return of(Float32Array.from(values));
    case 'double':
      return of(Float64Array.from(values));
    case 'int64':
      return of(BigInt64Array.from(Array.from(values, (v) => BigInt(v))));
    case 'int32':
      return of(Int32Array.from(values));
    case 'int16':
      return of(Int16Array.from(values));
    case 'uint16':
    case 'float16':
      return of(Uint16Array.from(values));
    case 'int8':
      return of(Int8Array.from(values));
    case 'uint8':
      return Uint8Array.from(values);
    case 'int4':
    case 'uint4':
      return Uint8Array.from({ length: Math.ceil(values.length / 2) }, (_, i) => {
        return (values[2 * i]! & 15) | (((values[2 * i + 1] ?? 0) & 15) << 4);
      });
  }
}

function attributeProto(name: string, value: Attribute): onnxProto.onnx.IAttributeProto {
  const types = onnx.AttributeProto.AttributeType;
  if (typeof value === 'number') return { name, type: types.INT, i: value };
  if (typeof value === 'string') return { name, type: types.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: types.FLOAT, f: value.float };
  if ('floats' in value) return { name, type: types.FLOATS, floats: [...value.floats] };
  if ('tensor' in value) return { name, type: types.TENSOR, t: tensorProto('', value.tensor) };
  return { name, type: types.INTS, ints: [...value] };
}
