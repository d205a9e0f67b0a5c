import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { linearResult, shapeText } from './type-rules.js';

export const mixSteps = defineOp({
  doc: 'Sums over time: y(t) = Σ_k weight[t, k]·x(k) + bias[t] over all steps k, those behind t too, the same weights for each value (the charge of PSN, Fang et al. 2023).',
  arity: [1, 1],
  attrs: {},
  params: ['weight', 'bias?'],
  traits: {
    ...realTraits,
    role: 'step-mixing',
    weights: 'kernel',
    macs: ({ output, weight }) => elementCount(output) * weight[1]!,
    linear: true,
    accumulates: true,
  },
  lowering: { role: 'time' },
  type: ({ inputs, param }) => {
    const [from] = inputs;
    if (from?.time === undefined) return 'needs an input with time steps; encode the input first';
    const { steps } = from.time;
    const [weight, bias] = [param('weight'), param('bias')];
    if (weight !== undefined && weight.join() !== `${steps},${steps}`)
      return `its weight is ${shapeText(weight)}, and its input has ${steps} steps`;
    if (bias !== undefined && bias.join() !== String(steps))
      return `its bias is ${shapeText(bias)}, and its input has ${steps} steps`;
    return linearResult(from, from.shape);
  },
});
