import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import type { Levels } from '../lower/program/index.js';
import { type Config, meansSome } from '../model/index.js';
import { type Network, firstOversized } from '../network/index.js';
import type { PassPlan } from '../passes/index.js';
import { type Compiled, type CompiledOptions, compile } from './compiled.js';
import { type PlanChanges, planOf } from './conversion-plan.js';
import { conversionProblems } from './conversion-rules.js';
import { libraryNeurons } from './files.js';
import type { Findings } from './findings.js';

export type { PlanChanges } from './conversion-plan.js';

/** The passes of a conversion, from a config's coding and neuron; a config that can't convert is refused. Of the imported `network` it may warn. */
export function conversionPlan(
  config: Config,
  findings: Findings,
  { network, ...changes }: PlanChanges & { readonly network?: Network } = {},
): PassPlan {
  findings.take({ value: true, diagnostics: conversionProblems(config, network && levelsOf(network)) });
  return planOf(config, libraryNeurons(), changes);
}

/** Levels above 0 of quantisers that have none below. */
function levelsOf(network: Network): Levels | undefined {
  const levels = network.ops.flatMap(({ kind, type: { code } }) =>
    kind === 'quantize' && code.kind === 'quant' && code.zero === code.min ? [code.max - code.min] : [],
  );
  return levels.length === 0 ? undefined : { least: Math.min(...levels), most: Math.max(...levels) };
}

/** A network converted by a plan, to the end. */
export function convertNetwork(
  network: Network,
  plan: PassPlan,
  findings: Findings,
  hooks: Pick<CompiledOptions, 'after'> = {},
): Compiled {
  return compile({ network, passPlan: () => plan, problems: sizeProblems }, hooks, findings);
}

/** Refuses a network that no command could read again. */
export function sizeProblems(network: Network): readonly Diagnostic[] {
  const large = firstOversized(network);
  if (large === undefined) return [];
  const { op, what, size, limit, unit } = large;
  const help = 'take fewer steps, or a smaller network';
  return [diagnostic('model/too-large', { what, elements: size, limit, unit }, op.place, { help })];
}

/** Per-layer silent settings must name layers that exist. */
export function checkPatterns(config: Config, spiking: Network): readonly Diagnostic[] {
  const neurons = spiking.ops.filter((op) => op.kind === 'neuron').map((op) => op.id);
  // a range may be the encoder's
  const layers = [...neurons, ...spiking.ops.filter((op) => op.kind === 'encode').map((op) => op.id)];
  const means = meansSome(layers);
  return (config.coding?.layers ?? [])
    .filter(({ pattern }) => !means(pattern))
    .map(({ pattern, place }) =>
      diagnostic('convert/unknown-layer-pattern', { pattern }, place, {
        help: `neuron layers are ${layers.slice(0, 6).join(', ')}${layers.length > 6 ? ', …' : ''}`,
      }),
    );
}
