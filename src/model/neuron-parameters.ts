import {
  type LearnConstraint,
  type LearnScope,
  type NeuronDef,
  type NeuronParam,
  learnConstraints,
  learnScopes,
  withoutSpread,
} from '../equations/index.js';
import type { Span } from '../base/source.js';
import type { CallExpression, NameExpression } from '../syntax/index.js';
import { type Callee, calleeOf, evaluateArguments } from './arguments.js';
import type { EvaluationContext } from './evaluate.js';
import { checkDeclaredRange, withinParameters } from './parameter-ranges.js';
import type { Choices, Parameter, Spec } from './schema.js';
import type { Reporter } from './reporter.js';
import type { Choice, NeuronUse } from './values.js';

/** `learn(START, constraint: positive | unit | step, per: channel | neuron | step, to: LAST)`: trained, one a layer without `per`. */
export const learnSpec = {
  kind: 'choice',
  of: {
    learn: {
      doc: 'a parameter that is trained with the weights',
      args: [
        { name: 'start', doc: 'the value that training starts from', spec: { kind: 'real' }, required: true },
        {
          name: 'constraint',
          doc: 'what it stays: `positive`, between 0 and 1 (`unit`), or a `step` size, positive and with scaled gradients',
          spec: { kind: 'words', words: learnConstraints },
        },
        {
          name: 'per',
          doc: 'one for each `channel`, `neuron` or time `step`; without it, one a layer',
          spec: { kind: 'words', words: learnScopes },
        },
        {
          name: 'to',
          doc: 'what the last one starts from, with `per`; those between start at equal distances',
          spec: { kind: 'real' },
        },
      ],
    },
  },
} as const satisfies Spec;

/** What stands for the default of a neuron's parameter. */
export function defaultForms(value: Spec): Choices {
  const doc = 'a value, and the range in which arguments must lie';
  return { ...learnSpec.of, within: { doc, args: withinParameters(value) } };
}

/** What may stand for a neuron's argument. */
export function argumentForms(value: Spec): Choices {
  const args = [{ name: 'value', doc: 'the value', spec: value, required: true }];
  return { ...learnSpec.of, fixed: { doc: 'a value that training leaves alone', args } };
}

/** What an argument of a neuron may be, by the declared type of the parameter. */
export function neuronParameterSpec(type: NeuronParam['type']): Spec {
  if (type === 'int') return { kind: 'int' };
  if (type === 'bool') return { kind: 'bool' };
  return type === 'real' ? { kind: 'real' } : { kind: 'either', of: [{ kind: 'real' }, { kind: 'bool' }] };
}

/** The default of a parameter: a value, `learn(…)`, or `within(…)`: a value and what others must lie in. */
export function defaultSpec(type: NeuronParam['type']): Spec {
  const value = neuronParameterSpec(type);
  return {
    kind: 'either',
    of: [{ kind: 'choice', of: defaultForms(type === 'int' ? value : { kind: 'real' }) }, value],
  };
}

/** `learn(…)`, or `fixed(VALUE)`: what training leaves alone, also where the neuron would learn it. */
function chosenSpec(type: NeuronParam['type']): Spec {
  const value = neuronParameterSpec(type);
  return { kind: 'choice', of: argumentForms(value) };
}

