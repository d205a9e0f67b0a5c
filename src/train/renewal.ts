import { type Tensor, tensor } from '../base/dtype.js';
import { initialStep } from '../base/quantiser.js';
import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import { type BitPenalty, lowerForObservation } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { type QuantisedTensor, meanBits, quantisedTensors } from './bits.js';
import { type Running, openRunnable } from './open.js';
import { type Range, bestRange, stepOf } from './grid-search.js';
import type { BitTraining } from './settings.js';

/**
 * Share of the range just found in the running range, as the momentum of batch norm is counted. (The other reading, 0.9
 * for the old range, would leave a layer of one bit with the threshold of its range at three.)
 */
const momentum = 0.9;
/** Renewal ends for a target behind the step at which its mean bits have come this near to it, in parts of the way. */
const nearEnough = 0.24;

/** What an observer of one quantised tensor remembers. */
interface Observer {
  readonly bits: number;
  /** The running range, once it was renewed. */
  readonly range?: Range;
}

/** Everything that renewal remembers between steps; part of a checkpoint. */
export interface RenewalState {
  readonly observers: Readonly<Record<string, Observer>>;
  /** By penalty, in their order: |B̄ − target| at the start, and whether renewal has ended. */
  readonly targets: readonly TargetState[];
}

interface TargetState {
  readonly distance: number;
  readonly ended: boolean;
}

/** A step size that was renewed. */
export interface RenewalEvent {
  /** Optimiser step, from 1, in front of which it happened. */
  readonly step: number;
  readonly layer: string;
  readonly kind: 'weights' | 'spikes';
  readonly bits: { readonly from: number; readonly to: number };
  readonly step_size: { readonly from: number; readonly to: number };
}

type States = Map<string, Tensor>;

/** What is wrong with a value that a checkpoint has for this network's renewal; nothing where it is what {@link StepSizes} remembers. */
export function renewalProblem(
  value: unknown,
  network: Network,
  { penalties = [] }: Partial<BitTraining> = {},
): string | undefined {
  if (value === undefined) return undefined;
  const { observers, targets } = (value ?? {}) as Partial<Record<keyof RenewalState, unknown>>;
  if (!isObject(observers) || !Array.isArray(targets)) return 'it lacks observers or targets';
  const lost = quantisedTensors(network).find(({ step }) => !isObserver(observers[step]));
  if (lost !== undefined) return `"${lost.step}" has no observer`;
  const sound = targets.every((one) => isObject(one) && isNumber(one['distance']) && typeof one['ended'] === 'boolean');
  return sound && targets.length === penalties.length ? undefined : 'its targets are not those of the config';
}

function isObserver(value: unknown): boolean {
  if (!isObject(value) || !isNumber(value['bits'])) return false;
  const { range } = value;
  return range === undefined || (isObject(range) && isNumber(range['lo']) && isNumber(range['hi']));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): boolean {
  return Number.isFinite(value);
}

/**
 * Step sizes that follow the data: their start (2·mean|x|/√hi of the first batch) and their renewal (ABA Alg. 1-2,
 * eq. 24-25). An observer per quantised tensor holds the bits it saw last. When they have changed, the range that
 * quantises the present batch best is searched, the running range updated, and the step size set to range/(2^B − 1)
 * before the step is run: the same forward pass computes with it. Layers are renewed in order, each on what the renewed
 * layers before it give. What is quantised in a neuron is its membrane at the first step, its input current.
 */
export class StepSizes {
  readonly #network: Network;
  readonly #tensors: readonly QuantisedTensor[];
  readonly #observed: Running | undefined;
  readonly #bits: BitTraining | undefined;
  #state: RenewalState;

  private constructor(
    network: Network,
    observed: Running | undefined,
    bits: BitTraining | undefined,
    from: RenewalState | undefined,
  ) {
    this.#network = network;
    this.#tensors = quantisedTensors(network);
    this.#observed = observed;
    this.#bits = bits;
    this.#state = from ?? { observers: {}, targets: [] };
  }

  /** Undefined for a network without step sizes. */
  static async open(
    network: Network,
    engine: Engine,
    stateIds: readonly string[],
    bits: BitTraining | undefined,
    from: RenewalState | undefined,
  ): Promise<StepSizes | undefined> {
    const tensors = quantisedTensors(network);
    if (tensors.length === 0) return undefined;
    const spikes = tensors.some(({ kind }) => kind === 'spikes');
    if (!spikes) return new StepSizes(network, undefined, bits, from);
    const observed = await openRunnable(lowerForObservation(network), engine, { fed: stateIds });
    return new StepSizes(network, observed, bits, from);
  }

