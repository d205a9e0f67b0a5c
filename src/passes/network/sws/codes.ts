import type { Code } from '../../../network/index.js';
import type { SwsOptions } from './options.js';

/** Σ_{τ=1}^{Tc} β^(Tc−τ): the value of a train that fires at every step, in amplitudes (SWS eq. 7). */
export function trainCapacity(beta: number, steps: number): number {
  let sum = 0;
  for (let k = 0; k < steps; k++) sum += beta ** k;
  return sum;
}

/**
 * θ: the smallest spike amplitude whose codable range covers `range` codes: range/Σβ^(Tc−τ), rounded
 * up to an integer when ≥ 1 (17 for 8 bits at Tc = 4). Below 1 an integer β keeps θ = 1, so that trains
 * still carry exact codes (the neuron's `limit` saturates them), where the largest is reached from below; otherwise the finer grid is used.
 */
export function spikeAmplitude(range: number, beta: number, steps: number): number {
  const exact = range / trainCapacity(beta, steps);
  if (exact >= 1) return Math.ceil(exact - 1e-9);
  return Number.isInteger(beta) && isReachedFromBelow(range, beta, steps) ? 1 : exact;
}

/**
 * Whether prefixes of at most ⌊range/β^k⌋, which a `limit` lets neurons emit, reach all codes but perhaps the largest of a hundred: with β = 3 the
 * digits of 14 begin with 27, beyond a limit of 15.
 */
function isReachedFromBelow(range: number, beta: number, steps: number): boolean {
  let most = 0;
  for (let k = steps - 1; k >= 0; k--) most = Math.min(beta * most + 1, Math.floor(range / beta ** k));
  return most >= 0.98 * range;
}

/** How a quantised value is carried by a train: real = scale·(level·amplitude + offset). */
export interface TrainCode {
  readonly scale: number;
  /** Lower end of the code range less the zero point: 0 where a relu made the range start at 0. */
  readonly offset: number;
  readonly amplitude: number;
  /** Greatest prefix a neuron may emit, in amplitudes; 0 where the train itself can't exceed it. */
  readonly limit: number;
}

export function trainCode(
  code: Code & { kind: 'quant' },
  { beta, steps }: Pick<SwsOptions, 'beta' | 'steps'>,
): TrainCode {
  const range = code.max - code.min;
  const amplitude = range === 0 ? 1 : spikeAmplitude(range, beta, steps);
  const levels = range / amplitude;
  const limit = levels >= trainCapacity(beta, steps) - 1e-9 ? 0 : Math.round(levels);
  return { scale: code.scale, offset: code.min - code.zero, amplitude, limit };
}