/** `learn(start, constraint: …)` as the default of a parameter. */
export function learned(
  name: string,
  choice: Choice,
  type: NeuronParam['type'],
  reporter: Reporter,
): Pick<NeuronParam, 'default' | 'learn'> & { default: number } {
  const start = choice.args['start'] as number;
  const constraint = choice.args['constraint'] as LearnConstraint | undefined;
  if (type === 'int' || type === 'bool') {
    const problem = `${type === 'int' ? 'an integer' : 'a truth value'} can't be learned`;
    reporter.report('model/learn', { problem }, choice.place);
  } else if (name === 'bits') {
    const problem = '`bits` of a neuron are learned towards a target, which a config gives';
    const help = 'give the neuron a number, and the config `bits { spikes learn(init: 4, max: 6, target: 2) }`';
    reporter.report('model/learn', { problem }, choice.place, { help });
  }
  checkRange(start, constraint, { verb: 'start at', place: choice.place, reporter });
  const per = choice.args['per'] as LearnScope | undefined;
  if (constraint === 'step' && per !== undefined)
    reporter.report('model/learn', { problem: 'a step size is one number a layer' }, choice.place);
  const to = choice.args['to'] as number | undefined;
  if (to !== undefined) {
    checkRange(to, constraint, { verb: 'start at', place: choice.place, reporter });
    if (per === undefined) {
      const problem = '`to` spreads many values, and this is one number a layer';
      const help = `say of what there shall be many: \`learn(${start}, to: ${to}, per: neuron)\``;
      reporter.report('model/learn', { problem }, choice.place, { help });
    }
  }
  const learn = {
    ...(constraint === undefined ? {} : { constraint }),
    ...(per === undefined ? {} : { per }),
    ...(to === undefined ? {} : { to }),
  };
  return { default: start, learn };
}

/** Reports a number outside of what a constraint allows. */
function checkRange(
  value: number,
  constraint: LearnConstraint | undefined,
  { verb, place, reporter }: { readonly verb: 'start at' | 'be'; readonly place: Span; readonly reporter: Reporter },
): void {
  const what = constraint === 'step' ? 'a step size' : 'a positive parameter';
  if ((constraint === 'positive' || constraint === 'step') && value <= 0) {
    reporter.report('model/learn', { problem: `${what} can't ${verb} ${value}` }, place);
  }
  if (constraint === 'unit' && (value <= 0 || value >= 1)) {
    reporter.report('model/learn', { problem: `a parameter between 0 and 1 can't ${verb} ${value}` }, place);
  }
}

/** A neuron with its arguments: `LIF(tau: 4, theta: learn(1, constraint: positive))`. */
export function useNeuron(
  def: NeuronDef,
  written: CallExpression | NameExpression,
  context: EvaluationContext,
): NeuronUse | undefined {
  const callee: Callee = { name: def.name, place: written.span };
  const parameters = def.params.map((param): Parameter => {
    const spec: Spec = { kind: 'either', of: [chosenSpec(param.type), neuronParameterSpec(param.type)] };
    if (param.default === undefined) return { name: param.name, spec, required: true };
    return { name: param.name, spec, default: param.default };
  });
  const values = evaluateArguments(callee, parameters, calleeOf(written).args, context);
  if (values === undefined) return undefined;
  const args: Record<string, number> = {};
  const given = calleeOf(written).args;
  const params = def.params.map((param, i): NeuronParam => {
    const value = values.get(param.name);
    if (value?.kind === 'choice') {
      const { reporter } = context;
      const changed = chosen(param, value.choice, reporter);
      for (const start of [changed.default, changed.learn?.to ?? changed.default])
        checkDeclaredRange(def, param, start, { place: value.choice.place, reporter });
      args[param.name] = changed.default;
      return changed;
    }
    const number = value?.kind === 'number' || value?.kind === 'bool' ? Number(value.value) : 0;
    // the default was checked where the neuron is declared
    const own = given.find(({ name }, at) => (name === undefined ? at === i : name.text === param.name));
    if (own !== undefined) {
      const { reporter } = context;
      checkRange(number, param.learn?.constraint, { verb: 'start at', place: own.value.span, reporter });
      checkDeclaredRange(def, param, number, { place: own.value.span, reporter });
    }
    args[param.name] = number;
    return own === undefined ? param : withoutSpread(param);
  });
  const same = params.every((param, i) => param === def.params[i]);
  return { def: same ? def : { ...def, params }, args, place: written.span };
}

/** A parameter that its neuron's use makes learned, or fixes. */
function chosen(param: NeuronParam, choice: Choice, reporter: Reporter): NeuronParam & { readonly default: number } {
  const { name, type } = param;
  const typed = type === undefined ? {} : { type };
  if (choice.name !== 'fixed') return { name, ...typed, ...learned(name, choice, type, reporter) };
  const value = Number(choice.args['value']);
  checkRange(value, param.learn?.constraint, { verb: 'be', place: choice.place, reporter });
  return { name, ...typed, default: value };
}
