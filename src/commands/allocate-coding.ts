import type { Outcome } from '../base/diagnostics/index.js';
import { type ChosenCoding, type CodingGoal, chooseCoding } from '../convert/choose-coding.js';
import type { CompareOptions } from '../convert/compare-codings.js';
import { verifyWhereWanted } from '../run/verify-import.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { importFile } from '../workspace/target.js';
import type { ConversionCoding } from '../workspace/types.js';
import { convertOnnx } from './convert.js';

export type { CodingGoal } from '../convert/choose-coding.js';

export interface AllocateCodingOptions extends Omit<CompareOptions, 'points' | 'within' | 'residuals'> {
  readonly codings: readonly ConversionCoding[];
  readonly goal: CodingGoal;
  /** Where the conversion is written; without it nothing is. */
  readonly outDir?: string;
}

export interface AllocateCodingResult extends ChosenCoding {
  readonly outDir?: string;
  /** The model file that was written, and all files beside it. */
  readonly model?: string;
  readonly files: readonly string[];
}

/** Images whose predictions are compared, where no limit is given. */
const defaultLimit = 256;

/** Chooses a coding and its parameters for bounds, and converts the network to it. */
export async function allocateCoding(
  file: string,
  { outDir, codings, goal, limit = defaultLimit, ...options }: AllocateCodingOptions,
): Promise<Outcome<AllocateCodingResult>> {
  const findings = new Findings();
  await prepare([]);
  const source = importFile(file, findings, options);
  await verifyWhereWanted(source, options, findings);
  const found = await chooseCoding(source, codings, goal, { ...options, limit }, findings);
  if (outDir === undefined) return { value: { ...found, files: [] }, diagnostics: findings.all };
  const { coding, steps, silent, threshold, layers } = found.chosen;
  const { calibrate, normalisation, onProgress, inputShapes } = options;
  const { value, diagnostics } = await convertOnnx(file, {
    coding,
    steps,
    normalisation,
    outDir,
    verify: false,
    ...(silent === undefined ? {} : { silent }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(layers === undefined ? {} : { periods: layers }),
    ...(calibrate && { calibrate }),
    ...(onProgress && { onProgress }),
    ...(inputShapes && { inputShapes }),
  });
  const all = [...findings.all, ...diagnostics];
  if (value === undefined) return { diagnostics: all };
  return { value: { ...found, outDir, model: value.model, files: value.files }, diagnostics: all };
}
