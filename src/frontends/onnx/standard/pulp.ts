import { tensorConstant } from '../tensor-data.js';
import type { OnnxNode } from '../wire.js';
import { bounded } from './bounded.js';
import type { StandardForms } from './form.js';

/** RequantShift as quantlib's own forward function computes it, in double precision: products exceed 2²⁴. */
export const pulpForms: StandardForms = {
  RequantShift: (node, to) => {
    const [x, mul, add] = node.inputs as [string, string, string];
    const wide = (tensor: string): string => to.node('Cast', [tensor], { to: 11 });
    const product = to.node('Add', [to.node('Mul', [wide(x), wide(mul)]), wide(add)]);
    const down = to.node('Floor', [to.node('Div', [product, wide(to.float(numberOf(node, 'div')))])]);
    const levels = numberOf(node, node.attributes.has('n_levels_out') ? 'n_levels_out' : 'n_levels');
    const half = Math.round(levels / 2 + 0.001);
    const [min, max] = numberOf(node, 'signed') === 0 ? [0, levels - 1] : [-half, half - 1];
    const held = bounded(to, to.node('Cast', [down], { to: 1 }), min, max);
    to.node('Identity', [held], {}, node.outputs[0]);
  },
};

function numberOf(node: OnnxNode, name: string): number {
  const given = node.attributes.get(name);
  if (given?.t !== undefined) return tensorConstant(given.t, { file: '' }, undefined).data()[0] ?? 0;
  return given?.i ?? given?.f ?? 0;
}
