import { lowerModel } from '../lower/model-to-network/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import type { Findings } from './findings.js';

/** The network of a config as Network IR, with initial weights. */
export function networkOf(config: Config, findings: Findings, seed?: number): Network {
  return findings.take(lowerModel(config, seed === undefined ? {} : { seed }));
}
