import { fail } from '../base/diagnostics/index.js';
import type { Place } from '../base/source.js';
import { type Config, layerHelp, layerMatcher } from '../model/index.js';
import type { Network } from '../network/index.js';
import type { TrainSettings } from '../train/index.js';

/** What a training says of single layers: those that are frozen, and factors on rates. */
export function layerSettings(config: Config, network: Network): Pick<TrainSettings, 'frozen' | 'factors'> {
  const frozen = frozenParams(config, network);
  const factors = factorsOf(config, network);
  return { ...(frozen.length === 0 ? {} : { frozen }), ...(factors === undefined ? {} : { factors }) };
}

/** Parameters of the layers that `freeze` names. */
function frozenParams(config: Config, network: Network): readonly string[] {
  const patterns = config.train?.settings.freeze ?? [];
  return patterns.flatMap((pattern) => paramsOf(pattern, network, config.train?.place));
}

/** The factors of `groups`, by parameter; a later group counts. */
function factorsOf(config: Config, network: Network): TrainSettings['factors'] {
  const factors: Record<string, { rate: number; decay: number }> = {};
  for (const { args, place } of config.train?.settings.groups ?? [])
    for (const param of paramsOf(args.pattern, network, place)) factors[param] = { rate: args.rate, decay: args.decay };
  return Object.keys(factors).length === 0 ? undefined : factors;
}

/** Parameters of the layers that a pattern means; one that means none is an error. */
function paramsOf(pattern: string, network: Network, place: Place | undefined): readonly string[] {
  const layers = network.ops.filter(({ params }) => Object.keys(params).length > 0);
  const found = layers.filter(({ id }) => layerMatcher(pattern)(id));
  if (found.length === 0) {
    const help = layerHelp(
      pattern,
      layers.map(({ id }) => id),
    );
    fail('model/pattern', { pattern }, place, { help });
  }
  return found.flatMap(({ params }) => Object.values(params));
}
