import { type Diagnostic, type Outcome, distinct, hasErrors } from '../base/diagnostics/index.js';
import { isFile } from '../data/index.js';
import type { Config, Model } from '../model/index.js';
import { problemsOf, problemsOnceLowered } from '../workspace/config-problems.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { loadWhatHolds } from '../workspace/load-model.js';
import { reporting } from './reporting.js';
import type { CommonOptions, Target } from '../workspace/types.js';

/** What a checked file declares. */
export interface CheckResult {
  readonly configs: readonly string[];
  readonly networks: readonly string[];
  readonly neurons: readonly string[];
}

/**
 * What a model file declares, if it has no errors; of a target that names a config, whether this one compiles. Loads no
 * backend, and the reader of ONNX files only where one is imported.
 */
export async function checkFile(target: Target, options: CommonOptions = {}): Promise<Outcome<CheckResult>> {
  let imports: readonly Config[] = [];
  const { value, diagnostics } = reporting(() => {
    const { value: model, diagnostics: said } = loadWhatHolds(target.path, options);
    if (model === undefined) return { diagnostics: said };
    const outcome = checkModelFile(model, target, said);
    const checked = outcome.value?.configs ?? [];
    imports = [...model.configs.values()].filter(
      ({ name, network }) => network.kind === 'onnx' && checked.includes(name),
    );
    return outcome;
  });
  if (value === undefined || imports.length === 0) return { ...(value === undefined ? {} : { value }), diagnostics };
  const { importProblems } = await import('../workspace/import-problems.js');
  const all = distinct([...diagnostics, ...importProblems(imports)]);
  return hasErrors(all) ? { diagnostics: all } : { value, diagnostics: all };
}

function checkModelFile(model: Model, target: Target, said: readonly Diagnostic[]): Outcome<CheckResult> {
  if (target.config !== undefined) return checkConfig(model, target, said);
  // Configs that extend one another share places.
  const all = distinct([...said, ...[...model.configs.values()].flatMap((one) => problemsOf(one, isFile))]);
  if (hasErrors(all)) return { diagnostics: all };
  const lowered = [...model.configs.values()].flatMap(problemsOnceLowered);
  return { value: declarations(model), diagnostics: distinct([...all, ...lowered]) };
}

function checkConfig(model: Model, target: Target, said: readonly Diagnostic[]): Outcome<CheckResult> {
  // a config that is there, but wrong, is among what was said already
  const isWrong = target.config !== undefined && !model.configs.has(target.config) && hasErrors(said);
  if (isWrong && declarations(model).configs.includes(target.config)) return { diagnostics: said };
  const config = chooseConfig(model, target);
  const all = distinct([...said, ...problemsOf(config, isFile)]);
  if (hasErrors(all)) return { diagnostics: all };
  const lowered = problemsOnceLowered(config);
  return { value: { ...declarations(model), configs: [config.name] }, diagnostics: distinct([...all, ...lowered]) };
}

function declarations(model: Model): CheckResult {
  const named = (kind: string): readonly string[] =>
    model.file.declarations.flatMap((d) => (d.kind === kind && d.kind !== 'use' ? [d.name.text] : []));
  return { networks: named('network'), neurons: named('neuron'), configs: named('config') };
}
