import type { Op, Rewriter } from '../../../network/index.js';

/** The sum of some values, under the id of the op that they stand for; one alone has it already. */
export function addedUp(op: Op, made: readonly string[], to: Rewriter): string {
  return made.reduce((sum, part, n) => {
    const id = n === made.length - 1 ? op.id : `${op.id}.sum${n}`;
    return to.builder.add({ id, kind: 'add', inputs: [sum, part], place: op.place });
  });
}
