import type { Span } from '../base/source.js';
import { type PhaseName, phaseNames, phaseTable } from './phases.js';

/**
 * A neuron's equations as data: what the language's `neuron` declarations become and what
 * neuron ops of the Network IR carry. A time step goes through the phases of `phaseTable` in their
 * order: charge (membrane from input `x`), fire (output from membrane), reset (membrane from output).
 *
 * Names an expression may use: parameters, states, values assigned earlier in the step,
 * `x` (input current), further input currents by their names, `s` (output, once fired), `t` (local time step, from 1) and `T`
 * (number of local steps).
 */
export type Expr =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly op: UnaryOp; readonly operand: Expr }
  | { readonly kind: 'binary'; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
  | {
      readonly kind: 'call';
      readonly callee: string;
      readonly args: readonly Expr[];
      readonly named: Readonly<Record<string, Expr>>;
    };

export type UnaryOp = '-' | 'not';
export type BinaryOp = '+' | '-' | '*' | '/' | '^' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or';

/** An operator on numbers; undefined for `and` and `or`, which are for truth values. */
export function applyBinary(op: BinaryOp, a: number, b: number): number | boolean | undefined {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '^':
      return a ** b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case 'and':
    case 'or':
      return undefined;
  }
}

export interface Assignment {
  readonly target: string;
  readonly value: Expr;
}

/**
 * The range of a learnable parameter: `positive` (> 0), `unit` (between 0 and 1), `step` (> 0, and the step size of the
 * neuron's levels: its gradient is scaled, it starts from data and is renewed when bits change; docs/training.md).
 */
export type LearnConstraint = (typeof learnConstraints)[number];

export const learnConstraints = ['positive', 'unit', 'step'] as const;

/** What a learnable parameter has a value of its own for: each channel, each neuron, each time step; else the layer. */
export type LearnScope = (typeof learnScopes)[number];

export const learnScopes = ['channel', 'neuron', 'step'] as const;

export const neuronParamTypes = ['int', 'real', 'bool'] as const;

/** What a parameter's values must lie in: `theta = within(1, above: 0)`, `tau = within(2, min: 1)`. */
export interface ParameterRange {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
}

export interface Learn {
  readonly constraint?: LearnConstraint;
  readonly per?: LearnScope;
  /** What the last one starts from, and those between at equal distances. Of the language alone (`withoutRanges`). */
  readonly to?: number;
}

export interface NeuronParam {
  readonly name: string;
  /** What its values must be, where it says so: `integer: int = 2`. */
  readonly type?: (typeof neuronParamTypes)[number];
  /** Missing where the user must give it. A boolean parameter is 0 or 1. */
  readonly default?: number;
  /** Learnable: trained per layer, or `per` what is said, starting from its value, kept in range by `constraint`. */
  readonly learn?: Learn;
  /** Of the language alone: the values that are compiled lie in it, so networks don't carry it (`withoutRanges`). */
  readonly range?: ParameterRange;
}

export interface NeuronState {
  readonly name: string;
  readonly initial: Expr;
  /** More than one for neurons with several membranes (MLF). An expression of the parameters. */
  readonly units?: Expr;
}

export interface Surrogate {
  /** A name of `surrogateTable` of the Tensor IR. */
  readonly name: string;
  readonly args: Readonly<Record<string, number | Expr>>;
}

/**
 * How hardware that only adds is sent a spike with the code S: `binary`, its bits, plane b counting 2^b (MBM §3.1, IBRA
 * eq. 6-15); `unary`, S spikes that count alike in D planes, D the greatest code (the T×D steps of IBRA eq. 5).
 */
export type PlaneForm = (typeof planeForms)[number];

export const planeForms = ['unary', 'binary'] as const;

/** What editors say of each. */
export const planeDocs: Readonly<Record<PlaneForm, string>> = {
  unary: 'as many spikes as the code of the spike says, which count alike',
  binary: 'a spike for each bit of the code that is 1, and bit b counts 2^b',
};

