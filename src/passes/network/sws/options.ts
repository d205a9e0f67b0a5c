import { type OptionsOf, defaulted, flag, oneOf, real, whole } from '../../options/index.js';

/** What a conversion to stepwise weighted spikes can be told (docs/sws.md). */
export const swsOptions = {
  beta: defaulted(real(1, 3), 'Amplification β: a spike counts β times the one a step later.', 2),
  steps: defaulted(whole(1, 24), 'Coding steps Tc.', 8),
  encoder: defaulted(
    oneOf(['exact', 'drive']),
    'How inputs become trains: the digits of their codes, or the paper’s constant drive.',
    'exact',
  ),
  threshold: defaulted(
    oneOf(['half', 'full']),
    'The firing threshold: half an amplitude, or a whole one for the ablation.',
    'half',
  ),
  rectified: defaulted(
    flag,
    'Negative spikes only correct a positive prefix; false is the paper’s neuron, for the ablation.',
    true,
  ),
} as const;

export type SwsOptions = OptionsOf<typeof swsOptions>;

/** The firing threshold in units of the amplitude. */
export function thresholdOf({ threshold }: SwsOptions): number {
  return threshold === 'full' ? 1 : 0.5;
}
