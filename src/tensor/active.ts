import { opDef } from './ops/index.js';
import { type TensorOp, attrsOf } from './types.js';

/** Ids of the values that depend on one of `wrt` by ops that have a gradient. */
export function activeValues(forward: readonly TensorOp[], wrt: Iterable<string>): ReadonlySet<string> {
  const active = new Set(wrt);
  for (const op of forward) {
    const { gradient } = opDef(op.kind);
    const differentiable = (typeof gradient === 'function' || gradient === 'body') && op.dtype !== 'i32';
    if (differentiable && op.inputs.some((id) => active.has(id))) active.add(op.id);
  }
  return active;
}

/** A scan's body inputs that depend on operands that do (`isActive`), at its first step or at a later one. */
export function activeInputs(op: TensorOp, isActive: (operand: string) => boolean): ReadonlySet<string> {
  const { body, states } = attrsOf(op, 'scan');
  const active = new Set(body.inputs.filter((_, i) => isActive(op.inputs[i]!)).map(({ id }) => id));
  const next = Object.values(body.outputs).slice(0, states);
  for (;;) {
    const inside = activeValues(body.ops, active);
    const before = active.size;
    next.forEach((id, i) => inside.has(id) && active.add(body.inputs[i]!.id));
    if (active.size === before) return active;
  }
}
