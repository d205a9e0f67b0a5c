import { writing } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import {
  type Assignment,
  type Expr,
  type NeuronDef,
  type NeuronParam,
  type NeuronState,
  type PlaneForm,
  type Surrogate,
  type PhaseName,
  assignmentsOf,
  neuronParamTypes,
  partsOf,
  phaseNames,
  phaseTable,
  phasesOf,
  planeForms,
  surrogateProblem,
  surrogateTable,
} from '../equations/index.js';
import type { Span } from '../base/source.js';
import type { NeuronDeclaration, Parameter, PhaseStatement, SurrogateStatement } from '../syntax/index.js';
import { calleeOf, evaluateAs, matchArguments } from './arguments.js';
import { toEquation } from './equations.js';
import type { EvaluationContext } from './evaluate.js';
import { defaultSpec, learned } from './neuron-parameters.js';
import { UnitCheck } from './neuron-units.js';
import { checkDeclaredRange, rangeOf } from './parameter-ranges.js';
import type { Reporter } from './reporter.js';
import { namesIn } from './rules/rule.js';

/** Names every equation sees: the input current, the local time step from 1, the number of steps. */
const given = ['x', 't', 'T'];
/** Names that neuron ops of the Network IR use for themselves. */
const taken = ['neuron', 'levels', 'amplitude', 'hold'];

/** Surrogate gradients and their arguments (docs/language.md); a bound is missing unless told. */
export const surrogates: Readonly<Record<string, Readonly<Record<string, number | undefined>>>> = Object.fromEntries(
  Object.entries(surrogateTable).map(([name, { args }]) => [
    name,
    Object.fromEntries(Object.entries(args).map(([arg, value]) => [arg, Number.isFinite(value) ? value : undefined])),
  ]),
);

/** Checks a neuron declaration and makes its equations data. */
export function checkNeuron(declaration: NeuronDeclaration, reporter: Reporter): NeuronDef {
  const params = checkParameters(declaration.parameters, reporter);
  const paramNames = new Set(params.map((param) => param.name));
  const body = new NeuronBody(declaration, paramNames, reporter);
  const surrogate = body.surrogate();
  const currents = body.currents();
  const def: NeuronDef = {
    name: declaration.name.text,
    params,
    ...(currents.length === 0 ? {} : { currents }),
    states: body.states(),
    ...body.phases(),
    ...(surrogate === undefined ? {} : { surrogate }),
    ...(body.planes() === 'unary' ? { planes: 'unary' as const } : {}),
  };
  reportUnusedParameters(declaration, def, reporter);
  reportFirstValues(declaration, params, reporter);
  for (const { default: value, ...declared } of params) {
    const written = declaration.parameters.find(({ name }) => name.text === declared.name)?.default;
    if (written === undefined || value === undefined) continue;
    checkDeclaredRange(def, declared, value, { place: written.span, reporter });
  }
  return def;
}

/** A state begins in front of the first step, where a parameter with a value for each step has none. */
function reportFirstValues({ body }: NeuronDeclaration, params: readonly NeuronParam[], reporter: Reporter): void {
  const perStep = new Set(params.flatMap(({ name, learn }) => (learn?.per === 'step' ? [name] : [])));
  for (const statement of body) {
    if (statement.kind !== 'state') continue;
    const name = namesIn(statement.initial).find((one) => perStep.has(one));
    if (name === undefined) continue;
    const problem = `the first value of \`${statement.name.text}\` reads \`${name}\`, which has a value for each step`;
    const help = 'learn it `per: neuron` or `per: channel`, or read it in a phase';
    reporter.report('model/conflict', { problem }, statement.initial.span, { help });
  }
}

