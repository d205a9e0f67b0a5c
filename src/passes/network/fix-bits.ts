import { allocate } from '../../base/dtype.js';
import { deferredTensor } from '../../base/lazy-tensor.js';
import { stepParameter } from '../../equations/index.js';
import { present } from '../../base/invariant.js';
import { coder } from '../../base/quantiser.js';
import {
  type Attrs,
  type Network,
  type Op,
  type Param,
  type Rewriter,
  type WeightedKind,
  learnsBits,
  paramOf,
  realValues,
  rewrite,
  wholeOf,
  hasWeightMatrix,
} from '../../network/index.js';
import { definePass } from '../pass.js';

/**
 * Learned bits become fixed ones: B = round(B̂), weights integer codes with their step size as scale (ABA eq. 6), the
 * levels, amplitude and steps of neurons what was learned. The result computes what the training form does.
 */
export const fixBits = definePass({
  name: 'fix-bits',
  doc: 'Rounds learned bits and step sizes to fixed ones: weights become integer codes, neurons and squeezes get their learned levels and steps.',
  options: {},
  run: (network) => {
    if (!network.ops.some((op) => hasLearned(network, op))) return network;
    const held = heldSteps(network);
    return rewrite(network, (op, inputs, to) => {
      if (op.kind === 'neuron') return to.copy(op, inputs, fixedNeuron(network, op, held));
      if (op.kind === 'squeeze') return to.copy(op, inputs, { attrs: { steps: stepsOf(network, op) }, params: {} });
      const learns = hasWeightMatrix(op) && op.params['weight_step'] !== undefined;
      return to.copy(op, inputs, learns ? fixedWeights(network, op, to) : {});
    });
  },
});

function hasLearned(network: Network, op: Op): boolean {
  if (hasWeightMatrix(op)) return op.params['weight_step'] !== undefined;
  if (op.kind === 'squeeze') return op.params['steps'] !== undefined;
  return op.kind === 'neuron' && (learnsBits(op) || learnedStep(network, op) !== undefined);
}

const stepsOf = (network: Network, op: Op): number =>
  present(wholeOf(network, op, 'steps'), `fix-bits: ${op.id} has no steps`);

/** Steps that neurons need: those that the squeeze behind them reads. */
function heldSteps(network: Network): ReadonlyMap<string, number> {
  return new Map(network.ops.filter((op) => op.kind === 'squeeze').map((op) => [op.inputs[0]!, stepsOf(network, op)]));
}

function learnedStep(network: Network, op: Op): string | undefined {
  if (op.kind !== 'neuron') return undefined;
  const name = stepParameter(network.neurons.get(op.attrs.neuron));
  return name === undefined || op.params[name] === undefined ? undefined : name;
}

function fixedWeights(
  network: Network,
  op: Op<WeightedKind>,
  to: Rewriter,
): { attrs: Attrs; params: Record<string, string> } {
  const bits = present(wholeOf(network, op, 'weight_bits'), `fix-bits: ${op.id} has no bits`);
  const weight = paramOf(network, op, 'weight');
  const step = realValues(paramOf(network, op, 'weight_step'))[0]!;
  const codes = quantised(weight, step, bits);
  const { weight_step: _step, weight_bits: _bits, ...params } = op.params;
  const { weight_bits_max: _max, weight_step_rule: _rule, ...attrs } = op.attrs;
  return {
    attrs: { ...attrs, weight_bits: bits },
    params: { ...params, weight: to.param(`${op.id}.weight.codes`, codes) },
  };
}

/**
 * Codes of real weights, one scale for all; made when they are read, as whoever counts needs none. Float32 divides as the
 * training does.
 */
function quantised({ tensor: weights }: Param, step: number, bits: number): Param {
  const code = coder(bits, true);
  const dtype = bits <= 8 ? 'i8' : 'i32';
  const codes = deferredTensor(dtype, weights.shape, () => {
    const { data } = weights;
    const made = allocate(dtype, data.length);
    for (let i = 0; i < data.length; i++) made[i] = code(Math.fround(data[i]! / step));
    return made;
  });
  return { tensor: codes, quant: { scale: [step], zero: [0], axis: 0 } };
}

function fixedNeuron(
  network: Network,
  op: Op<'neuron'>,
  held: ReadonlyMap<string, number>,
): { attrs?: Attrs; params?: Record<string, string> } {
  const changes: Record<string, number> = {};
  const params = { ...op.params };
  if (learnsBits(op)) {
    changes['bits'] = present(wholeOf(network, op, 'bits'), `fix-bits: ${op.id} has no bits`);
    delete params['bits'];
  }
  const step = learnedStep(network, op);
  if (step !== undefined) {
    changes[step] = realValues(paramOf(network, op, step))[0]!;
    delete params[step];
  }
  const hold = held.get(op.id);
  const { bits_max: _max, ...attrs } = op.attrs;
  const all = { ...attrs, ...changes, ...(hold === undefined || !('hold' in attrs) ? {} : { hold }) };
  // the levels of these bits and this step are those that the equations give
  const { levels: _levels, amplitude: _amplitude, ...own } = all;
  return { attrs: own, params };
}
