import { type Network, type Op, opsById } from '../../network/index.js';
import type { Program } from '../../tensor/index.js';
import { FoldedValues } from './carriers/folded.js';
import { Lowering, folded } from './context.js';

export interface PerOpProgram {
  readonly program: Program;
  /** Ops whose results the program gives out under their ids, in the network's order. */
  readonly checked: readonly string[];
  /** Ops whose values it wants fed, under {@link fedName}. */
  readonly fed: readonly string[];
}

/** Name of the program's input for the source's value of an op; no op is called so. */
export function fedName(id: string): string {
  return `source of ${id}`;
}

/**
 * Every op by itself: each reads the *source's* value of its inputs, not our own, so that a difference
 * shows at the op that makes it and nowhere else. Ops between values the source doesn't have are
 * computed along the way. With `wanted`, of all the ops that the source has values of only those.
 */
export function lowerPerOp(network: Network, wanted?: ReadonlySet<string>): PerOpProgram {
  const lowering = new Lowering(network, { precision: 'f32' });
  const { builder } = lowering;
  const values = new FoldedValues(lowering, 'f32');
  const byId = opsById(network);
  const needed = wanted === undefined ? undefined : neededFor(wanted, network, byId);
  const fed = new Set<string>();
  const checked: string[] = [];
  /** the source's value where there is one, else ours */
  const reference = (id: string): void => {
    const op = byId.get(id)!;
    if ((op.origin === undefined && op.kind !== 'input') || fed.has(id)) return;
    fed.add(id);
    values.set(id, builder.input(fedName(id), 'f32', folded(1, op.type.shape)));
  };
  for (const op of network.ops) {
    if (op.kind === 'input' || needed?.has(op.id) === false) continue;
    for (const input of op.inputs) reference(input);
    const own = values.act(op);
    values.set(op.id, own);
    if (op.origin === undefined || wanted?.has(op.id) === false) continue;
    checked.push(op.id);
    builder.output(op.id, own);
  }
  return { program: builder.build(), checked, fed: [...fed] };
}

/** The wanted ops, with those before them that the source has no values of. */
function neededFor(wanted: ReadonlySet<string>, network: Network, byId: ReadonlyMap<string, Op>): ReadonlySet<string> {
  const needed = new Set(wanted);
  for (const op of network.ops.toReversed()) {
    if (!needed.has(op.id)) continue;
    for (const id of op.inputs) if (byId.get(id)!.origin === undefined) needed.add(id);
  }
  return needed;
}
