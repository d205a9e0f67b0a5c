import { elementCount, tensor } from '../../../base/dtype.js';
import { present } from '../../../base/invariant.js';
import type { ReadOutKind } from '../../../base/read-outs.js';
import { stepParameter } from '../../../equations/index.js';
import { type Op, type TimeKind, firesOf, isTimed, traitsOf, unaryTrains } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { countedTrain, squeezed } from '../bits.js';
import { type Lowering, folded } from '../context.js';
import { stepsOf } from '../runnable.js';
import { stepSizes } from '../step-sizes.js';
import type { Carried, Carrier } from './carrier.js';
import { weighedSpikes } from './counts.js';
import { FoldedValues } from './folded.js';
import type { CodingNumbers, Conversion } from './conversion.js';
import { sumsOfCodes } from './code-sums.js';
import { Coming } from './coming.js';
import { asCodes, atOnce, currentOf, lagged, maxOfCounts, mixedSteps, overTime } from './means-time.js';
import { gather, onesOf, planes, weighed, withConstant } from './planes.js';
import { readOutTable } from './read-outs.js';
import { lowerLoop } from './recurrent.js';
import { Neurons } from './traced.js';

/** What distinguishes the codings whose trains carry means. */
export interface MeansCoding {
  readonly coding: string;
  readonly doc: string;
  /** The images have a time axis of their own. */
  readonly frames?: boolean;
  /** The input over time: [TN, …shape], or [N, …shape] where it is the same at every step. */
  readonly encode: (lowering: Lowering, op: Op<'encode'>, x: Value) => Value;
  /** The read-out of [TN, values]: [N, values]; their mean where missing. */
  readonly readOut?: (lowering: Lowering, x: Value) => Value;
  /**
   * What the spikes [TN, …shape] of a layer are worth to those that read them, [TN, …shape] in units of the mean, or with
   * `whole` their mean [N, …shape]; where missing, themselves.
   */
  readonly worth?: (lowering: Lowering, op: Op, spikes: Value) => Value;
  /** Max pooling: what the maximum fires, and what that is worth if it says more; the running maximum of counts where missing. */
  readonly maximum?: (lowering: Lowering, op: Op<'maxprefix'>, from: Fired) => Partial<Fired> & Pick<Fired, 'train'>;
  /** Of layers that read whole trains: what they fire, from what they read, [N, …shape], where no step has to be run to know what that is worth. */
  readonly atOnce?: (lowering: Lowering, op: Op<'neuron' | 'encode'>, x: Value) => Known | undefined;
  /** What drives a layer's neurons where that isn't its input [TN, …shape] alone, and is known silent steps later. */
  readonly driven?: (lowering: Lowering, op: Op<'neuron'>, input: Value) => Value;
  /**
   * What is still to come of spikes, 0 or 1 at each step [TN, …], from what they are worth and the current of the neurons (none
   * of an input): thresholds are higher by the sizes of the weights that read it.
   */
  readonly coming?: (lowering: Lowering, op: Op, worth: Value, current?: Value) => Value;
  /** Layers read whole trains before they fire: nothing is known of an output before it is complete. */
  readonly whole?: boolean;
  /** What whole trains are worth in training, [N, …shape], with the gradient of their spikes' times; that of surrogates where missing. */
  readonly byTime?: (lowering: Lowering, op: Op<'neuron'>, mean: Value, worth: Value) => Value;
  /** The bits of integer spikes are sent: how many levels they can say. */
  readonly sentLevels?: (args: CodingNumbers) => number;
  /** Why networks of layers, which are trained, can't have it. */
  readonly untrainable?: string;
  /** How activations become layers of its neurons; missing where the neuron is chosen. */
  readonly conversion?: Conversion;
}

/** What a train is worth and how many spikes it has, [N, …shape]. */
export interface Known {
  readonly worth: Value;
  readonly count: Value;
}

/** What a layer fires, made where it is asked for, and what that is worth. */
export interface Fired {
  readonly train: () => Value;
  readonly worth: Value;
  readonly count?: Value;
}

/**
 * A carrier of trains whose steps count alike. Every value is over time ([TN, …shape], time slowest), or constant in
 * time ([N, …shape]): what follows from a constant input before the first neuron is computed once.
 */
export function means(coding: MeansCoding): Carrier {
  return {
    coding: coding.coding,
    doc: coding.doc,
    trains: 'means',
    precision: 'f32',
    ...(coding.frames === true ? { frames: true } : {}),
    ...(coding.whole === true ? { whole: true } : {}),
    ...(coding.sentLevels === undefined ? {} : { sentLevels: coding.sentLevels }),
    ...(coding.untrainable === undefined ? {} : { untrainable: coding.untrainable }),
    ...(coding.conversion === undefined ? {} : { conversion: coding.conversion }),
    begin: (lowering) => new MeansNetwork(lowering, coding),
  };
}

