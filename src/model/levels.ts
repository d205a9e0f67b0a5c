import type { Diagnostic } from '../base/diagnostics/index.js';
import { levelProblems } from '../equations/index.js';
import type { Model } from './types.js';

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
