import type { Normalisation } from '../data/index.js';
import { lowerModel } from '../lower/model-to-network/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import { type PassRun, type PipelineHooks, configure, pipelines, runPipeline } from '../passes/index.js';
import { libraryNeurons } from './files.js';
import type { Findings } from './findings.js';
import type { StepSettings } from '../train/index.js';

/** A network that doesn't come from an ONNX file: of a model file, of a compiled or run folder, or of a file in the IR's text form. */
export interface OwnTarget {
  readonly network: Network;
  readonly config: string;
  readonly normalisation: Normalisation;
  /** What a training step of the config depends on, where it says how to train. */
  readonly training?: StepSettings;
  /** `hardware { … }` of the config. */
  readonly hardware?: Readonly<Record<string, unknown>> | undefined;
  /** The `.ir` file that it was read from. */
  readonly text?: string;
  /** Source file name → its bytes. */
  readonly sources: ReadonlyMap<string, Uint8Array>;
}

/** The network of a config as Network IR, with initial weights. */
export function networkOf(config: Config, findings: Findings, seed?: number): Network {
  return findings.take(lowerModel(config, seed === undefined ? {} : { seed }));
}

/** A trained (or initial) network made ready for inference: dropout gone, batch norm folded. */
export function forInference(
  network: Network,
  findings: Findings,
  hooks: PipelineHooks = {},
): { readonly network: Network; readonly runs: readonly PassRun[] } {
  const result = runPipeline(
    network,
    configure(pipelines.ann, {}),
    { neurons: libraryNeurons() },
    {
      now: () => performance.now(),
      ...hooks,
    },
  );
  return { network: findings.take({ ...dropNetwork(result), diagnostics: result.diagnostics }), runs: result.runs };
}

function dropNetwork({ network }: { readonly network?: Network }): { readonly value?: Network } {
  return network === undefined ? {} : { value: network };
}
