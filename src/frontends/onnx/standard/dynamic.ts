import type { OnnxModel, OnnxNode } from '../wire.js';
import type { StandardForms } from './form.js';
import { type StandardAttribute, StandardNodes } from './nodes.js';

/**
 * A file without its dynamic quantisers: what they quantise passes as it is, with a scale of 1 and a zero point of 0, and
 * integer products become products of reals by the file's integer weights.
 */
export const withoutDynamicForms: StandardForms = {
  DynamicQuantizeLinear: (node, to) => {
    const [x] = node.inputs as [string];
    const [codes, scale, zero] = node.outputs;
    to.node('Identity', [x], {}, codes);
    if (scale) to.node('Identity', [to.float(1)], {}, scale);
    if (zero) to.node('Identity', [to.float(0)], {}, zero);
  },
  MatMulInteger: (node, to, model) => product('MatMul', node, to, model, {}),
  ConvInteger: (node, to, model) => product('Conv', node, to, model, StandardNodes.attributesOf(node)),
  DynamicQuantizeMatMul: (node, to) => matrix(node, to, [3, 2, 4]),
  MatMulIntegerToFloat: (node, to, model) => {
    if (isDynamic(model, node.inputs[0])) matrix(node, to, [5, 3, 6]);
    else to.keep();
  },
  DequantizeLinear: (node, to, model) => {
    if (isDynamic(model, node.inputs[0])) to.node('Identity', [node.inputs[0]!], {}, node.outputs[0]);
    else to.keep();
  },
};

function product(
  opType: string,
  node: OnnxNode,
  to: StandardNodes,
  model: OnnxModel,
  attributes: Readonly<Record<string, StandardAttribute>>,
): void {
  const [x, weight, , zero] = node.inputs as [string, string, string?, string?];
  if (!isDynamic(model, x)) {
    to.keep();
    return;
  }
  to.node(opType, [x, centred(to, weight, zero)], attributes, node.outputs[0]);
}

/** A·((B − zero)·scale) + bias, by the places of these three. */
function matrix(node: OnnxNode, to: StandardNodes, [zero, scale, bias]: readonly [number, number, number]): void {
  const [x, weight] = node.inputs as [string, string];
  const weights = to.node('Mul', [centred(to, weight, node.inputs[zero]), node.inputs[scale]!]);
  const shift = node.inputs[bias] || to.float(0);
  to.node('Add', [to.node('MatMul', [x, weights]), shift], {}, node.outputs[0]);
}

function centred(to: StandardNodes, codes: string, zero: string | undefined): string {
  const reals = to.node('Cast', [codes], { to: 1 });
  return zero ? to.node('Sub', [reals, to.node('Cast', [zero], { to: 1 })]) : reals;
}

/** Whether codes are those of a dynamic quantiser, perhaps moved on the way. */
function isDynamic(model: OnnxModel, tensor: string | undefined): boolean {
  const nodes = model.graph?.nodes ?? [];
  for (let name = tensor, n = 0; name !== undefined && n < 8; n++) {
    const writer = nodes.find(({ outputs }) => outputs[0] === name);
    if (writer === undefined) return false;
    if (writer.opType === 'DynamicQuantizeLinear') return true;
    if (!moves.has(writer.opType)) return false;
    [name] = writer.inputs;
  }
  return false;
}

const moves = new Set(['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Identity', 'MaxPool']);
