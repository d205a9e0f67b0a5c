import { fail } from '../base/diagnostics/index.js';
import { InvariantError } from '../base/invariant.js';
import type { Network } from '../network/index.js';
import { inferenceProgram } from '../workspace/artifacts.js';

/**
 * Reports what stops a network from being lowered. Only for networks read from text: those that the compiler makes are
 * right or it has a bug, but a text can name functions that don't exist or give numbers that mean nothing.
 */
export function checkRuns(network: Network, file: string): void {
  try {
    inferenceProgram(network);
  } catch (error) {
    if (!(error instanceof InvariantError || error instanceof TypeError || error instanceof RangeError)) throw error;
    fail('network/not-runnable', { reason: error.message.replace(/^lower: /, '') }, { file });
  }
}