/** A part of a time step: its assignments, carried out from top to bottom. */
export interface Phase {
  readonly name: PhaseName;
  readonly assignments: readonly Assignment[];
}

export interface NeuronDef {
  readonly name: string;
  readonly params: readonly NeuronParam[];
  /** Names of the input currents beside `x`, in the order of the layer's further inputs; none where missing. */
  readonly currents?: readonly string[];
  readonly states: readonly NeuronState[];
  /** All of them, in the order in which a time step goes through them. */
  readonly phases: readonly Phase[];
  readonly surrogate?: Surrogate;
  /** The reset's dependence on the output is cut from the gradient. */
  readonly detachReset?: boolean;
  /** How inference sends spikes of several levels; `binary` where it isn't said. */
  readonly planes?: PlaneForm;
}

/** A neuron with the arguments it was given, defaults filled in. A truth value is 0 or 1. */
export interface NeuronUse {
  readonly def: NeuronDef;
  readonly args: Readonly<Record<string, number>>;
  readonly place: Span;
}

/** The neuron as networks carry it: its values have been checked. */
export function withoutRanges(def: NeuronDef): NeuronDef {
  return { ...def, params: def.params.map(({ range: _range, ...param }) => withoutSpread(param)) };
}

/** The parameter without the spread of what it starts from: all of its values start from the first. */
export function withoutSpread(param: NeuronParam): NeuronParam {
  if (param.learn?.to === undefined) return param;
  const { to: _to, ...learn } = param.learn;
  return { ...param, learn };
}

/** The parameter that is the step size of a neuron's levels: the one with the constraint `step`. */
export function stepParameter(def: NeuronDef | undefined): string | undefined {
  return def?.params.find(({ learn }) => learn?.constraint === 'step')?.name;
}

/** The parameters that have a value of their own for each time step. */
export function stepwiseParameters(def: NeuronDef): readonly string[] {
  return def.params.flatMap(({ name, learn }) => (learn?.per === 'step' ? [name] : []));
}

/** The assignments of a phase; of all phases in their order, without a name. */
export function assignmentsOf(def: NeuronDef, name?: PhaseName): readonly Assignment[] {
  return def.phases.flatMap((phase) => (name === undefined || phase.name === name ? phase.assignments : []));
}

/** The assignments that decide the output: those of a time step up to its last phase that fires. */
export function assignmentsUntilOutput(def: NeuronDef): readonly Assignment[] {
  const last = def.phases.findLastIndex(({ name }) => phaseTable[name].fires === true);
  return def.phases.slice(0, last + 1).flatMap(({ assignments }) => assignments);
}

/** Whether a neuron's steps name something. */
export function readsName(def: NeuronDef, name: string): boolean {
  const within = (expr: Expr): boolean => (expr.kind === 'name' && expr.name === name) || partsOf(expr).some(within);
  const surrogate = Object.values(def.surrogate?.args ?? {}).filter((arg) => typeof arg !== 'number');
  const phases = def.phases.flatMap(({ assignments }) => assignments.map(({ value }) => value));
  return [...phases, ...surrogate].some(within);
}

/** The phases, all of them and in order, from what is known of some. */
export function phasesOf(found: Readonly<Partial<Record<PhaseName, readonly Assignment[]>>>): readonly Phase[] {
  return phaseNames.map((name) => ({ name, assignments: found[name] ?? [] }));
}

/** What the first state is compared with where a neuron fires by that alone: `1 + b` in `s = u >= 1 + b`. */
export function thresholdOf(def: NeuronDef): Expr | undefined {
  const [one, ...more] = assignmentsOf(def, 'fire');
  const { states } = def;
  if (one?.target !== 's' || more.length > 0 || one.value.kind !== 'binary') return undefined;
  const { op, left, right } = one.value;
  return (op === '>=' || op === '>') && left.kind === 'name' && left.name === states[0]?.name ? right : undefined;
}

/** The expressions that an expression is made of. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'name':
      return [];
    case 'unary':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'call':
      return [...expr.args, ...Object.values(expr.named)];
  }
}
