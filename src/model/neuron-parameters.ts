import { type LearnConstraint, type NeuronDef, type NeuronParam, learnConstraints } from '../base/equation.js';
import type { CallExpression, NameExpression } from '../syntax/index.js';
import { type Callee, calleeOf, evaluateArguments } from './arguments.js';
import type { EvaluationContext } from './evaluate.js';
import type { Parameter, Spec } from './schema.js';
import type { Reporter } from './reporter.js';
import type { Choice, NeuronUse } from './values.js';

/** `learn(START, constraint: positive | unit | step)`: trained per layer. */
export const learnSpec: Spec = {
  kind: 'choice',
  of: {
    learn: [
      { name: 'start', spec: { kind: 'real' }, required: true },
      { name: 'constraint', spec: { kind: 'words', words: learnConstraints } },
    ],
  },
};

/** What an argument of a neuron may be, by the declared type of the parameter. */
export function neuronParameterSpec(type: NeuronParam['type']): Spec {
  if (type === 'int') return { kind: 'int' };
  if (type === 'bool') return { kind: 'bool' };
  return type === 'real' ? { kind: 'real' } : { kind: 'either', of: [{ kind: 'real' }, { kind: 'bool' }] };
}

/** `learn(start, constraint: …)` as a parameter's default. */
export function learned(
  choice: Choice,
  reporter: Reporter,
): Pick<NeuronParam, 'default' | 'learn'> & { default: number } {
  const start = choice.args['start'] as number;
  const constraint = choice.args['constraint'] as LearnConstraint | undefined;
  if ((constraint === 'positive' || constraint === 'step') && start <= 0) {
    const problem = `a ${constraint === 'step' ? 'step size' : 'positive parameter'} can't start at ${start}`;
    reporter.report('model/learn', { problem }, choice.place);
  }
  if (constraint === 'unit' && (start <= 0 || start >= 1)) {
    reporter.report('model/learn', { problem: `a parameter between 0 and 1 can't start at ${start}` }, choice.place);
  }
  return { default: start, learn: constraint === undefined ? {} : { constraint } };
}

/** A neuron with its arguments: `LIF(tau: 4, theta: learn(1, constraint: positive))`. */
export function useNeuron(
  def: NeuronDef,
  written: CallExpression | NameExpression,
  context: EvaluationContext,
): NeuronUse | undefined {
  const callee: Callee = { name: def.name, place: written.span };
  const parameters = def.params.map((param): Parameter => {
    const spec: Spec = { kind: 'either', of: [learnSpec, neuronParameterSpec(param.type)] };
    if (param.default === undefined) return { name: param.name, spec, required: true };
    return { name: param.name, spec, default: param.default };
  });
  const values = evaluateArguments(callee, parameters, calleeOf(written).args, context);
  if (values === undefined) return undefined;
  const args: Record<string, number> = {};
  const params = def.params.map((param): NeuronParam => {
    const value = values.get(param.name);
    if (value?.kind === 'choice') {
      const typed = param.type === undefined ? {} : { type: param.type };
      const changed = { name: param.name, ...typed, ...learned(value.choice, context.reporter) };
      args[param.name] = changed.default;
      return changed;
    }
    args[param.name] = value?.kind === 'number' || value?.kind === 'bool' ? Number(value.value) : 0;
    return param;
  });
  const same = params.every((param, i) => param === def.params[i]);
  return { def: same ? def : { ...def, params }, args, place: written.span };
}
