import type { PerLayer } from './options/per-layer.js';
import type { PassContext } from './pass.js';

const listed = 6;

/** Says which patterns of an option mean none of the layers that it is for, with the ids that there are. */
export function reportUnmatched(values: PerLayer<unknown>, ids: readonly string[], context: PassContext): void {
  for (const { pattern, place } of values.unmatched(ids)) {
    const help = `neuron layers are ${ids.slice(0, listed).join(', ')}${ids.length > listed ? ', …' : ''}`;
    context.report('convert/unknown-layer-pattern', { pattern }, place === undefined ? undefined : { place }, { help });
  }
}
