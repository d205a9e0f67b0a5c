import type { Op } from '../../network/index.js';

/** A layer has no form of its own: the network is written by its lowered form, or refused. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';

  constructor(
    readonly op: Pick<Op, 'id' | 'kind' | 'place'>,
    readonly construct: string,
  ) {
    super(`${op.kind} ${op.id}: ${construct}`);
  }
}
