import type { AllocationFiles } from './files.js';
import type { AllocateResult, BitBudget, SilentGoal } from './types.js';

/** What choosing gives: the result but for what is known only when it is written. */
export type Chosen = Omit<AllocateResult, 'files' | 'outDir' | 'target' | 'seconds' | 'engine'> & {
  /** Makes the files; only where they are written. */
  readonly files: () => AllocationFiles;
};

export function isBitBudget(goal: BitBudget | SilentGoal): goal is BitBudget {
  return goal.unit === 'bytes' || goal.unit === 'weight_bits' || goal.unit === 's_ace';
}
