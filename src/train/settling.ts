import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type BitKind, learnedBitsOf } from '../lower/layers-to-tensor/index.js';
import type { Network } from '../network/index.js';
import { meanBits } from './bits.js';
import type { BitTraining } from './settings.js';

/** Bits stay at a mean so near to its target, if not as near as it came lately. */
const nearEnough = 0.1;
/** Lately: in so much of the training before bits settle, and since. */
const lately = 0.1;

/** What settling remembers between steps; part of a checkpoint. By penalty, in their order. */
export type SettlingState = readonly {
  /** The least |B̄ − target| that was seen lately. */
  readonly nearest?: number;
  readonly settled: boolean;
}[];

/** Learned numbers of one target that stay from now on. */
export interface SettlingEvent {
  /** Optimiser step, from 1, in front of which it happened. */
  readonly step: number;
  readonly kind: BitKind;
  readonly target: number;
  /** B̄, of bits or steps */
  readonly mean: number;
}

/**
 * The end of bit learning (`settle`; not in the papers). The term λ·|B̄ − target| has its least value where some layer lies
 * on the border between two numbers, and goes to and fro over it at every few steps; whatever the running statistics of batch
 * norm hold then fits neither. From a share of the training on, the numbers of a target stay as they are at the first step at
 * which their mean is within 0.1 of the target or as near to it as it came in the tenth of the training before and since; all
 * else goes on learning.
 */
export class Settling {
  readonly #network: Network;
  readonly #bits: BitTraining;
  readonly #ids: readonly (readonly string[])[];
  #state: SettlingState;

  /** `from` of a checkpoint. */
  constructor(network: Network, bits: BitTraining, from?: SettlingState) {
    this.#network = network;
    this.#bits = bits;
    this.#ids = bits.penalties.map(({ kind, ops }) =>
      learnedBitsOf(network, kind).flatMap(({ op, role }) => (ops.includes(op.id) ? [op.params[role]!] : [])),
    );
    this.#state = from ?? bits.penalties.map(() => ({ settled: false }));
  }

  get state(): SettlingState {
    return this.#state;
  }

  /** Parameters that stay as they are. */
  get staying(): ReadonlySet<string> {
    return new Set(this.#ids.filter((_, i) => this.#state[i]!.settled).flat());
  }

  /** Looks at the numbers before optimiser step `step` (from 1); `share` of the training, 0 to 1, is done. */
  look(states: ReadonlyMap<string, Tensor>, step: number, share: number): readonly SettlingEvent[] {
    const { penalties, settle = 1 } = this.#bits;
    const events: SettlingEvent[] = [];
    this.#state = penalties.map((penalty, i) => {
      const before = present(this.#state[i], 'settling: a penalty without a state');
      if (before.settled) return before;
      const mean = meanBits(this.#network, penalty, states);
      const distance = Math.abs(mean - penalty.target);
      if (share < settle - lately) return before;
      const nearest = Math.min(before.nearest ?? distance, distance);
      const settled = share >= settle && distance <= Math.max(nearEnough, nearest);
      if (settled) events.push({ step, kind: penalty.kind, target: penalty.target, mean });
      return { nearest, settled };
    });
    return events;
  }
}
