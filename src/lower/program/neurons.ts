import { elementCount } from '../../base/dtype.js';
import { InvariantError, present } from '../../base/invariant.js';
import {
  Environment,
  type EvaluationScope,
  type NeuronDef,
  Pending,
  evaluateExpr,
  stepwiseParameters,
} from '../../equations/index.js';
import { type Op, numberAttr } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import type { Lowering } from './context.js';
import { Currents } from './currents.js';
import { LearnedParameters } from './learned.js';
import { loopedNeurons } from './looped-neurons.js';
import { type FiredStep, NeuronStep, materialise } from './neuron-step.js';
import { drawnTrains, furtherCurrents } from './step-inputs.js';
import { StepTrain, type Timed, type Train, WholeTrain } from './trains.js';

/** A layer of neurons over time: its spikes, and the states after the last step. */
export interface Unrolled {
  readonly train: Train;
  /** The train in consecutive pieces: its steps, or all of it. */
  readonly spikes: readonly Value[];
  readonly states: Environment;
  /** The first state after each step's charge, silent steps included, in pieces; only where it was asked for. */
  readonly membranes: readonly Value[];
  /** What it is compared with at these steps, in pieces, where the equations say so (`thresholdOf`). */
  readonly thresholds: readonly Value[];
}

export interface UnrollOptions {
  /** Also give the membranes: what `fire` sees at every step. */
  readonly membranes?: boolean;
  /** The equations, where they aren't the network's own. */
  readonly def?: NeuronDef;
  /** The input currents beside the first, in their order. */
  readonly more?: readonly Timed[];
}

/**
 * Unrolls a layer of neurons, or makes it a loop (`loopedNeurons`), over its local steps t = 1…T, T = input steps + silent steps, by its
 * equations. What is known at compile time (parameters, t) leaves no op behind; input currents of
 * steps before the first decision are asked for as one weighted sum.
 */
export function lowerNeurons(
  lowering: Lowering,
  op: Op<'neuron'>,
  input: Timed,
  options: UnrollOptions = {},
): Unrolled {
  const { builder } = lowering;
  builder.at(op.id);
  const known = options.def ?? lowering.network.neurons.get(op.attrs.neuron);
  const def = present(known, `lower: ${op.id} names no neuron`);
  const silent = op.attrs.silent ?? 0;
  const steps = input.steps + silent;
  const env = initialEnvironment(lowering, op, def);
  const currents = new Currents(lowering, op, input);
  env.set('T', steps);
  let now = 0;
  const draws = drawnTrains(lowering, op, def, steps);
  const plain: EvaluationScope = {
    builder,
    env,
    force: (pending) => currents.force(pending),
    draw: (call) => builder.at(op.id).step(present(draws.get(call), `lower: ${op.id} draws no number here`)(), now - 1),
    differentiable: lowering.options.trainable === true,
  };
  for (const state of def.states) env.set(state.name, evaluateExpr(state.initial, plain));
  const ratio = numberAttr(op.attrs, 'beta', 1);
  const membranesToo = options.membranes === true;
  const { unroll } = lowering.options;
  const looped = loopedNeurons({
    op,
    def,
    scope: plain,
    input,
    more: options.more ?? [],
    draws,
    silent,
    membranes: membranesToo,
    unroll,
  });
  if (looped !== undefined) {
    const { spikes, ...rest } = looped;
    return { ...rest, spikes: [spikes], train: new WholeTrain(builder, op.id, steps, ratio, spikes) };
  }
  const step = new NeuronStep(op, def, plain);
  const fired: FiredStep[] = [];
  const stepwise = stepwiseParameters(def).map((name) => ({ name, values: env.get(name)! }));
  const more = furtherCurrents(op, def, options.more ?? []).map(({ name, train }) => ({
    name,
    values: train.take(1, 1),
  }));
  for (let t = 1; t <= steps; t++) {
    now = t;
    env.set('t', t);
    for (const { name, values } of more) env.set(name, values[t - 1] ?? 0);
    for (const { name, values } of stepwise) if (isValue(values)) env.set(name, atStep(builder.at(op.id), values, t));
    env.set('x', t <= input.steps ? new Pending(new Map([[t, 1]])) : 0);
    const merging = silent > 0 && t <= silent + 1;
    fired.push(step.run({ membranes: membranesToo, silent: t <= silent, merging }));
  }
  for (const { name } of def.states) materialise(name, plain);
  const given = (name: keyof FiredStep): Value[] => fired.flatMap((one) => one[name] ?? []);
  const spikes = given('spikes');
  return {
    train: new StepTrain(builder, op.id, ratio, spikes),
    spikes,
    states: env,
    membranes: given('membrane'),
    thresholds: given('threshold'),
  };
}

const isValue = (x: unknown): x is Value => typeof x === 'object' && x !== null && 'id' in x;

/** The value of a parameter [T] at a step. */
function atStep(builder: Lowering['builder'], values: Value, t: number): Value {
  return builder.slice(values, [t - 1], [t]);
}

/** The parameters of a layer of neurons, and the number type of its states. */
export function initialEnvironment(lowering: Lowering, op: Op<'neuron'>, def: NeuronDef): Environment {
  const { precision } = lowering.options;
  const env = new Environment([['$dtype', precision === 'f32' ? 32 : 64]]);
  const stepwise = new Set(stepwiseParameters(def));
  const raw = (name: string): Value | number | undefined =>
    stepwise.has(name)
      ? lowering.perStep(op, name, precision)
      : lowering.perChannel(op, name, precision, op.type.shape.length);
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
