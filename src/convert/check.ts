import { DiagnosticError, diagnostic } from '../base/diagnostics/index.js';
import { mostRunSteps, unrolledSteps } from '../lower/program/index.js';
import { type ConversionCheck, checkConversion, checkDiagnostic } from '../run/check-conversion.js';
import { chooseEngine } from '../run/engine.js';
import { allowedBytes, runBytes } from '../run/memory.js';
import type { Conversion } from '../workspace/compiled.js';
import type { Findings } from '../workspace/findings.js';
import { verifyLevel } from '../workspace/types.js';
import type { ConvertOptions } from './options.js';

/** Runs the finished network on a few inputs; what differs too much is a warning, or with `strict` an error. */
export async function checkWhereWanted(
  conversion: Conversion,
  { calibrate: calibration, normalisation = {}, strict, onProgress, ...options }: ConvertOptions,
  fileBytes: number,
  findings: Findings,
): Promise<ConversionCheck | undefined> {
  const level = verifyLevel(options);
  const what = 'the spiking network isn’t run for a check';
  if (level === 'none') return undefined;
  const { quantised, spiking } = conversion;
  const needed = Math.max(runBytes(quantised), runBytes(spiking));
  const allowed = allowedBytes(fileBytes);
  if (level === 'sample' && needed > allowed) {
    findings.all.push(
      diagnostic('convert/large-layers', { what, needed, allowed }, undefined, { help: '--verify full does it' }),
    );
    return undefined;
  }
  const steps = unrolledSteps(conversion.spiking);
  if (steps > mostRunSteps) {
    findings.all.push(diagnostic('convert/too-long', { what, steps, most: mostRunSteps }));
    return undefined;
  }
  const engine = chooseEngine(undefined, 'infer');
  const check = await checkConversion(conversion, { level, calibration, normalisation, engine, onProgress });
  const chosen = options.coding === 'sws' && (options.silent ?? 'auto') === 'auto';
  const warning = checkDiagnostic(check, conversion, chosen);
  if (warning === undefined) return check;
  findings.all.push(strict === true ? { ...warning, severity: 'error' } : warning);
  if (strict === true) throw new DiagnosticError(findings.all);
  return check;
}
