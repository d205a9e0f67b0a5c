import { join } from 'node:path';
import { DiagnosticError } from '../base/diagnostics/index.js';
import type { Normalisation } from '../data/index.js';
import { isFile, readBytes, readText } from '../data/index.js';
import { type Network, decodeWeights, parseNetwork } from '../network/index.js';
import type { Findings } from './target.js';

export { isFolder } from '../data/index.js';

/** Names in a run folder. */
export const runFiles = {
  network: 'network.ir',
  weights: 'weights.safetensors',
  checkpoint: 'checkpoint/state.safetensors',
  log: 'log.jsonl',
  run: 'run.json',
} as const;

/** What `run.json` says of a training, for those who use its network. */
export interface RunInfo {
  readonly config: string;
  readonly data: string;
  readonly normalisation: Normalisation;
  /** The config's `hardware { … }`. */
  readonly hardware?: Readonly<Record<string, unknown>>;
}

/** The network of a compiled or run folder with its weights. */
export function readFolder(folder: string, findings: Findings): { network: Network; run?: RunInfo } {
  const weightsPath = join(folder, runFiles.weights);
  const irPath = join(folder, runFiles.network);
  const text = readText(irPath);
  const weights = decodeWeights(readBytes(weightsPath), weightsPath);
  if (weights.value === undefined) throw new DiagnosticError(weights.diagnostics);
  const network = findings.take(parseNetwork({ name: irPath, text }, weights.value));
  const runPath = join(folder, runFiles.run);
  if (!isFile(runPath)) return { network };
  return { network, run: JSON.parse(readText(runPath)) as RunInfo };
}