  get state(): RenewalState {
    return this.#state;
  }

  /** Step sizes of neurons from the first batch; those of weights have theirs from the weights. */
  async start(states: States, feeds: Readonly<Record<string, Tensor>>): Promise<void> {
    for (const { kind, op, step, bits, signed } of this.#tensors) {
      if (kind !== 'spikes') continue;
      const current = await this.#current(op.id, states, feeds);
      setScalar(states, step, initialStep(current.data, bits(states), signed));
    }
    const observers = this.#tensors.map(({ step, bits }) => [step, { bits: bits(states) }] as const);
    const targets = (this.#bits?.penalties ?? []).map((one) => ({
      distance: Math.abs(meanBits(this.#network, one, states) - one.target),
      ended: false,
    }));
    this.#state = { observers: Object.fromEntries(observers), targets };
  }

  /**
   * Renews what has to be before a step. `states` has bits and step sizes, and gets the new step sizes; `all` gives every
   * state of the moment.
   */
  async renew(
    states: States,
    all: () => Promise<States>,
    feeds: Readonly<Record<string, Tensor>>,
    step: number,
  ): Promise<readonly RenewalEvent[]> {
    const { renewal = 'none', penalties = [] } = this.#bits ?? {};
    if (renewal === 'none') return [];
    const events: RenewalEvent[] = [];
    const observers = { ...this.#state.observers };
    const { targets } = this.#state;
    for (const quantised of this.#tensors) {
      const bits = quantised.bits(states);
      const last = present(observers[quantised.step], `renewal: no observer of ${quantised.step}`);
      if (bits === last.bits) continue;
      observers[quantised.step] = { ...last, bits };
      const group = penalties.findIndex(({ kind, ops }) => kind === quantised.kind && ops.includes(quantised.op.id));
      const on = (renewal === 'all' || renewal === quantised.kind) && targets[group]?.ended === false;
      const found = on ? await this.#search(quantised, bits, await all(), feeds) : undefined;
      if (found === undefined) continue;
      const range = last.range === undefined ? found : blend(last.range, found);
      observers[quantised.step] = { bits, range };
      const from = scalarOf(states, quantised.step);
      setScalar(states, quantised.step, stepOf(range, bits));
      events.push({
        step,
        layer: quantised.op.id,
        kind: quantised.kind,
        bits: { from: last.bits, to: bits },
        step_size: { from, to: scalarOf(states, quantised.step) },
      });
    }
    this.#state = { observers, targets: penalties.map((one, i) => this.#lookedAt(one, states, targets[i]!)) };
    return events;
  }

  /**
   * Whether renewal of a target ends behind this step: the change of bits that brought the mean near to its target is renewed
   * still (ABA Alg. A.1). Judged before, a change of all layers at once would end renewal unrenewed.
   */
  #lookedAt(penalty: BitPenalty, states: States, { distance, ended }: TargetState): TargetState {
    const away = Math.abs(meanBits(this.#network, penalty, states) - penalty.target);
    return { distance, ended: ended || away < nearEnough * distance };
  }

  async close(): Promise<void> {
    await this.#observed?.dispose();
  }

  async #search(
    { kind, op, values, signed }: QuantisedTensor,
    bits: number,
    states: States,
    feeds: Readonly<Record<string, Tensor>>,
  ): Promise<Range | undefined> {
    const data = kind === 'weights' ? values(states) : await this.#current(op.id, states, feeds);
    return bestRange(data.data, bits, signed);
  }

  async #current(op: string, states: States, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor> {
    const all = { ...feeds, ...Object.fromEntries(states) };
    const { inputs, step, outputs } = present(this.#observed, 'renewal: nothing is observed');
    const used = Object.entries(all).filter(([id]) => inputs.has(id));
    const results = await step(Object.fromEntries(used));
    return present(results[outputs.probes.current.get(op) ?? ''], `renewal: no current of ${op}`);
  }
}

function blend(old: Range, found: Range): Range {
  const mix = (a: number, b: number): number => (1 - momentum) * a + momentum * b;
  return { lo: mix(old.lo, found.lo), hi: mix(old.hi, found.hi) };
}

function scalarOf(states: States, id: string): number {
  return present(states.get(id), `renewal: no state ${id}`).data[0]!;
}

function setScalar(states: States, id: string, value: number): void {
  const { dtype, shape } = present(states.get(id), `renewal: no state ${id}`);
  states.set(id, tensor(dtype, shape, [value]));
}
