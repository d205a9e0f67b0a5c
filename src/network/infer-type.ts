import type { NeuronDef, SpikeLevels } from '../equations/index.js';
import { attrProblems, opDef } from './ops/index.js';
import type { Param, UncheckedOp, ValueType } from './types.js';
import { derivedLevels } from './verify-levels.js';

/** The levels that the equations of a layer of neurons give, its input being of so many steps; undefined for other layers. */
export function levelsOf(
  { kind, attrs, params }: Pick<UncheckedOp, 'kind' | 'attrs' | 'params'>,
  neurons: ReadonlyMap<string, NeuronDef>,
  steps: number | undefined,
): SpikeLevels | undefined {
  const def = kind === 'neuron' ? neurons.get(String(attrs['neuron'])) : undefined;
  return def === undefined ? undefined : derivedLevels({ attrs, params }, def, steps);
}

/** The type an op would have, or what is wrong with it: its attributes, arity, parameters or types. */
export function inferType(
  op: Pick<UncheckedOp, 'kind' | 'attrs' | 'params'>,
  inputs: readonly ValueType[],
  params: ReadonlyMap<string, Param>,
  neurons: ReadonlyMap<string, NeuronDef>,
): ValueType | string {
  const def = opDef(op.kind);
  const [problem] = attrProblems(def.attrs, def.otherAttrs, op.attrs);
  if (problem !== undefined) return problem;
  const [least, most] = def.arity;
  if (inputs.length < least || inputs.length > most) {
    return `takes ${least === most ? least : `at least ${least}`} input(s), has ${inputs.length}`;
  }
  for (const role of def.params) {
    const name = op.params[role];
    if (role !== '*' && !role.endsWith('?') && (name === undefined || !params.has(name))) return `misses its ${role}`;
  }
  return def.type({
    inputs,
    attrs: op.attrs,
    levels: levelsOf(op, neurons, inputs[0]?.time?.steps),
    param: (role) => {
      const name = op.params[role];
      return name === undefined ? undefined : params.get(name)?.tensor.shape;
    },
  });
}
