import type { Outcome } from '../base/diagnostics/index.js';
import { codingPoints } from '../convert/coding-points.js';
import { type CompareOptions, compareCodings } from '../convert/compare-codings.js';
import { codingsPage } from '../report/codings.js';
import type { CodingComparison } from '../run/compared-codings.js';
import { verifyWhereWanted } from '../run/verify-import.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { refuseOutput, writeOutput } from '../workspace/output.js';
import { importFile } from '../workspace/target.js';
import { packageVersion } from '../workspace/version.js';

export interface CompareCodingsOptions extends Omit<CompareOptions, 'points'> {
  /** `sws,rate:16,sws:4/2`; all codings where missing, with `residuals` SWS with θ or θ/2 and Ts = 0 or 2. */
  readonly codings?: string;
  /** The page to write. */
  readonly outFile?: string;
}

export interface CompareCodingsResult extends CodingComparison {
  /** The page that was written. */
  readonly file?: string;
}

/** A network in several codings on the same data: accuracy over latency, operations and energy. */
export async function compareCodingsOf(
  file: string,
  options: CompareCodingsOptions,
): Promise<Outcome<CompareCodingsResult>> {
  const { codings, outFile, ...rest } = options;
  const points = codingPoints(codings, options.residuals);
  if (outFile !== undefined) refuseOutput(outFile, 'report');
  const findings = new Findings();
  await prepare([]);
  const source = importFile(file, findings, options);
  await verifyWhereWanted(source, options, findings);
  const found = await compareCodings(source, { ...rest, points }, findings);
  if (outFile !== undefined) writeOutput(outFile, await codingsPage(found, packageVersion()), 'report');
  return { value: { ...found, ...(outFile === undefined ? {} : { file: outFile }) }, diagnostics: findings.all };
}
