import { InvariantError } from '../base/invariant.js';
import { growsWithBatch, segmented } from './segments.js';
import type { Program, TensorOp } from './types.js';

/**
 * A training step that keeps the values of its forward pass only between segments of it, and computes the others again when
 * the backward pass is there ("gradient checkpointing", Chen et al. 2016): the same numbers, in less memory and more time. What
 * is computed again waits for the gradients that come before it (`TensorOp.after`). Values that don't grow with the batch stay.
 *
 * `loss` names the output that the forward pass ends with; the gradients lead to the outputs `next.…`. The program is not
 * to be simplified afterwards by what doesn't know `after`.
 */
export function recomputing(program: Program, loss: string): Program {
  const end = program.outputs[loss];
  if (end === undefined) throw new TypeError(`recomputing: there is no output "${loss}"`);
  const forward = ancestors(program, [end]);
  const next = Object.entries(program.outputs).flatMap(([name, id]) => (name.startsWith('next.') ? [id] : []));
  const backward = ancestors(program, next);
  for (const id of forward) backward.delete(id);
  // running statistics are made in the forward pass, from what is there
  for (const { id } of program.ops.slice(
    0,
    program.ops.findIndex((op) => op.id === end),
  ))
    backward.delete(id);
  const ops = program.ops.filter(({ id }) => forward.has(id));
  const { segments, kept } = segmented(ops);
  const segmentOf = new Map<string, number>();
  segments.forEach(({ start, end: last }, k) => {
    // what the last segment computes is needed at once
    if (k === segments.length - 1) return;
    for (const op of ops.slice(start, last)) if (growsWithBatch(op) && !kept.has(op.id)) segmentOf.set(op.id, k);
  });
  return { ...program, ops: withCopies(program, backward, segmentOf) };
}

/** The program's ops with copies of those that are forgotten, in front of the backward pass's first op that reads one. */
function withCopies(
  program: Program,
  backward: ReadonlySet<string>,
  segmentOf: ReadonlyMap<string, number>,
): readonly TensorOp[] {
  const made: TensorOp[] = [];
  const makers = new Map(program.ops.map((op) => [op.id, op]));
  const known = new Set(makers.keys());
  const copies = new Map<string, string>();
  const waits = new Map<number, string | undefined>();
  let arrived: string | undefined;
  const copyName = (id: string): string => {
    let name = `${id}.again`;
    while (known.has(name)) name += '.again';
    known.add(name);
    return name;
  };
  /** The copy of a value, made with what it needs of its segment; a value that stays is itself. */
  const copied = (root: string): string => {
    const pending = [root];
    while (pending.length > 0) {
      const id = pending.at(-1)!;
      const segment = segmentOf.get(id);
      if (segment === undefined || copies.has(id)) {
        pending.pop();
        continue;
      }
      const op = makers.get(id)!;
      const missing = op.inputs.filter((one) => segmentOf.has(one) && !copies.has(one));
      if (missing.some((one) => segmentOf.get(one) !== segment)) {
        throw new InvariantError(`recomputing: "${id}" reads what another segment has forgotten`);
      }
      if (missing.length > 0) {
        pending.push(...missing);
        continue;
      }
      const after = waits.get(segment);
      const copy: TensorOp = { ...op, id: copyName(id), inputs: op.inputs.map((one) => copies.get(one) ?? one) };
      made.push(after === undefined ? copy : { ...copy, after });
      copies.set(id, copy.id);
      pending.pop();
    }
    return copies.get(root) ?? root;
  };
  for (const op of program.ops) {
    if (!backward.has(op.id)) {
      made.push(op);
      continue;
    }
    for (const id of op.inputs) {
      const segment = segmentOf.get(id);
      if (segment !== undefined && !waits.has(segment)) waits.set(segment, arrived);
    }
    made.push({ ...op, inputs: op.inputs.map(copied) });
    if (growsWithBatch(op)) arrived = op.id;
  }
  return made;
}

/** The ops that these values are computed from, themselves included. */
function ancestors(program: Program, ids: readonly string[]): Set<string> {
  const found = new Set<string>(ids);
  for (const op of program.ops.toReversed()) if (found.has(op.id)) for (const id of op.inputs) found.add(id);
  return found;
}
