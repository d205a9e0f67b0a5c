import { elementTypeOf, isFloatType } from '../element-type.js';
import type { OnnxModel, OnnxNode } from '../wire.js';
import { bounded } from './bounded.js';
import type { StandardForm } from './form.js';
import { StandardNodes } from './nodes.js';

/** ONNX's numbers of element types. */
const [float, uint8, int8, int32, int64] = [1, 2, 3, 6, 7];

/** ONNX numbers of the element types of a file's tensors, as far as they can be told. */
type Types = ReadonlyMap<string, number>;

const isInteger = (type: number | undefined): boolean => {
  const name = elementTypeOf(type ?? float);
  return name !== undefined && name !== 'bool' && !isFloatType(name);
};

const products: Readonly<Record<string, string>> = { Conv: 'ConvInteger', MatMul: 'MatMulInteger' };
const roundings: ReadonlySet<string> = new Set(['Floor', 'Ceil', 'Round']);
const arithmetic: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div']);

/**
 * How integer networks with integer types (MATCH's, TVM's) are written in operators that ONNX defines: products as
 * ConvInteger and MatMulInteger, which give int32; rounding of integers as nothing; Clip and MaxPool through floats; arithmetic of
 * bytes in int32. Undefined for a node that ONNX defines as it is.
 */
export function integerForm(types: Types, { domain, opType, inputs, attributes }: OnnxNode): StandardForm | undefined {
  const of = inputs.map((name) => types.get(name));
  if (domain !== '' || !isInteger(of[0])) return undefined;
  if (Object.hasOwn(products, opType)) return opType === 'MatMul' && of[0] === int32 ? undefined : product(of);
  if (roundings.has(opType)) return (node, to) => void to.node('Identity', [node.inputs[0]!], {}, node.outputs[0]);
  if (opType === 'MaxPool' || (opType === 'Clip' && inputs.length === 1)) return throughFloats(of[0]!);
  const narrow = arithmetic.has(opType) && attributes.size === 0 && of.some((type) => type !== int32 && type !== int64);
  return narrow ? arithmeticOfBytes : undefined;
}

/** Whether a file has integers where ONNX has none. */
export function hasIntegerForms(model: OnnxModel, types: Types): boolean {
  return model.graph?.nodes.some((node) => integerForm(types, node) !== undefined) ?? false;
}

function product(of: readonly (number | undefined)[]): StandardForm {
  return (node, to) => {
    const operands = node.inputs.slice(0, 2);
    const bytes = of.slice(0, 2).every((type) => type === uint8 || type === int8);
    const attrs = StandardNodes.attributesOf(node);
    const [bias] = node.inputs.slice(2);
    const out = bias === undefined || bias === '' ? node.outputs[0] : undefined;
    if (bytes) {
      const made = to.node(products[node.opType]!, operands, attrs, out);
      if (out === undefined) withBias(node, to, made, bias!);
      return;
    }
    const floats = operands.map((name) => to.node('Cast', [name], { to: float! }));
    const made = to.node('Cast', [to.node(node.opType, floats, attrs)], { to: int32! }, out);
    if (out === undefined) withBias(node, to, made, bias!);
  };
}

function withBias(node: OnnxNode, to: StandardNodes, made: string, bias: string): void {
  const vector = to.node('Reshape', [to.node('Cast', [bias], { to: int32! }), to.ints([1, -1, 1, 1])]);
  to.node('Add', [made, vector], {}, node.outputs[0]);
}

function throughFloats(type: number): StandardForm {
  return (node, to) => {
    const x = to.node('Cast', [node.inputs[0]!], { to: float! });
    const attrs = StandardNodes.attributesOf(node);
    const bound = (name: string, fallback: number): number => node.attributes.get(name)?.f ?? fallback;
    const made =
      node.opType === 'Clip'
        ? bounded(to, x, bound('min', -(2 ** 31)), bound('max', 2 ** 31))
        : to.node(node.opType, [x], attrs);
    to.node('Cast', [made], { to: type }, node.outputs[0]);
  };
}

const arithmeticOfBytes: StandardForm = (node, to) => {
  const wide = node.inputs.map((name) => to.node('Cast', [name], { to: int32! }));
  to.node(node.opType, wide, {}, node.outputs[0]);
};

/**
 * Types of the file's tensors: declared of inputs and constants, then from node to node; products of integers are int32. `dynamic`: also
 * the codes of dynamic quantisers, which other forms leave out.
 */
export function typesOf({ graph }: OnnxModel, { dynamic = false } = {}): Types {
  const types = new Map<string, number>();
  for (const { name, elementType } of graph?.inputs ?? []) if (elementType !== undefined) types.set(name, elementType);
  for (const { name, dataType } of graph?.initializers ?? []) types.set(name, dataType);
  for (const node of graph?.nodes ?? []) {
    if (dynamic && node.opType === 'DynamicQuantizeLinear') {
      for (const [i, type] of [uint8, float, uint8].entries()) types.set(node.outputs[i] ?? '', type!);
      continue;
    }
    const type = typeBehind(types, node);
    if (type !== undefined) for (const output of node.outputs) types.set(output, type);
  }
  return types;
}

function typeBehind(types: Types, { opType, inputs, attributes }: OnnxNode): number | undefined {
  const first = types.get(inputs[0] ?? '');
  if (opType === 'Cast') return attributes.get('to')?.i;
  if (opType === 'Constant') return attributes.get('value')?.t?.dataType;
  if (opType === 'QuantizeLinear') return types.get(inputs[2] ?? '') ?? uint8;
  if (opType === 'QLinearConv' || opType === 'QLinearMatMul') return types.get(inputs[7] ?? '') ?? first;
  if (opType === 'DequantizeLinear') return float;
  if (opType === 'Shape' || opType === 'ArgMax') return int64;
  const widened = opType in products || opType === 'Gemm' || arithmetic.has(opType);
  return widened && isInteger(first) && first !== int64 ? int32 : first;
}
