import { lowerModel } from '../lower/model-to-network/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import type { ConversionOptions } from '../passes/index.js';
import { libraryNeurons } from './files.js';
import type { Findings } from './findings.js';

/** Whether a network has one of the codings that networks of layers are trained with. */
export function isOfLayers({ coding }: Network): boolean {
  return coding !== undefined && ['direct', 'rate', 'events'].includes(coding.name);
}

/** The network of a config as Network IR, with initial weights. */
export function networkOf(config: Config, findings: Findings, seed?: number): Network {
  return findings.take(lowerModel(config, seed === undefined ? {} : { seed }));
}

/** Settings for passes on networks of layers: none of them reads the coding's. */
export function layerSettings(network: Network): ConversionOptions {
  return {
    coding: network.coding?.name ?? '',
    beta: 2,
    steps: 1,
    silent: () => 0,
    encoder: 'exact',
    threshold: 0.5,
    rectified: true,
    neurons: libraryNeurons(),
  };
}
