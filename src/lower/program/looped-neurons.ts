import { tensor } from '../../base/dtype.js';
import {
  Environment,
  type EvaluationScope,
  type Expr,
  type NeuronDef,
  type Operand,
  drawsOf,
  readsName,
  stepwiseParameters,
} from '../../equations/index.js';
import { InvariantError, present } from '../../base/invariant.js';
import type { Op } from '../../network/index.js';
import { type Program, ProgramBuilder, type Value, type ValueInfo, isBatch } from '../../tensor/index.js';
import { folded } from './context.js';
import { NeuronStep } from './neuron-step.js';
import { furtherCurrents } from './step-inputs.js';
import type { Timed } from './trains.js';

/**
 * The rule of unrolling. Up to `alwaysUnrolled` steps a layer is unrolled: what is known at each step (t, the first
 * state) folds, and one kernel of the fused engine takes all steps at once. Beyond, it is unrolled as long as its steps
 * make at most `mostUnrolled` operations: a program's size, the time to simplify, differentiate and compile it, and the
 * text of an emitted module grow with them, and a training step has about five for each. Measured for T = 4 … 784
 * (docs/engines.md, `bench/unrolling.mjs`): running, loops of the fused engine are as fast as what is unrolled, and faster
 * than onnxruntime's Scan, which other engines have. The bound leaves all of the library's networks, of up to 40 steps,
 * unrolled; LIF is a loop from T = 96 on.
 */
const alwaysUnrolled = 8;
const mostUnrolled = 760;

export interface LayerOverTime {
  readonly op: Op;
  readonly def: NeuronDef;
  /** Of the program: parameters, first states, and T. */
  readonly scope: EvaluationScope;
  readonly input: Timed;
  /** The input currents beside it, in the order of the equations. */
  readonly more: readonly Timed[];
  /** What the calls that draw random numbers are fed, [TN, …shape]. */
  readonly draws: ReadonlyMap<Expr, () => Value>;
  readonly silent: number;
  readonly membranes: boolean;
  /** Whether it is unrolled, whatever the rule says. */
  readonly unroll?: boolean | undefined;
}

export interface Looped {
  /** [TN, …]. */
  readonly spikes: Value;
  readonly states: Environment;
  readonly membranes: readonly Value[];
  readonly thresholds: readonly Value[];
}

/** A layer of neurons as one loop; undefined where it is to be unrolled. Layers with silent steps are: their T is short. */
export function loopedNeurons(layer: LayerOverTime): Looped | undefined {
  const { op, def, scope, input, silent, membranes, unroll } = layer;
  const { steps } = input;
  const whole = [input, ...layer.more].every((one) => one.whole !== undefined);
  if (silent > 0 || !whole || (unroll ?? steps <= alwaysUnrolled)) return undefined;
  const { builder, env } = scope;
  const body = bodyOf(layer, builder.at(op.id));
  if (unroll === undefined && body.program.ops.length * steps <= mostUnrolled) return undefined;
  const initial = def.states.map(({ name }, i) => {
    const { dtype, shape } = body.program.inputs[i]!;
    const first = env.get(name);
    const value = typeof first === 'object' && 'id' in first ? first : builder.scalar(dtype, Number(first));
    return builder.broadcast(builder.cast(value, dtype), shape);
  });
  const { final, stacked } = builder.as('loop').scan({
    body: body.program,
    steps,
    initial,
    scanned: body.trains.map((train) => train()),
    invariants: body.fixed,
  });
  def.states.forEach(({ name }, i) => env.set(name, final[i]!));
  const [spikes, membrane, threshold] = stacked as [Value, Value | undefined, Value | undefined];
  return {
    spikes,
    states: env,
    membranes: membranes && membrane !== undefined ? [membrane] : [],
    thresholds: threshold === undefined ? [] : [threshold],
  };
}

/** A time step of a layer of neurons as a program. */
export interface Body {
  readonly program: Program;
  /** What the loop reads step by step, made when it is known to be wanted. */
  readonly trains: readonly (() => Value)[];
  readonly fixed: readonly Value[];
}

/** The body, with states of the types that their next values have. */
export function bodyOf(layer: LayerOverTime, builder: ProgramBuilder): Body {
  const { op, def, scope } = layer;
  const dtype = scope.env.get('$dtype') === 32 ? 'f32' : 'f64';
  let types: readonly ValueInfo[] = def.states.map(() => ({ dtype, shape: folded(1, op.type.shape) }));
  for (let attempt = 0; ; attempt++) {
    const made = new BodyWriter(layer, builder, dtype).write(types);
    if (made.body !== undefined) return made.body;
    // a state that is assigned a truth value is one
    if (attempt > 2) throw new InvariantError(`lower: ${op.id}: the types of its states change from step to step`);
    types = types.map((type, i) => ({ ...type, dtype: made.next[i]! }));
  }
}

class BodyWriter {
  readonly #b: ProgramBuilder;
  readonly #env: Environment;
  readonly #inputs: { readonly id: string; readonly outer: () => Value }[] = [];
  readonly #fixed = new Map<string, Value>();

