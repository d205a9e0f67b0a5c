import { fail } from '../base/diagnostics/index.js';
import { findCarrier } from '../lower/program/index.js';
import type { Network } from '../network/index.js';

/**
 * Refuses a network that nothing carries: one of another coding. What else a text may say wrong is refused at its line when
 * it is read (`parseNetwork`); that a network which was read can't be lowered is a bug.
 */
export function checkRuns(network: Network, file: string): void {
  if (findCarrier(network) !== undefined) return;
  fail('network/not-runnable', { reason: `nothing runs coding ${network.coding?.name}` }, { file });
}
