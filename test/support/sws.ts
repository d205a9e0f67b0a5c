import { libraryNeurons } from '../../src/workspace/files.js';
import type { Network } from '../../src/network/index.js';
import { type ConversionOptions, type PassRun, pipelines, runPipeline } from '../../src/passes/index.js';

const neurons = libraryNeurons();

/** SWS settings with Tc = 8, Ts = 2, exact encoder, unless changed. */
export function sws(
  changes: Partial<Omit<ConversionOptions, 'silent'>> & { readonly silent?: number } = {},
): ConversionOptions {
  const { silent = 2, ...rest } = changes;
  return {
    coding: 'sws',
    beta: 2,
    steps: 8,
    encoder: 'exact',
    threshold: 0.5,
    rectified: true,
    neurons,
    ...rest,
    silent: () => silent,
  };
}

/** Converts; errors are a failed test. */
export function convert(
  network: Network,
  options: ConversionOptions,
): { quantised: Network; spiking: Network; runs: readonly PassRun[] } {
  const result = runPipeline(network, pipelines['convert.sws'], options);
  if (result.network === undefined || result.diagnostics.length > 0) {
    throw new Error(result.diagnostics.map((d) => d.message).join('\n') || 'no network');
  }
  const quantised = result.runs.find(({ pass }) => pass === 'quantiser-regions')!.network;
  return { quantised, spiking: result.network, runs: result.runs };
}
