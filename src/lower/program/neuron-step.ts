import { present } from '../../base/invariant.js';
import {
  type Assignment,
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
import type { Op } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import { folded } from './context.js';

/** What a time step of a layer of neurons gives beside its states. */
export interface FiredStep {
  /** In levels, f32; undefined at a silent step. */
  readonly spikes: Value | undefined;
  /** The first state after the charge, f32, where it was asked for. */
  readonly membrane: Value | undefined;
  /** What it is compared with, where the equations say so (`thresholdOf`). */
  readonly threshold: Value | undefined;
}

export interface StepOptions {
  readonly membranes: boolean;
  /** The step decides nothing yet. */
  readonly silent: boolean;
  /** Currents of steps before the first decision are one weighted sum. */
  readonly merging: boolean;
}

/** The time steps of a layer of neurons by its equations, in one scope: parameters, states, `x`, `t` and `T` are set. */
export class NeuronStep {
  readonly #firing: EvaluationScope;
  readonly #kept: ReadonlySet<string>;
  readonly scope: EvaluationScope;

  constructor(
    readonly op: Op,
    readonly def: NeuronDef,
    outer: EvaluationScope,
  ) {
    const scope = { ...outer, staircases: new Map() };
    this.scope = scope;
    // the surrogate stands in for the jumps of `fire`; comparisons elsewhere have no gradient
    this.#firing = { ...scope, ...surrogateOf(def, scope) };
    this.#kept = new Set([...def.states.map(({ name }) => name), 's']);
  }

  run({ membranes, silent, merging }: StepOptions): FiredStep {
    const { op, def, scope } = this;
    const isKept = (name: string): boolean => this.#kept.has(name);
    const compared = membranes ? thresholdOf(def) : undefined;
    let [spikes, membrane, threshold] = new Array<Value | undefined>(3).fill(undefined);
    for (const { name, assignments } of def.phases) {
      const fires = phaseTable[name].fires === true;
      if (fires && membranes) membrane = membraneOf(op, def, scope);
      if (fires && compared !== undefined) threshold = probed(op, evaluateExpr(compared, scope), scope);
      runAssignments(assignments, fires ? this.#firing : { ...scope, merging }, isKept);
      if (fires && !silent) for (const state of def.states) materialise(state.name, scope);
      if (fires && !silent) spikes = outputOf(op, scope);
      if (fires && def.detachReset === true) detachOutputs(assignments, def, scope);
    }
    return { spikes, membrane, threshold };
  }
}

/** A state as a tensor: once something was decided, its currents are summed step by step. */
export function materialise(name: string, { env, force }: EvaluationScope): void {
  const value = env.get(name);
  if (value instanceof Pending) env.set(name, force(value));
}

/** The first state as it is now, f32. */
function membraneOf(op: Op, def: NeuronDef, scope: EvaluationScope): Value {
  const state = present(def.states[0], `lower: ${op.id} has no state`).name;
  return probed(op, present(scope.env.get(state), `lower: ${op.id}: ${state} has no value`), scope);
}

/** A value of the equations for each neuron, f32. */
function probed(op: Op, value: Operand, { builder, force }: EvaluationScope): Value {
  const now = value instanceof Pending ? force(value) : value;
  builder.at(op.id);
  const one = typeof now === 'object' ? builder.cast(now, 'f32') : builder.scalar('f32', Number(now));
  return builder.broadcast(one, folded(1, op.type.shape));
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

/** The step's output, f32; of real-valued neurons it may be their input. */
function outputOf(op: Op, { builder, env, force }: EvaluationScope): Value {
  const found = present(env.get('s'), `lower: ${op.id} gives no output`);
  const s = found instanceof Pending ? force(found) : found;
  if (typeof s === 'number' || typeof s === 'boolean') {
    return builder.broadcast(builder.scalar('f32', Number(s)), folded(1, op.type.shape));
  }
  return builder.cast(s, 'f32');
}
