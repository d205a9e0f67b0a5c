import type { Pieces } from './pieces.js';

/** How a field stands on the wire: a scalar type or a message; `…[]` repeated (scalars of numbers packed). */
type Scalar = 'int32' | 'int64' | 'float' | 'double' | 'string' | 'bytes';

/**
 * The part of ONNX's protobuf schema that we write and read: message → field → number and type. Fields stand in the order
 * of their numbers, as they are written.
 */
export const onnxProto = {
  ModelProto: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto[]'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  GraphProto: {
    node: [1, 'NodeProto[]'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto[]'],
    input: [11, 'ValueInfoProto[]'],
    output: [12, 'ValueInfoProto[]'],
    valueInfo: [13, 'ValueInfoProto[]'],
    quantizationAnnotation: [14, 'TensorAnnotation[]'],
    sparseInitializer: [15, 'bytes[]'],
  },
  TensorAnnotation: {
    tensorName: [1, 'string'],
    quantParameterTensorNames: [2, 'StringStringEntryProto[]'],
  },
  NodeProto: {
    input: [1, 'string[]'],
    output: [2, 'string[]'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto[]'],
    domain: [7, 'string'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    floats: [7, 'float[]'],
    ints: [8, 'int64[]'],
    type: [20, 'int32'],
  },
  TensorProto: {
    dims: [1, 'int64[]'],
    dataType: [2, 'int32'],
    floatData: [4, 'float[]'],
    int32Data: [5, 'int32[]'],
    int64Data: [7, 'int64[]'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double[]'],
    uint64Data: [11, 'int64[]'],
    externalData: [13, 'StringStringEntryProto[]'],
    dataLocation: [14, 'int32'],
  },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: { tensorType: [1, 'TypeProtoTensor'] },
  TypeProtoTensor: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  TensorShapeProto: { dim: [1, 'Dimension[]'] },
  Dimension: { dimValue: [1, 'int64'], dimParam: [2, 'string'] },
} as const;

type Schema = typeof onnxProto;
export type OnnxMessageName = keyof Schema;

type ValueOf<T> = T extends `${infer Item}[]`
  ? readonly ValueOf<Item>[]
  : T extends OnnxMessageName
    ? OnnxMessage<T>
    : T extends 'string'
      ? string
      : T extends 'bytes'
        ? Uint8Array | Pieces
        : T extends Scalar
          ? number
          : never;

/** A message with the fields that are set. */
export type OnnxMessage<K extends OnnxMessageName> = {
  readonly [F in keyof Schema[K]]?: Schema[K][F] extends readonly [number, infer T] ? ValueOf<T> : never;
};

/** Numbers of ONNX's kinds of attributes. */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7 } as const;
