import type { DType } from '../../base/dtype.js';

/** A value inside a kernel: computed once per element, however often it is read. */
export interface Expression {
  readonly id: number;
  readonly dtype: DType;
  readonly text: string;
  readonly args: readonly Expression[];
  /** Stands by itself: a number, which needs no variable. */
  readonly literal: boolean;
}

export const cTypes: Readonly<Record<DType, string>> = {
  f32: 'float',
  f64: 'double',
  i32: 'int32_t',
  i8: 'int8_t',
  u8: 'uint8_t',
  bool: 'uint8_t',
};

/** Types of variables: truth values are ints there, which compilers turn into masks. */
const variableTypes: Readonly<Record<DType, string>> = { ...cTypes, bool: 'int' };

/** A number as C says it in a dtype. */
export function literal(dtype: DType, value: number): string {
  if (dtype === 'f32' || dtype === 'f64') {
    if (Number.isNaN(value)) return dtype === 'f32' ? '__builtin_nanf("")' : '__builtin_nan("")';
    const suffix = dtype === 'f32' ? 'f' : '';
    if (!Number.isFinite(value)) return `(${value < 0 ? '-' : ''}__builtin_inf${suffix}())`;
    const digits = Object.is(value, -0) ? '-0.0' : String(value);
    return `${/[.e]/.test(digits) ? digits : `${digits}.0`}${suffix}`;
  }
  if (dtype === 'i32' && value === -2147483648) return '(-2147483647 - 1)';
  return String(value);
}

/** Whether a value is known to be a number, and no NaN. */
export function isNumber({ literal, text }: Expression): boolean {
  return literal && !text.includes('nan');
}

/** The expressions of one kernel; equal ones are one. */
export class Expressions {
  readonly #known = new Map<string, Expression>();
  readonly all: Expression[] = [];

  make(dtype: DType, template: string, args: readonly Expression[] = [], isLiteral = false): Expression {
    const key = `${dtype} ${template} ${args.map(({ id }) => id).join(' ')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = { id: this.all.length, dtype, text: template, args, literal: isLiteral };
    this.#known.set(key, made);
    this.all.push(made);
    return made;
  }

  number(dtype: DType, value: number): Expression {
    return this.make(dtype, literal(dtype, value), [], true);
  }

  /** The statements that compute `wanted` and what they need, and how to say each. */
  statements(wanted: readonly Expression[]): { readonly lines: string[]; readonly nameOf: (e: Expression) => string } {
    const needed = new Set<Expression>();
    const visit = (start: Expression): void => {
      const stack = [start];
      while (stack.length > 0) {
        const e = stack.pop()!;
        if (needed.has(e)) continue;
        needed.add(e);
        stack.push(...e.args);
      }
    };
    wanted.forEach(visit);
    const nameOf = (e: Expression): string => (e.literal ? e.text : `v${e.id}`);
    const lines = this.all
      .filter((e) => needed.has(e) && !e.literal)
      .map((e) => {
        const text = e.text.replace(/\$(\d+)/g, (_, i: string) => nameOf(e.args[Number(i)]!));
        return `const ${variableTypes[e.dtype]} v${e.id} = ${text};`;
      });
    return { lines, nameOf };
  }
}
