import { elementCount } from '../../base/dtype.js';
import {
  type Assignment,
  Environment,
  type EvaluationScope,
  type NeuronDef,
  type Operand,
  Pending,
  evaluateExpr,
  phaseTable,
  runAssignments,
  surrogateOf,
  thresholdOf,
} from '../../equations/index.js';
import { InvariantError, present } from '../../base/invariant.js';
import type { Op } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import { type Lowering, folded } from './context.js';
import { LearnedParameters } from './learned.js';
import { StepTrain, type Timed } from './trains.js';

/** A layer of neurons unrolled: its spikes, and the states after the last step. */
export interface Unrolled {
  readonly train: StepTrain;
  readonly states: Environment;
  /** The first state after each step's charge, silent steps included; only where it was asked for. */
  readonly membranes: readonly Value[];
  /** What it is compared with at these steps, where the equations say so (`thresholdOf`). */
  readonly thresholds: readonly Value[];
}

export interface UnrollOptions {
  /** Also give the membranes: what `fire` sees at every step. */
  readonly membranes?: boolean;
}

/**
 * Unrolls a layer of neurons over its local steps t = 1…T, T = input steps + silent steps, by its
 * equations. What is known at compile time (parameters, t) leaves no op behind; input currents of
 * steps before the first decision are asked for as one weighted sum.
 */
export function lowerNeurons(lowering: Lowering, op: Op, input: Timed, options: UnrollOptions = {}): Unrolled {
  const { builder } = lowering;
  builder.at(op.id);
  const def = present(lowering.network.neurons.get(String(op.attrs['neuron'])), `lower: ${op.id} names no neuron`);
  const silent = Number(op.attrs['silent'] ?? 0);
  const env = initialEnvironment(lowering, op, def);
  const currents = new Currents(lowering, op, input);
  const plain: EvaluationScope = {
    builder,
    env,
    force: (pending) => currents.force(pending),
    staircases: new Map(),
    differentiable: lowering.options.trainable === true,
  };
  // the surrogate stands in for the jumps of `fire`; comparisons elsewhere have no gradient
  const firing: EvaluationScope = { ...plain, ...surrogateOf(def, plain) };
  for (const state of def.states) env.set(state.name, evaluateExpr(state.initial, plain));
  const steps = input.steps + silent;
  env.set('T', steps);
  const kept = new Set([...def.states.map(({ name }) => name), 's']);
  const isKept = (name: string): boolean => kept.has(name);
  const spikes: Value[] = [];
  const membranes: Value[] = [];
  const thresholds: Value[] = [];
  const threshold = options.membranes === true ? thresholdOf(def) : undefined;
  for (let t = 1; t <= steps; t++) {
    env.set('t', t);
    env.set('x', t <= input.steps ? new Pending(new Map([[t, 1]])) : 0);
    for (const { name, assignments } of def.phases) {
      const fires = phaseTable[name].fires === true;
      if (fires && options.membranes === true) membranes.push(membraneOf(lowering, op, def, plain));
      if (fires && threshold !== undefined) {
        thresholds.push(probed(lowering, op, evaluateExpr(threshold, plain), plain));
      }
      // currents of steps before the first decision are one weighted sum
      const merging = silent > 0 && t <= silent + 1;
      runAssignments(assignments, fires ? firing : { ...plain, merging }, isKept);
      if (fires && t > silent) for (const state of def.states) materialise(state.name, env, currents);
      if (fires && t > silent) spikes.push(levelOf(lowering, op, env));
      if (fires && def.detachReset === true) detachOutputs(assignments, def, plain);
    }
  }
  for (const { name } of def.states) materialise(name, env, currents);
  const ratio = Number(op.attrs['beta'] ?? 1);
  return { train: new StepTrain(builder, op.id, ratio, spikes), states: env, membranes, thresholds };
}

/** A state as a tensor: once something was decided, its currents are summed step by step. */
function materialise(name: string, env: Environment, currents: Currents): void {
  const value = env.get(name);
  if (value instanceof Pending) env.set(name, currents.force(value));
}

/** The first state as it is now, f32. */
function membraneOf(lowering: Lowering, op: Op, def: NeuronDef, scope: EvaluationScope): Value {
  const state = present(def.states[0], `lower: ${op.id} has no state`).name;
  return probed(lowering, op, present(scope.env.get(state), `lower: ${op.id}: ${state} has no value`), scope);
}

