import { gridOf } from '../ops/mct.js';
import type { OnnxModel, OnnxNode } from '../wire.js';
import { dimsOf } from './constants.js';
import type { StandardForm, StandardForms } from './form.js';
import type { StandardNodes } from './nodes.js';
import { numberOf } from './pulp-numbers.js';

/** Quantisers of Sony's Model Compression Toolkit, in float32: round(clip(x, least, most)/step)·step. */
export const mctForms: StandardForms = {
  ActivationPOTQuantizer: symmetricActivation,
  ActivationSymmetricQuantizer: symmetricActivation,
  ActivationUniformQuantizer: (node, to) => {
    const bits = numberOf(node, 'num_bits');
    const grid = gridOf(numberOf(node, 'min_range'), numberOf(node, 'max_range'), bits);
    const { step, codes } = grid ?? { step: 1, codes: 0 };
    const [least, most] = [-codes * step, (2 ** bits - 1 - codes) * step];
    rounded(node, to, to.float(least), to.float(most), to.float(step));
  },
  WeightsPOTQuantizer: symmetricWeights,
  WeightsSymmetricQuantizer: symmetricWeights,
  WeightsUniformQuantizer: (node, to, model) => {
    const bits = numberOf(node, 'num_bits');
    const zero = to.float(0);
    const [least, most] = [
      to.node('Min', [byChannel(node, to, model, 1), zero]),
      to.node('Max', [byChannel(node, to, model, 2), zero]),
    ] as const;
    const step = to.node('Div', [to.node('Sub', [most, least]), to.float(2 ** bits - 1)]);
    const from = to.node('Mul', [to.node('Round', [to.node('Div', [least, step])]), step]);
    const end = to.node('Add', [from, to.node('Mul', [step, to.float(2 ** bits - 1)])]);
    rounded(node, to, from, end, step);
  },
};

function symmetricActivation(node: OnnxNode, to: StandardNodes): void {
  const [bits, signed] = [numberOf(node, 'num_bits'), numberOf(node, 'signed') !== 0];
  const threshold = numberOf(node, 'threshold');
  const step = threshold / 2 ** (signed ? bits - 1 : bits);
  rounded(node, to, to.float(signed ? -threshold : 0), to.float(threshold - step), to.float(step));
}

function symmetricWeights(...[node, to, model]: Parameters<StandardForm>): void {
  const threshold = byChannel(node, to, model, 1);
  const step = to.node('Div', [threshold, to.float(2 ** (numberOf(node, 'num_bits') - 1))]);
  rounded(node, to, to.node('Neg', [threshold]), to.node('Sub', [threshold, step]), step);
}

function rounded(node: OnnxNode, to: StandardNodes, least: string, most: string, step: string): void {
  const held = to.node('Min', [to.node('Max', [node.inputs[0]!, least]), most]);
  to.node('Mul', [to.node('Round', [to.node('Div', [held, step])]), step], {}, node.outputs[0]);
}

/** An operand with one number for each index of the weight's axis, along that axis. */
function byChannel(node: OnnxNode, to: StandardNodes, model: OnnxModel, index: number): string {
  const [weight, given] = [node.inputs[0]!, node.inputs[index]!];
  const rank = dimsOf(model, weight).length;
  const axis = (numberOf(node, 'channel_axis') + rank) % rank;
  if (numberOf(node, 'per_channel') === 0) return given;
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1));
  return to.node('Reshape', [given, to.ints(shape)]);
}
