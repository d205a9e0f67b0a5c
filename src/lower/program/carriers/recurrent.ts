import { type Tensor, tensor } from '../../../base/dtype.js';
import { InvariantError, present } from '../../../base/invariant.js';
import {
  type Environment,
  type EvaluationScope,
  type Expr,
  type NeuronDef,
  type Operand,
  drawsOf,
  evaluateExpr,
  readsName,
} from '../../../equations/index.js';
import { type LoweredOp, type Op, hasWeightMatrix } from '../../../network/index.js';
import type { DType } from '../../../base/dtype.js';
import type { Program, Value, ValueInfo } from '../../../tensor/index.js';
import { gridWeight } from '../bits.js';
import { Lowering, folded } from '../context.js';
import { NeuronStep } from '../neuron-step.js';
import { initialEnvironment } from '../neurons.js';
import { drawnTrains, furtherCurrents } from '../step-inputs.js';
import type { RandomInput } from '../runnable.js';
import { stepsOf } from '../runnable.js';
import type { Trace } from './carrier.js';
import { FoldedValues } from './folded.js';
import { asCodes } from './means-time.js';

/** What a loop needs of the network around it. */
export interface Around {
  readonly lowering: Lowering;
  /** A value from outside of the loop, over time [TN, …] or constant in time [N, …]. */
  real(id: string): Value;
}

export interface LoopResult {
  /** Each op of the loop over time, [TN, …shape]. */
  readonly values: ReadonlyMap<string, Value>;
  readonly traces: ReadonlyMap<string, Trace>;
}

/** A value that the loop carries from step to step. */
interface State {
  readonly name: string;
  readonly shape: ValueInfo['shape'];
  readonly initial: Value;
  dtype: DType;
}

/**
 * The ops of a cycle as one loop over the time steps: at each, every op acts once, in the network's order. What a `lag` gives
 * are values that the loop carries (one for each step it lags), as are the states of the neurons. What comes from
 * outside is read step by step, or as it is where it is constant in time.
 */
export function lowerLoop(around: Around, ops: readonly Op[]): LoopResult {
  const { lowering } = around;
  const { builder, steps } = lowering;
  const states = ops.flatMap((op) => statesOf(lowering, op));
  for (let attempt = 0; ; attempt++) {
    const step = new LoopStep(around, ops, states);
    const { changed } = step.write();
    if (!changed) {
      builder.at(ops[0]!.id);
      const { stacked } = builder.as('loop').scan({ ...step.spec(), steps });
      return step.result(stacked);
    }
    // a state that is assigned a truth value is one
    if (attempt > 2) throw new InvariantError(`lower: ${ops[0]!.id}: the types of its loop change from step to step`);
  }
}

/** An op's states: the values it has had for a lag, the neuron's own for neurons. */
function statesOf(lowering: Lowering, op: Op): readonly State[] {
  const { builder } = lowering;
  const shape = folded(1, op.type.shape);
  builder.at(op.id);
  if (op.kind === 'lag') {
    const zero = builder.broadcast(builder.scalar('f32', 0), shape);
    return Array.from({ length: op.attrs.steps }, (_, i) => ({
      name: `${op.id}.${i + 1}`,
      shape,
      initial: zero,
      dtype: 'f32' as const,
    }));
  }
  if (op.kind !== 'neuron') return [];
  const def = neuronOf(lowering, op);
  const env = initialEnvironment(lowering, op, def);
  env.set('T', lowering.steps);
  const scope = scopeOf(lowering, op, env);
  return def.states.map(({ name, initial }) => {
    const first = evaluateExpr(initial, scope);
    const value = typeof first === 'object' && 'id' in first ? first : builder.scalar('f32', Number(first));
    const whole = builder.broadcast(builder.cast(value, 'f32'), shape);
    return { name: `${op.id}.${name}`, shape, initial: whole, dtype: 'f32' as const };
  });
}

function neuronOf({ network }: Lowering, op: Op<'neuron'>): NeuronDef {
  return present(network.neurons.get(op.attrs.neuron), `lower: ${op.id} names no neuron`);
}

function scopeOf({ builder, options }: Lowering, op: Op, env: Environment): EvaluationScope {
  return {
    builder,
    env,
    force: () => {
      throw new InvariantError(`lower: ${op.id}: a loop has no pending currents`);
    },
    differentiable: options.trainable === true,
  };
}

/** A lowering of a loop's body: parameters and random numbers of the program around it come in as they are. */
class BodyLowering extends Lowering {
  readonly fixed = new Map<string, Value>();
  /** Of the loop, what is read step by step: by its name in the body, the train. */
  readonly trains = new Map<string, Value>();

