import { type LoopOptions, type LoopResult, findPython, torchLoop, trainLoop } from '../train/index.js';
import { trainingFolder } from '../workspace/torch-folder.js';
import type { TorchTraining } from '../workspace/torch-training.js';
import type { Diagnostic } from '../base/diagnostics/index.js';
import type { LongWork } from '../engines/index.js';
import { engineForLowMemory, engineForWork } from './engine.js';

/** Who trains: an engine's name, and what goes through the epochs. */
export interface Trainer {
  readonly engine: { readonly name: string };
  readonly loop: (options: Omit<LoopOptions, 'engine'>) => Promise<LoopResult>;
}

/** `torch`: a program in the user's Python; every other engine runs the training step, in the loop of this process. */
export async function trainerOf(
  options: { readonly engine?: string; readonly python?: string },
  training: TorchTraining,
  work: LongWork,
  note: (found: Diagnostic) => void,
): Promise<Trainer> {
  if (options.engine === 'torch') {
    const files = trainingFolder(training);
    const python = findPython(options.python);
    const { torch, version, device } = python;
    const name = `torch ${torch} on ${device}, Python ${version} (${python.path})`;
    return { engine: { name }, loop: (loop) => torchLoop(python, files, loop) };
  }
  const low = training.settings.memory === 'low';
  const engine = low
    ? await engineForLowMemory(options.engine)
    : await engineForWork(options.engine, 'train', work, note);
  return { engine, loop: (loop) => trainLoop({ ...loop, engine }) };
}
