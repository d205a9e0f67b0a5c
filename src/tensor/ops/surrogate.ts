import type { OpBuilder, Value } from '../op-builder.js';
import { ShapeError } from '../dims.js';
import type { SurrogateAttrs } from '../types.js';

/** The attributes of an op that may carry a surrogate. */
export const surrogateAttrs = [
  'surrogate',
  'surrogate_width',
  'surrogate_slope',
  'surrogate_alpha',
  'surrogate_beta',
  'surrogate_leak',
  'surrogate_lo',
  'surrogate_hi',
] as const satisfies readonly (keyof SurrogateAttrs)[];

/** The names that arguments of surrogates have. */
export type SurrogateArgument = 'width' | 'slope' | 'alpha' | 'beta' | 'leak' | 'lo' | 'hi';

/** What each of them is. */
export const surrogateArgumentDocs: Readonly<Record<SurrogateArgument, string>> = {
  width: 'how wide the derivative is around a jump, in units of v',
  slope: 'how steep it is at the jump: the larger, the narrower',
  alpha: 'how high, or how steep, it is at the jump',
  beta: 'how fast it falls beside the jump',
  leak: 'what is left of it away from the jump',
  lo: 'below this v it is 0',
  hi: 'above this v it is 0',
};

type Arguments = Readonly<Record<SurrogateArgument, number>>;

/** Everything that is known of a surrogate: the derivative that stands in for that of a unit step at v = 0. */
export interface SurrogateRow {
  /** At most two, in their order, with what they are where nothing is said: −∞ and ∞ say that there is no bound. */
  readonly args: Readonly<Partial<Record<SurrogateArgument, number>>>;
  /** The derivative as documentation says it. */
  readonly doc: string;
  /** What other libraries call it: SpikingJelly (SJ), snnTorch (snn). */
  readonly elsewhere?: string;
  readonly gradient: (b: OpBuilder, v: Value, args: Arguments) => Value;
  /** The v beyond which it is 0, where it is. */
  readonly support?: (args: Arguments) => readonly [lo: number, hi: number];
}

const number = (b: OpBuilder, v: Value, x: number): Value => b.scalar(v.dtype, x);

/** 1/(1 + k·|v|)². */
function reciprocalSquare(b: OpBuilder, v: Value, k: number): Value {
  const root = b.add(b.mul(b.abs(v), k), number(b, v, 1));
  return b.div(number(b, v, 1), b.mul(root, root));
}

/** k·σ(k·v)·(1 − σ(k·v)). */
function logistic(b: OpBuilder, v: Value, k: number): Value {
  const s = b.sigmoid(b.mul(v, k));
  return b.mul(b.mul(s, b.sub(number(b, v, 1), s)), k);
}

/** factor·e^(−k·x). */
function decaying(b: OpBuilder, x: Value, k: number, factor: number): Value {
  return b.mul(b.exp(b.mul(x, -k)), factor);
}

