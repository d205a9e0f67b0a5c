import type { EmitCall } from './function-row.js';
import { type Operand, isKnown, quantity, truth } from './operand.js';
import { asCondition, asNumbers, precisionOf } from './scope.js';

/** where(condition, yes, no): a condition that is known leaves no op behind, and no trace of the other side. */
export function emitWhere({ expr, scope, evaluate }: EmitCall): Operand {
  const [test, yes, no] = expr.args;
  const condition = evaluate(test!);
  if (isKnown(condition)) return evaluate(truth(condition) ? yes! : no!);
  const [a, b] = [evaluate(yes!), evaluate(no!)];
  if (isKnown(a) && isKnown(b) && quantity(a) === quantity(b)) return quantity(a);
  const when = asCondition(condition, scope);
  if (!isKnown(a) || !isKnown(b)) return scope.builder.select(when, asNumbers(a, scope), asNumbers(b, scope));
  const dtype = precisionOf(scope);
  return scope.builder.select(when, scope.builder.scalar(dtype, quantity(a)), quantity(b));
}
