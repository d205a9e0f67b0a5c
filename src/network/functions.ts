/** What functions are made of: on numbers, or on the values of a program. `V | number` mixes both. */
export interface Algebra<V> {
  add(a: V | number, b: V | number): V;
  sub(a: V | number, b: V | number): V;
  mul(a: V | number, b: V | number): V;
  div(a: V | number, b: V | number): V;
  pow(a: V, b: number): V;
  min(a: V, b: number): V;
  max(a: V, b: number): V;
  abs(a: V): V;
  sign(a: V): V;
  floor(a: V): V;
  round(a: V): V;
  exp(a: V): V;
  log(a: V): V;
  sqrt(a: V): V;
  tanh(a: V): V;
  sigmoid(a: V): V;
  /** a where x > 0, else b. */
  positive(x: V, a: V, b: V): V;
}

/** The same algebra on numbers, in float64. */
export const numbers: Algebra<number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  round: (a) => {
    const below = Math.floor(a);
    const rest = a - below;
    return rest === 0.5 ? below + (Math.abs(below) % 2) : Math.round(a);
  },
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  positive: (x, a, b) => (x > 0 ? a : b),
};

/** Numbers that some functions have; what they mean, and what they are where they are missing. */
export interface FunctionNumbers {
  readonly alpha?: number;
  readonly beta?: number;
}

/** A function of one value, element by element. */
export interface FunctionRow {
  /** What it computes, for the reference. */
  readonly doc: string;
  readonly of: <V>(a: Algebra<V>, x: V, numbers: FunctionNumbers) => V;
}

/**
 * erf by erfc z = t·exp(−z² + Σ c_k T_k(ty)), t = 2/(2 + z), ty = 4t − 2, z = |x|: a Chebyshev series, exact to 1.2·10⁻¹⁶
 * (Numerical Recipes, 3rd edition, §6.2.2).
 */
const erfcSeries = [
  -1.3026537197817094, 0.6419697923564902, 1.9476473204185836e-2, -9.561514786808631e-3, -9.46595344482036e-4,
  3.66839497852761e-4, 4.2523324806907e-5, -2.0278578112534e-5, -1.624290004647e-6, 1.30365583558e-6, 1.5626441722e-8,
  -8.5238095915e-8, 6.529054439e-9, 5.059343495e-9, -9.91364156e-10, -2.27365122e-10, 9.6467911e-11, 2.394038e-12,
  -6.886027e-12, 8.94487e-13, 3.13092e-13, -1.12708e-13, 3.81e-16, 7.106e-15, -1.523e-15, -9.4e-17, 1.21e-16, -2.8e-17,
];

function erf<V>(a: Algebra<V>, x: V): V {
  const z = a.abs(x);
  const t = a.div(2, a.add(z, 2));
  const ty = a.sub(a.mul(t, 4), 2);
  let [d, dd]: [V, V] = [a.mul(t, 0), a.mul(t, 0)];
  for (let k = erfcSeries.length - 1; k > 0; k--) {
    [d, dd] = [a.add(a.sub(a.mul(ty, d), dd), erfcSeries[k]!), d];
  }
  const power = a.sub(a.mul(a.add(a.mul(ty, d), erfcSeries[0]!), 0.5), dd);
  const erfc = a.mul(t, a.exp(a.sub(power, a.mul(z, z))));
  return a.mul(a.sign(x), a.sub(1, erfc));
}

function row(doc: string, of: FunctionRow['of']): FunctionRow {
  return { doc, of };
}

/** α·(eˣ − 1). */
function belowZero<V>(a: Algebra<V>, x: V, alpha: number): V {
  return a.mul(a.sub(a.exp(a.min(x, 0)), 1), alpha);
}

function softplus<V>(a: Algebra<V>, x: V): V {
  return a.add(a.max(x, 0), a.log(a.add(a.exp(a.mul(a.abs(x), -1)), 1)));
}

