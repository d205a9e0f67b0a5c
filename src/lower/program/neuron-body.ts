import { InvariantError, present } from '../../base/invariant.js';
import { type EvaluationScope, drawsOf, evaluateExpr } from '../../equations/index.js';
import type { Network, Op } from '../../network/index.js';
import { type Program, ProgramBuilder, simplify } from '../../tensor/index.js';
import { Lowering, folded } from './context.js';
import { bodyOf } from './looped-neurons.js';
import { initialEnvironment } from './neurons.js';
import type { Timed } from './trains.js';

/**
 * One time step of a layer of neurons by its equations, f32, with the surrogates of its jumps, for backends that write
 * neurons as code of their own.
 */
export interface NeuronBody {
  /**
   * Inputs, as far as they are read: each state and `x`, the input current, [N, …shape]; `t`, the step from 1, [1];
   * further input currents under their names, and what is drawn as `drawn NAME` (`drawsOf`), like x;
   * each learned parameter under its name, [1] (bits whole, gradients scaled: that is the caller's). Outputs: `next.STATE`
   * of each state, and `spikes`.
   */
  readonly program: Program;
  /** Of the learned parameters' names in the equations to the first values of the states: outputs under their names. */
  readonly initial: Program;
  readonly states: readonly string[];
}

/** The body of a layer that isn't silent first. */
export function neuronBody(network: Network, op: Op<'neuron'>, steps: number): NeuronBody {
  const def = present(network.neurons.get(op.attrs.neuron), `lower: ${op.id} names no neuron`);
  const outer = new Lowering(network, { precision: 'f32', trainable: true, mode: 'train' });
  const { builder } = outer;
  const env = initialEnvironment(outer, op, def);
  const initial = new ProgramBuilder(`${op.id} at first`);
  for (const { name } of def.params) {
    const value = env.get(name);
    if (typeof value === 'object' && 'id' in value) env.set(name, initial.input(name, value.dtype, value.shape));
  }
  const scope: EvaluationScope = {
    builder: initial,
    env,
    force: () => {
      throw new InvariantError(`lower: ${op.id}: a body has no pending currents`);
    },
    differentiable: true,
  };
  env.set('T', steps);
  for (const { name, initial: first } of def.states) {
    const value = evaluateExpr(first, scope);
    const made = typeof value === 'object' && 'id' in value ? value : initial.scalar('f32', Number(value));
    initial.output(name, initial.cast(made, 'f32'));
  }
  const whole = folded(steps, op.type.shape);
  const over = (name: string): Timed => {
    const x = builder.input(name, 'f32', whole);
    return { steps, whole: () => x, take: () => [] };
  };
  const { program } = bodyOf(
    {
      op,
      def,
      scope,
      input: over('x of all steps'),
      more: (def.currents ?? []).map((name) => over(`${name} of all steps`)),
      draws: new Map(
        drawsOf(def).map(({ name, call }) => [call, () => builder.input(`${name} of all steps`, 'f32', whole)]),
      ),
      silent: 0,
      membranes: false,
    },
    builder,
  );
  return { program: simplify(program), initial: simplify(initial.build()), states: def.states.map(({ name }) => name) };
}
