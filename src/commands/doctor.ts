import { DiagnosticError, type Outcome, hasErrors } from '../base/diagnostics/index.js';
import type { InputShape } from '../base/input-shape.js';
import { type Blocker, blockersOf } from '../convert/blockers.js';
import { type CodingExamined, examineCoding, rangeless } from '../convert/examine.js';
import { costOf } from '../cost/index.js';
import type { Network } from '../network/index.js';
import { withoutQuantisers } from '../run/calibrate-quantisers.js';
import { Findings } from '../workspace/findings.js';
import { importFile } from '../workspace/target.js';
import { conversionCodings } from '../workspace/types.js';

/** The keys are those of `doctor --json`. */
export interface DoctorResult {
  readonly file: string;
  /** Missing where the file isn't understood: `blockers` says why. */
  readonly network?: {
    readonly name: string;
    readonly layers: number;
    readonly parameters: number;
    readonly quantisers: number;
    /** Activations whose range no quantiser says. */
    readonly unquantised: number;
  };
  /** Of the file itself: nothing converts before these are gone. */
  readonly blockers: readonly Blocker[];
  readonly codings: readonly CodingExamined[];
}

export interface DoctorOptions {
  /** Sizes of inputs that the file leaves free. */
  readonly inputShapes?: readonly InputShape[];
}

/** What converts of an ONNX file under which coding, what blocks, and how to get past it. Nothing is run or written. */
export function examineOnnx(file: string, options: DoctorOptions = {}): Outcome<DoctorResult> {
  let network: Network;
  const findings = new Findings();
  try {
    ({ network } = importFile(file, findings, options).imported);
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    const unread = error.diagnostics.filter(({ code }) => !code.startsWith('onnx/'));
    if (hasErrors(unread)) throw error;
    return { value: { file, blockers: blockersOf(error.diagnostics), codings: [] }, diagnostics: [] };
  }
  const sites = rangeless(network);
  const { params, other_params = 0 } = costOf(network).total;
  const described = {
    name: network.name,
    layers: network.ops.length,
    parameters: params + other_params,
    quantisers: network.ops.filter(({ kind }) => kind === 'quantize').length,
    unquantised: sites.length,
  };
  const missing = withoutQuantisers(network, findings).missing.map(({ id }) => id);
  const codings = conversionCodings.map((coding) =>
    examineCoding(file, network, coding, coding === 'sws' ? missing : sites),
  );
  return { value: { file, network: described, blockers: [], codings }, diagnostics: findings.all };
}
