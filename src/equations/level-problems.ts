import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { bitsFor } from '../base/quantiser.js';
import { boundsRemedy, evenRemedy, fewerRemedy, spikeRemedy } from './level-remedies.js';
import { spikeLevels } from './levels.js';
import type { LevelProblem } from './ranges.js';
import type { NeuronUse } from './types.js';

const mostBits = 16;
/** More unary planes a spike are remarked on. */
const mostUnary = 32;

/**
 * What is wrong with a neuron's outputs: a bound between two levels (D·N no integer), bounds that hold nothing, no
 * spike at all, too many bits. A warning where fractional levels leave codes of their last bit unused (D·N ≠ 2^B − 1), or where spikes take many
 * unary planes.
 */
export function levelProblems(use: NeuronUse, steps?: number): readonly Diagnostic[] {
  const { def, args, place } = use;
  const neuron = def.name;
  const problems: LevelProblem[] = [];
  const levels = spikeLevels(def, args, { steps, onProblem: (problem) => problems.push(problem) });
  const [first] = problems;
  if (first?.kind === 'uneven') {
    const { bound } = first;
    return [diagnostic('model/uneven-levels', { neuron, bound }, place, { help: evenRemedy(use, bound) })];
  }
  if (first?.kind === 'empty') {
    const { low, high } = first;
    return [diagnostic('model/empty-levels', { neuron, low, high }, place, { help: boundsRemedy(use, low) })];
  }
  if (levels === undefined) return [];
  const { min, max, step } = levels;
  if (min === max) return [diagnostic('model/no-levels', { neuron }, place, { help: spikeRemedy(use, levels) })];
  const bits = bitsFor(max - min + 1);
  if (bits > mostBits) {
    const help = fewerRemedy(use, levels, mostBits);
    return [diagnostic('model/too-many-levels', { neuron, bits, most: mostBits }, place, { help })];
  }
  const size = Math.max(max, -min);
  if (def.planes === 'unary') {
    if (size <= mostUnary) return [];
    const args = { neuron, planes: size, bits: bitsFor(size + 1) };
    return [diagnostic('model/many-unary-planes', args, place, { help: 'declare `planes binary` in the neuron' })];
  }
  const fractional = min === 0 && !Number.isInteger(step);
  if (fractional && max + 1 !== 2 ** bits) {
    return [diagnostic('model/levels-not-full', { neuron, levels: max + 1, bits }, place)];
  }
  return [];
}
