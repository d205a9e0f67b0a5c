import { libraryNeurons } from '../../src/workspace/files.js';
import type { Network } from '../../src/network/index.js';
import {
  type ConfiguredPass,
  type PassRun,
  byLayer,
  configure,
  passes,
  pipelines,
  runPipeline,
} from '../../src/passes/index.js';
import type { SwsOptions } from '../../src/passes/network/sws/options.js';

/** The neuron types that passes find. */
export const surroundings = { neurons: libraryNeurons() };

interface Changes extends Partial<SwsOptions> {
  readonly silent?: number | ((id: string) => number);
  readonly weightBits?: (id: string) => number | undefined;
}

/** The passes of a conversion with Tc = 8, Ts = 2, exact encoder, unless changed. */
export function sws({ silent = 2, weightBits, ...changes }: Changes = {}): readonly ConfiguredPass[] {
  return configure(pipelines['convert.sws'], {
    'quantise-weights': { bits: weightBits === undefined ? undefined : byLayer(weightBits) },
    digits: { steps: changes.steps, beta: changes.beta },
    'to-spikes': changes,
    'schedule-time': { silent: byLayer(typeof silent === 'number' ? () => silent : silent) },
  });
}

/** The pass of this name with its defaults. */
export function passNamed(name: (typeof passes)[number]['name']): ConfiguredPass {
  const pass = passes.find((one) => one.name === name)!;
  return configure([pass], {})[0]!;
}

/** Converts; errors are a failed test. */
export function convert(
  network: Network,
  conversion: readonly ConfiguredPass[],
): { quantised: Network; spiking: Network; runs: readonly PassRun[] } {
  const result = runPipeline(network, conversion, surroundings);
  const problems = result.diagnostics.filter(({ severity }) => severity !== 'note');
  if (result.network === undefined || problems.length > 0) {
    throw new Error(problems.map((d) => d.message).join('\n') || 'no network');
  }
  const quantised = result.runs.find(({ pass }) => pass === 'quantiser-regions')!.network;
  return { quantised, spiking: result.network, runs: result.runs };
}
