import { elementCount } from '../../base/dtype.js';
import { boolean } from './attributes.js';
import { defineOp } from './define.js';
import { product } from './product.js';
import { matrixProductShape } from './type-rules.js';
import { firedAfterAll, wholeInputTraits } from './whole-input.js';

export const matrixProduct = defineOp({
  doc: 'Neurons that wait for two whole inputs, as `product` does, and fire the digits of the quantised product of the two matrices: [..., m, k] by [..., k, n], or by [..., n, k] where `transpose`. k multiplications a neuron and image.',
  arity: [2, 2],
  attrs: { ...product.attrs, transpose: boolean() },
  params: [],
  traits: { ...wholeInputTraits, macs: ({ input, output }) => elementCount(output) * input.at(-1)!, join: true },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const fired = firedAfterAll(inputs, attrs);
    if (typeof fired === 'string') return fired;
    const [a, b] = inputs;
    if (!(attrs.scale > 0)) return `scale must be positive, is ${attrs.scale}`;
    const shape = matrixProductShape(a!.shape, b!.shape, attrs.transpose);
    return typeof shape === 'string' ? shape : { ...fired, shape };
  },
});