/** A value of the equations for each neuron, f32. */
function probed({ builder }: Lowering, op: Op, value: Operand, { force }: EvaluationScope): Value {
  const now = value instanceof Pending ? force(value) : value;
  builder.at(op.id);
  const one = typeof now === 'object' ? builder.cast(now, 'f32') : builder.scalar('f32', Number(now));
  return builder.broadcast(one, folded(1, op.type.shape));
}

function initialEnvironment(lowering: Lowering, op: Op, def: NeuronDef): Environment {
  const { precision } = lowering.options;
  const env = new Environment([['$dtype', precision === 'f32' ? 32 : 64]]);
  const raw = (name: string): Value | number | undefined =>
    lowering.perChannel(op, name, precision, op.type.shape.length);
  const learned = new LearnedParameters(lowering.builder, op, def, elementCount(op.type.shape), (name) => {
    const value = raw(name);
    return typeof value === 'number' ? undefined : value;
  });
  for (const param of def.params) {
    const own = raw(param.name);
    const value =
      (typeof own === 'object' ? learned.value(param.name, own) : own) ?? op.attrs[param.name] ?? param.default;
    if (typeof value === 'string' || value === undefined || Array.isArray(value)) {
      throw new InvariantError(`lower: ${op.id} (${def.name}): parameter ${param.name} has no value`);
    }
    env.set(param.name, value as number | boolean | Value);
  }
  return env;
}

/** The reset sees what `fire` decided without its gradient. */
function detachOutputs(fired: readonly Assignment[], def: NeuronDef, { builder, env }: EvaluationScope): void {
  const states = new Set(def.states.map(({ name }) => name));
  for (const { target } of fired) {
    if (states.has(target)) continue;
    env.defer(target, (now) => {
      const value = now.get(target)!;
      return typeof value === 'object' && 'id' in value ? builder.detach(value) : value;
    });
  }
}

/** The step's output in integer levels, f32: s divided by the amplitude where equations give real values. */
function levelOf(lowering: Lowering, op: Op, env: Environment): Value {
  const { builder } = lowering;
  const s = env.get('s');
  if (s === undefined || s instanceof Pending) throw new InvariantError(`lower: ${op.id} fires its raw input`);
  if (typeof s === 'number' || typeof s === 'boolean') {
    return builder.broadcast(builder.scalar('f32', Number(s)), folded(1, op.type.shape));
  }
  return builder.cast(s, 'f32');
}

/** Input currents, asked for as late as possible: one sum over the steps before the first decision. */
class Currents {
  /** Number of leading steps merged into the first current; fixed by the first request. */
  #merged = 0;
  #ratio = 1;
  #values: readonly Value[] = [];

  constructor(
    readonly lowering: Lowering,
    readonly op: Op,
    readonly input: Timed,
  ) {}

  force({ coefficients }: Pending): Value {
    if (this.#merged === 0) this.#fetch(coefficients);
    const { builder } = this.lowering;
    const rest = new Map(coefficients);
    let sum: Value | undefined;
    const plus = (value: Value, factor: number): void => {
      builder.at(this.op.id);
      const term = factor === 1 ? value : builder.mul(value, factor);
      sum = sum === undefined ? term : builder.add(sum, term);
    };
    const last = rest.get(this.#merged);
    if (last !== undefined) {
      plus(this.#values[0]!, last);
      for (let k = 1; k <= this.#merged; k++) rest.delete(k);
    }
    for (const [k, factor] of rest) {
      if (k <= this.#merged) throw new InvariantError(`lower: ${this.op.id} reads step ${k} after it was merged`);
      plus(this.#values[k - this.#merged]!, factor);
    }
    return present(sum, `lower: ${this.op.id}: an empty current`);
  }

  /** The first request: its coefficients are a geometric series where the steps can merge. */
  #fetch(coefficients: ReadonlyMap<number, number>): void {
    const last = Math.max(...coefficients.keys());
    const top = coefficients.get(last)!;
    const ratio = last > 1 ? (coefficients.get(last - 1) ?? 0) / top : 1;
    for (let k = 1; k <= last; k++) {
      const expected = top * ratio ** (last - k);
      if (Math.abs((coefficients.get(k) ?? 0) - expected) > 1e-12 * Math.abs(expected)) return this.#fetchAll();
    }
    this.#merged = last;
    this.#ratio = ratio;
    this.#values = this.input.take(last, this.#ratio);
  }

  #fetchAll(): void {
    throw new InvariantError(`lower: ${this.op.id} sums its input with weights that are no geometric series`);
  }
}
