import { layerHelp } from '../base/layer-patterns.js';
import type { PerLayer } from './options/per-layer.js';
import type { PassContext } from './pass.js';

const listed = 6;

/** Says which patterns of an option mean none of the layers of neurons, with the ids that there are. */
export function reportUnmatched(values: PerLayer<unknown>, ids: readonly string[], context: PassContext): void {
  for (const { pattern, place } of values.unmatched(ids)) {
    const some = `neuron layers are ${ids.slice(0, listed).join(', ')}${ids.length > listed ? ', …' : ''}`;
    const help = ids.length === 0 ? 'this network has no layers of neurons' : some;
    context.report('convert/unknown-layer-pattern', { pattern }, placed(place), { help });
  }
}

/** The same of layers that have weights. */
export function reportUnmatchedWeights(values: PerLayer<unknown>, ids: readonly string[], context: PassContext): void {
  for (const { pattern, place } of values.unmatched(ids)) {
    context.report('model/pattern', { pattern }, placed(place), { help: layerHelp(pattern, ids) });
  }
}

function placed(
  place: ReturnType<PerLayer<unknown>['unmatched']>[number]['place'],
): Parameters<PassContext['report']>[2] {
  return place === undefined ? undefined : { place };
}
