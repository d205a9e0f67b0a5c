import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type BitKind, learnedBitsOf } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { meanBits } from './bits.js';
import type { BitTraining } from './settings.js';

/** Bits stay at a mean so near to its target at once. */
const nearEnough = 0.1;
/** A mean that came nearer by more than this lately is on its way. */
const onItsWay = 0.05;
/** Lately: in so much of the training before bits settle, and since. */
const lately = 0.1;

/** What settling remembers between steps; part of a checkpoint. By penalty, in their order. */
export type SettlingState = readonly {
  /** The least |B̄ − target| that was seen before lately, and lately. */
  readonly before?: number;
  readonly nearest?: number;
  readonly settled: boolean;
}[];

/** What is wrong with a value that a checkpoint has for settling; nothing where it is what {@link Settling} remembers. */
export function settlingProblem(value: unknown, { penalties = [] }: Partial<BitTraining> = {}): string | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length !== penalties.length) return 'its targets are not those of the config';
  const isSound = (one: unknown): boolean => {
    const { before = 0, nearest = 0, settled } = (one ?? {}) as Partial<Record<string, unknown>>;
    return typeof settled === 'boolean' && Number.isFinite(before) && Number.isFinite(nearest);
  };
  return value.every(isSound) ? undefined : 'what it remembers of a target is damaged';
}

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
 * which their mean is within 0.1 of the target, or, where it doesn't come nearer any more, as near to it as it came in the
 * tenth of the training before and since; halfway from there to the end they stay in any case. All else goes on learning.
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
    const { penalties, settle = Infinity } = this.#bits;
    const events: SettlingEvent[] = [];
    this.#state = penalties.map((penalty, i) => {
      const last = present(this.#state[i], 'settling: a penalty without a state');
      if (last.settled) return last;
      const mean = meanBits(this.#network, penalty, states);
      const distance = Math.abs(mean - penalty.target);
      if (share < settle - lately) return { ...last, before: Math.min(last.before ?? distance, distance) };
      const nearest = Math.min(last.nearest ?? distance, distance);
      const approaches = last.before !== undefined && nearest < last.before - onItsWay;
      const near = distance <= nearEnough || (distance <= nearest && !approaches);
      const settled = share >= (1 + settle) / 2 || (share >= settle && near);
      if (settled) events.push({ step, kind: penalty.kind, target: penalty.target, mean });
      return { ...last, nearest, settled };
    });
    return events;
  }
}
