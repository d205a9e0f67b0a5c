/** How strongly an expression binds: atoms and calls, signs, products, sums, comparisons. */
export const binding = { atom: 0, sign: 1, product: 2, sum: 3, comparison: 4 } as const;

/**
 * What a tensor of truth values is in Python: `hard`, a bool tensor; `soft`, floats 0 and 1, which carry the gradient of a
 * surrogate. Numbers are `number`.
 */
export type Form = 'number' | 'hard' | 'soft';

/** A Python expression for a value of a program. */
export interface Expression {
  readonly code: string;
  readonly binds: number;
  readonly form: Form;
  /** Of a value that is the same number everywhere: that number, written as a literal. */
  readonly number?: number;
}

export function atom(code: string, form: Form = 'number'): Expression {
  return { code, binds: binding.atom, form };
}

/** The code, in parentheses where it binds less than `most`. */
export function within({ code, binds }: Expression, most: number): string {
  return binds > most ? `(${code})` : code;
}

export function infix(
  a: Expression,
  operator: string,
  b: Expression,
  binds: number,
  form: Form = 'number',
): Expression {
  // the right side of - and / needs parentheses at the same level; so does that of + and *, for floats don't associate
  return { code: `${within(a, binds)} ${operator} ${within(b, binds - 1)}`, binds, form };
}
