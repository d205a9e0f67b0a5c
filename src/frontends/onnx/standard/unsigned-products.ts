import { type OnnxModel, type OnnxTensor, decodeNode } from '../wire.js';
import { typesOf } from './integers.js';
import { StandardNodes } from './nodes.js';

/** ONNX's numbers of element types. */
const [uint8, int8, int32] = [2, 3, 6];

/** Where an operator has the codes of its products and their zero points, and the zero point of codes that it gives. */
interface ByteProduct {
  readonly operands: readonly { readonly codes: number; readonly zero: number }[];
  readonly result?: number;
}

const both = (a: number, aZero: number, b: number, bZero: number): ByteProduct['operands'] => [
  { codes: a, zero: aZero },
  { codes: b, zero: bZero },
];

const products: ReadonlyMap<string, ByteProduct> = new Map([
  ['QLinearConv', { operands: both(0, 2, 3, 5), result: 7 }],
  ['QLinearMatMul', { operands: both(0, 2, 3, 5), result: 7 }],
  ['QGemm', { operands: both(0, 2, 3, 5), result: 8 }],
  ['ConvInteger', { operands: both(0, 2, 1, 3) }],
  ['MatMulInteger', { operands: both(0, 2, 1, 3) }],
  ['MatMulIntegerToFloat', { operands: both(0, 4, 1, 5) }],
  ['DynamicQuantizeMatMul', { operands: [{ codes: 1, zero: 3 }] }],
]);

/** Whether a file has products of bytes that may be signed. */
export function hasByteProducts({ graph }: OnnxModel): boolean {
  return graph?.nodes.some(({ opType }) => products.has(opType)) ?? false;
}

/**
 * Products of uint8 in the place of those of int8, by codes and zero points 128 higher: the same integers, (a + 128) − (z + 128) = a − z.
 * Processors without dot products of bytes (AVX2) add pairs of uint8·int8 in 16 bits that saturate, and onnxruntime
 * with them; its products of uint8·uint8 are exact everywhere. Undefined where a node has none of int8.
 */
export function unsignedProducts(
  model: OnnxModel,
  stem: string,
  opset: number,
): (message: Uint8Array) => readonly Uint8Array[] {
  const types = typesOf(model, { dynamic: true });
  const tensors = constantsOf(model);
  let count = 0;
  return (message) => {
    const node = decodeNode(message);
    const product = products.get(node.opType);
    if (product === undefined) return [message];
    const signed = ({ codes, zero }: ByteProduct['operands'][number]): boolean =>
      (types.get(node.inputs[zero] ?? '') ?? types.get(node.inputs[codes] ?? '')) === int8;
    const given = product.operands.filter(signed);
    if (given.length === 0) return [message];
    const to = new StandardNodes(`${stem}bytes${count++}.`, opset);
    const inputs = [...node.inputs];
    for (const { codes, zero } of given) {
      inputs[codes] = shifted(to, inputs[codes]!, tensors);
      while (inputs.length < zero) inputs.push('');
      inputs[zero] = inputs[zero] ? shifted(to, inputs[zero], tensors) : to.uint8([], Uint8Array.of(128));
    }
    const result = product.result === undefined ? '' : (inputs[product.result] ?? '');
    const attributes = StandardNodes.attributesOf(node);
    if (result === '' || types.get(result) !== int8) {
      to.node(node.opType, inputs, attributes, node.outputs, node.domain);
      return to.messages();
    }
    inputs[product.result!] = shifted(to, result, tensors);
    const codes = to.node('Cast', [to.node(node.opType, inputs, attributes, undefined, node.domain)], { to: int32 });
    to.node('Cast', [to.node('Sub', [codes, to.int32(128)])], { to: int8 }, node.outputs[0]);
    return to.messages();
  };
}

/** Constants of the file, whose bytes can be turned here. */
function constantsOf({ graph }: OnnxModel): ReadonlyMap<string, OnnxTensor> {
  const tensors = new Map((graph?.initializers ?? []).map((tensor) => [tensor.name, tensor]));
  for (const { opType, outputs, attributes } of graph?.nodes ?? []) {
    const value = opType === 'Constant' ? attributes.get('value')?.t : undefined;
    if (value !== undefined && outputs[0] !== undefined) tensors.set(outputs[0], value);
  }
  return tensors;
}

/** Codes of int8 as uint8, 128 higher. */
function shifted(to: StandardNodes, name: string, tensors: ReadonlyMap<string, OnnxTensor>): string {
  const held = tensors.get(name);
  if (held?.raw !== undefined)
    return to.uint8(
      held.dims,
      held.raw.map((byte) => byte ^ 128),
    );
  const wide = to.node('Cast', [name], { to: int32 });
  return to.node('Cast', [to.node('Add', [wide, to.int32(128)])], { to: uint8 });
}
