import type { OnnxModel, OnnxNode } from '../wire.js';
import type { StandardForm, StandardForms } from './form.js';
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
  // a bias over each input's own scale keeps its fraction
  Floor: unroundedBias,
  Round: unroundedBias,
  Cast: unroundedBias,
  DequantizeLinear: (node, to, model) => {
    if (isDynamic(model, node.inputs[0])) to.node('Identity', [node.inputs[0]!], {}, node.outputs[0]);
    else to.keep();
  },
};

function unroundedBias(...[node, to, model]: Parameters<StandardForm>): void {
  if (isBias(model, node.inputs[0])) to.node('Identity', [node.inputs[0]!], {}, node.outputs[0]);
  else to.keep();
}

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
  return behind(model, tensor, moves)?.opType === 'DynamicQuantizeLinear';
}

/** Whether a tensor is a constant over a dynamic scale, perhaps rounded. */
function isBias(model: OnnxModel, tensor: string | undefined): boolean {
  const quotient = behind(model, tensor, roundings);
  if (quotient?.opType !== 'Div') return false;
  const product = behind(model, quotient.inputs[1], new Set());
  const scales = product?.opType === 'Mul' ? product.inputs : quotient.inputs.slice(1);
  return scales.some((scale) =>
    model.graph?.nodes.some(({ opType, outputs }) => opType === 'DynamicQuantizeLinear' && outputs[1] === scale),
  );
}

/** The node that wrote a tensor, before what only passes it on. */
function behind(model: OnnxModel, tensor: string | undefined, passing: ReadonlySet<string>): OnnxNode | undefined {
  const nodes = model.graph?.nodes ?? [];
  for (let name = tensor, n = 0; name !== undefined && n < 8; n++) {
    const writer = nodes.find(({ outputs }) => outputs[0] === name);
    if (writer === undefined || !passing.has(writer.opType)) return writer;
    [name] = writer.inputs;
  }
  return undefined;
}

const roundings = new Set(['Floor', 'Round', 'Cast', 'Reshape', 'Identity']);

const moves = new Set(['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Identity', 'MaxPool']);
