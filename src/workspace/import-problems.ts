import { type Diagnostic, DiagnosticError } from '../base/diagnostics/index.js';
import type { Config } from '../model/index.js';
import { Findings } from './findings.js';
import { sourceOf } from './target.js';

/** What is wrong with the ONNX files that configs import, each read once. */
export function importProblems(configs: readonly Config[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return configs.flatMap((config) => {
    // what a file is read with stands beside its name
    const { place: _place, ...read } = config.network;
    const key = JSON.stringify([read, config.train, config.bits]);
    if (seen.has(key)) return [];
    seen.add(key);
    return problemsOfImport(config);
  });
}

function problemsOfImport(config: Config): readonly Diagnostic[] {
  const findings = new Findings();
  try {
    sourceOf(config, findings);
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    // what was found before it was thrown is among it, or beside it
    return [...findings.all, ...error.diagnostics];
  }
  return findings.all;
}
