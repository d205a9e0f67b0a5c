import { basename, dirname, join, sep } from 'node:path';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import type { Normalisation } from '../data/index.js';
import { realPath } from '../data/files.js';
import { finishWrites, isFile, isFolder, readBytes, readText } from '../data/index.js';
import { carriers } from '../lower/program/index.js';
import { type Network, type Param, decodeWeights, parseNetwork } from '../network/index.js';
import type { Findings } from './findings.js';

export { isFolder } from '../data/index.js';

const runnable = carriers.flatMap(({ coding }) => coding ?? []);

/** Names in a run folder. */
export const runFiles = {
  network: 'network.ir',
  weights: 'weights.safetensors',
  checkpoint: 'checkpoint/state.safetensors',
  log: 'log.jsonl',
  /** The same for spreadsheets, and for TensorBoard. */
  csv: 'log.csv',
  events: 'events.out.tfevents.spikec',
  run: 'run.json',
} as const;

/** What `run.json` says of a training, for those who use its network. */
export interface RunInfo {
  readonly config: string;
  readonly data: string;
  readonly normalisation: Normalisation;
  /** The outputs are compared with the input itself. */
  readonly target?: 'input';
  /** The outputs are those of a detector, with so many bins a side. */
  readonly detector?: { readonly bins: number };
  /** The first output is logits of numbers from 0 to 1 (`loss bce`). */
  readonly outputs?: 'logits';
  /** Outputs behind the first that are, by their names. */
  readonly reconstructs?: readonly string[];
  /** The config's `hardware { … }`. */
  readonly hardware?: Readonly<Record<string, unknown>>;
}

export interface FolderNetwork {
  readonly network: Network;
  readonly run?: RunInfo;
  /** What `manifest.json` says of its images, where no training wrote it. */
  readonly normalisation?: Normalisation;
  readonly targetIsInput?: boolean;
  readonly givesLogits?: boolean;
  readonly bins?: number;
  readonly reconstructs?: readonly string[];
}

/** The network of a compiled or run folder with its weights. */
export function readFolder(folder: string, findings: Findings): FolderNetwork {
  return readIr(join(folder, runFiles.network), findings);
}

export function isIrFile(path: string): boolean {
  return path.endsWith('.ir') && !isFolder(path);
}

/** A network in text form with the weights beside it, and what `run.json` says where a training wrote it. */
export function readIr(path: string, findings: Findings): FolderNetwork {
  const folder = dirname(path);
  finishWrites(folder);
  const text = readText(path);
  const weights = readWeights(folder);
  const network = findings.take(parseNetwork({ name: path, text }, weights, { codings: runnable }));
  const runPath = join(folder, runFiles.run);
  if (basename(path) !== runFiles.network) return { network };
  if (!isFile(runPath)) return { network, ...ofManifest(join(folder, 'manifest.json')) };
  return { network, run: readRunInfo(runPath) };
}

/** What lies in `weights.safetensors`; nothing where there is no such file, which is right for a network without weights. */
function readWeights(folder: string): ReadonlyMap<string, Param> {
  const path = join(folder, runFiles.weights);
  const [real, root] = [realPath(path), realPath(folder)];
  if (real === undefined || root === undefined) return new Map();
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep))
    fail('network/weights-outside', { path }, { file: path });
  const weights = decodeWeights(readBytes(real), path);
  if (weights.value === undefined) throw new DiagnosticError(weights.diagnostics);
  return weights.value;
}

/** Nothing where there is no manifest that says it. */
function ofManifest(
  path: string,
): Pick<FolderNetwork, 'normalisation' | 'targetIsInput' | 'givesLogits' | 'reconstructs' | 'bins'> {
  if (!isFile(path)) return {};
  try {
    const { normalisation, target, outputs, reconstructs, detector } = JSON.parse(readText(path)) as Partial<RunInfo>;
    const lists = [normalisation?.mean ?? [], normalisation?.std ?? []];
    const sound = lists.every((list) => Array.isArray(list) && list.every(Number.isFinite));
    return {
      normalisation: sound ? (normalisation ?? {}) : {},
      ...(target === 'input' ? { targetIsInput: true } : {}),
      ...(outputs === 'logits' ? { givesLogits: true } : {}),
      ...(isNames(reconstructs) ? { reconstructs } : {}),
      ...binsIn(detector),
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return {};
    throw error;
  }
}

/** Nothing where a file doesn't say it soundly. */
export function binsIn(detector: RunInfo['detector']): { readonly bins?: number } {
  const bins = detector?.bins;
  return Number.isSafeInteger(bins) && (bins as number) > 1 ? { bins: bins as number } : {};
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** What `run.json` says; `train/bad-run` where it isn't what a training writes. */
export function readRunInfo(path: string): RunInfo {
  let info: unknown;
  try {
    info = JSON.parse(readText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const {
    config,
    normalisation,
    hardware = {},
    reconstructs = [],
  } = (info ?? {}) as Partial<Record<keyof RunInfo, unknown>>;
  const told =
    typeof config === 'string' &&
    isNames(reconstructs) &&
    [normalisation, hardware].every((v) => typeof v === 'object' && v !== null);
  return told ? (info as RunInfo) : fail('train/bad-run', { path }, { file: path });
}
