import type { Network } from '../network/index.js';
import { ProgramBuilder, type TrainingStep, type Value } from '../tensor/index.js';

type Constraint = 'positive' | 'unit';

/** The least value of a positive parameter: a threshold of 0 would fire at rest. */
const least = 1e-3;

/** Constraints of learnable neuron parameters, by param. */
export function constraintsOf(network: Network): ReadonlyMap<string, Constraint> {
  const found = new Map<string, Constraint>();
  for (const op of network.ops) {
    if (op.kind !== 'neuron') continue;
    for (const { name, learn } of network.neurons.get(String(op.attrs['neuron']))?.params ?? []) {
      const param = op.params[name];
      if (param !== undefined && learn?.constraint !== undefined) found.set(param, learn.constraint);
    }
  }
  return found;
}

/** The step with updated params moved back into their range: `positive` ≥ 0.001, `unit` in [0.001, 0.999]. */
export function withConstraints(step: TrainingStep, constraints: ReadonlyMap<string, Constraint>): TrainingStep {
  if (constraints.size === 0) return step;
  const { program } = step;
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const [name, id] of Object.entries(program.outputs)) {
    const constraint = constraints.get(name.replace(/^next\./, ''));
    b.output(name, constraint === undefined ? b.value(id) : held(b, b.value(id), constraint));
  }
  return { ...step, program: b.build() };
}

function held(b: ProgramBuilder, value: Value, constraint: Constraint): Value {
  return b.clip(value, least, constraint === 'unit' ? 1 - least : Infinity);
}
