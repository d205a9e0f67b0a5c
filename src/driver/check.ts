import { type Diagnostic, DiagnosticError, type Outcome, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { isFile, readText } from '../data/index.js';
import { bitProblemsOf } from '../lower/model-to-network/index.js';
import { type Model, checkModel, levelProblemsOf } from '../model/index.js';
import { formatText } from '../syntax/index.js';
import { diskLoader } from './files.js';
import type { CheckResult, CommonOptions, FormatResult } from './types.js';

/** Reads and checks a model file with everything that it uses. */
export function loadModel(path: string, options: CommonOptions): Outcome<Model> {
  const allowOutside = options.allowOutside === true;
  const source = { name: path, text: readText(path) };
  return checkModel(source, diskLoader(path, allowOutside), { allowOutside });
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

/** Formats a model file; writes nothing. */
export function formatFile(path: string): Outcome<FormatResult> {
  return reporting(() => {
    const text = readText(path);
    const { value, diagnostics } = formatText({ name: path, text });
    return value === undefined ? { diagnostics } : { value: { text: value, changed: value !== text }, diagnostics };
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

/** Turns a thrown diagnostic (of reading a file) into an outcome. */
function reporting<T>(work: () => Outcome<T>): Outcome<T> {
  try {
    return work();
  } catch (error) {
    if (error instanceof DiagnosticError) return { diagnostics: error.diagnostics };
    throw error;
  }
}
