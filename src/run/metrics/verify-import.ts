import type { Tensor } from '../../base/dtype.js';

/** The first op whose result differs from the source's, given the source's own inputs. */
export interface ImportMismatch {
  readonly op: string;
  readonly largest: number;
  readonly at: number;
  readonly ours: number;
  readonly theirs: number;
}

export interface CheckedOp {
  readonly id: string;
  /** Name of the source's tensor. */
  readonly origin: string;
  /** Distance of two quantised values, for a quantiser: one code apart is allowed at near ties. */
  readonly step?: number;
  /** The quantiser reads an average of codes: every other sum may lie half-way between two of its codes. */
  readonly average?: boolean;
}

/** Greatest allowed difference of reals, relative to the largest magnitude in the tensor. */
const tolerance = 2e-4;
/** Share of a quantiser's codes that may differ by one: sums near a tie round either way in float32. */
const tieShare = 1e-3;
/** The same where averages of codes are quantised: of two codes of one scale every other one is a tie. */
const averageTieShare = 0.5;

/** Compares results op by op, in order; undefined where all agree. */
export function firstMismatch(
  ops: readonly CheckedOp[],
  ours: Readonly<Record<string, Tensor>>,
  theirs: ReadonlyMap<string, Tensor>,
): ImportMismatch | undefined {
  for (const op of ops) {
    const [a, b] = [ours[op.id], theirs.get(op.origin)];
    if (a === undefined || b === undefined) continue;
    const found =
      a.data.length === b.data.length
        ? compare(op, a, b)
        : { op: op.id, largest: Infinity, at: 0, ours: a.data.length, theirs: b.data.length };
    if (found !== undefined) return found;
  }
  return undefined;
}

function compare(op: CheckedOp, a: Tensor, b: Tensor): ImportMismatch | undefined {
  let largest = 0;
  let at = 0;
  let magnitude = 0;
  let differing = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = Math.abs(a.data[i]! - b.data[i]!);
    magnitude = Math.max(magnitude, Math.abs(b.data[i]!));
    if (op.step !== undefined && difference > op.step / 2) differing++;
    // a NaN on either side is the greatest difference there is
    if (!(difference <= largest)) {
      largest = Number.isNaN(difference) ? Infinity : difference;
      at = i;
    }
  }
  const agrees =
    op.step === undefined
      ? largest <= tolerance * magnitude + 1e-6
      : largest <= op.step * 1.01 &&
        differing <= Math.max(1, (op.average === true ? averageTieShare : tieShare) * a.data.length);
  return agrees ? undefined : { op: op.id, largest, at, ours: a.data[at]!, theirs: b.data[at]! };
}
