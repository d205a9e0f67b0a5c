import { type Diagnostic, type Outcome, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { isFile } from '../data/index.js';
import { bitProblemsOf } from '../lower/model-to-network/index.js';
import { type Model, levelProblemsOf } from '../model/index.js';
import { loadModel } from '../workspace/load-model.js';
import { reporting } from './reporting.js';
import type { CommonOptions } from '../workspace/types.js';

/** What a checked file declares. */
export interface CheckResult {
  readonly configs: readonly string[];
  readonly networks: readonly string[];
  readonly neurons: readonly string[];
}

/** What a model file declares, if it has no errors. Loads no backend: an editor may call this at every key. */
export function checkFile(path: string, options: CommonOptions = {}): Outcome<CheckResult> {
  return reporting(() => {
    const { value: model, diagnostics } = loadModel(path, options);
    if (model === undefined) return { diagnostics };
    const all = [...diagnostics, ...missingNetworks(model), ...levelProblemsOf(model), ...bitProblemsOf(model)];
    return hasErrors(all) ? { diagnostics: all } : { value: declarations(model), diagnostics: all };
  });
}

/** ONNX files that configurations name and that aren't there. */
function missingNetworks(model: Model): readonly Diagnostic[] {
  return [...model.configs.values()].flatMap(({ network }) =>
    network.kind === 'onnx' && !isFile(network.resolved)
      ? [diagnostic('file/missing', { path: network.resolved }, network.place)]
      : [],
  );
}

function declarations(model: Model): CheckResult {
  const named = (kind: string): readonly string[] =>
    model.file.declarations.flatMap((d) => (d.kind === kind && d.kind !== 'use' ? [d.name.text] : []));
  return { networks: named('network'), neurons: named('neuron'), configs: named('config') };
}
