import { type Diagnostic, DiagnosticError, diagnostic, fail, hasErrors } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import { type CodingChoice, type Config, type NeuronUse, layerMatches } from '../model/index.js';
import { type Network, firstOversized } from '../network/index.js';
import {
  type ConfiguredPass,
  type PassRun,
  type PerLayer,
  type PipelineHooks,
  type Surroundings,
  byLayer,
  byPattern,
  configure,
  pipelines,
  runPipeline,
} from '../passes/index.js';
import { conversionProblems } from './conversion-rules.js';
import { libraryNeurons } from './files.js';
import { importedBits } from './import-bits.js';
import type { Findings } from './findings.js';

/** What a config turns an imported network into: passes with their options, and the neuron types that they find. */
export interface ConversionPlan extends Surroundings {
  readonly passes: readonly ConfiguredPass[];
}

/** Settings that stand in the place of the config's. */
export interface PlanChanges {
  /** Silent steps of a layer, by the id of its neurons. */
  readonly silent?: (id: string) => number;
  /** Weights keep their bits. */
  readonly weightsStay?: boolean;
}

/** The passes of a conversion, from a config's coding and neuron; a config that can't convert is refused. */
export function conversionPlan(config: Config, findings: Findings, changes: PlanChanges = {}): ConversionPlan {
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
  const { args } = coding;
  const passes = configure(pipelines['convert.sws'], {
    'quantise-weights': weights,
    'to-spikes': {
      beta: Number(args['beta']),
      steps: Number(args['steps']),
      encoder: args['encoder'] === 'drive' ? 'drive' : 'exact',
      threshold: args['threshold'] === 'full' ? 'full' : 'half',
      rectified: args['rectified'] !== false,
    },
    'schedule-time': { silent: byLayer(changes.silent ?? ((id) => silentOf(coding, id))) },
  });
  return { passes, neurons };
}

/** `neuron N  coding direct(steps: T)`: trains carry means; ranges stand in `layer "…" { range R }`. */
function meanPlan(
  coding: CodingChoice,
  { def, args, place }: NeuronUse,
  weights: { readonly bits: PerLayer<number> | undefined },
): ConversionPlan {
  const ranges = coding.layers.map(({ pattern, place, settings }) => ({
    pattern,
    place,
    value: settings['range'] as number | undefined,
  }));
  const passes = configure(pipelines['convert.rate'], {
    'quantise-weights': weights,
    'activation-ranges': { range: byPattern<number>(ranges) },
    'insert-neurons': { neuron: { name: def.name, args, place }, steps: Number(coding.args['steps']) },
  });
  return { passes, neurons: new Map(libraryNeurons()).set(def.name, def) };
}

function silentOf(coding: CodingChoice, id: string): number {
  let silent = Number(coding.args['silent']);
  for (const { pattern, settings } of coding.layers) {
    if (layerMatches(pattern, id)) silent = Number(settings['silent'] ?? silent);
  }
  return silent;
}

/** A converted network with what it was made from. */
export interface Conversion {
  readonly imported: Network;
  /** The quantised network with its nonlinearities in the code ranges: the SNN's reference. */
  readonly quantised: Network;
  readonly spiking: Network;
  readonly runs: readonly PassRun[];
}

/** Runs a plan's passes; `undefined` spiking network where it was stopped earlier. */
export function convertNetwork(
  imported: Network,
  { passes, neurons }: ConversionPlan,
  findings: Findings,
  hooks: PipelineHooks = {},
): { readonly last: Network; readonly conversion?: Conversion; readonly runs: readonly PassRun[] } {
  const result = runPipeline(imported, passes, { neurons }, { now: () => performance.now(), ...hooks });
  findings.all.push(...result.diagnostics);
  if (result.network === undefined || hasErrors(result.diagnostics)) throw new DiagnosticError(findings.all);
  checkSizes(result.network);
  const quantised = result.runs.find(({ pass }) => pass === 'quantiser-regions')?.network;
  const finished = result.runs.length === passes.length && quantised !== undefined;
  return {
    last: result.network,
    runs: result.runs,
    ...(finished ? { conversion: { imported, quantised, spiking: result.network, runs: result.runs } } : {}),
  };
}

/** Refuses a network that no command could read again. */
export function checkSizes(network: Network): void {
  const large = firstOversized(network);
  if (large === undefined) return;
  const { op, what, size, limit, unit } = large;
  const help = 'take fewer steps, or a smaller network';
  fail('model/too-large', { what, elements: size, limit, unit }, op.place, { help });
}

/** Per-layer silent settings must name layers that exist. */
export function checkPatterns(config: Config, spiking: Network): readonly Diagnostic[] {
  const layers = spiking.ops.filter((op) => op.kind === 'neuron').map((op) => op.id);
  return (config.coding?.layers ?? [])
    .filter(({ pattern }) => !layers.some((id) => layerMatches(pattern, id)))
    .map(({ pattern, place }) =>
      diagnostic('convert/unknown-layer-pattern', { pattern }, place, {
        help: `neuron layers are ${layers.slice(0, 6).join(', ')}${layers.length > 6 ? ', …' : ''}`,
      }),
    );
}
