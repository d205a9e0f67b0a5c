import { InvariantError } from '../base/invariant.js';
import type { NeuronDef } from '../equations/index.js';
import { inferType } from './infer-type.js';
import { readsAhead } from './ops/index.js';
import type { Op, Param, ValueType } from './types.js';

/** More than any chain of kinds of values needs: real → psp → spike. */
const mostRounds = 8;

/** After so many, levels that still grow do so for ever: a train that is added to what it was before is a potential. */
const mostGrowth = 4;

/** Ops of a network with cycles, with the types that follow from each other: those that close a cycle have their source's. */
export function settledTypes(
  ops: readonly Op[],
  params: ReadonlyMap<string, Param>,
  neurons: ReadonlyMap<string, NeuronDef>,
): readonly Op[] {
  const types = new Map<string, ValueType>(ops.map((op) => [op.id, op.type]));
  for (let round = 0; round < mostRounds; round++) {
    let changed = false;
    for (const op of ops) {
      const inputs = op.inputs.map((id) => {
        const type = types.get(id);
        if (type === undefined) throw new InvariantError(`settled types: ${op.id} reads unknown ${id}`);
        return type;
      });
      const inferred = inferType(op, inputs, params, neurons);
      const type = round >= mostGrowth && readsAhead(op) ? levelled(inferred, types.get(op.id)!) : inferred;
      if (typeof type === 'string') throw new InvariantError(`settled types: ${op.id} (${op.kind}): ${type}`);
      changed ||= JSON.stringify(type) !== JSON.stringify(types.get(op.id));
      types.set(op.id, type);
    }
    if (!changed) return ops.map((op) => ({ ...op, type: types.get(op.id)! }));
  }
  throw new InvariantError('settled types: the types of a cycle follow from themselves in no way');
}

/** A current in the place of a train whose levels have grown once more. */
function levelled(type: ValueType | string, before: ValueType): ValueType | string {
  const grows =
    typeof type !== 'string' && type.code.kind === 'spike' && JSON.stringify(type) !== JSON.stringify(before);
  return grows ? { ...type, code: { kind: 'psp' } } : type;
}
