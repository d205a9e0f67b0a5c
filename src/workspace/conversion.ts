import { type Diagnostic, DiagnosticError, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import { type CodingChoice, type Config, type NeuronUse, layerMatches } from '../model/index.js';
import type { Network } from '../network/index.js';
import { spikeLevels } from '../equations/index.js';
import {
  type ConversionOptions,
  type Pass,
  type PassRun,
  type PipelineHooks,
  pipelines,
  runPipeline,
} from '../passes/index.js';
import { conversionProblems } from './conversion-rules.js';
import { libraryNeurons } from './files.js';
import { importedBits } from './import-bits.js';
import type { Findings } from './findings.js';

/** Settings of a conversion, from a config's coding and neuron; a config that can't convert is refused. */
export function conversionOptions(config: Config, findings: Findings): ConversionOptions {
  findings.take({ value: true, diagnostics: conversionProblems(config) });
  const { coding, neuron } = config;
  if (coding === undefined) return annSettings(importedBits(config));
  if (coding.name === 'direct') {
    return meanConversion(config, coding, present(neuron, 'workspace: a conversion to means without a neuron'));
  }
  const number = (name: string): number => Number(coding.args[name]);
  const steps = number('steps');
  return {
    coding: 'sws',
    beta: number('beta'),
    steps,
    silent: (id) => silentOf(coding, id),
    encoder: coding.args['encoder'] === 'drive' ? 'drive' : 'exact',
    threshold: coding.args['threshold'] === 'full' ? 1 : 0.5,
    rectified: coding.args['rectified'] !== false,
    neurons: libraryNeurons(),
    weightBits: importedBits(config),
  };
}

/** Settings of an imported network that stays an ANN, its weights perhaps of fewer bits. */
export function annSettings(weightBits?: ConversionOptions['weightBits']): ConversionOptions {
  return {
    coding: '',
    beta: 2,
    steps: 1,
    silent: () => 0,
    encoder: 'exact',
    threshold: 0.5,
    rectified: true,
    neurons: libraryNeurons(),
    weightBits,
  };
}

/** `neuron N  coding direct(steps: T)`: trains carry means; ranges stand in `layer "…" { range R }`. */
function meanConversion(config: Config, coding: CodingChoice, neuron: NeuronUse): ConversionOptions {
  const { def, args } = neuron;
  const levels = present(spikeLevels(def, args), `workspace: ${def.name} has no levels`);
  const range = (id: string): number | undefined => {
    const set = coding.layers.filter(({ pattern }) => layerMatches(pattern, id));
    return set.map(({ settings }) => settings['range'] as number | undefined).findLast((r) => r !== undefined);
  };
  const unmatched = (ids: readonly string[]) =>
    coding.layers.filter(({ pattern }) => !ids.some((id) => layerMatches(pattern, id)));
  return {
    coding: 'direct',
    beta: 2,
    steps: Number(coding.args['steps']),
    silent: () => 0,
    encoder: 'exact',
    threshold: 0.5,
    rectified: true,
    neurons: libraryNeurons(),
    weightBits: importedBits(config),
    means: { neuron: { def, args, levels, place: neuron.place }, range, unmatched },
  };
}

/** The pipeline of a conversion's coding. */
export function pipelineOf({ coding }: ConversionOptions): readonly Pass[] {
  if (coding === '') return pipelines.ann;
  return coding === 'sws' ? pipelines['convert.sws'] : pipelines['convert.rate'];
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

/** Runs the coding's pipeline; `undefined` spiking network where it was stopped earlier. */
export function convertNetwork(
  imported: Network,
  options: ConversionOptions,
  findings: Findings,
  hooks: PipelineHooks = {},
): { readonly last: Network; readonly conversion?: Conversion; readonly runs: readonly PassRun[] } {
  const passes = pipelineOf(options);
  const result = runPipeline(imported, passes, options, { now: () => performance.now(), ...hooks });
  findings.all.push(...result.diagnostics);
  if (result.network === undefined || hasErrors(result.diagnostics)) throw new DiagnosticError(findings.all);
  const quantised = result.runs.find(({ pass }) => pass === 'quantiser-regions')?.network;
  const finished = result.runs.length === passes.length && quantised !== undefined;
  return {
    last: result.network,
    runs: result.runs,
    ...(finished ? { conversion: { imported, quantised, spiking: result.network, runs: result.runs } } : {}),
  };
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
