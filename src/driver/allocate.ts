import { DiagnosticError, type Outcome, fail, hasErrors } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { checkFit } from '../data/dataset.js';
import { writeFolder } from '../data/index.js';
import type { Images } from '../evaluate/index.js';
import { stepsOfNetwork } from '../lower/program/training.js';
import { chooseBits } from './allocate-bits.js';
import { chooseSilence } from './allocate-silence.js';
import { type AllocationTarget, allocationTarget } from './allocation-target.js';
import { type AllocationFiles, plannedFiles } from './allocation-files.js';
import { chooseEngine } from './engine.js';
import { outputShape } from './evaluate-own.js';
import { isOfLayers } from './own-network.js';
import { refuseToReplace } from './replacing.js';
import { inputShape } from './sensitivity.js';
import { Findings } from './target.js';
import type { AllocateOptions, AllocateResult, BitBudget, SilentGoal, Target } from './types.js';
import { verifyWhereWanted } from './verify-import.js';

/** Images whose outputs are compared, where no limit is given. */
const defaultLimit = { bits: 512, silence: 256 };
const defaultBatch = 64;

/** What choosing gives: the result but for what is known only when it is written. */
export type Chosen = Omit<AllocateResult, 'files' | 'outDir' | 'target' | 'seconds' | 'engine'> & {
  /** Makes the files; only where they are written. */
  readonly files: () => AllocationFiles;
};

export function isBitBudget(goal: BitBudget | SilentGoal): goal is BitBudget {
  return goal.unit === 'bytes' || goal.unit === 'weight_bits' || goal.unit === 's_ace';
}

/** Chooses bits of weights or silent periods layer by layer for a goal, from measured sensitivities. */
export async function allocateTarget(target: Target, options: AllocateOptions): Promise<Outcome<AllocateResult>> {
  const began = performance.now();
  const findings = new Findings();
  const { goal } = options;
  const found = allocationTarget(target, options, findings);
  if (options.outDir !== undefined) refuseToReplace(plannedFiles(found, options.outDir));
  const bits = isBitBudget(goal);
  const images = calibrationImages(found, options, bits ? defaultLimit.bits : defaultLimit.silence);
  if (found.from.kind === 'import') await verifyWhereWanted(found.from.source, options, findings);
  // without time and spikes, one graph in onnxruntime is the fastest
  const real = bits && !isOfLayers(found.network);
  const engine = chooseEngine(options.engine ?? (real ? 'onnxruntime' : undefined), 'infer');
  const measuring = { images, engine, threads: options.threads, onProgress: options.onProgress };
  const chosen = bits
    ? await chooseBits(found, goal, { ...options, measuring }, findings)
    : await chooseSilence(found, goal, { ...options, measuring }, findings);
  const { files: make, ...result } = chosen;
  const value: AllocateResult = {
    ...result,
    ...written(options.outDir, make),
    seconds: (performance.now() - began) / 1000,
    engine: engine.name,
  };
  return { value, diagnostics: findings.all };
}

function calibrationImages(
  { network, normalisation }: AllocationTarget,
  options: AllocateOptions,
  limit: number,
): Images {
  const { dataset } = options;
  const input = inputShape(network);
  const shape = network.coding?.name === 'events' ? [stepsOfNetwork(network), ...input] : input;
  const misfits = checkFit(dataset, shape, elementCount(outputShape(network)));
  if (hasErrors(misfits)) throw new DiagnosticError(misfits);
  if (dataset.length === 0)
    fail('convert/calibration', { reason: `"${dataset.name}" has no images` }, undefined, {
      help: 'name a data set that has some',
    });
  const flags = options.normalisation;
  return {
    dataset,
    normalisation: flags.mean === undefined && flags.std === undefined ? normalisation : flags,
    count: Math.min(dataset.length, options.limit ?? limit),
    batch: options.batch ?? defaultBatch,
  };
}

function written(
  outDir: string | undefined,
  make: () => AllocationFiles,
): Pick<AllocateResult, 'files' | 'outDir' | 'target'> {
  if (outDir === undefined) return { files: [] };
  const { files, model } = make();
  writeFolder(outDir, files);
  return { files: [...files.keys()], outDir, target: model === undefined ? outDir : `${outDir}/${model}` };
}
