import { present } from '../../../base/invariant.js';
import type { Environment } from '../../../equations/index.js';
import {
  type Acting,
  type Op,
  type OpLowering,
  type TimeKind,
  isTimed,
  loweringOf,
  numberAttr,
  opsById,
  traitsOf,
} from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import { MappedTrain, type Timed, type Train, WholeTrain } from '../trains.js';
import type { Carried, Carrier } from './carrier.js';
import { weighedSpikes } from './counts.js';
import { encodedTrain } from './encode.js';
import { exactPieces } from './exact-sums.js';
import { FoldedValues } from './folded.js';
import { type Potential, joinedTrain, maxTrain, potential } from './stepwise-trains.js';
import { Neurons } from './traced.js';
import { digitTrain, groupTrain, matrixProductTrain, productTrain, recodedTrain } from './whole-input.js';
import { image } from './real.js';

/**
 * Stepwise weighted spikes: step k of Tc counts β^(Tc−k). Spikes are whole numbers (f32), and a synapse sees the steps
 * before a layer's first decision as one weighted sum; membranes are f64.
 */
export const stepwise: Carrier = {
  coding: 'sws',
  doc: 'stepwise weighted spikes: a train is a number digit by digit, most significant first',
  trains: 'weighted',
  precision: 'f64',
  begin: (lowering) => new StepwiseNetwork(lowering),
};

type Synapse = Extract<OpLowering, { role: 'synapse' }>;

/** The ops of a network over trains, lowered one by one. */
export class StepwiseNetwork implements Carried {
  readonly #trains = new Map<string, Train>();
  readonly #potentials = new Map<string, Potential>();
  readonly #states = new Map<string, Environment>();
  readonly #neurons: Neurons;
  /** Values in front of the encoder and behind the read-out: what a user feeds and reads, f32. */
  readonly #real: FoldedValues;
  readonly #byId: ReadonlyMap<string, Op>;

  constructor(readonly lowering: Lowering) {
    this.#real = new FoldedValues(lowering, 'f32');
    this.#neurons = new Neurons(lowering);
    this.#byId = opsById(lowering.network);
  }

