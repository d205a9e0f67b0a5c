import type { Outcome } from '../base/diagnostics/index.js';
import { evaluate } from '../run/evaluate.js';
import type { EvalOptions, EvalResult, FoundBox } from '../run/types.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { openTarget } from '../workspace/open.js';
import { refuseOutput, writeOutput } from '../workspace/output.js';
import type { Target } from '../workspace/types.js';

export interface EvaluateOptions extends EvalOptions {
  /** Where the boxes that a detector finds are written, as COCO's results. */
  readonly boxFile?: string;
}

/** Accuracy, agreement with the source, spikes, operations per frame and latency of a network on data. */
export async function evaluateTarget(target: Target, options: EvaluateOptions): Promise<Outcome<EvalResult>> {
  const { boxFile } = options;
  if (boxFile !== undefined) refuseOutput(boxFile, 'eval');
  const findings = new Findings();
  await prepare([target]);
  const boxes: FoundBox[] = [];
  const taken =
    boxFile === undefined
      ? options
      : { ...options, onBoxes: (found: readonly FoundBox[]) => void boxes.push(...found) };
  const value = await evaluate(openTarget(target, options, findings), taken, findings);
  if (boxFile !== undefined)
    writeOutput(boxFile, `[\n${boxes.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`, 'eval');
  return { value, diagnostics: findings.all };
}
