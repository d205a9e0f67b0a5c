import type { Op } from '../network/index.js';
import type { Alignment } from './align.js';
import type { Field } from './fields.js';

/** Finds inputs that changed, and whether they had to because ops were added or removed between. */
export class RewiredInputs {
  constructor(
    readonly from: ReadonlyMap<string, Op>,
    readonly to: ReadonlyMap<string, Op>,
    readonly alignment: Alignment,
  ) {}

  /** Nothing where every input corresponds. */
  inputsOf(from: Op, to: Op): { readonly field: Field; readonly follows: boolean } | undefined {
    const { toOf, fromOf } = this.alignment;
    const same = from.inputs.length === to.inputs.length && from.inputs.every((id, i) => toOf.get(id) === to.inputs[i]);
    if (same) return undefined;
    const field = { field: 'inputs', from: from.inputs, to: to.inputs };
    if (from.inputs.length === to.inputs.length) {
      const follows = from.inputs.every((id, i) => toOf.get(id) === to.inputs[i] || this.isAround(id, to.inputs[i]!));
      return { field, follows };
    }
    // a join that lost a removed input or gained an added one
    const kept = from.inputs.flatMap((id) => toOf.get(id) ?? []);
    const old = to.inputs.filter((id) => fromOf.has(id));
    return { field, follows: kept.join('\0') === old.join('\0') };
  }

  /** Whether both lead to one op that stayed, over removed ops on the one side and added ones on the other. */
  isAround(from: string, to: string): boolean {
    const { toOf, fromOf } = this.alignment;
    if (toOf.has(from) && fromOf.has(to)) return false;
    const before = new Set([...nearest(from, this.from, toOf)].map((id) => toOf.get(id)));
    const after = nearest(to, this.to, fromOf);
    return before.size === 0 ? after.size === 0 : [...after].some((id) => before.has(id));
  }
}

/** The first ops upward from `id`, itself included, that have a counterpart. */
function nearest(
  id: string,
  ops: ReadonlyMap<string, Op>,
  counterparts: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const pending = [id];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    if (counterparts.has(at)) found.add(at);
    else pending.push(...ops.get(at)!.inputs);
  }
  return found;
}
