/** Why a network can't be written in integers alone: it is written in floating point instead, and this is said. */
export class NotInteger extends Error {
  constructor(
    /** The layer that it is about. */
    readonly layer: string,
    /** `its weights aren't quantised` */
    readonly why: string,
  ) {
    super(`%${layer}: ${why}`);
  }
}