/** `direct`: the input is a constant current. */
export const direct = means({
  coding: 'direct',
  doc: 'means over the steps; the input is the same at every step',
  encode: (_, __, x) => x,
});

/** `events`: frames as they are, one a step; the program's input is [TN, …shape]. */
export const events = means({
  coding: 'events',
  doc: 'means over the steps; the input is one frame a step',
  frames: true,
  encode: (_, __, x) => x,
});

/** Whether its spikes are counted: it fires some, that no encoder gave and that aren't counted before they are split. */
function isCounted(op: Op): boolean {
  const { role } = traitsOf(op);
  return firesOf(op) !== 'none' && role !== 'encoder' && role !== 'planes';
}

/** Makes a value where it is first asked for. */
function once(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}

export class MeansNetwork extends FoldedValues implements Carried {
  readonly #neurons: Neurons;
  readonly #readOuts = new Map<string, Value>();
  /** What layers fire, where that isn't what it is worth. */
  readonly #spikes = new Map<string, Omit<Fired, 'worth'>>();
  readonly #isUnary: (id: string) => boolean;
  readonly #coming: Coming | undefined;

  constructor(
    lowering: Lowering,
    readonly coding: MeansCoding,
  ) {
    super(lowering, 'f32');
    this.#neurons = new Neurons(lowering);
    this.#isUnary = unaryTrains(lowering.network);
    if (coding.coming !== undefined) this.#coming = new Coming(lowering);
  }

  lower(op: Op): void {
    const { builder } = this.lowering;
    // read out where it is read: the first steps alone may be asked for, and losses see every step
    if (op.kind === 'decode') return;
    const inputs = op.inputs.map((id) => this.real(id));
    builder.at(op.id);
    this.set(op.id, isTimed(op) ? this.#overTime(op, inputs) : this.act(op, inputs));
    this.#follow(op);
  }

  /** What is still to come of an op's value. */
  #follow(op: Op): void {
    const { coding, lowering } = this;
    const to = this.#coming;
    if (to === undefined || coding.coming === undefined) return;
    lowering.builder.at(op.id);
    if (op.kind === 'neuron') to.set(op.id, coding.coming(lowering, op, this.of(op.id), this.of(op.inputs[0]!)));
    else if (op.kind === 'maxprefix') to.followMaximum(op, this.of(op.id));
    else if (op.kind === 'encode') {
      if (op.type.code.kind === 'spike') to.set(op.id, coding.coming(lowering, op, this.of(op.id)));
    } else to.follow(op);
  }

  loop(ops: readonly Op[]): void {
    const { values, traces } = lowerLoop(this, ops);
    for (const [id, value] of values) this.set(id, value);
    for (const [id, trace] of traces) this.#neurons.record(id, trace);
  }

  /** Ops whose steps aren't alike. */
  #overTime(op: Exclude<Op<TimeKind>, Op<'decode'>>, inputs: readonly Value[]): Value {
    const { lowering } = this;
    if (op.kind === 'input') {
      const steps = this.coding.frames === true ? lowering.steps : 1;
      return lowering.builder.input(op.id, 'f32', folded(steps, op.type.shape));
    }
    const x = present(inputs[0], `lower: ${op.id} reads nothing`);
    switch (op.kind) {
      case 'encode': {
        const train = (): Value => this.coding.encode(lowering, op, x);
        if (op.type.code.kind !== 'spike') return train();
        return this.#atOnce(op, x, train) ?? this.#worthOf(op, train());
      }
      case 'neuron':
        return this.#fired(op, x, inputs.slice(1));
      case 'maxprefix': {
        if (this.coding.worth === undefined) return maxOfCounts(lowering, op, x);
        const from = present(this.#spikes.get(op.inputs[0]!), `lower: ${op.id} reads no spikes`);
        const made = this.coding.maximum?.(lowering, op, { ...from, worth: x });
        if (made?.worth === undefined)
          return this.#worthOf(op, (made ?? { train: () => maxOfCounts(lowering, op, from.train()) }).train());
        this.#spikes.set(op.id, { ...made, train: once(made.train) });
        return made.worth;
      }
      case 'planes':
        return planes(lowering, op, x);
      case 'gather':
        return gather(lowering, op, x);
      case 'squeeze':
        return squeezed(lowering, op, x, stepsOf(x));
      case 'recode':
      case 'product':
      case 'matrix_product':
      case 'group_neuron':
      case 'digit_neuron':
        throw new TypeError(`lower: ${op.kind} %${op.id} has no form in this coding`);
      case 'lag':
        return lagged(lowering, op, x);
      case 'mix_steps':
        return mixedSteps(lowering, op, x);
      case 'delay':
        // every layer runs in its local time: a delay line moves nothing here
        return x;
    }
  }

