import { join } from 'node:path';
import type { Outcome } from '../base/diagnostics/index.js';
import { readText } from '../data/files.js';
import { loadModel } from '../workspace/load-model.js';
import { libraryFolder } from '../workspace/files.js';
import { trainingFolder } from '../workspace/training-folder.js';

/** A model file to start from. */
export interface StarterModel {
  readonly text: string;
  readonly configs: readonly string[];
}

/** The standard library's first model file, with its configs in the order in which it explains them. */
export function starterModel(): Outcome<StarterModel> {
  const path = join(libraryFolder(), 'starter.spike');
  const { value, diagnostics } = loadModel(path, {});
  if (value === undefined) return { diagnostics };
  return { value: { text: readText(path), configs: [...value.configs.keys()] }, diagnostics };
}

/** The run folder that a training of a config takes, as things are now: the first free `runs/NAME-CONFIG`. */
export function nextRun(path: string, config: string): string {
  return trainingFolder({ path }, config, {}).first();
}