const rows = {
  rectangle: {
    args: { width: 1 },
    doc: '1/width where |v| < width/2',
    elsewhere: 'SJ `Rect` (α = 1/width)',
    gradient: (b, v, { width }) => b.select(b.lt(b.abs(v), width / 2), b.scalar(v.dtype, 1 / width), number(b, v, 0)),
    support: ({ width }) => [-width / 2, width / 2],
  },
  triangle: {
    args: { width: 1 },
    doc: 'max(0, 1 − |v|/width)/width',
    elsewhere: 'SJ `PiecewiseQuadratic` (α = 1/width)',
    gradient: (b, v, { width }) => b.max(b.sub(1 / width, b.mul(b.abs(v), 1 / (width * width))), number(b, v, 0)),
    support: ({ width }) => [-width, width],
  },
  sigmoid: {
    args: { slope: 4 },
    doc: 'slope·σ(slope·v)·(1 − σ(slope·v))',
    elsewhere: 'SJ, snn `sigmoid`',
    gradient: (b, v, { slope }) => logistic(b, v, slope),
  },
  atan: {
    args: { alpha: 2 },
    doc: '(alpha/2)/(1 + (π/2·alpha·v)²)',
    elsewhere: 'SJ `ATan`, snn `atan`',
    gradient: (b, v, { alpha }) => {
      const scaled = b.mul(v, (Math.PI / 2) * alpha);
      return b.div(number(b, v, alpha / 2), b.add(b.mul(scaled, scaled), number(b, v, 1)));
    },
  },
  fast_sigmoid: {
    args: { slope: 25 },
    doc: '1/(1 + slope·|v|)²',
    elsewhere: 'snn `fast_sigmoid`',
    gradient: (b, v, { slope }) => reciprocalSquare(b, v, slope),
  },
  sparse_fast_sigmoid: {
    args: { slope: 25, lo: 1 },
    doc: '1/(1 + slope·|v|)² where v > lo, else 0',
    elsewhere: 'snn `SFS` (B is `lo`)',
    gradient: (b, v, { slope, lo }) => b.select(b.gt(v, lo), reciprocalSquare(b, v, slope), number(b, v, 0)),
    support: ({ lo }) => [lo, Infinity],
  },
  super_spike: {
    args: { alpha: 1 },
    doc: 'alpha/(1 + |v|)²',
    elsewhere: 'SJ `SuperSpike`',
    gradient: (b, v, { alpha }) => b.mul(reciprocalSquare(b, v, 1), alpha),
  },
  soft_sign: {
    args: { alpha: 2 },
    doc: '(alpha/2)/(1 + alpha·|v|)²',
    elsewhere: 'SJ `SoftSign`',
    gradient: (b, v, { alpha }) => b.mul(reciprocalSquare(b, v, alpha), alpha / 2),
  },
  erf: {
    args: { alpha: 2 },
    doc: 'alpha/√π·e^(−alpha²·v²)',
    elsewhere: 'SJ `Erf`',
    gradient: (b, v, { alpha }) => decaying(b, b.mul(v, v), alpha * alpha, alpha / Math.sqrt(Math.PI)),
  },
  piecewise_quadratic: {
    args: { alpha: 1 },
    doc: 'max(0, alpha − alpha²·|v|)',
    elsewhere: 'SJ `PiecewiseQuadratic`',
    gradient: (b, v, { alpha }) => b.max(b.sub(alpha, b.mul(b.abs(v), alpha * alpha)), number(b, v, 0)),
    support: ({ alpha }) => [-1 / alpha, 1 / alpha],
  },
  piecewise_exp: {
    args: { alpha: 1 },
    doc: 'alpha/2·e^(−alpha·|v|)',
    elsewhere: 'SJ `PiecewiseExp`',
    gradient: (b, v, { alpha }) => decaying(b, b.abs(v), alpha, alpha / 2),
  },
  leaky: {
    args: { width: 1, leak: 0.01 },
    doc: '1/(2·width) where |v| ≤ width, else leak',
    elsewhere: 'SJ `PiecewiseLeakyReLU` (w, c)',
    gradient: (b, v, { width, leak }) =>
      b.select(b.le(b.abs(v), width), number(b, v, 1 / (2 * width)), number(b, v, leak)),
  },
  leaky_k_relu: {
    args: { slope: 1, leak: 0 },
    doc: 'slope where v ≥ 0, else leak',
    elsewhere: 'SJ `LeakyKReLU` (k is `slope`), snn `LSO`',
    gradient: (b, v, { slope, leak }) => b.select(b.ge(v, 0), number(b, v, slope), number(b, v, leak)),
  },
  log_tailed_relu: {
    args: { leak: 0 },
    doc: 'leak where v ≤ 0, 1 up to 1, then 1/v',
    elsewhere: 'SJ `LogTailedReLU` (α is `leak`)',
    gradient: (b, v, { leak }) => {
      const above = b.div(number(b, v, 1), b.max(v, number(b, v, 1)));
      return b.select(b.gt(v, 0), above, number(b, v, leak));
    },
  },
  nonzero_sign_log_abs: {
    args: { alpha: 1 },
    doc: 'alpha/(1 + alpha·|v|)',
    elsewhere: 'SJ `NonzeroSignLogAbs`',
    gradient: (b, v, { alpha }) => b.div(number(b, v, alpha), b.add(b.mul(b.abs(v), alpha), number(b, v, 1))),
  },
  q_pseudo_spike: {
    args: { alpha: 2 },
    doc: '1/(1 + 2·|v|/(alpha − 1))^alpha, alpha > 1',
    elsewhere: 'SJ `QPseudoSpike`',
    gradient: (b, v, { alpha }) => {
      const base = b.add(b.mul(b.abs(v), 2 / (alpha - 1)), number(b, v, 1));
      return b.pow(base, number(b, v, -alpha));
    },
  },
  s2nn: {
    args: { alpha: 4, beta: 1 },
    doc: 'alpha·σ(alpha·v)·(1 − σ(alpha·v)) where v < 0, else beta/(1 + v)',
    elsewhere: 'SJ `S2NN`',
    gradient: (b, v, { alpha, beta }) => {
      const above = b.div(number(b, v, beta), b.add(b.max(v, number(b, v, 0)), number(b, v, 1)));
      return b.select(b.lt(v, 0), logistic(b, v, alpha), above);
    },
  },
  spike_rate_escape: {
    args: { beta: 1, slope: 25 },
    doc: 'slope·e^(−beta·|v − 1|)',
    elsewhere: 'snn `spike_rate_escape`',
    gradient: (b, v, { beta, slope }) => decaying(b, b.abs(b.sub(v, number(b, v, 1))), beta, slope),
  },
  ste: {
    args: { lo: -Infinity, hi: Infinity },
    doc: '1 where what is rounded lies in [lo, hi], else 0; without bounds, 1',
    elsewhere: 'SJ `MultiLevelSpikeCount`, snn `straight_through_estimator`',
    gradient: (b, v, { lo, hi }) => {
      const above = lo === -Infinity ? undefined : b.ge(v, lo);
      const below = hi === Infinity ? undefined : b.le(v, hi);
      if (above === undefined && below === undefined) return number(b, v, 1);
      const inside = above === undefined ? below! : below === undefined ? above : b.and(above, below);
      return b.cast(inside, v.dtype);
    },
    support: ({ lo, hi }) => [lo, hi],
  },
} as const satisfies Readonly<Record<string, SurrogateRow>>;

