import { basename, dirname, join } from 'node:path';
import { type Diagnostic, DiagnosticError } from '../base/diagnostics/index.js';
import type { Network } from '../network/index.js';
import { activationSites, configure, passes, runPipeline } from '../passes/index.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { libraryNeurons } from '../workspace/files.js';
import { Findings } from '../workspace/findings.js';
import type { ConversionCoding } from '../workspace/types.js';
import { type Blocker, blockersOf } from './blockers.js';
import { modelText } from './model-text.js';
import { unwritten } from './unwritten.js';

export interface CodingExamined {
  readonly coding: ConversionCoding;
  /** `calibrate`: with `--calibrate DATA` it does. */
  readonly converts: 'yes' | 'calibrate' | 'no';
  readonly blockers: readonly Blocker[];
  /** What one would have to do, in a line. */
  readonly remedy?: string;
}

/** Activations whose range isn't known: what `--calibrate` measures. */
export function rangeless(network: Network): readonly string[] {
  const front = passes.filter(({ name }) => ['canonicalise', 'fold-batchnorm', 'quantiser-regions'].includes(name));
  const result = runPipeline(network, configure(front, {}), { neurons: libraryNeurons() });
  if (result.network === undefined) return [];
  return activationSites(result.network)
    .filter(({ known }) => !known)
    .map(({ op }) => op.id);
}

/** Whether a network converts to a coding; `sites`: activations whose range has to be measured. */
export function examineCoding(
  file: string,
  network: Network,
  coding: ConversionCoding,
  sites: readonly string[],
): CodingExamined {
  const bare = problemsOf(file, network, coding, []);
  if (bare.length === 0) return { coding, converts: 'yes', blockers: [] };
  if (sites.length > 0) {
    const problems = problemsOf(file, network, coding, sites);
    const adds = coding === 'sws' ? ', and adds quantisers' : '';
    const remedy = `--calibrate DATA measures the range of ${sites.length} activation${sites.length === 1 ? '' : 's'}${adds}`;
    if (problems.length === 0) return { coding, converts: 'calibrate', blockers: [], remedy };
    return { coding, converts: 'no', blockers: blockersOf(problems) };
  }
  return { coding, converts: 'no', blockers: blockersOf(bare) };
}

/** Converts with ranges of 1 for the activations that have none: whether it works doesn't depend on them. */
function problemsOf(
  file: string,
  network: Network,
  coding: ConversionCoding,
  sites: readonly string[],
): readonly Diagnostic[] {
  const findings = new Findings();
  const path = join(dirname(file), 'doctor.spike');
  const ranges = new Map(sites.map((id) => [id, { from: 0, range: 1 }] as const));
  try {
    const text = modelText(basename(file), { coding, outDir: '' }, { ranges });
    convertNetwork(network, conversionPlan(unwritten(path, text, findings).config, findings), findings);
    return [];
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics.filter(({ severity }) => severity === 'error');
  }
}
