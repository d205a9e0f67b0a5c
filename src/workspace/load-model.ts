import type { Outcome } from '../base/diagnostics/index.js';
import { readText } from '../data/index.js';
import { type Model, checkModel } from '../model/index.js';
import { diskLoader } from './files.js';
import type { CommonOptions } from './types.js';

/** Reads and checks a model file with everything that it uses. */
export function loadModel(path: string, options: CommonOptions): Outcome<Model> {
  const allowOutside = options.allowOutside === true;
  const source = { name: path, text: readText(path) };
  return checkModel(source, diskLoader(path, allowOutside), { allowOutside });
}
