import { onnxProto } from '../../../base/onnx-proto.js';
import { type OnnxNode, decodeAttribute } from '../wire.js';
import { mapField } from './fields.js';

/** `weight_bits`, `out_bits` …: what quantlab notes beside an operator of ONNX, whose meaning they don't change. */
export function isAnnotation(name: string): boolean {
  return /^[a-z]+_bits$/.test(name);
}

/** Whether a node of ONNX's own has such notes, for which onnxruntime refuses it. */
export function isAnnotated({ domain, attributes }: OnnxNode): boolean {
  return domain === '' && [...attributes.keys()].some((name) => isAnnotation(name));
}

/** The node without them. */
export function withoutAnnotations(message: Uint8Array): Uint8Array {
  const [field] = onnxProto.NodeProto.attribute;
  return mapField(message, field, (attribute) => (isAnnotation(decodeAttribute(attribute).name) ? [] : [attribute]));
}
