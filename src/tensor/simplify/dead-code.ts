import type { Program, TensorOp } from '../types.js';

/** The program without ops that no output depends on; inputs and params stay. */
export function withoutDeadCode(program: Program): Program {
  const live = new Set(Object.values(program.outputs));
  const ops: TensorOp[] = [];
  for (let i = program.ops.length - 1; i >= 0; i--) {
    const op = program.ops[i]!;
    if (!live.has(op.id)) continue;
    for (const id of op.inputs) live.add(id);
    ops.push(op);
  }
  return { ...program, ops: ops.reverse() };
}