/** The parameters with their defaults and what they must lie in. */
function checkParameters(parameters: readonly Parameter[], reporter: Reporter): NeuronParam[] {
  const context: EvaluationContext = { reporter, environment: { lookup: () => undefined, names: () => [] } };
  const params: NeuronParam[] = [];
  for (const { name, type, default: written } of parameters) {
    if (params.some((param) => param.name === name.text)) {
      reporter.report('model/duplicate-name', { name: name.text }, name.span);
      continue;
    }
    if ([...given, ...taken, 's'].includes(name.text)) {
      const why = 'every neuron has this name already';
      reporter.report('model/assignment', { name: name.text, why }, name.span, { help: 'choose another name' });
    }
    const known = neuronParamTypes.find((word) => word === type?.name.text);
    if (type !== undefined && known === undefined) {
      const args = {
        what: 'the type of a neuron’s parameter',
        expected: '`int`, `real` or `bool`',
        found: `\`${type.name.text}\``,
      };
      reporter.report('model/argument-type', args, type.span);
    }
    const typed = known === undefined ? {} : { type: known };
    if (written === undefined) {
      params.push({ name: name.text, ...typed });
      continue;
    }
    const value = evaluateAs(written, defaultSpec(known), `the default of \`${name.text}\``, context);
    if (value.kind === 'choice' && value.choice.name === 'within') {
      const range = rangeOf(value.choice);
      params.push({ name: name.text, ...typed, default: Number(value.choice.args['value']), range });
    } else if (value.kind === 'choice')
      params.push({ name: name.text, ...typed, ...learned(name.text, value.choice, known, reporter) });
    else if (value.kind === 'number' || value.kind === 'bool')
      params.push({ name: name.text, ...typed, default: Number(value.value) });
    else params.push({ name: name.text, ...typed, default: 0 });
  }
  return params;
}

class NeuronBody {
  readonly #declaration: NeuronDeclaration;
  readonly #params: ReadonlySet<string>;
  readonly #reporter: Reporter;
  readonly #stateNames = new Map<string, Span>();
  /** Input currents beside `x`. */
  readonly #currents = new Map<string, Span>();
  readonly #assigned = new Set<string>();
  /** What equations may name so far. */
  readonly #visible: Set<string>;