  /** For the ops that act on spikes: whole numbers in f32, weights as they stand. */
  #at(op: Op): Acting {
    const { lowering } = this;
    const builder = lowering.builder.at(op.id);
    return {
      lowering,
      builder: op.params['weight'] === undefined ? builder : builder.as('acc'),
      dtype: 'f32',
      weight: (one) => lowering.weight(one),
    };
  }

  lower(op: Op): void {
    if (isTimed(op)) this.#timed(op);
    else if (op.type.time === undefined) this.#real.set(op.id, this.#real.act(op));
    else this.#overTime(op);
  }

  /** What the coding says the meaning of; true where it has one. */
  #timed(op: Op<TimeKind>): true {
    const { lowering } = this;
    switch (op.kind) {
      case 'input':
        this.#real.set(op.id, image(lowering, op, 'f32'));
        return true;
      case 'encode':
        this.#trains.set(op.id, encodedTrain(lowering, op, this.#real.of(op.inputs[0]!)));
        return true;
      case 'neuron': {
        const { train, states } = this.#neurons.lower(op, this.#timedOf(op.inputs[0]!));
        this.#trains.set(op.id, train);
        this.#states.set(op.id, states);
        return true;
      }
      case 'recode':
        this.#trains.set(op.id, recodedTrain(lowering, op, this.#timedOf(op.inputs[0]!)));
        return true;
      case 'digit_neuron':
        this.#trains.set(op.id, digitTrain(lowering, op, this.#timedOf(op.inputs[0]!)));
        return true;
      case 'product': {
        const inputs = op.inputs.map((id) => this.#timedOf(id));
        this.#trains.set(op.id, productTrain(lowering, op, inputs));
        return true;
      }
      case 'matrix_product': {
        const inputs = op.inputs.map((id) => this.#timedOf(id));
        this.#trains.set(op.id, matrixProductTrain(lowering, op, inputs));
        return true;
      }
      case 'group_neuron':
        this.#trains.set(op.id, groupTrain(lowering, op, this.#timedOf(op.inputs[0]!)));
        return true;
      case 'decode':
        this.#real.set(op.id, this.#readOut(op));
        return true;
      case 'delay': {
        // everything runs in the local time of its layer: a delay line moves nothing here
        const [from] = op.inputs as [string];
        const train = this.#trains.get(from);
        if (train !== undefined) this.#trains.set(op.id, train);
        else this.#potentials.set(op.id, this.#timedOf(from));
        return true;
      }
      case 'maxprefix':
        this.#trains.set(op.id, maxTrain(lowering, op, this.#trainOf(op.inputs[0]!)));
        return true;
      case 'lag':
      case 'mix_steps':
      case 'planes':
      case 'gather':
      case 'squeeze':
        throw new TypeError(`lower: ${op.kind} %${op.id} has no form in this coding`);
    }
  }

  /** Gives an encoder or a layer of neurons the train [Tc·N, …shape] in place of its own. */
  feed(op: Op, train: Value): void {
    const [steps, beta] = [numberAttr(op.attrs, 'steps'), numberAttr(op.attrs, 'beta')];
    this.#trains.set(op.id, new WholeTrain(this.lowering.builder, op.id, steps, beta, train));
  }

  /** What a train or a potential is at all steps, [Tc·N, …]. */
  every(id: string): Value {
    return this.#everyOf(id)?.() ?? this.lowering.builder.at(id).concat(this.#timedOf(id).take(1, 1), 0);
  }

  #everyOf(id: string): (() => Value) | undefined {
    const train = this.#trains.get(id);
    return train === undefined ? this.#potentials.get(id)?.every : () => train.grouped(1);
  }

  /** Read-out of a potential: Σ β^(Tc−k)·z(k). */
  #readOut(op: Op<'decode'>): Value {
    const from = this.#timedOf(op.inputs[0]!);
    const [whole] = from.take(from.steps, op.attrs.beta ?? 1);
    return this.lowering.builder.at(op.id).cast(whole!, 'f32');
  }

  #trainOf(id: string): Train {
    return present(this.#trains.get(id), `lower: %${id} is no spike train`);
  }

  /** A train or a potential. */
  #timedOf(id: string): Timed {
    return present(this.#potentials.get(id) ?? this.#trains.get(id), `lower: %${id} has no time`);
  }

  /** An op on values over time, neurons and codings apart. */
  #overTime(op: Op): void {
    const { builder } = this.lowering;
    const row = loweringOf(op);
    const [from] = op.inputs as [string];
    const train = this.#trains.get(from);
    switch (row.role) {
      case 'moves': {
        const move = (x: Value): Value => row.act(this.#at(op), op, [x]);
        if (train !== undefined) this.#trains.set(op.id, new MappedTrain(builder, op.id, train, move));
        else this.#potentials.set(op.id, mapped(this.#timedOf(from), move, this.#everyOf(from)));
        return;
      }
      case 'join':
        return this.#join(op, (inputs) => row.act(this.#at(op), op, inputs));
      case 'synapse':
        return this.#synapse(op, row, train);
      default:
        break;
    }
    throw new TypeError(`lower: ${op.kind} %${op.id} isn’t a synapse`);
  }

  #join(op: Op, act: (inputs: readonly Value[]) => Value): void {
    const { builder } = this.lowering;
    if (op.type.code.kind === 'spike') {
      const trains = op.inputs.map((id) => this.#trainOf(id));
      this.#trains.set(op.id, joinedTrain(builder, op.id, trains, act));
      return;
    }
    const parts = op.inputs.map((id) => this.#timedOf(id));
    const every = op.inputs.flatMap((id) => this.#everyOf(id) ?? []);
    const joined = potential(
      parts[0]!.steps,
      (m, ratio) => {
        const taken = parts.map((part) => part.take(m, ratio));
        return taken[0]!.map((_, i) => act(taken.map((steps) => steps[i]!)));
      },
      every.length < parts.length ? undefined : () => act(every.map((all) => all())),
    );
    this.#potentials.set(op.id, joined);
  }

  /**
   * A synapse on a train: one accumulation over all steps at once (time folded into the batch), then gain and bias. On a
   * potential the same step by step, in f32 where the primitive wants it.
   */
  #synapse(op: Op, row: Synapse, train: Train | undefined): void {
    const { builder, options } = this.lowering;
    if (row.sums !== undefined && train !== undefined && op.type.code.kind === 'spike') {
      // levels of the pooled train are sums; its type's step carries the division
      const { act } = row.sums;
      this.#trains.set(op.id, new MappedTrain(builder, op.id, train, (x) => act(this.#at(op), op, [x])));
      return;
    }
    // averages as sums of integers wherever every window divides alike
    const sums = row.sums?.dividesAlike(op) === true ? row.sums : undefined;
    const act = sums?.act ?? row.act;
    const accumulate = (x: Value): Value => (act === undefined ? x : act(this.#at(op), op, [x]));
    const source = present(this.#byId.get(op.inputs[0]!), `lower: ${op.id} reads nothing`);
    const unit = sums === undefined ? 1 : 1 / sums.size(op, source.type.shape);
    const from = train ?? this.#timedOf(op.inputs[0]!);
    const onPotential = (step: Value, m: number, ratio: number): Value[] => {
      builder.at(op.id);
      // factors alone keep a potential's precision
      const value = act === undefined ? step : accumulate(builder.cast(step, 'f32'));
      const whole = builder.cast(unit === 1 ? value : builder.mul(value, unit), options.precision);
      return this.#scaled(op, row, [() => whole], m, ratio);
    };
    const onTrain = (spikes: Train) => (): Value => {
      const sum = builder.at(op.id).cast(accumulate(spikes.grouped(1)), options.precision);
      return this.#scaled(op, row, [() => sum], 1, 1, unit)[0]!;
    };
    const every = this.#everyOf(op.inputs[0]!);
    const made = potential(
      from.steps,
      (m, ratio) => {
        if (train === undefined)
          return from.take(m, ratio).flatMap((step, i) => onPotential(step, i === 0 ? m : 1, ratio));
        const { whole, count, factors } = exactPieces(this.lowering, op, source, train, m);
        return this.#scaled(op, row, this.#steps(op, accumulate(whole), count, factors), m, ratio, unit);
      },
      train !== undefined ? onTrain(train) : every === undefined ? undefined : () => onPotential(every(), 1, 1)[0]!,
    );
    this.#potentials.set(op.id, made);
  }

  /** An accumulator step by step, made when asked for, in the precision of potentials; pieces of the first step in one. */
  #steps(op: Op, acc: Value, count: number, factors: readonly number[]): (() => Value)[] {
    const { builder, options } = this.lowering;
    const piece = (i: number) => (): Value => builder.at(op.id).cast(builder.step(acc, i), options.precision);
    const first = (): Value =>
      factors
        .map((factor, i) => (factor === 1 ? piece(i)() : builder.mul(piece(i)(), factor)))
        .reduce((sum, part) => builder.add(sum, part));
    return [first, ...Array.from({ length: count - factors.length }, (_, i) => piece(factors.length + i))];
  }

  /** gain ⊙ acc + bias for every step of an accumulator; the first stands for m merged steps. */
  #scaled(op: Op, row: Synapse, steps: readonly (() => Value)[], m: number, ratio: number, unit = 1): Value[] {
    const { lowering } = this;
    const { builder } = lowering;
    const { precision } = lowering.options;
    const part = (role: string | undefined): Value | number | undefined =>
      role === undefined ? undefined : lowering.perChannel(op, role, precision, op.type.shape.length);
    const gain = part(row.gain) ?? 1;
    const bias = part(row.plus);
    return steps.map((step, i) => {
      builder.at(op.id);
      let z = step();
      if (typeof gain === 'number') z = gain * unit === 1 ? z : builder.mul(z, gain * unit);
      else z = builder.mul(unit === 1 ? z : builder.mul(z, unit), gain);
      if (bias === undefined || bias === 0) return z;
      const times = i === 0 ? repeats(m, ratio) : 1;
      if (typeof bias === 'number') return builder.add(z, bias * times);
      return builder.add(z, times === 1 ? bias : builder.mul(bias, times));
    });
  }

  real(id: string): Value {
    return this.#real.of(id);
  }

  output(id: string): Value {
    return this.#real.of(id);
  }

  logits(id: string): Value {
    this.lowering.builder.at(id);
    return this.#real.flat(this.#real.of(id));
  }

  /** Of encoder, neurons and running maxima. */
  #fired(op: Op): Train | undefined {
    return traitsOf(op).fires === 'own' ? this.#trainOf(op.id) : undefined;
  }

  train(op: Op): Value | undefined {
    const train = this.#fired(op);
    if (train === undefined) return undefined;
    const steps = Array.from({ length: train.steps }, (_, k) => train.step(k + 1));
    return this.lowering.builder.at(op.id).as('train').concat(steps, 0);
  }

  current(): undefined {
    return undefined;
  }

  counts(op: Op, fanOut: ArrayLike<number>): Value | undefined {
    const train = this.#fired(op);
    if (train === undefined) return undefined;
    const { builder } = this.lowering;
    let count: Value | undefined;
    for (let k = 1; k <= train.steps; k++) {
      const step = train.step(k);
      builder.at(op.id);
      const fired = builder.abs(step);
      count = count === undefined ? fired : builder.add(count, fired);
    }
    const flat = builder.reshape(present(count, 'lower: a train without steps'), folded(1, [fanOut.length]));
    return weighedSpikes(builder, flat, fanOut, 'counts');
  }

  codes(op: Op): { codes: Value; membrane?: Value } | undefined {
    const train = this.#fired(op);
    if (train === undefined) return undefined;
    const codes = train.prefix(train.steps);
    const last = this.#states.get(op.id)?.get('u');
    if (last === undefined || typeof last !== 'object' || !('id' in last)) return { codes };
    return { codes, membrane: this.lowering.builder.at(op.id).as('membrane').abs(last) };
  }

  trace(op: Op) {
    return this.#neurons.trace(op);
  }
}

/** Σ_{k<m} ratio^k: how often a per-step constant counts in m merged steps. */
function repeats(m: number, ratio: number): number {
  let sum = 0;
  for (let k = 0; k < m; k++) sum += ratio ** k;
  return sum;
}

function mapped(from: Timed, map: (x: Value) => Value, every: (() => Value) | undefined): Potential {
  return potential(
    from.steps,
    (m, ratio) => from.take(m, ratio).map(map),
    every === undefined ? undefined : () => map(every()),
  );
}
