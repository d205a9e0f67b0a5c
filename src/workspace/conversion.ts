import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { invariant, present } from '../base/invariant.js';
import { type CodingChoice, type Config, type NeuronUse, type SwsCoding, meansSome } from '../model/index.js';
import { type Network, firstOversized } from '../network/index.js';
import { type PerLayer, byLayer, byPattern, configure, pipelines } from '../passes/index.js';
import { type Compiled, type PassPlan, compile } from './compiled.js';
import { conversionProblems } from './conversion-rules.js';
import { libraryNeurons } from './files.js';
import { importedBits } from './import-bits.js';
import type { Findings } from './findings.js';

type DirectCoding = Extract<CodingChoice, { readonly name: 'direct' }>;

/** Settings that stand in the place of the config's. */
export interface PlanChanges {
  /** Silent steps of a layer, by the id of its neurons. */
  readonly silent?: (id: string) => number;
  /** Weights keep their bits. */
  readonly weightsStay?: boolean;
}

/** The passes of a conversion, from a config's coding and neuron; a config that can't convert is refused. */
export function conversionPlan(config: Config, findings: Findings, changes: PlanChanges = {}): PassPlan {
  findings.take({ value: true, diagnostics: conversionProblems(config) });
  const { coding, neuron } = config;
  const weightBits = changes.weightsStay === true ? undefined : importedBits(config);
  const weights = { bits: weightBits === undefined ? undefined : byLayer(weightBits) };
  const neurons = libraryNeurons();
  if (coding === undefined) return { passes: configure(pipelines.ann, { 'quantise-weights': weights }), neurons };
  if (coding.name === 'direct') {
    const use = present(neuron, 'workspace: a conversion to means without a neuron');
    return meanPlan(coding, use, weights);
  }
  invariant(coding.name === 'sws', `workspace: nobody converts to ${coding.name}`);
  const { args } = coding;
  const passes = configure(pipelines['convert.sws'], {
    'quantise-weights': weights,
    'add-quantisers': {
      range: settingOf(coding, 'range'),
      from: settingOf(coding, 'from'),
      bits: Math.min(8, args.steps),
    },
    digits: { beta: args.beta, steps: args.steps },
    'to-spikes': {
      beta: args.beta,
      steps: args.steps,
      encoder: args.encoder,
      threshold: args.threshold,
      rectified: args.rectified,
    },
    'schedule-time': { silent: byLayer(changes.silent ?? silentOf(coding)) },
  });
  return { passes, neurons };
}

/** `neuron N  coding direct(steps: T)`: trains carry means; ranges stand in `layer "…" { range R }`. */
function meanPlan(
  coding: DirectCoding,
  { def, args, place }: NeuronUse,
  weights: { readonly bits: PerLayer<number> | undefined },
): PassPlan {
  const passes = configure(pipelines['convert.means'], {
    'quantise-weights': weights,
    'activation-ranges': { range: settingOf(coding, 'range') },
    'insert-neurons': { neuron: { name: def.name, args, place }, steps: coding.args.steps },
  });
  return { passes, neurons: new Map(libraryNeurons()).set(def.name, def) };
}

/** A setting by layers, of a coding's `layer "…" { SETTING NUMBER }`. */
function settingOf(coding: DirectCoding | SwsCoding, name: 'range' | 'from' | 'silent'): PerLayer<number> {
  return byPattern<number>(
    coding.layers.map(({ pattern, place, settings }) => ({
      pattern,
      place,
      value: settings[name],
    })),
  );
}

function silentOf(coding: SwsCoding): (id: string) => number {
  const said = settingOf(coding, 'silent');
  return (id) => said.of(id) ?? coding.args.silent;
}

/** A network converted by a plan, to the end. */
export function convertNetwork(network: Network, plan: PassPlan, findings: Findings): Compiled {
  return compile({ network, passPlan: () => plan, problems: sizeProblems }, {}, findings);
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
