import { InvariantError } from '../base/invariant.js';
import { inferType } from './infer-type.js';
import type { Op, Param, ValueType } from './types.js';

/** More than any chain of kinds of values needs: real → psp → spike. */
const mostRounds = 8;

/** Ops of a network with cycles, with the types that follow from each other: those that close a cycle have their source's. */
export function settledTypes(ops: readonly Op[], params: ReadonlyMap<string, Param>): readonly Op[] {
  const types = new Map<string, ValueType>(ops.map((op) => [op.id, op.type]));
  for (let round = 0; round < mostRounds; round++) {
    let changed = false;
    for (const op of ops) {
      const inputs = op.inputs.map((id) => {
        const type = types.get(id);
        if (type === undefined) throw new InvariantError(`settled types: ${op.id} reads unknown ${id}`);
        return type;
      });
      const type = inferType(op, inputs, params);
      if (typeof type === 'string') throw new InvariantError(`settled types: ${op.id} (${op.kind}): ${type}`);
      changed ||= JSON.stringify(type) !== JSON.stringify(types.get(op.id));
      types.set(op.id, type);
    }
    if (!changed) return ops.map((op) => ({ ...op, type: types.get(op.id)! }));
  }
  throw new InvariantError('settled types: the types of a cycle follow from themselves in no way');
}
