import type { Source } from '../base/source.js';
import type { Config, Layer, Model } from '../model/index.js';
import { holds, positionAt } from './positions.js';
import type { Analysis } from './project.js';

/** A layer that stands on a line of the document, with the config whose network has it. */
export interface PlacedLayer {
  readonly layer: Layer;
  readonly config: Config | undefined;
}

/**
 * Layers by the line (from 0) on which each of them ends in the document: of every network, in the first config that uses
 * it. A block that is used several times has its layers several times.
 */
export function layersByLine({ source, model }: Analysis): ReadonlyMap<number, readonly PlacedLayer[]> {
  const lines = new Map<number, PlacedLayer[]>();
  for (const { layers, config } of networksOf(model)) {
    for (const layer of layers) {
      if (layer.place.source.name !== source.name) continue;
      const { line } = positionAt(source, layer.place.end);
      const there = lines.get(line);
      if (there === undefined) lines.set(line, [{ layer, config }]);
      else there.push({ layer, config });
    }
  }
  return lines;
}

/** Of layers that are written around an offset of a document, those with the least text: several of a block's line. */
export function layersUnder(layers: readonly Layer[], { name }: Source, offset: number): readonly Layer[] {
  const around = layers.filter(({ place }) => place.source.name === name && holds(place, offset));
  const least = Math.min(...around.map(({ place }) => place.end - place.start));
  return around.filter(({ place }) => place.end - place.start === least);
}

/** Networks as configs instantiate them, once each; of networks that no config uses, with their defaults. */
function networksOf(model: Model | undefined): readonly { layers: readonly Layer[]; config: Config | undefined }[] {
  const byName = new Map<string, { layers: readonly Layer[]; config: Config | undefined }>();
  for (const config of model?.configs.values() ?? []) {
    const { network } = config;
    if (network.kind === 'network' && !byName.has(network.name))
      byName.set(network.name, { layers: network.layers, config });
  }
  for (const { name, layers } of model?.networks.values() ?? []) {
    if (!byName.has(name)) byName.set(name, { layers, config: undefined });
  }
  return [...byName.values()];
}