/** Functions by name, each once: as a program, on numbers, and in the reference. */
export const functions = {
  hardswish: row('x·max(0, min(1, x/6 + 1/2))', (a, x) => a.mul(x, a.max(a.min(a.add(a.mul(x, 1 / 6), 0.5), 1), 0))),
  hardsigmoid: row('max(0, min(1, alpha·x + beta)), alpha 0.2, beta 0.5', (a, x, { alpha = 0.2, beta = 0.5 }) =>
    a.max(a.min(a.add(a.mul(x, alpha), beta), 1), 0),
  ),
  swish: row('x·sigmoid(alpha·x), alpha 1', (a, x, { alpha = 1 }) =>
    a.mul(x, a.sigmoid(alpha === 1 ? x : a.mul(x, alpha))),
  ),
  tanh: row('tanh x', (a, x) => a.tanh(x)),
  erf: row('erf x', (a, x) => erf(a, x)),
  gelu: row('x·(1 + erf(x/√2))/2', (a, x) => a.mul(a.mul(x, 0.5), a.add(erf(a, a.mul(x, Math.SQRT1_2)), 1))),
  gelu_tanh: row('x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2', (a, x) => {
    const cubed = a.mul(a.mul(a.mul(x, x), x), 0.044715);
    return a.mul(a.mul(x, 0.5), a.add(a.tanh(a.mul(a.add(x, cubed), Math.sqrt(2 / Math.PI))), 1));
  }),
  leaky_relu: row('x for x > 0, else alpha·x, alpha 0.01', (a, x, { alpha = 0.01 }) =>
    a.positive(x, x, a.mul(x, alpha)),
  ),
  elu: row('x for x > 0, else alpha·(eˣ − 1), alpha 1', (a, x, { alpha = 1 }) =>
    a.positive(x, x, belowZero(a, x, alpha)),
  ),
  selu: row(
    'beta·x for x > 0, else beta·alpha·(eˣ − 1), alpha 1.6733, beta 1.0507',
    (a, x, { alpha = 1.6732631921768188, beta = 1.0507010221481323 }) =>
      a.positive(x, a.mul(x, beta), a.mul(belowZero(a, x, alpha), beta)),
  ),
  celu: row('x for x > 0, else alpha·(e^(x/alpha) − 1), alpha 1', (a, x, { alpha = 1 }) =>
    a.positive(x, x, belowZero(a, a.mul(x, 1 / alpha), alpha)),
  ),
  thresholded_relu: row('x for x > alpha, else 0, alpha 1', (a, x, { alpha = 1 }) =>
    a.positive(a.sub(x, alpha), x, a.mul(x, 0)),
  ),
  softplus: row('ln(1 + eˣ)', (a, x) => softplus(a, x)),
  softsign: row('x/(1 + |x|)', (a, x) => a.div(x, a.add(a.abs(x), 1))),
  mish: row('x·tanh(ln(1 + eˣ))', (a, x) => a.mul(x, a.tanh(softplus(a, x)))),
  exp: row('eˣ', (a, x) => a.exp(x)),
  log: row('ln x', (a, x) => a.log(x)),
  sqrt: row('√x', (a, x) => a.sqrt(x)),
  reciprocal: row('1/x', (a, x) => a.div(1, x)),
  abs: row('|x|', (a, x) => a.abs(x)),
  sign: row('−1, 0 or 1', (a, x) => a.sign(x)),
  floor: row('the largest integer ≤ x', (a, x) => a.floor(x)),
  ceil: row('the smallest integer ≥ x', (a, x) => a.mul(a.floor(a.mul(x, -1)), -1)),
  round: row('the nearest integer, halves to even', (a, x) => a.round(x)),
  pow: row('x to the power alpha, alpha 2', (a, x, { alpha = 2 }) => (alpha === 2 ? a.mul(x, x) : a.pow(x, alpha))),
} as const satisfies Record<string, FunctionRow>;

export type FunctionName = keyof typeof functions;

export const functionNames = Object.keys(functions) as readonly FunctionName[];

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(functions, name);
}
