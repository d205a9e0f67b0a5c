import { dirname } from 'node:path';
import type { Outcome } from '../base/diagnostics/index.js';
import { finishWrites, readText } from '../data/index.js';
import { type Model, checkModel, checkWhatHolds } from '../model/index.js';
import { diskLoader } from './files.js';
import type { CommonOptions } from './types.js';

/** Reads and checks a model file with everything that it uses. */
export function loadModel(path: string, options: CommonOptions): Outcome<Model> {
  return read(path, options, checkModel);
}

/** The same; the value has what is right of the file, whatever is wrong with the rest. */
export function loadWhatHolds(path: string, options: CommonOptions): Outcome<Model> {
  return read(path, options, checkWhatHolds);
}

function read(path: string, options: CommonOptions, check: typeof checkModel): Outcome<Model> {
  const allowOutside = options.allowOutside === true;
  finishWrites(dirname(path));
  const source = { name: path, text: readText(path) };
  return check(source, diskLoader(path, allowOutside), { allowOutside });
}
