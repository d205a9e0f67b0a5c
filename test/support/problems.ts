import { type Diagnostic, distinct } from '../../src/base/diagnostics/index.js';
import { configProblems } from '../../src/lower/model-to-network/index.js';
import type { Model } from '../../src/model/index.js';

/** What keeps a model's configs from being compiled, and what they are warned of. */
export function problemsOf({ configs }: Model): readonly Diagnostic[] {
  return distinct([...configs.values()].flatMap(configProblems));
}
