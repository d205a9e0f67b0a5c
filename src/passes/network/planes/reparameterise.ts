import { readsAhead } from '../../../network/index.js';
import { definePass } from '../../pass.js';
import { foldTrainFactors } from '../means/scale-weights.js';
import { isSplit } from './split.js';

/**
 * Neurons give integer codes, and what a code stands for goes into the weights behind it: W ← W·2⁻ⁿ for n
 * fraction bits (MBM), W ← W/N for range alignment (IBRA eq. 14–15). A squeezed train is the sum of its codes, W ← W/T
 * (ABA eq. 12). Batch norm has to be folded before.
 */
export const reparameterise = definePass({
  name: 'reparameterise',
  doc: 'Lets neurons give integer codes and moves their step into the weights behind them: W·2⁻ⁿ (MBM), W/N (IBRA eq. 14–15). A squeezed train becomes the sum of its codes, W/T.',
  options: {},
  run: (network) => {
    if (isSplit(network)) return network;
    // a factor can't follow a train back to an earlier step
    const readBack = new Set(network.ops.filter(readsAhead).flatMap(({ inputs }) => inputs));
    return foldTrainFactors(network, (op, inputs, to) => {
      if (op.kind === 'squeeze' && op.attrs.steps !== undefined && op.params['steps'] === undefined) {
        return { id: to.copy(op, inputs, { attrs: { ...op.attrs, codes: true } }), scale: 1 / op.attrs.steps };
      }
      if (op.kind !== 'neuron' || op.attrs.integer_codes === true || readBack.has(op.id)) return undefined;
      const step = op.attrs.amplitude;
      if (step === undefined || step === 1) return undefined;
      return { id: to.copy(op, inputs, { attrs: { ...op.attrs, integer_codes: true } }), scale: step };
    });
  },
});