  constructor(
    readonly layer: LayerOverTime,
    readonly outer: ProgramBuilder,
    readonly dtype: 'f32' | 'f64',
  ) {
    this.#b = new ProgramBuilder(layer.op.id);
    this.#env = new Environment([['$dtype', dtype === 'f32' ? 32 : 64]]);
  }

  write(types: readonly ValueInfo[]): { readonly body?: Body; readonly next: readonly ValueInfo['dtype'][] } {
    const { op, def, scope, input, membranes } = this.layer;
    const b = this.#b;
    const env = this.#env;
    def.states.forEach(({ name }, i) => env.set(name, b.input(name, types[i]!.dtype, types[i]!.shape)));
    const x = present(input.whole?.(), `lower: ${op.id} has no current`);
    const steps = input.steps;
    this.#current('x', x);
    for (const { name, train } of furtherCurrents(op, def, this.layer.more))
      this.#current(name, present(train.whole?.(), `lower: ${op.id} has no current ${name}`));
    const numbers = new Map<Expr, Value>();
    for (const { name, call } of drawsOf(def)) {
      const outer = present(this.layer.draws.get(call), `lower: ${op.id} draws no ${name}`);
      const inner = `drawn ${name}`;
      this.#train(inner, outer, folded(1, op.type.shape), 'f32');
      numbers.set(call, b.value(inner));
    }
    if (readsName(def, 't')) this.#train('t', () => this.#times(), [1], this.dtype);
    env.set('T', steps);
    const stepwise = new Set(stepwiseParameters(def));
    for (const { name } of def.params) {
      const value = present(scope.env.get(name), `lower: ${op.id}: parameter ${name} has no value`);
      if (typeof value === 'object' && 'id' in value && stepwise.has(name) && steps > 1)
        this.#train(name, () => value, [1], value.dtype);
      else if (typeof value === 'object' && 'id' in value) this.#same(name, value);
      else env.set(name, value);
    }
    b.at(op.id);
    const inner: EvaluationScope = {
      builder: b,
      env,
      force: () => {
        throw new InvariantError(`lower: ${op.id}: a loop has no pending currents`);
      },
      draw: (call) => present(numbers.get(call), `lower: ${op.id} draws no number here`),
      ...(scope.differentiable === undefined ? {} : { differentiable: scope.differentiable }),
    };
    const { spikes, membrane, threshold } = new NeuronStep(op, def, inner).run({
      membranes,
      silent: false,
      merging: false,
    });
    const next = def.states.map(({ name }, i) => this.#tensor(env.get(name), types[i]!));
    const dtypes = next.map(({ dtype }) => dtype);
    if (dtypes.some((dtype, i) => dtype !== types[i]!.dtype)) return { next: dtypes };
    def.states.forEach(({ name }, i) => b.output(`next.${name}`, b.broadcast(next[i]!, types[i]!.shape)));
    const shape = folded(1, op.type.shape);
    b.output('spikes', b.broadcast(present(spikes, `lower: ${op.id} never fires`), shape));
    if (membrane !== undefined) b.output('membranes', membrane);
    if (threshold !== undefined) b.output('thresholds', threshold);
    return { body: this.#used(b.build()), next: dtypes };
  }

  /** The state's next value: a number that is known becomes one of the state's type. */
  #tensor(value: Operand | undefined, { dtype }: ValueInfo): Value {
    if (typeof value === 'object' && 'id' in value) return value;
    return this.#b.scalar(dtype, Number(value));
  }

  /** An input current over time; one that is the same at every step is read as it is. */
  #current(name: string, x: Value): void {
    const { op, input } = this.layer;
    if (isBatch(x.shape[0]!) && x.shape[0].batch === input.steps)
      this.#train(name, () => x, folded(1, op.type.shape), x.dtype);
    else this.#same(name, x);
  }

  #train(name: string, outer: () => Value, shape: ValueInfo['shape'], dtype: ValueInfo['dtype']): void {
    this.#env.set(name, this.#b.input(name, dtype, shape));
    this.#inputs.push({ id: name, outer });
  }

  #same(name: string, outer: Value): void {
    this.#env.set(name, this.#b.input(name, outer.dtype, outer.shape));
    this.#fixed.set(name, outer);
  }

  /** 1 … T. */
  #times(): Value {
    const { op, input } = this.layer;
    const times = Float32Array.from({ length: input.steps }, (_, i) => i + 1);
    return this.outer
      .at(op.id)
      .as('t')
      .constant(tensor(this.dtype, [input.steps], times));
  }

  /** The inputs that the body reads, in a scan's order. */
  #used(program: Program): Body {
    const { def } = this.layer;
    const read = new Set([...program.ops.flatMap(({ inputs }) => inputs), ...Object.values(program.outputs)]);
    const byId = new Map(program.inputs.map((input) => [input.id, input]));
    const trains = this.#inputs.filter(({ id }) => read.has(id));
    const fixed = [...this.#fixed].filter(([id]) => read.has(id));
    const order = [...def.states.map(({ name }) => name), ...trains.map(({ id }) => id), ...fixed.map(([id]) => id)];
    return {
      program: { ...program, inputs: order.map((id) => byId.get(id)!) },
      trains: trains.map(({ outer }) => outer),
      fixed: fixed.map(([, value]) => value),
    };
  }
}
