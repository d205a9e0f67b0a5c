/** A level of a multi-bit spike and how often a membrane u ~ N(0, 1) gives it. */
export interface Level {
  readonly value: number;
  readonly probability: number;
}

export interface SpikeEntropy {
  /** H(S) = −Σ P·log₂P, bits (MBM eq. 3–9). */
  readonly entropy: number;
  /** H(U) − H(S), H(U) = ½·log₂(2πe) (MBM eq. 1–2). */
  readonly information_loss: number;
  readonly levels: readonly Level[];
}

/** Φ(x): the standard normal distribution function, to about 1e-15. */
export function normalDistribution(x: number): number {
  const a = Math.abs(x);
  const tail = a < 5 ? 0.5 - density(a) * centralSeries(a) : density(a) * tailFraction(a);
  return x > 0 ? 1 - tail : tail;
}

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** x + x³/3 + x⁵/15 + …: (Φ(x) − ½)/φ(x). */
function centralSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; term > 1e-18 * sum; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return sum;
}

/** 1/(x + 1/(x + 2/(x + …))): (1 − Φ(x))/φ(x) for large x. */
function tailFraction(x: number): number {
  let fraction = x;
  for (let k = 60; k >= 1; k--) fraction = x + k / fraction;
  return 1 / fraction;
}

/**
 * Entropy of the spike 2⁻ⁿ·clip(⌊2ⁿ·u/θ⌋, 0, 2^(m+n)−1) of a neuron with m integer and n fraction bits
 * whose membrane is standard normal (MBM eq. 1–9, Tab. 1).
 */
export function spikeEntropy(integer: number, fraction: number, theta: number): SpikeEntropy {
  const bits = integer + fraction;
  if (
    !Number.isInteger(integer) ||
    !Number.isInteger(fraction) ||
    integer < 0 ||
    fraction < 0 ||
    bits < 1 ||
    bits > 16
  ) {
    throw new TypeError(`a spike has 1 to 16 bits in all, not ${integer}+${fraction}`);
  }
  if (!(theta > 0)) throw new TypeError(`the threshold must be positive, is ${theta}`);
  const count = 2 ** bits;
  const unit = theta / 2 ** fraction;
  const below = Array.from({ length: count + 1 }, (_, k) =>
    k === 0 ? 0 : k === count ? 1 : normalDistribution(k * unit),
  );
  const levels = Array.from({ length: count }, (_, k) => ({
    value: k / 2 ** fraction,
    probability: below[k + 1]! - below[k]!,
  }));
  const entropy = levels.reduce((sum, { probability: p }) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
  return { entropy, information_loss: Math.log2(2 * Math.PI * Math.E) / 2 - entropy, levels };
}
