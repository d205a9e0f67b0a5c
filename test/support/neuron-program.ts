import { tensor } from '../../src/base/dtype.js';
import {
  Environment,
  type EvaluationScope,
  type NeuronDef,
  evaluateExpr,
  phaseTable,
  runAssignments,
  stepwiseParameters,
  surrogateOf,
} from '../../src/equations/index.js';
import type { Program, ProgramBuilder, Value } from '../../src/tensor/index.js';

/**
 * A layer of neurons unrolled by its equations over the steps of `currents`, f64: outputs s0, s1 … (spikes), v0, v1 … (the
 * first state after the reset) and `loss` = Σ c_t·s_t.
 */
export function neuronProgram(
  b: ProgramBuilder,
  def: NeuronDef,
  params: (name: string, otherwise: number | undefined) => number | Value,
  currents: readonly Value[],
  c: readonly (readonly number[])[],
): Program {
  const given = def.params.map(({ name, default: value }): [string, number | Value] => [name, params(name, value)]);
  const env = new Environment([['$dtype', 64], ...given]);
  const force = (): never => {
    throw new Error('no currents pend');
  };
  const plain: EvaluationScope = { builder: b, env, force, differentiable: true, staircases: new Map() };
  const firing = { ...plain, ...surrogateOf(def, plain) };
  for (const { name, initial } of def.states) env.set(name, evaluateExpr(initial, plain));
  const stepwise = stepwiseParameters(def).map((name) => ({ name, values: env.get(name) as Value }));
  let loss: Value | undefined;
  currents.forEach((current, t) => {
    env.set('x', current);
    for (const { name, values } of stepwise) env.set(name, b.slice(values, [t], [t + 1]));
    let s: Value | undefined;
    for (const { name, assignments } of def.phases) {
      const fires = phaseTable[name].fires === true;
      runAssignments(assignments, fires ? firing : plain, () => true);
      if (fires) s = b.cast(env.get('s') as Value, 'f64');
    }
    b.output(`s${t}`, s!);
    const first = env.get(def.states[0]!.name);
    b.output(`v${t}`, typeof first === 'object' ? b.cast(first as Value, 'f64') : b.scalar('f64', Number(first)));
    const part = b.sumAll(b.mul(s!, b.constant(tensor('f64', [c[t]!.length], c[t]!))));
    loss = loss === undefined ? part : b.add(loss, part);
  });
  b.output('loss', loss!);
  return b.build();
}
