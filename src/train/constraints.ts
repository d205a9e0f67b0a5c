import { present } from '../base/invariant.js';
import type { LearnConstraint } from '../equations/index.js';
import { codeBounds } from '../base/quantiser.js';
import { type Network, type Op, mostOf, hasWeightMatrix } from '../network/index.js';
import { type Program, ProgramBuilder, type TrainingStep, type Value } from '../tensor/index.js';

/** Closed bounds of a trained parameter, or what it follows from. */
export interface Bounds {
  readonly lo: number;
  readonly hi: number;
  /** Name of a parameter whose greatest magnitude is an upper bound too. */
  readonly within?: string;
  /** With `within`: the value is that magnitude over this number, instead of what was learned. */
  readonly over?: number;
}

/** The least value of a positive parameter: a threshold of 0 would fire at rest. */
const least = 1e-3;

/** The least step size: below it weights would be nothing but clipped. */
const leastStep = 1e-6;

const boundsOf: Readonly<Record<LearnConstraint, Bounds>> = {
  positive: { lo: least, hi: Infinity },
  unit: { lo: least, hi: 1 - least },
  step: { lo: leastStep, hi: Infinity },
};

/** Bounds of trained parameters, by param: learnable parameters of neurons, step sizes, learned bits in 1 … N. */
export function constraintsOf(network: Network): ReadonlyMap<string, Bounds> {
  const found = new Map<string, Bounds>();
  for (const op of network.ops) {
    for (const [role, bounds] of opConstraints(network, op)) {
      const param = op.params[role];
      if (param !== undefined) found.set(param, bounds);
    }
  }
  return found;
}

function opConstraints(network: Network, op: Op): readonly (readonly [string, Bounds])[] {
  const learned = (name: string): readonly (readonly [string, Bounds])[] =>
    op.params[name] === undefined ? [] : [[name, { lo: 1, hi: mostOf(op, name) }]];
  if (hasWeightMatrix(op)) {
    // a step size above all weights would leave no code but 0, and batch norm then divides by next to nothing
    const within = op.params['weight'];
    const over =
      op.attrs.weight_step_rule === 'max'
        ? codeBounds(present(op.attrs.weight_bits, `train: ${op.id} has no bits`), true).hi
        : undefined;
    return [
      ['weight_step', { ...boundsOf.step, ...(within && { within }), ...(over && { over }) }],
      ...learned('weight_bits'),
    ];
  }
  if (op.kind === 'squeeze') return learned('steps');
  if (op.kind !== 'neuron') return [];
  const params = network.neurons.get(op.attrs.neuron)?.params ?? [];
  const own = params.flatMap(({ name, learn }) =>
    learn?.constraint === undefined ? [] : [[name, boundsOf[learn.constraint]] as const],
  );
  return 'bits_max' in op.attrs ? [...own, ...learned('bits')] : own;
}

/** The step with updated params moved back into their bounds. */
export function withConstraints(step: TrainingStep, constraints: ReadonlyMap<string, Bounds>): TrainingStep {
  if (constraints.size === 0) return step;
  const { program } = step;
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const [name, id] of Object.entries(program.outputs)) {
    const bounds = constraints.get(name.replace(/^next\./, ''));
    b.output(name, bounds === undefined ? b.value(id) : held(b, b.value(id), bounds, program));
  }
  return { ...step, program: b.build() };
}

function held(b: ProgramBuilder, value: Value, { lo, hi, within, over }: Bounds, program: Program): Value {
  const next = within === undefined ? undefined : program.outputs[`next.${within}`];
  if (next === undefined) return b.clip(value, lo, hi);
  const greatest = greatestMagnitude(b, b.value(next));
  return b.clip(over === undefined ? b.min(value, greatest) : b.div(greatest, over), lo, hi);
}

/** max |x|, of shape [1]. */
function greatestMagnitude(b: ProgramBuilder, x: Value): Value {
  const all = x.shape.map((_, axis) => axis);
  return b.reshape(b.reduceMax(b.abs(x), all), [1]);
}
