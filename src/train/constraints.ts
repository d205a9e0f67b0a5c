import type { LearnConstraint } from '../base/equation.js';
import { type Network, type Op, numberAttr } from '../network/index.js';
import { ProgramBuilder, type TrainingStep } from '../tensor/index.js';

/** Closed bounds of a trained parameter. */
export interface Bounds {
  readonly lo: number;
  readonly hi: number;
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
    op.params[name] === undefined ? [] : [[name, { lo: 1, hi: numberAttr(op.attrs, `${name}_max`) }]];
  if (op.kind === 'conv' || op.kind === 'linear') return [['weight_step', boundsOf.step], ...learned('weight_bits')];
  if (op.kind === 'squeeze') return learned('steps');
  if (op.kind !== 'neuron') return [];
  const params = network.neurons.get(String(op.attrs['neuron']))?.params ?? [];
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
    b.output(name, bounds === undefined ? b.value(id) : b.clip(b.value(id), bounds.lo, bounds.hi));
  }
  return { ...step, program: b.build() };
}
