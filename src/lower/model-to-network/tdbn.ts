import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { thresholdOf } from '../../equations/index.js';
import type { Config, NeuronUse, OwnNetwork } from '../../model/index.js';
import { constantOf } from './bits.js';

/**
 * What threshold-dependent batch norm (tdBN) scales by: what `fire` compares the membrane with; where it compares with
 * nothing, as in `levels(u / theta, …)`, the parameter `theta`. Nothing where there is neither.
 */
export function thresholdValue({ def, args }: NeuronUse): number | undefined {
  const compared = thresholdOf(def);
  const value = compared === undefined ? args['theta'] : constantOf(compared, args);
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** `batchnorm tdbn` with a neuron that has no threshold to scale by. */
export function tdbnProblems({ train, neuron }: Config, { layers }: OwnNetwork): Diagnostic[] {
  const asked = train?.settings.batchnorm === 'tdbn' && layers.some(({ kind }) => kind === 'batchnorm');
  if (!asked || neuron === undefined || thresholdValue(neuron) !== undefined) return [];
  const problem = `\`batchnorm tdbn\` scales by the threshold, and \`fire\` of \`${neuron.def.name}\` compares its membrane with no positive constant`;
  const help = 'write it as `fire s = u >= threshold`, give the neuron a parameter `theta`, or use `batchnorm plain`';
  const related = [{ place: neuron.place, message: 'the neuron' }];
  return [diagnostic('model/conflict', { problem }, train.place, { help, related })];
}
