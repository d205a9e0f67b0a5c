/** A polynomial in the batch size N: coefficient of N⁰, N¹, … */
export type Poly = readonly number[];

/** An integer that the generated code computes, at least 0, with its largest value where that is known. */
interface Atom {
  readonly text: string;
  readonly max?: Poly;
}

interface Term {
  readonly atom: Atom | undefined;
  readonly factor: number;
  /** Power of N that multiplies it. */
  readonly power: number;
}

/** A sum of multiples of atoms and of powers of N: an index. */
export interface Linear {
  readonly terms: readonly Term[];
}

/** A size: `factor` · N^`power`. */
export interface Size {
  readonly factor: number;
  readonly power: number;
}

export function sizeOf(factors: readonly (number | 'N')[]): Size {
  return {
    factor: factors.reduce<number>((product, f) => (f === 'N' ? product : product * f), 1),
    power: factors.filter((f) => f === 'N').length,
  };
}

export function sizeText({ factor, power }: Size): string {
  return [String(factor), ...Array.from({ length: power }, () => 'N')].join(' * ');
}

export const zero: Linear = { terms: [] };

export function constant(value: number): Linear {
  return value === 0 ? zero : { terms: [{ atom: undefined, factor: value, power: 0 }] };
}

/** A variable that runs from 0 to `size` − 1. */
export function variable(text: string, size: Size): Linear {
  const max: number[] = Array.from({ length: size.power + 1 }, () => 0);
  max[size.power]! += size.factor;
  max[0]! -= 1;
  return { terms: [{ atom: { text, max }, factor: 1, power: 0 }] };
}

/** The number that an index always is, if there is one. */
export function numberOf({ terms }: Linear): number | undefined {
  if (terms.length === 0) return 0;
  const [only] = terms;
  return terms.length === 1 && only!.atom === undefined && only!.power === 0 ? only!.factor : undefined;
}

/** Whether an index is a sum of multiples of loops' variables, without quotients and remainders. */
export function isPlain({ terms }: Linear): boolean {
  return terms.every(({ atom }) => atom === undefined || /^i\d+$/.test(atom.text));
}

/**
 * Whether a step of the variable `outer` always moves as far as `size` steps of `inner`: then one variable may run over
 * both.
 */
export function runsOn(index: Linear, outer: string, inner: string, size: Size): boolean {
  const moves = (name: string, by: Size): string =>
    index.terms
      .filter(({ atom }) => atom?.text === name)
      .map(({ factor, power }) => `${factor * by.factor}^${power + by.power}`)
      .toSorted()
      .join(' ');
  return isPlain(index) && moves(outer, { factor: 1, power: 0 }) === moves(inner, size);
}

export function plus(...parts: readonly Linear[]): Linear {
  const found = new Map<string, Term>();
  for (const term of parts.flatMap(({ terms }) => terms)) {
    const key = `${term.atom?.text ?? ''}^${term.power}`;
    const before = found.get(key);
    found.set(key, before === undefined ? term : { ...term, factor: before.factor + term.factor });
  }
  return { terms: [...found.values()].filter(({ factor }) => factor !== 0) };
}

export function times({ terms }: Linear, { factor, power }: Size): Linear {
  if (factor === 0) return zero;
  return { terms: terms.map((term) => ({ ...term, factor: term.factor * factor, power: term.power + power })) };
}

/** The largest value, where all terms have one and none is negative. */
function largest({ terms }: Linear): Poly | undefined {
  const sum: number[] = [0, 0, 0, 0];
  for (const { atom, factor, power } of terms) {
    if (factor < 0) return undefined;
    const max = atom === undefined ? [1] : atom.max;
    if (max === undefined) return undefined;
    max.forEach((coefficient, i) => (sum[i + power] = (sum[i + power] ?? 0) + coefficient * factor));
  }
  return sum;
}

/** Whether an index is below a size for every N ≥ 1. */
function isBelow(index: Linear, { factor, power }: Size): boolean {
  const max = largest(index);
  if (max === undefined) return false;
  const room = max.map((coefficient, i) => (i === power ? factor : 0) - coefficient);
  return room.slice(1).every((coefficient) => coefficient >= 0) && room.reduce((a, b) => a + b, 0) > 0;
}

/** Quotient and rest of a division of an index, which isn't negative, by a size. */
export function divide(index: Linear, by: Size): readonly [Linear, Linear] {
  if (by.factor === 1 && by.power === 0) return [index, zero];
  const whole = (term: Term): boolean => term.power >= by.power && term.factor % by.factor === 0;
  const quotient: Linear = {
    terms: index.terms
      .filter(whole)
      .map((term) => ({ ...term, factor: term.factor / by.factor, power: term.power - by.power })),
  };
  const rest: Linear = { terms: index.terms.filter((term) => !whole(term)) };
  if (isBelow(rest, by)) return [quotient, rest];
  const [text, size] = [indexText(rest), sizeText(by)];
  const max = largest(rest);
  const fixed = by.power === 0 && max?.slice(1).every((coefficient) => coefficient === 0) ? max[0]! : undefined;
  const part: Atom = {
    text: `((${text}) / (${size}))`,
    ...(fixed === undefined ? {} : { max: [Math.floor(fixed / by.factor)] }),
  };
  const most: number[] = Array.from({ length: by.power + 1 }, () => 0);
  most[by.power]! += by.factor;
  most[0]! -= 1;
  const remainder: Atom = { text: `((${text}) % (${size}))`, max: most };
  return [
    plus(quotient, { terms: [{ atom: part, factor: 1, power: 0 }] }),
    { terms: [{ atom: remainder, factor: 1, power: 0 }] },
  ];
}

export function indexText({ terms }: Linear): string {
  if (terms.length === 0) return '0';
  return terms
    .map(({ atom, factor, power }) => {
      const parts = Array.from({ length: power }, () => 'N');
      if (atom !== undefined) parts.unshift(atom.text);
      if (factor !== 1 || parts.length === 0) parts.push(String(factor));
      return parts.join(' * ');
    })
    .join(' + ');
}
