import { type Diagnostic, DiagnosticError, diagnostic } from '../base/diagnostics/index.js';
import { type CodingChoice, type Config, layerMatches } from '../model/index.js';
import type { Network } from '../network/index.js';
import { levelProblems, spikeLevels } from '../lower/model-to-network/index.js';
import { type ConversionOptions, type Pass, pipelines } from '../passes/index.js';
import { type Compiled, compile } from './compiled.js';
import { libraryNeurons } from './files.js';
import { importedBits } from './import-bits.js';
import type { Findings } from './findings.js';
import { notLowered } from './target.js';

/** Settings of a conversion, from a config's coding and neuron. */
export function conversionOptions(config: Config, findings: Findings): ConversionOptions {
  const { coding, neuron } = config;
  if (coding === undefined && config.bits !== undefined) return annSettings(importedBits(config));
  if (coding?.name === 'direct') return meanConversion(config, coding, findings);
  if (coding !== undefined && neuron !== undefined) {
    const help = 'the neurons of `sws` are TSA; with `coding direct(…)` the neuron is chosen';
    throw new DiagnosticError(diagnostic('cli/not-lowered', { construct: '`neuron`' }, neuron.place, { help }));
  }
  if (coding === undefined) {
    const place = config.place;
    throw new DiagnosticError(
      diagnostic(
        'convert/bad-coding',
        { reason: `config ${config.name} converts a network but has no coding` },
        place,
        {
          help: 'add: coding sws(beta: 2, steps: 8, silent: 2), or a neuron and coding direct(steps: 16); without spikes: bits { weights 8 }',
        },
      ),
    );
  }
  if (coding.name !== 'sws')
    throw new DiagnosticError(notLowered(`the conversion to \`coding ${coding.name}\``, coding.place));
  const number = (name: string): number => Number(coding.args[name]);
  const steps = number('steps');
  const periods = [number('silent'), ...coding.layers.map(({ settings }) => Number(settings['silent'] ?? 0))];
  if (periods.some((silent) => silent > steps)) {
    const reason = `a silent period of ${Math.max(...periods)} steps is longer than the train of ${steps}; after ${steps} steps a layer knows its whole input`;
    throw new DiagnosticError(
      diagnostic('convert/bad-coding', { reason }, coding.place, { help: `use silent: ${steps} at most` }),
    );
  }
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
function meanConversion(config: Config, coding: CodingChoice, findings: Findings): ConversionOptions {
  const { name, neuron, place } = config;
  if (neuron === undefined) {
    const help = 'add for example `neuron IF(start: 0.5)`, or `neuron MBIF(integer: 1, fraction: 3, start: 0.0625)`';
    throw new DiagnosticError(diagnostic('model/setting-missing', { config: name, name: 'neuron' }, place, { help }));
  }
  findings.take({ value: true, diagnostics: levelProblems(neuron) });
  const { def, args } = neuron;
  const levels = spikeLevels(def, args);
  const several = def.states.some((state) => state.units !== undefined);
  if (levels === undefined || several || levels.min !== 0 || (args['silent'] ?? 0) > 0) {
    const construct = `a conversion to \`${def.name}\``;
    const help = 'the neuron needs outputs from 0 up in finitely many levels, single states, and no silent steps';
    throw new DiagnosticError(diagnostic('cli/not-lowered', { construct }, neuron.place, { help }));
  }
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

/** A network converted with settings that no config says. */
export function convertNetwork(network: Network, settings: ConversionOptions, findings: Findings): Compiled {
  return compile({ network, pipeline: () => ({ passes: pipelineOf(settings), settings }) }, {}, findings);
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
