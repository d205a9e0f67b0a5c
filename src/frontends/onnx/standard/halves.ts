import { encodeOnnx } from '../../../base/onnx-encode.js';
import { onnxProto } from '../../../base/onnx-proto.js';
import { elementTypeNumbers } from '../element-type.js';
import { tensorConstant } from '../tensor-data.js';
import { type OnnxModel, type OnnxTensor, decodeNode, decodeTensor } from '../wire.js';
import { mapField, withNumber } from './fields.js';

const { half, float } = elementTypeNumbers;
const { graph: graphField } = onnxProto.ModelProto;
const { initializer, input, output, node } = onnxProto.GraphProto;
/** GraphProto.value_info: shapes and types that exporters note between the nodes. */
const valueInfo = 13;
const { attribute } = onnxProto.NodeProto;
const { t, i } = onnxProto.AttributeProto;

/** Whether values of a model are float16. */
export function hasHalves({ graph }: OnnxModel): boolean {
  if (graph === undefined) return false;
  const typed = [...graph.inputs, ...graph.outputs].some(({ elementType }) => elementType === half);
  return typed || graph.initializers.some(isHalf) || graph.nodes.some((one) => castsToHalf(one) || holdsHalves(one));
}

function isHalf({ dataType }: OnnxTensor): boolean {
  return dataType === half;
}

type Node = ReturnType<typeof decodeNode>;

function castsToHalf({ attributes }: Node): boolean {
  return typeAttributes.some((name) => attributes.get(name)?.i === half);
}

/** Attributes whose number is an element type. */
const typeAttributes = ['to', 'output_dtype'];

function holdsHalves({ attributes }: Node): boolean {
  return [...attributes.values()].some((one) => one.t !== undefined && isHalf(one.t));
}

/**
 * The same model in float32: every half is a float32 exactly. Sums are then those of float32, which float16 runs round at
 * each node.
 */
export function withoutHalves(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const graph = (message: Uint8Array): readonly Uint8Array[] => {
    let changed = mapField(message, initializer[0], (value) => [asFloats(value)]);
    for (const field of [input[0], output[0], valueInfo]) {
      changed = mapField(changed, field, (value) => [retyped(value)]);
    }
    return [mapField(changed, node[0], (value) => [nodeInFloat(value)])];
  };
  return new Uint8Array(mapField(bytes, graphField[0], graph));
}

/** A TensorProto of halves as one of floats; external data stays where it is, and is refused by the import. */
function asFloats(bytes: Uint8Array): Uint8Array {
  const tensor = decodeTensor(bytes);
  if (!isHalf(tensor) || tensor.external !== undefined) return bytes;
  const { name, dims } = tensor;
  const values = Float32Array.from(tensorConstant(tensor, { file: '' }, undefined).data());
  return encodeOnnx('TensorProto', { name, dims, dataType: float, rawData: new Uint8Array(values.buffer) });
}

/** ValueInfoProto.type.tensor_type.elem_type. */
function retyped(bytes: Uint8Array): Uint8Array {
  const { type } = onnxProto.ValueInfoProto;
  const { tensorType } = onnxProto.TypeProto;
  const { elemType } = onnxProto.TypeProtoTensor;
  return mapField(bytes, type[0], (outer) => [
    mapField(outer, tensorType[0], (inner) => [withNumber(inner, elemType[0], half, float)]),
  ]);
}

function nodeInFloat(bytes: Uint8Array): Uint8Array {
  const decoded = decodeNode(bytes);
  if (!castsToHalf(decoded) && !holdsHalves(decoded)) return bytes;
  const names = [...decoded.attributes.keys()];
  let at = 0;
  return mapField(bytes, attribute[0], (value) => {
    const floats = mapField(value, t[0], (tensor) => [asFloats(tensor)]);
    return [typeAttributes.includes(names[at++] ?? '') ? withNumber(floats, i[0], half, float) : floats];
  });
}