/** Surrogates, one row each: the language, both backends of PyTorch code and the documentation read them here. */
export const surrogateTable: Readonly<Record<string, SurrogateRow>> = rows;

/** The names a `surrogate` attribute may have. */
export const surrogates = Object.keys(rows);

/** What is wrong with arguments of a surrogate: those that divide or scale are above 0, and bounds in their order. */
export function surrogateProblem(
  surrogate: string,
  args: Readonly<Partial<Record<string, number>>>,
): { readonly argument: string; readonly expected: string } | undefined {
  const least = surrogate === 'q_pseudo_spike' ? 1 : 0;
  for (const argument of ['width', 'slope', 'alpha', 'beta']) {
    const value = args[argument];
    if (value !== undefined && !(value > least && value < Infinity))
      return { argument, expected: `a number greater than ${least}` };
  }
  const { lo, hi } = args;
  return lo !== undefined && hi !== undefined && lo > hi
    ? { argument: 'hi', expected: `a number of at least \`lo\`, ${lo}` }
    : undefined;
}

/** A surrogate's arguments, in their order, from the attributes of an op. */
export function surrogateArguments(attrs: SurrogateAttrs): Arguments {
  const { args } = rowOf(attrs);
  const given = Object.entries(args).map(([name, otherwise]) => [
    name,
    attrs[`surrogate_${name as SurrogateArgument}`] ?? otherwise,
  ]);
  return Object.fromEntries(given) as Arguments;
}

/** The derivative that stands in for that of a unit step at v = 0; fails for a name that isn't one of {@link surrogates}. */
export function surrogateGradient(b: OpBuilder, v: Value, attrs: SurrogateAttrs): Value {
  return rowOf(attrs).gradient(b, v, surrogateArguments(attrs));
}

function rowOf({ surrogate = '' }: SurrogateAttrs): SurrogateRow {
  const row = Object.hasOwn(rows, surrogate) ? surrogateTable[surrogate] : undefined;
  if (row === undefined) throw new ShapeError(`surrogate "${surrogate}" is not one of ${surrogates.join(', ')}`);
  return row;
}
