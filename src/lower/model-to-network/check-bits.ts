import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { type Config, type Layer, type OwnNetwork, layerMatcher } from '../../model/index.js';
import { type BitKind, BitPlan, bitKinds } from './bits.js';

/** Whether a layer holds bits of a kind. */
const holds: Readonly<Record<BitKind, (layer: Layer) => boolean>> = {
  weights: ({ weight }) => weight !== undefined,
  spikes: ({ kind }) => kind === 'spike',
  steps: ({ kind }) => kind === 'spike',
};

/**
 * What a config's `bits` asks for and its coding or neurons can't do, and (as warnings) settings of layers that none of
 * the layers meant has a use for: `weights` of neurons, `spikes` of convolutions.
 */
export function bitProblems(config: Config, network: OwnNetwork): readonly Diagnostic[] {
  const plan = new BitPlan(config.bits, config.coding);
  return [...plan.problems(), ...idle(config, network)];
}

function idle({ bits }: Config, { layers }: OwnNetwork): readonly Diagnostic[] {
  return (bits?.layers ?? []).flatMap(({ pattern, settings, place }) => {
    const meant = layers.filter(({ id }) => layerMatcher(pattern)(id));
    return bitKinds
      .filter((kind) => kind in settings && !meant.some(holds[kind]))
      .map((kind) => {
        const holder = kind === 'weights' ? 'convolutions and linear layers' : 'neurons';
        return diagnostic('model/idle-setting', { setting: kind, pattern, holder }, place);
      });
  });
}
