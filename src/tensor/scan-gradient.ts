import { activeInputs, activeValues } from './active.js';
import { ProgramBuilder, type Value } from './builder.js';
import { isFloat } from './ops/def.js';
import { bodyOutputs } from './ops/scan.js';
import { withoutDeadCode } from './simplify/dead-code.js';
import { type PrimKind, type Program, type ScanAttrs, type TensorOp, type ValueInfo, attrsOf } from './types.js';

/** A value and the gradient that arrives at it. */
export interface Seed {
  readonly value: Value;
  readonly grad: Value;
}

/** Appends the gradients to `wrt` of what is seeded; undefined where no differentiable path leads there. */
export type Pullback = (b: ProgramBuilder, seeds: readonly Seed[], wrt: readonly Value[]) => (Value | undefined)[];

export interface ScanGradientContext {
  readonly b: ProgramBuilder;
  readonly op: TensorOp;
  /** By part: what arrived at it. */
  readonly grads: readonly (Value | undefined)[];
  readonly isActive: (id: string) => boolean;
  readonly pullback: Pullback;
}

/** Products are kept from the forward loop; what else of a step its gradient needs is computed again. */
const kept: ReadonlySet<PrimKind> = new Set<PrimKind>(['matmul', 'conv2d']);

/**
 * The gradient of a loop is a loop the other way: it carries ∂loss/∂state and the sums over time of the gradients of
 * what is the same at every step; it reads the states as they were before each step, which the forward loop now gives
 * out too, and gives out the gradients of the trains. One per operand of the scan.
 */
export function scanGradients({ b, op, grads, isActive, pullback }: ScanGradientContext): (Value | undefined)[] {
  const attrs = attrsOf(op, 'scan');
  const { steps, states, reverse } = attrs;
  const dtype = grads.find((grad) => grad !== undefined)!.dtype === 'f64' ? 'f64' : 'f32';
  const step = new StepGradient(attrs, activeInputs(op, isActive), (part) => grads[part] !== undefined, dtype);
  const { body, carried, arriving, sums } = step.make(pullback);
  if (Object.keys(body.outputs).length === 0) return [];
  const read = new Set([...body.ops.flatMap(({ inputs }) => inputs), ...Object.values(body.outputs)]);
  // of the forward step: states before it and products come from the forward loop, the rest from its operands
  const again = Object.fromEntries(
    step
      .fromForward()
      .filter((id) => read.has(id))
      .map((id) => [`kept.${id}`, id]),
  );
  const names = namesBeside(attrs.body, again);
  const keptTrains = Object.keys(again).length === 0 ? [] : b.extendScan(b.value(op.id), names);
  const used = (from: number, to?: number) =>
    attrs.body.inputs.flatMap(({ id }, i) => (i >= from && i < (to ?? Infinity) && read.has(id) ? [i] : []));
  const trains = used(states, states + attrs.scanned);
  const fixed = used(states + attrs.scanned);
  const zeros = (type: ValueInfo) => b.broadcast(b.scalar(type.dtype, 0), type.shape);
  const types = new Map(body.inputs.map((input) => [input.id, input]));
  const inputId = (i: number): string => attrs.body.inputs[i]!.id;
  const arrivingTrains = arriving.filter(({ id }) => read.has(id));
  const ordered = [
    ...carried.map(({ id }) => id),
    ...sums.map(({ id }) => id),
    ...Object.values(names),
    ...arrivingTrains.map(({ id }) => id),
    ...trains.map(inputId),
    ...fixed.map(inputId),
  ];
  const backward = b.as('loop').scan({
    body: { ...body, inputs: ordered.map((id) => types.get(id)!) },
    steps,
    initial: [
      ...carried.map(({ part, id }) => {
        const type = types.get(id)!;
        return grads[part] === undefined ? zeros(type) : b.cast(grads[part], type.dtype);
      }),
      ...sums.map(({ id }) => zeros(types.get(id)!)),
    ],
    scanned: [
      ...keptTrains,
      ...arrivingTrains.map(({ part, id }) => b.cast(grads[part]!, types.get(id)!.dtype)),
      ...trains.map((i) => b.value(op.inputs[i]!)),
    ],
    invariants: fixed.map((i) => b.value(op.inputs[i]!)),
    reverse: !reverse,
  });
  const result = new Map<number, Value>();
  carried.forEach(({ part }, i) => result.set(part, backward.final[i]!));
  sums.forEach(({ input }, i) => result.set(input, backward.final[carried.length + i]!));
  step.trains.forEach((input, i) => result.set(input, backward.stacked[i]!));
  return op.inputs.map((_, i) => result.get(i));
}