  #fired(op: Op<'neuron'>, x: Value, more: readonly Value[]): Value {
    const { builder } = this.lowering;
    const own = this.coding.driven !== undefined || (this.coding.whole === true && stepsOf(x) === 1);
    if (own && more.length > 0)
      throw new TypeError(`lower: %${op.id} has several currents, which this coding has no form for`);
    if (this.coding.driven !== undefined) return this.#worthOf(op, this.#firedDriven(op, x, this.coding.driven));
    if (this.coding.whole === true && stepsOf(x) === 1) {
      const train = (): Value => this.#firedWhole(op, x);
      const isTraced = this.lowering.options.traced?.has(op.id) === true;
      const worth = (isTraced ? undefined : this.#atOnce(op, x, train)) ?? this.#worthOf(op, train());
      const trained = this.lowering.options.trainable === true;
      return trained ? (this.coding.byTime?.(this.lowering, op, x, worth) ?? worth) : worth;
    }
    const current = this.#coming?.held(op, x) ?? x;
    const { spikes } = this.#neurons.lower(
      op,
      currentOf(this.lowering, op, current),
      more.map((one) => currentOf(this.lowering, op, one)),
    );
    return this.#worthOf(op, asCodes(builder, op, builder.at(op.id).as('train').concat(spikes, 0)));
  }

  /** What neurons fire that were silent while it was found out what drives them, in the time from then on. */
  #firedDriven(op: Op<'neuron'>, x: Value, driven: NonNullable<MeansCoding['driven']>): Value {
    const { lowering } = this;
    const own: Op<'neuron'> = { ...op, attrs: { ...op.attrs, silent: 0 } };
    const { spikes } = this.#neurons.lower(own, currentOf(lowering, own, driven(lowering, own, x)));
    return lowering.builder.at(op.id).as('train').concat(spikes, 0);
  }

  /** What neurons fire that have read their whole input, in the time from then on. */
  #firedWhole(op: Op<'neuron'>, mean: Value): Value {
    const { lowering } = this;
    const { spikes } = this.#neurons.lower({ ...op, attrs: { ...op.attrs, silent: 0 } }, atOnce(lowering, op, mean));
    return lowering.builder.at(op.id).as('train').concat(spikes, 0);
  }

  #worthOf(op: Op, spikes: Value): Value {
    const { worth } = this.coding;
    if (worth === undefined) return spikes;
    this.#spikes.set(op.id, { train: () => spikes });
    this.lowering.builder.at(op.id);
    return worth(this.lowering, op, spikes);
  }

  /** What a train is worth of which no step is run before it is asked for. */
  #atOnce(op: Op<'neuron' | 'encode'>, x: Value, train: () => Value): Value | undefined {
    this.lowering.builder.at(op.id);
    const known = this.coding.atOnce?.(this.lowering, op, x);
    if (known === undefined) return undefined;
    this.#spikes.set(op.id, { count: known.count, train: once(train) });
    return known.worth;
  }

  /** A value at all its steps, or behind a read-out. */
  real(id: string): Value {
    const op = this.op(id);
    if (op.kind !== 'decode') return this.of(id);
    const known = this.#readOuts.get(id);
    if (known !== undefined) return known;
    const made = this.lowering.builder.reshape(this.output(id), folded(1, op.type.shape));
    this.#readOuts.set(id, made);
    return made;
  }

  output(id: string, early?: number): Value {
    const logits = this.logits(id, early);
    if (stepsOf(logits) === 1) return logits;
    const { lowering } = this;
    const first = early === undefined ? logits : lowering.builder.sliceAxis(logits, 0, 0, early);
    if (this.coding.readOut !== undefined) return this.coding.readOut(lowering, first);
    return readOutTable[this.readOutOf(id)](lowering.builder, first);
  }

  readOutOf(id: string): ReadOutKind {
    const op = this.op(id);
    return op.kind === 'decode' ? (op.attrs.readout ?? 'mean') : 'mean';
  }

  logits(id: string, early?: number): Value {
    const op = this.op(id);
    const value =
      op.kind === 'decode' ? this.#readBy(op) : early === undefined ? this.of(id) : this.#earlier(op, early);
    this.lowering.builder.at(id);
    return this.flat(value);
  }

  /** What a read-out sees at every step. */
  #readBy(op: Op<'decode'>): Value {
    const [from] = op.inputs as [string];
    if (op.attrs.readout !== 'membrane') return this.of(from);
    return present(this.#neurons.trace(this.op(from)), `lower: ${from} gives no membranes`).membranes;
  }

  /** What a value behind read-outs is where these see the first steps only. */
  #earlier(op: Op, steps: number): Value {
    if (op.type.time !== undefined || op.inputs.length === 0) return this.of(op.id);
    if (op.kind === 'decode') return this.lowering.builder.reshape(this.output(op.id, steps), folded(1, op.type.shape));
    const inputs = op.inputs.map((id) => this.#earlier(this.op(id), steps));
    return this.act(op, inputs);
  }

  train(op: Op): Value {
    return this.#spikes.get(op.id)?.train() ?? this.real(op.id);
  }

  current(op: Op): Value {
    return this.real(op.inputs[0]!);
  }

  /** Spikes of each sample over all steps. */
  counts(op: Op, fanOut: ArrayLike<number>, ones: boolean): Value | undefined {
    const { lowering } = this;
    const { builder, network } = lowering;
    const { code, shape } = op.type;
    const fired = this.#spikes.get(op.id);
    if ((!isCounted(op) && fired === undefined) || stepSizes(network, op.id) === undefined) return undefined;
    if (fired?.count !== undefined) {
      const count = builder.at(op.id).reshape(fired.count, folded(1, [elementCount(shape)]));
      return weighedSpikes(builder, count, fanOut, 'counts');
    }
    const train = fired?.train() ?? this.of(op.id);
    const steps = stepsOf(train);
    builder.at(op.id);
    const role = op.kind === 'neuron' ? stepParameter(network.neurons.get(op.attrs.neuron)) : undefined;
    const learned = role === undefined ? undefined : lowering.perChannel(op, role, 'f32', shape.length);
    const amplitude = learned ?? (code.kind === 'spike' ? code.step : channelSteps(lowering, op));
    const counted = countedTrain(lowering, op, train, steps);
    const binary = ones && code.kind === 'spike' && !this.#isUnary(op.id);
    const spikesOf = (values: Value): Value => {
      const levels = builder.abs(amplitude === 1 ? values : builder.div(values, amplitude));
      return binary ? onesOf(lowering, levels, code) : levels;
    };
    if (builder.makerOf(counted.id)?.kind === 'concat') {
      // steps that are computed side by side are added where they are made
      const each = Array.from({ length: steps }, (_, t) => spikesOf(builder.step(counted, t)));
      const sum = each.reduce((total, one) => builder.add(total, one));
      return weighedSpikes(builder, builder.reshape(sum, folded(1, [elementCount(shape)])), fanOut, 'counts');
    }
    const flat = builder.reshape(spikesOf(counted), folded(steps, [elementCount(shape)]));
    const perStep = weighedSpikes(builder, flat, fanOut);
    return builder.as('counts').sum(builder.reshape(perStep, [steps, { batch: 1 }, 2]), [0]);
  }

  codes(): undefined {
    return undefined;
  }

  trace(op: Op) {
    return this.#neurons.trace(op);
  }

  /** Values constant in time are repeated where another isn't. */
  protected override aligned(inputs: readonly Value[]): readonly Value[] {
    const same = inputs.every((value) => stepsOf(value) === stepsOf(inputs[0]!));
    return same ? inputs : inputs.map((value) => overTime(this.lowering, value));
  }

  protected override ofCodes(op: Op, inputs: readonly Value[]): Value | undefined {
    // what spikes are worth isn't what their type says of them
    const plain = this.coding.worth === undefined && this.coding.atOnce === undefined;
    return plain ? sumsOfCodes(this.lowering, op, this.op(op.inputs[0]!), inputs) : undefined;
  }

  protected override weighed(op: Op, y: Value): Value {
    return weighed(this.lowering, op, y);
  }

  protected override plus(op: Op, y: Value, constant: Value | number): Value {
    return withConstant(this.lowering, op, y, constant);
  }
}

/** Step sizes of a maximum over joined or summed trains, [1, C, 1, 1]. */
function channelSteps({ builder, network }: Lowering, op: Op): Value {
  const steps = present(stepSizes(network, op.id), `lower: ${op.id} has no step sizes`);
  return builder.as('step_sizes').constant(tensor('f32', [1, steps.length, 1, 1], Float32Array.from(steps)));
}
