import { present } from '../../../base/invariant.js';
import {
  type Attrs,
  type Network,
  NetworkBuilder,
  type NewOp,
  type Op,
  type Param,
  opsById,
  realParam,
  roleOf,
} from '../../../network/index.js';
import type { PassContext } from '../../pass.js';
import { trainCapacity, trainCode } from './codes.js';
import type { SwsOptions } from './options.js';

/** A spike-valued result: real = scale·(level·step + offset), level = Σ β^(Tc−k)·s_k of integers s. */
export interface Train {
  readonly id: string;
  readonly scale: number;
  readonly offset: number;
  readonly step: number;
}

/** Raised where the network can't be converted, after the diagnostic has been reported. */
export class NotConvertible extends Error {}

/** Whether an op makes a spike train of spike trains: no synapse, no neuron. */
export function keepsTrains(op: Op): boolean {
  const role = roleOf(op);
  return role === 'reshape' || role === 'average' || role === 'maximum' || role === 'concatenation';
}

/**
 * Builds the spiking network beside the quantised one. Holds what the parts of the conversion share:
 * the new network, the trains that exist, unique ids.
 */
export class SpikeEmitter {
  readonly to: NetworkBuilder;
  readonly byId: ReadonlyMap<string, Op>;
  /** Σβ^(Tc−τ): constants are injected at each of Tc steps, divided by this (SWS eq. 19). */
  readonly capacity: number;
  readonly #trains = new Map<string, Train>();
  /** Quantisers whose layers can't be carried, as was reported. */
  readonly refused = new Set<string>();

  constructor(
    public from: Network,
    readonly options: SwsOptions,
    readonly context: PassContext,
  ) {
    this.to = new NetworkBuilder(from.name);
    this.byId = opsById(from);
    this.capacity = trainCapacity(options.beta, options.steps);
    for (const note of from.notes) this.to.note(note);
  }

  op(id: string): Op {
    return present(this.byId.get(id), `to-spikes: no op ${id}`);
  }

  setTrain(id: string, train: Train): void {
    this.#trains.set(id, train);
  }

  /** Adds an op under its own id, or under the first free variation of it. */
  add(op: NewOp): string {
    let id = op.id;
    for (let n = 2; this.to.has(id); n++) id = `${op.id}.${n}`;
    return this.to.add({ ...op, id });
  }

  /** Adds a parameter for an op about to be added under `opId`. */
  param(opId: string, role: string, param: Param): string {
    let name = `${opId}.${role}`;
    for (let n = 2; this.#params.has(name); n++) name = `${opId}.${role}.${n}`;
    this.#params.add(name);
    return this.to.param(name, param);
  }
  readonly #params = new Set<string>();
  /** Potentials that add up to a value itself, by its id: all digits of one read the same. */
  readonly potentials = new Map<string, string>();

  /** Adds a rewritten weight to what the conversion reads from. */
  sourceParam(name: string, param: Param): string {
    this.from = { ...this.from, params: new Map(this.from.params).set(name, param) };
    return name;
  }

  /** A per-step constant: values are totals over a whole train. */
  perStep(opId: string, shape: readonly number[], totals: ArrayLike<number>): Record<string, string> {
    const values = Float64Array.from(totals, (total) => total / this.capacity);
    if (values.every((v) => v === 0)) return {};
    return { bias: this.param(opId, 'bias', realParam(shape, values)) };
  }

  /** Emits what belongs to an op; where that is refused, the rest of the network is looked at all the same. */
  attempt(id: string, emit: () => void): void {
    try {
      emit();
    } catch (error) {
      if (!(error instanceof NotConvertible)) throw error;
      this.refused.add(id);
    }
  }

  /** The value as a spike train, made through ops that keep trains trains; undefined where it isn't one. */
  train(id: string): Train | undefined {
    const known = this.#trains.get(id);
    if (known !== undefined) return known;
    // what was refused is said once
    if (this.refused.has(id)) throw new NotConvertible();
    const op = this.op(id);
    if (!keepsTrains(op)) return undefined;
    const inputs = op.inputs.map((input) => this.train(input));
    if (inputs.some((train) => train === undefined)) return undefined;
    const made = this.applyToTrain(op, inputs as Train[]);
    if (made !== undefined) this.#trains.set(id, made);
    return made;
  }

  /** Applies one train-keeping op to trains; undefined where the result can't be one train. */
  applyToTrain(op: Op, inputs: readonly Train[]): Train | undefined {
    const [first] = inputs as [Train];
    const ids = inputs.map((train) => train.id);
    const add = (kind: NewOp['kind'], attrs: Attrs = op.attrs): string =>
      this.add({ id: op.id, kind, inputs: ids, attrs, place: op.place, origin: op.origin });
    switch (roleOf(op)) {
      case 'reshape':
        return { ...first, id: add(op.kind) };
      case 'maximum':
        this.#checkMaxPool(op);
        return { ...first, id: add('maxprefix', { ...op.attrs, beta: this.options.beta }) };
      case 'concatenation': {
        const same = inputs.every((t) => t.scale === first.scale && t.offset === first.offset && t.step === first.step);
        return same ? { ...first, id: add(op.kind) } : undefined;
      }
      default: {
        const windows = windowSize(op, this.to.typeOf(first.id).shape);
        if (windows === undefined || (first.offset !== 0 && windows.border)) return undefined;
        return { ...first, step: first.step / windows.size, id: add(op.kind) };
      }
    }
  }

  #checkMaxPool(op: Op): void {
    const { beta } = this.options;
    if (beta === 2) return;
    const help =
      'use beta: 2 or average pooling, or a coding whose maxima are trains: rate, mbif, ibra, binary, phase, burst, ttfs, ttfs_dynamic, tsc, pattern';
    this.refuse('convert/max-pool-beta', { op: op.id, beta }, op, { help });
  }

  refuse(...args: Parameters<PassContext['report']>): never {
    this.context.report(...args);
    throw new NotConvertible();
  }

  /** A spiking layer or the encoder in the place of a quantiser. */
  trainOf(quantize: Op, id: string): Train {
    const code = quantize.type.code;
    if (code.kind !== 'quant') throw new TypeError(`${quantize.id} is not a quantiser`);
    const { scale, offset, amplitude } = trainCode(code, this.options);
    return { id, scale, offset, step: amplitude };
  }
}

/** Inputs under one window of a pool, and whether zero padding takes part; undefined where the divisor varies. */
function windowSize(op: Op, shape: readonly number[]): { size: number; border: boolean } | undefined {
  if (op.kind !== 'avgpool') return { size: shape[1]! * shape[2]!, border: false };
  const { kernel, pads, include_pad } = op.attrs;
  const border = pads.some((n) => n !== 0);
  return border && !include_pad ? undefined : { size: kernel[0] * kernel[1], border };
}
