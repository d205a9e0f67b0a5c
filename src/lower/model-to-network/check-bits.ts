import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { describePlace } from '../../base/source.js';
import { type Config, type Model, type OwnNetwork, layerMatcher } from '../../model/index.js';
import { type BitKind, BitPlan, bitKinds, neuronWithBits } from './bits.js';
import { spikeLevels } from '../../equations/index.js';

/** Kinds of layers that hold bits of a kind. */
const holders: Readonly<Record<BitKind, readonly string[]>> = {
  weights: ['conv', 'linear'],
  spikes: ['spike'],
  steps: ['spike'],
};

/**
 * What a config's `bits` asks for and its coding or neurons can't do, and (as warnings) settings of layers that none of
 * the layers meant has a use for: `weights` of neurons, `spikes` of convolutions.
 */
export function bitProblems(config: Config, network: OwnNetwork): readonly Diagnostic[] {
  const plan = new BitPlan(config.bits, config.coding);
  return [...plan.problems(), ...idle(config, network)];
}

/** The same for all configs of a model with networks of their own, and neurons that can't have the bits; each once. */
export function bitProblemsOf({ configs }: Model): readonly Diagnostic[] {
  const said = new Set<string>();
  return [...configs.values()]
    .flatMap((config) =>
      config.network.kind === 'network'
        ? [...bitProblems(config, config.network), ...neuronProblems(config, config.network)]
        : [],
    )
    .filter(({ code, message, place }) => {
      const key = JSON.stringify([code, message, place === undefined ? '' : describePlace(place)]);
      return !said.has(key) && said.add(key);
    });
}

function neuronProblems({ bits, coding, neuron }: Config, network: OwnNetwork): readonly Diagnostic[] {
  if (bits === undefined) return [];
  const plan = new BitPlan(bits, coding);
  return network.layers.flatMap((layer) => {
    const use = layer.neuron ?? neuron;
    const setting = layer.kind === 'spike' ? plan.of('spikes', layer.id) : undefined;
    if (use === undefined || setting === undefined) return [];
    const levels = spikeLevels(use.def, use.args);
    const found = neuronWithBits(
      use,
      setting,
      levels === undefined ? Infinity : levels.max - levels.min + 1,
      bits.place,
    );
    return 'def' in found ? [] : [found];
  });
}

function idle({ bits }: Config, { layers }: OwnNetwork): readonly Diagnostic[] {
  return (bits?.layers ?? []).flatMap(({ pattern, settings, place }) => {
    const meant = layers.filter(({ id }) => layerMatcher(pattern)(id));
    return bitKinds
      .filter((kind) => kind in settings && !meant.some((layer) => holders[kind].includes(layer.kind)))
      .map((kind) => {
        const holder = kind === 'weights' ? 'convolutions and linear layers' : 'neurons';
        return diagnostic('model/idle-setting', { setting: kind, pattern, holder }, place);
      });
  });
}