  constructor(declaration: NeuronDeclaration, params: ReadonlySet<string>, reporter: Reporter) {
    this.#declaration = declaration;
    this.#params = params;
    this.#reporter = reporter;
    for (const statement of declaration.body) {
      if (statement.kind === 'state') this.#addState(statement.name);
      if (statement.kind === 'current') this.#addCurrent(statement.name);
    }
    const vectors = declaration.body.some((statement) => statement.kind === 'state' && statement.units !== undefined);
    this.#visible = new Set([
      ...given,
      ...(vectors ? ['unit'] : []),
      ...params,
      ...this.#stateNames.keys(),
      ...this.#currents.keys(),
    ]);
  }

  #addState(name: { readonly text: string; readonly span: Span }): void {
    const earlier = this.#stateNames.get(name.text);
    const current = this.#currents.has(name.text);
    if (
      earlier !== undefined ||
      current ||
      this.#params.has(name.text) ||
      given.includes(name.text) ||
      name.text === 's'
    ) {
      const related = earlier === undefined ? [] : [{ place: earlier, message: 'first declared here' }];
      this.#reporter.report('model/duplicate-name', { name: name.text }, name.span, { related });
    }
    if (earlier === undefined) this.#stateNames.set(name.text, name.span);
  }

  #addCurrent(name: { readonly text: string; readonly span: Span }): void {
    const earlier = this.#currents.get(name.text) ?? this.#stateNames.get(name.text);
    const known = [...given, ...taken, 's', 'unit'].includes(name.text) || this.#params.has(name.text);
    if (earlier !== undefined || known) {
      const related = earlier === undefined ? [] : [{ place: earlier, message: 'first declared here' }];
      this.#reporter.report('model/duplicate-name', { name: name.text }, name.span, { related });
    }
    if (earlier === undefined) this.#currents.set(name.text, name.span);
  }

  currents(): readonly string[] {
    return [...this.#currents.keys()];
  }

  states(): NeuronState[] {
    const scope = { names: new Set([...this.#params, 'T']), reporter: this.#reporter };
    const states: NeuronState[] = [];
    for (const statement of this.#declaration.body) {
      if (statement.kind !== 'state' || states.some((state) => state.name === statement.name.text)) continue;
      states.push({
        name: statement.name.text,
        initial: toEquation(statement.initial, scope),
        ...(statement.units === undefined ? {} : { units: toEquation(statement.units, scope) }),
      });
    }
    return states;
  }

  phases(): Pick<NeuronDef, 'phases' | 'detachReset'> {
    const found: Partial<Record<PhaseName, Assignment[]>> = {};
    let latest: PhaseStatement | undefined;
    let detached = false;
    const units = new UnitCheck(this.#declaration, this.#reporter);
    for (const statement of this.#declaration.body) {
      if (statement.kind !== 'phase') continue;
      const phase = statement.phase.text;
      if (latest !== undefined && phaseNames.indexOf(phase) < phaseNames.indexOf(latest.phase.text)) {
        const related = [{ place: latest.phase.span, message: `\`${latest.phase.text}\` is here` }];
        const args = { phase, before: latest.phase.text };
        const help = `the order is ${phaseNames.join(', ')}`;
        this.#reporter.report('model/phase-order', args, statement.phase.span, { related, help });
      }
      latest = statement;
      detached ||= this.#detached(statement);
      for (const assignment of statement.assignments) {
        const { name, value } = assignment;
        units.assignment(assignment);
        const equation = toEquation(value, { names: this.#visible, reporter: this.#reporter, steps: true });
        this.#checkReset(assignment, phase);
        if (this.#mayAssign(name, phase)) (found[phase] ??= []).push({ target: name.text, value: equation });
      }
    }
    this.#checkComplete(found);
    return { phases: phasesOf(found), ...(detached ? { detachReset: true as const } : {}) };
  }

  planes(): PlaneForm | undefined {
    const [first, ...more] = this.#declaration.body.filter((statement) => statement.kind === 'planes');
    for (const again of more) {
      const related = [{ place: first!.span, message: 'first declared here' }];
      this.#reporter.report('model/planes-twice', {}, again.span, { related });
    }
    if (first === undefined) return undefined;
    const { text: name, span } = first.form;
    const form = planeForms.find((one) => one === name);
    if (form === undefined) {
      const help = suggest(name, planeForms) ?? 'there are `unary` and `binary`';
      this.#reporter.report('model/unknown-name', { kind: 'form of planes', name }, span, { help });
    }
    return form;
  }

  surrogate(): Surrogate | undefined {
    const statements = this.#declaration.body.filter((statement) => statement.kind === 'surrogate');
    for (const again of statements.slice(1)) {
      const related = [{ place: statements[0]!.span, message: 'first declared here' }];
      this.#reporter.report('model/surrogate-twice', {}, again.span, { related });
    }
    return statements[0] === undefined ? undefined : this.#checkSurrogate(statements[0]);
  }

  #checkSurrogate({ call }: SurrogateStatement): Surrogate | undefined {
    const { name, args, place } = calleeOf(call);
    const known = Object.hasOwn(surrogates, name) ? surrogates[name] : undefined;
    if (known === undefined) {
      const help = suggest(name, Object.keys(surrogates));
      this.#reporter.report('model/unknown-name', { kind: 'surrogate', name }, place, { help });
      return undefined;
    }
    const parameters = Object.keys(known).map((key) => ({ name: key }));
    const context: EvaluationContext = {
      reporter: this.#reporter,
      environment: { lookup: () => undefined, names: () => [] },
    };
    const matched = matchArguments({ name, place }, parameters, args, context);
    const checked: Record<string, number | Expr> = {};
    for (const [key, otherwise] of Object.entries(known)) {
      const argument = matched.get(key);
      if (argument !== undefined) {
        const expr = toEquation(argument.value, { names: new Set([...this.#params, 'T']), reporter: this.#reporter });
        checked[key] = expr.kind === 'number' ? expr.value : expr;
      } else if (otherwise !== undefined) {
        checked[key] = otherwise;
      }
    }
    const numbers = Object.entries(checked).filter(([, value]) => typeof value === 'number');
    const wrong = surrogateProblem(name, Object.fromEntries(numbers) as Record<string, number>);
    if (wrong !== undefined) {
      const { argument, expected } = wrong;
      const what = { what: `\`${argument}\` of \`${name}\``, expected, found: JSON.stringify(checked[argument]) };
      this.#reporter.report('model/argument-type', what, matched.get(argument)?.span ?? place);
    }
    return { name, args: checked };
  }

  #detached(statement: PhaseStatement): boolean {
    if (statement.detached === undefined) return false;
    if (phaseTable[statement.phase.text].detachable === true) return true;
    const why = 'only `reset` can be detached from the gradient';
    this.#reporter.report('model/assignment', { name: 'detached', why }, statement.detached);
    return false;
  }

  /** A state that is reset to the same value at every step is no state. */
  #checkReset({ name, value, span }: PhaseStatement['assignments'][number], phase: PhaseName): void {
    const isConstant = namesIn(value).every((one) => this.#params.has(one));
    if (phase !== 'reset' || !this.#stateNames.has(name.text) || !isConstant) return;
    const text = `to reset it where the neuron fired, write \`reset ${name.text} = where(s, …, ${name.text})\``;
    const { source, start, end } = value.span;
    const where = `where(s, ${source.text.slice(start, end)}, ${name.text})`;
    const help = writing(text, `Write \`${where}\``, value.span, where);
    this.#reporter.report('model/unconditional-reset', { state: name.text }, span, { help });
  }

  #mayAssign({ text, span }: { readonly text: string; readonly span: Span }, phase: PhaseName): boolean {
    const why = this.#params.has(text)
      ? 'it is a parameter'
      : given.includes(text) || text === 'unit' || this.#currents.has(text)
        ? 'it is given from outside'
        : text === 's' && phaseTable[phase].fires !== true
          ? '`s` is the output, which `fire` decides'
          : undefined;
    if (why !== undefined) this.#reporter.report('model/assignment', { name: text, why }, span);
    else {
      this.#assigned.add(text);
      this.#visible.add(text);
    }
    return why === undefined;
  }

  #checkComplete(found: Readonly<Partial<Record<PhaseName, readonly Assignment[]>>>): void {
    const { name, body } = this.#declaration;
    for (const phase of phaseNames) {
      if (phaseTable[phase].required !== true) continue;
      if (body.some((statement) => statement.kind === 'phase' && statement.phase.text === phase)) continue;
      this.#reporter.report('model/missing-phase', { neuron: name.text, phase }, name.span);
    }
    const fires = body.find((statement) => statement.kind === 'phase' && statement.phase.text === 'fire');
    if (fires !== undefined && !(found.fire ?? []).some((assignment) => assignment.target === 's')) {
      this.#reporter.report('model/no-spike', { neuron: name.text }, fires.span, { help: 'assign it: `fire s = …`' });
    }
    const read = new Set(Object.values(found).flatMap((list) => list.flatMap(({ value }) => [...namesOf(value)])));
    for (const [current, span] of this.#currents) {
      if (read.has(current)) continue;
      const help = 'read it in `charge`, or remove it';
      this.#reporter.report('model/unused-parameter', { name: current }, span, { help });
    }
    for (const [state, span] of this.#stateNames) {
      if (!this.#assigned.has(state)) this.#reporter.report('model/unused-state', { name: state }, span);
    }
  }
}

function namesOf(expr: Expr): ReadonlySet<string> {
  return new Set([
    ...(expr.kind === 'name' ? [expr.name] : []),
    ...partsOf(expr).flatMap((part) => [...namesOf(part)]),
  ]);
}

function reportUnusedParameters(declaration: NeuronDeclaration, def: NeuronDef, reporter: Reporter): void {
  const used = new Set<string>();
  const visit = (expr: Expr): void => {
    for (const name of namesOf(expr)) used.add(name);
  };
  for (const { value } of assignmentsOf(def)) visit(value);
  for (const { initial, units } of def.states) [initial, ...(units === undefined ? [] : [units])].forEach(visit);
  for (const value of Object.values(def.surrogate?.args ?? {})) if (typeof value !== 'number') visit(value);
  for (const { name } of declaration.parameters) {
    if (!used.has(name.text)) reporter.report('model/unused-parameter', { name: name.text }, name.span);
  }
}
