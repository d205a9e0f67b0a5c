import type { DType } from '../../../base/dtype.js';
import type { PrimKind } from '../../../tensor/index.js';
import { integerRange } from '../../../tensor/ops/elementwise.js';
import { doubleLiteral, floatLiteral } from '../source.js';

/** An op on each element by itself: its C expression from those of its operands. */
export type ElementExpr = (args: readonly string[], of: { readonly dtype: DType; readonly from: DType }) => string;

/** What the result of an expression is computed in. */
export function computeType(dtype: DType): string {
  return dtype === 'f32' ? 'float' : dtype === 'f64' ? 'double' : 'int32_t';
}

export function literal(x: number, dtype: DType): string {
  if (dtype === 'f32') return floatLiteral(x);
  return dtype === 'f64' ? doubleLiteral(x) : String(x);
}

const infix =
  (op: string): ElementExpr =>
  ([a, b]) =>
    `(${a} ${op} ${b})`;

const helper =
  (name: string): ElementExpr =>
  (args, { dtype }) =>
    `spk_${name}_${dtype}(${args.join(', ')})`;

/** A function of <math.h>, in double. */
const libm =
  (call: (x: string) => string): ElementExpr =>
  (args, { dtype }) =>
    `(${computeType(dtype)})${call(`(double)${args[0]!}`)}`;

export const elementwise: Partial<Readonly<Record<PrimKind, ElementExpr>>> = {
  neg: ([x]) => `(-${x})`,
  abs: helper('abs'),
  sign: ([x]) => `((${x} > 0) - (${x} < 0))`,
  floor: helper('floor'),
  round: helper('round'),
  exp: libm((x) => `exp(${x})`),
  log: libm((x) => `log(${x})`),
  sqrt: libm((x) => `sqrt(${x})`),
  tanh: libm((x) => `tanh(${x})`),
  atan: libm((x) => `atan(${x})`),
  sigmoid: libm((x) => `(1.0 / (1.0 + exp(-${x})))`),
  pow: ([a, b], { dtype }) => `(${computeType(dtype)})pow((double)${a}, (double)${b})`,
  not: ([x]) => `(!${x})`,
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  min: helper('min'),
  max: helper('max'),
  eq: infix('=='),
  ne: infix('!='),
  lt: infix('<'),
  le: infix('<='),
  gt: infix('>'),
  ge: infix('>='),
  and: infix('&&'),
  or: infix('||'),
  select: ([c, a, b]) => `(${c} ? ${a} : ${b})`,
  cast: ([x], { dtype, from }) => {
    if (dtype === from) return x!;
    if (dtype === 'bool') return `(${x} != 0)`;
    if (dtype === 'f32' || dtype === 'f64' || from === 'bool') return `((${computeType(dtype)})${x})`;
    const [lo, hi] = integerRange(dtype);
    return `spk_whole((double)${x}, ${doubleLiteral(lo)}, ${doubleLiteral(hi)})`;
  },
  detach: ([x]) => x!,
};

/** Kinds whose expression needs <math.h>. */
export const needsMath: ReadonlySet<PrimKind> = new Set(['exp', 'log', 'sqrt', 'tanh', 'atan', 'sigmoid', 'pow']);
