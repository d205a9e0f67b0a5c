import { type Outcome, fail } from '../base/diagnostics/index.js';
import { writeFolder } from '../data/index.js';
import type { Images } from '../run/metrics/index.js';
import { chooseBits } from '../allocate/bits.js';
import { chooseSilence } from '../allocate/silence.js';
import { type AllocationTarget, allocationTarget } from '../allocate/target.js';
import { type AllocationFiles, plannedFiles } from '../allocate/files.js';
import { chooseEngine } from '../run/engine.js';
import { normalisationFor, refuseMisfits } from '../run/images.js';
import { isOfLayers } from '../workspace/own-network.js';
import { refuseToReplace } from '../workspace/replacing.js';
import { Findings } from '../workspace/findings.js';
import { verifyWhereWanted } from '../run/verify-import.js';
import { isBitBudget } from '../allocate/chosen.js';
import type { AllocateOptions, AllocateResult } from '../allocate/types.js';
import type { Target } from '../workspace/types.js';

/** Images whose outputs are compared, where no limit is given. */
const defaultLimit = { bits: 512, silence: 256 };
const defaultBatch = 64;

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
  refuseMisfits(dataset, network);
  if (dataset.length === 0)
    fail('convert/calibration', { reason: `"${dataset.name}" has no images` }, undefined, {
      help: 'name a data set that has some',
    });
  return {
    dataset,
    normalisation: normalisationFor({ normalisation }, options),
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