  constructor(readonly outer: Lowering) {
    super(outer.network, outer.options, 1);
  }

  /** A value that is the same at every step. */
  same(name: string, outer: Value): Value {
    if (!this.fixed.has(name)) {
      this.fixed.set(name, outer);
      this.builder.input(name, outer.dtype, outer.shape);
    }
    return this.builder.value(name);
  }

  override perStep(op: LoweredOp, role: string, dtype: 'f32' | 'f64'): Value | number | undefined {
    const value = this.outer.perStep(op, role, dtype);
    if (typeof value !== 'object' || this.outer.steps === 1) return value;
    const name = `${op.params[role]!} now`;
    if (!this.trains.has(name)) {
      this.trains.set(name, value);
      this.builder.input(name, value.dtype, [1]);
    }
    return this.builder.value(name);
  }

  override random(input: RandomInput): Value {
    return this.same(input.id, this.outer.random(input));
  }

  override param(name: string, values: Tensor): Value {
    return this.same(`${name} as it is`, this.outer.param(name, values));
  }
}

/** One time step of the ops of a loop. */
class LoopStep extends FoldedValues {
  readonly #body: BodyLowering;
  readonly #stacked: { readonly op: Op; readonly what: 'value' | keyof Trace }[] = [];

  constructor(
    readonly around: Around,
    readonly ops: readonly Op[],
    readonly states: readonly State[],
  ) {
    const body = new BodyLowering(around.lowering);
    super(body, 'f32');
    this.#body = body;
  }

  /** Weights on their grids are made once, outside. */
  override readonly weight = (lowered: LoweredOp): Value => {
    const op = this.op(lowered.id);
    const outer = this.around.lowering;
    outer.builder.at(op.id);
    const value = hasWeightMatrix(op) ? gridWeight(outer, op, this.dtype) : outer.realWeight(op, 'weight', this.dtype);
    return this.#body.same(`${op.id} weight`, value);
  };

