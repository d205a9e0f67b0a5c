import { functionNamed } from './functions.js';
import { wholeIfNear } from './ranges.js';
import { type Expr, applyBinary } from './types.js';

/** What an expression is where its names have these values; undefined where it needs what isn't known. */
export function valueOf(expr: Expr, values: ReadonlyMap<string, number>): number | undefined {
  switch (expr.kind) {
    case 'number':
      return expr.value;
    case 'name':
      return values.get(expr.name);
    case 'unary': {
      const x = valueOf(expr.operand, values);
      return x === undefined ? undefined : expr.op === '-' ? -x : Number(x === 0);
    }
    case 'binary': {
      const [a, b] = [valueOf(expr.left, values), valueOf(expr.right, values)];
      if (a === undefined || b === undefined) return undefined;
      if (expr.op === 'and') return Number(a !== 0 && b !== 0);
      if (expr.op === 'or') return Number(a !== 0 || b !== 0);
      return Number(applyBinary(expr.op, a, b));
    }
    case 'call': {
      const args = expr.args.map((arg) => valueOf(arg, values));
      if (expr.callee === 'where') return args[0] === undefined ? undefined : args[0] !== 0 ? args[1] : args[2];
      if (expr.callee === 'levels') return valueOfLevels(expr, args[0], values);
      const fold = functionNamed(expr.callee)?.fold;
      return fold !== undefined && args.every((arg) => arg !== undefined) ? fold(...args) : undefined;
    }
  }
}

/** step·clip(⌊v/step⌋, min, max) */
function valueOfLevels(
  { named }: Extract<Expr, { kind: 'call' }>,
  v: number | undefined,
  values: ReadonlyMap<string, number>,
): number | undefined {
  const given = (name: string, usual: number): number | undefined => {
    const written = named[name];
    return written === undefined ? usual : valueOf(written, values);
  };
  const [min, max, step] = [given('min', 0), given('max', 1), given('step', 1)];
  if (v === undefined || min === undefined || max === undefined || step === undefined) return undefined;
  const [lo, hi] = [wholeIfNear(min), wholeIfNear(max)];
  return step * Math.min(hi, Math.max(lo, Math.floor(v / step)));
}
