import { type Config, type Model, checkModel } from '../model/index.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { diskLoader } from '../workspace/files.js';
import type { Findings } from '../workspace/findings.js';

/** The model that a text would be at a path where it isn't written yet, and its one config. */
export function unwritten(
  path: string,
  text: string,
  findings: Findings,
): { readonly model: Model; readonly config: Config } {
  const model = findings.take(checkModel({ name: path, text }, diskLoader(path, false)));
  return { model, config: chooseConfig(model, { path }) };
}
