import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import type { NeuronUse } from '../../model/index.js';
import { spikeLevels } from './spike-levels.js';

const mostBits = 16;

/** What is wrong with a neuron's outputs: a bound between two levels (D·N no integer), no spike at all, too many bits. */
export function levelProblems({ def, args, place }: NeuronUse): readonly Diagnostic[] {
  const uneven: number[] = [];
  const levels = spikeLevels(def, args, (bound) => uneven.push(bound));
  if (uneven.length > 0) {
    return [diagnostic('model/uneven-levels', { neuron: def.name, bound: uneven[0]! }, place)];
  }
  if (levels === undefined) return [];
  const { min, max } = levels;
  if (min === max) return [diagnostic('model/no-levels', { neuron: def.name }, place)];
  const bits = Math.ceil(Math.log2(max - min + 1));
  if (bits > mostBits) return [diagnostic('model/too-many-levels', { neuron: def.name, bits, most: mostBits }, place)];
  return [];
}