  /** Whether the type of a state changed: then it is to be written again. */
  write(): { readonly changed: boolean } {
    const b = this.builder;
    for (const { name, dtype, shape } of this.states) b.input(name, dtype, shape);
    const inside = new Set(this.ops.map(({ id }) => id));
    for (const op of this.ops) {
      for (const id of op.inputs) if (!inside.has(id)) this.#outside(id);
      if (op.kind === 'lag') this.set(op.id, b.value(`${op.id}.${op.attrs.steps}`));
    }
    const fired: { readonly op: Op<'neuron'>; readonly env: Environment; readonly trace: Partial<Trace> }[] = [];
    for (const op of this.ops) {
      if (op.kind === 'lag') continue;
      if (op.kind === 'neuron') fired.push(this.#fire(op));
      else this.set(op.id, this.act(op));
    }
    const next = new Map<string, Value>();
    for (const { op, env } of fired) {
      for (const { name } of neuronOf(this.lowering, op).states) {
        next.set(`${op.id}.${name}`, this.#tensor(env.get(name), `${op.id}.${name}`));
      }
    }
    for (const op of this.ops) {
      if (op.kind !== 'lag') continue;
      next.set(`${op.id}.1`, this.of(op.inputs[0]!));
      for (let i = 2; i <= op.attrs.steps; i++) next.set(`${op.id}.${i}`, b.value(`${op.id}.${i - 1}`));
    }
    let changed = false;
    for (const state of this.states) {
      const value = present(next.get(state.name), `lower: ${state.name} has no next value`);
      changed ||= value.dtype !== state.dtype;
      state.dtype = value.dtype;
    }
    if (changed) return { changed };
    for (const { name, shape } of this.states) b.output(`next ${name}`, b.broadcast(next.get(name)!, shape));
    for (const op of this.ops) this.#stack(op, 'value', this.of(op.id));
    for (const { op, trace } of fired) {
      if (trace.membranes !== undefined) this.#stack(op, 'membranes', trace.membranes);
      if (trace.thresholds !== undefined) this.#stack(op, 'thresholds', trace.thresholds);
    }
    return { changed };
  }

  #stack(op: Op, what: 'value' | keyof Trace, value: Value): void {
    this.#stacked.push({ op, what });
    this.builder.output(`${what} ${op.id}`, this.builder.broadcast(value, folded(1, op.type.shape)));
  }

  /** A value from outside, at this step. */
  #outside(id: string): void {
    const value = this.around.real(id);
    const { steps } = this.around.lowering;
    const name = `${id} now`;
    if (this.#body.trains.has(name) || this.#body.fixed.has(name)) return;
    if (stepsOf(value) !== steps || steps === 1) return this.set(id, this.#body.same(name, value));
    this.#body.trains.set(name, value);
    const [, ...shape] = value.shape;
    this.set(id, this.builder.input(name, value.dtype, [{ batch: 1 }, ...shape]));
  }

  #fire(op: Op<'neuron'>): { readonly op: Op<'neuron'>; readonly env: Environment; readonly trace: Partial<Trace> } {
    const b = this.builder;
    const { lowering: outer } = this.around;
    b.at(op.id);
    const def = neuronOf(outer, op);
    const env = initialEnvironment(this.lowering, op, def);
    for (const { name } of def.states) env.set(name, b.value(`${op.id}.${name}`));
    env.set('T', outer.steps);
    if (readsName(def, 't')) env.set('t', this.#time());
    const [first, ...more] = op.inputs.map((id) => this.of(id));
    env.set('x', first!);
    for (const { name, train } of furtherCurrents(op, def, more)) env.set(name, train);
    const numbers = this.#drawn(op, def);
    const membranes = outer.options.traced?.has(op.id) === true;
    const step = new NeuronStep(op, def, {
      ...scopeOf(this.lowering, op, env),
      draw: (call) => present(numbers.get(call), `lower: ${op.id} draws no number here`),
    });
    const { spikes, membrane, threshold } = step.run({ membranes, silent: false, merging: false });
    const shape = folded(1, op.type.shape);
    const train = b.broadcast(present(spikes, `lower: ${op.id} never fires`), shape);
    this.set(op.id, asCodes(b, op, train));
    const trace: { membranes?: Value; thresholds?: Value } = {
      ...(membrane === undefined ? {} : { membranes: membrane }),
      ...(threshold === undefined ? {} : { thresholds: threshold }),
    };
    return { op, env, trace };
  }

  /** What is drawn at this step. */
  #drawn(op: Op<'neuron'>, def: NeuronDef): ReadonlyMap<Expr, Value> {
    const { lowering: outer } = this.around;
    const trains = drawnTrains(outer, op, def, outer.steps);
    return new Map(
      drawsOf(def).map(({ name, call }) => {
        const train = present(trains.get(call), `lower: ${op.id} draws no ${name}`)();
        const id = `${op.id}.${name} now`;
        if (outer.steps === 1) return [call, this.#body.same(id, train)];
        if (!this.#body.trains.has(id)) {
          this.#body.trains.set(id, train);
          this.builder.input(id, 'f32', folded(1, op.type.shape));
        }
        return [call, this.builder.value(id)];
      }),
    );
  }

  /** 1 … T, one at each step. */
  #time(): Value {
    const { builder: outer, steps } = this.around.lowering;
    const name = 'the time';
    if (steps === 1) return this.builder.scalar('f32', 1);
    if (!this.#body.trains.has(name)) {
      const times = Float32Array.from({ length: steps }, (_, i) => i + 1);
      this.#body.trains.set(name, outer.as('t').constant(tensor('f32', [steps], times)));
      this.builder.input(name, 'f32', [1]);
    }
    return this.builder.value(name);
  }

  /** A state's next value: a number that is known becomes one of the state's type. */
  #tensor(value: Operand | undefined, state: string): Value {
    if (typeof value === 'object' && 'id' in value) return value;
    return this.builder.scalar(this.builder.value(state).dtype, Number(value));
  }

  /** The loop as it is to be run, once it is written. */
  spec() {
    const program: Program = this.builder.build();
    const outer = this.around.lowering.builder;
    const byId = new Map(program.inputs.map((input) => [input.id, input]));
    const { fixed, trains } = this.#body;
    const order = [...this.states.map(({ name }) => name), ...trains.keys(), ...fixed.keys()];
    return {
      body: { ...program, inputs: order.map((id) => byId.get(id)!) },
      initial: this.states.map(({ initial, dtype }) => outer.cast(initial, dtype)),
      scanned: [...trains.values()],
      invariants: [...fixed.values()],
    };
  }

  result(stacked: readonly Value[]): LoopResult {
    const values = new Map<string, Value>();
    const traces = new Map<string, { membranes?: Value; thresholds?: Value }>();
    this.#stacked.forEach(({ op, what }, i) => {
      if (what === 'value') values.set(op.id, stacked[i]!);
      else traces.set(op.id, { ...traces.get(op.id), [what]: stacked[i]! });
    });
    return { values, traces: traces as ReadonlyMap<string, Trace> };
  }
}
