import { type Diagnostic, DiagnosticError, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { type CodingChoice, type Config, layerMatches } from '../model/index.js';
import type { Network } from '../network/index.js';
import { type ConversionOptions, type PassRun, type PipelineHooks, pipelines, runPipeline } from '../passes/index.js';
import { libraryNeurons } from './files.js';
import { type Findings, notLowered } from './target.js';

/** Settings of an SWS conversion, from a config's `coding sws(…)`. */
export function swsOptions(config: Config): ConversionOptions {
  const { coding } = config;
  if (coding === undefined) {
    const place = config.place;
    throw new DiagnosticError(
      diagnostic(
        'convert/bad-coding',
        { reason: `config ${config.name} converts a network but has no coding` },
        place,
        {
          help: 'add: coding sws(beta: 2, steps: 8, silent: 2)',
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
  };
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

/** Runs the SWS pipeline; `undefined` spiking network where it was stopped earlier. */
export function convertNetwork(
  imported: Network,
  options: ConversionOptions,
  findings: Findings,
  hooks: PipelineHooks = {},
): { readonly last: Network; readonly conversion?: Conversion; readonly runs: readonly PassRun[] } {
  const passes = pipelines['convert.sws'];
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
