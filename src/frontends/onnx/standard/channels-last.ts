import type { OnnxNode } from '../wire.js';
import type { StandardForms } from './form.js';
import { StandardNodes } from './nodes.js';

/** QONNX's wrappers for [N, H, W, C]: transposed, the operator, transposed back. */
export const channelsLastForms: StandardForms = {
  Conv: (node, to) => wrapped(node, to, [node.inputs[1]!]),
  MaxPool: (node, to) => wrapped(node, to, []),
  BatchNormalization: (node, to) => wrapped(node, to, []),
};

/** `moved`: inputs behind the first whose channels are last too. */
function wrapped(node: OnnxNode, to: StandardNodes, moved: readonly string[]): void {
  const [x, ...others] = node.inputs as [string, ...string[]];
  const first = (tensor: string): string => to.node('Transpose', [tensor], { perm: [0, 3, 1, 2] });
  const inputs = [first(x), ...others.map((name) => (moved.includes(name) ? first(name) : name))];
  const result = to.node(node.opType, inputs, StandardNodes.attributesOf(node));
  to.node('Transpose', [result], { perm: [0, 2, 3, 1] }, node.outputs[0]);
}
