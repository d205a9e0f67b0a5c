import { functionNamed } from './functions.js';
import { type OnProblem, type Range, anything, binaryRange, exactly, truthRange } from './ranges.js';
import { type Expr, type NeuronDef, assignmentsOf, assignmentsUntilOutput, partsOf } from './types.js';

/** Spikes of a neuron: integers min … max times `step`. */
export interface SpikeLevels {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

export interface LevelOptions {
  /** The number of time steps T of a layer; any where missing. */
  readonly steps?: number | undefined;
  readonly onProblem?: OnProblem;
}

/**
 * The levels a neuron's output can have, derived from its equations by interval arithmetic; nothing
 * where they don't bound it or don't hold it to multiples of a step. Learnable parameters count with
 * their present values; `steps` is T, where it is known.
 */
export function spikeLevels(
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  { steps, onProblem = () => undefined }: LevelOptions = {},
): SpikeLevels | undefined {
  if (learnsLevels(def)) return undefined;
  const { lo, hi, step } = outputRange(def, args, steps, onProblem);
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) return undefined;
  if (lo === 0 && hi === 0) return { min: 0, max: 0, step: 1 };
  if (step === 0) return undefined;
  return { min: Math.round(lo / step), max: Math.round(hi / step), step };
}

/** Whether a neuron's output is a real number: its equations hold it to no steps, as `fire s = u`. */
export function isRealValued(def: NeuronDef, args: Readonly<Record<string, number>>, steps?: number): boolean {
  return (
    !learnsLevels(def) && outputRange(def, args, steps).step === 0 && spikeLevels(def, args, { steps }) === undefined
  );
}

function learnsLevels(def: NeuronDef): boolean {
  const learned = new Set(def.params.flatMap(({ name, learn }) => (learn === undefined ? [] : [name])));
  return assignmentsOf(def, 'fire').some(({ value }) => hasLearnedLevels(value, learned));
}

function outputRange(
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  steps: number | undefined,
  onProblem?: OnProblem,
): Range {
  const ranges = new Map<string, Range>(Object.entries(args).map(([name, value]) => [name, exactly(value)]));
  const units = Math.max(1, ...def.states.map((state) => (state.units ? rangeOf(state.units, ranges, 1).hi : 1)));
  for (const { name } of def.states) ranges.set(name, anything);
  ranges.set('t', { lo: 1, hi: Infinity, step: 1 });
  ranges.set('T', steps === undefined ? { lo: 1, hi: Infinity, step: 1 } : exactly(steps));
  for (const name of def.currents ?? []) ranges.set(name, anything);
  ranges.set('unit', { lo: 1, hi: units, step: 1 });
  for (const { target, value } of assignmentsUntilOutput(def)) {
    const isState = def.states.some((state) => state.name === target);
    ranges.set(target, isState ? anything : rangeOf(value, ranges, units, onProblem));
  }
  return ranges.get('s') ?? anything;
}

/** Whether a call of `levels` has bounds or a step that training would move. */
function hasLearnedLevels(expr: Expr, learned: ReadonlySet<string>): boolean {
  const names = (part: Expr): boolean => (part.kind === 'name' ? learned.has(part.name) : partsOf(part).some(names));
  const own = expr.kind === 'call' && expr.callee === 'levels' && Object.values(expr.named).some(names);
  return own || partsOf(expr).some((part) => hasLearnedLevels(part, learned));
}

/** What is known of an expression's values, from what is known of its names. */
export function rangeOf(
  expr: Expr,
  ranges: ReadonlyMap<string, Range>,
  units: number,
  onProblem: OnProblem = () => undefined,
): Range {
  const of = (inner: Expr): Range => rangeOf(inner, ranges, units, onProblem);
  switch (expr.kind) {
    case 'number':
      return exactly(expr.value);
    case 'name':
      return ranges.get(expr.name) ?? anything;
    case 'unary': {
      if (expr.op === 'not') return truthRange;
      const { lo, hi, step } = of(expr.operand);
      return { lo: -hi, hi: -lo, step };
    }
    case 'binary':
      return binaryRange(expr.op, of(expr.left), of(expr.right));
    case 'call': {
      const named = Object.fromEntries(Object.entries(expr.named).map(([name, value]) => [name, of(value)]));
      return functionNamed(expr.callee)?.range({ args: expr.args.map(of), named, units, onProblem }) ?? anything;
    }
  }
}
