import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import type { Model, NeuronUse } from '../../model/index.js';
import { type LevelProblem, spikeLevels } from './spike-levels.js';

const mostBits = 16;

/**
 * What is wrong with a neuron's outputs: a bound between two levels (D·N no integer), bounds that hold nothing, no
 * spike at all, too many bits. A warning where fractional levels leave codes of their last bit unused (D·N ≠ 2^B − 1).
 */
export function levelProblems({ def, args, place }: NeuronUse): readonly Diagnostic[] {
  const neuron = def.name;
  const problems: LevelProblem[] = [];
  const levels = spikeLevels(def, args, (problem) => problems.push(problem));
  const [first] = problems;
  if (first?.kind === 'uneven') return [diagnostic('model/uneven-levels', { neuron, bound: first.bound }, place)];
  if (first?.kind === 'empty') return [diagnostic('model/empty-levels', { neuron, ...first }, place)];
  if (levels === undefined) return [];
  const { min, max, step } = levels;
  if (min === max) return [diagnostic('model/no-levels', { neuron }, place)];
  const bits = Math.ceil(Math.log2(max - min + 1));
  if (bits > mostBits) return [diagnostic('model/too-many-levels', { neuron, bits, most: mostBits }, place)];
  const fractional = min === 0 && !Number.isInteger(step);
  if (fractional && max + 1 !== 2 ** bits) {
    return [diagnostic('model/levels-not-full', { neuron, levels: max + 1, bits }, place)];
  }
  return [];
}

/** What is wrong with the outputs of the neurons that a model's configs use, each place once. */
export function levelProblemsOf({ configs }: Model): readonly Diagnostic[] {
  const uses = [...configs.values()].flatMap(({ neuron, network }) => [
    ...(neuron === undefined ? [] : [neuron]),
    ...(network.kind === 'network' ? network.layers.flatMap((layer) => layer.neuron ?? []) : []),
  ]);
  const said = new Set<string>();
  return uses
    .filter(({ place, args }) => {
      const key = JSON.stringify([place.source.name, place.start, args]);
      return !said.has(key) && said.add(key);
    })
    .flatMap(levelProblems);
}