function namesBeside(body: Program, wanted: Readonly<Record<string, string>>): Record<string, string> {
  const taken = new Set(Object.keys(body.outputs));
  return Object.fromEntries(
    Object.entries(wanted).map(([name, id]) => {
      let free = name;
      for (let i = 1; taken.has(free); i++) free = `${name}.${i}`;
      taken.add(free);
      return [free, id];
    }),
  );
}

interface StepProgram {
  readonly body: Program;
  /** Gradients of states: the input that carries it, and the state's index. */
  readonly carried: readonly { readonly id: string; readonly part: number }[];
  /** Gradients of stacked results: the input with one step, and the part's index. */
  readonly arriving: readonly { readonly id: string; readonly part: number }[];
  /** Sums over time: the input that carries it, and the scan's operand. */
  readonly sums: readonly { readonly id: string; readonly input: number }[];
}

/** The body of the backward loop in the making. */
class StepGradient {
  /** Operands of the scan that are trains and get a gradient, in the order of the loop's stacked results. */
  readonly trains: number[] = [];
  readonly #b: ProgramBuilder;

  constructor(
    readonly attrs: ScanAttrs,
    readonly active: ReadonlySet<string>,
    readonly arrived: (part: number) => boolean,
    readonly dtype: 'f32' | 'f64',
  ) {
    this.#b = new ProgramBuilder(`${attrs.body.name}.grad`);
    this.#b.include(attrs.body);
  }

  /** Values of the forward step that the forward loop can give out. */
  fromForward(): string[] {
    const { body, states } = this.attrs;
    const products = body.ops.filter(({ kind, dtype }) => kept.has(kind) && dtype !== 'i32');
    return [...body.inputs.slice(0, states), ...products].map(({ id }) => id);
  }

  make(pullback: Pullback): StepProgram {
    const { body, states, scanned } = this.attrs;
    const b = this.#b;
    const inside = activeValues(body.ops, this.active);
    const isState = (i: number): boolean => this.active.has(body.inputs[i]!.id);
    const types = bodyOutputs(body);
    const seeds: Seed[] = [];
    const carried: { id: string; part: number }[] = [];
    const arriving: { id: string; part: number }[] = [];
    Object.entries(body.outputs).forEach(([name, id], part) => {
      if (part < states ? !isState(part) : !this.arrived(part) || !inside.has(id)) return;
      const grad = this.#input(`grad.${name}`, types[part]!);
      (part < states ? carried : arriving).push({ id: grad.id, part });
      if (inside.has(id)) seeds.push({ value: b.value(id), grad });
    });
    const wrt = body.inputs.map(({ id }, input) => ({ id, input })).filter(({ id }) => this.active.has(id));
    const found = new Map(
      pullback(
        b,
        seeds,
        wrt.map(({ id }) => b.value(id)),
      ).map((grad, i) => [wrt[i]!.input, grad]),
    );
    b.at(undefined);
    for (const { id, part } of carried) {
      const { dtype, shape } = b.value(id);
      const grad = found.get(part) ?? b.broadcast(b.scalar(dtype, 0), shape);
      b.output(`next.${id}`, b.cast(grad, dtype));
    }
    const sums: { id: string; input: number }[] = [];
    for (const { id, input } of wrt) {
      const grad = found.get(input);
      if (input < states + scanned || grad === undefined) continue;
      const sum = this.#input(`sum.${id}`, grad);
      b.output(`next.${sum.id}`, b.add(sum, grad));
      sums.push({ id: sum.id, input });
    }
    for (const { id, input } of wrt) {
      const grad = found.get(input);
      if (input < states || input >= states + scanned || grad === undefined) continue;
      this.trains.push(input);
      b.output(`of.${id}`, grad);
    }
    return { body: this.#withKept(withoutDeadCode(b.build())), carried, arriving, sums };
  }

  #input(wanted: string, { dtype, shape }: ValueInfo): Value {
    let name = wanted;
    for (let i = 1; this.#b.has(name); i++) name = `${wanted}.${i}`;
    return this.#b.input(name, isFloat(dtype) ? dtype : this.dtype, shape);
  }

  /** Products of the forward step as inputs, and what only they needed dropped. */
  #withKept(program: Program): Program {
    const given = new Set(this.fromForward());
    const products = program.ops.filter(({ id }) => given.has(id));
    const inputs = products.map(({ id, dtype, shape }) => ({ id, dtype, shape }));
    const ops = program.ops.filter(({ id }) => !given.has(id));
    return withoutDeadCode({ ...program, inputs: [...program.inputs, ...inputs], ops });
  }
}
