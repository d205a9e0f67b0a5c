import { type SurrogateRow, surrogateTable } from '../tensor/index.js';
import { rangeOf } from './levels.js';
import { phaseTable } from './phases.js';
import { printExpr } from './print.js';
import { type Range, anything, binaryRange, exactly } from './ranges.js';
import { type Expr, type NeuronDef, partsOf } from './types.js';

/** A surrogate that no membrane comes near to: it is 0 at every jump, and nothing in front of the neurons learns. */
export interface UnreachedSurrogate {
  /** What is looked at, as an equation: the distance from the jump that comes nearest. */
  readonly distance: string;
  /** Between these it stays, over all steps. */
  readonly lo: number;
  readonly hi: number;
  /** Where the surrogate isn't 0. */
  readonly support: readonly [lo: number, hi: number];
}

/** A place where the output jumps: the distance from it, in units of the membrane. */
interface Jump {
  readonly text: string;
  readonly lo: number;
  readonly hi: number;
}

type Ranges = Map<string, Range>;

/**
 * Whether a neuron's membrane stays out of reach of its surrogate in all of `steps` time steps, by interval arithmetic: `ranges`
 * hold its parameters (what training moves: anything) and input currents. Nothing where it may come near, or where that isn't known.
 */
export function unreachedSurrogate(
  def: NeuronDef,
  ranges: ReadonlyMap<string, Range>,
  steps: number,
): UnreachedSurrogate | undefined {
  const support = supportOf(def, new Map([...ranges, ['T', exactly(steps)]]));
  if (support === undefined) return undefined;
  const now: Ranges = new Map([...ranges, ['T', exactly(steps)]]);
  for (const { name, initial } of def.states) now.set(name, rangeOf(initial, now, 1));
  const nearest = new Map<string, Jump>();
  let before = '';
  for (let t = 1; t <= steps; t++) {
    now.set('t', exactly(t));
    for (const { name, assignments } of def.phases) {
      for (const { target, value } of assignments) {
        if (phaseTable[name].fires === true) {
          const jumps = jumpsOf(value, now, def.surrogate?.name === 'ste');
          // something has a jump at any place
          if (jumps === undefined) return undefined;
          for (const jump of jumps) nearest.set(jump.text, joined(nearest.get(jump.text), jump));
        }
        now.set(target, rangeOf(value, now, 1));
      }
    }
    const states = JSON.stringify(def.states.map(({ name }) => now.get(name)));
    if (states === before) break;
    before = states;
  }
  const [lo, hi] = support;
  const all = [...nearest.values()];
  const closed = def.surrogate?.name === 'ste';
  const isOut = (jump: Jump): boolean => (closed ? jump.hi < lo || jump.lo > hi : jump.hi <= lo || jump.lo >= hi);
  if (all.length === 0 || !all.every(isOut)) return undefined;
  const away = (jump: Jump): number => Math.max(lo - jump.hi, jump.lo - hi);
  const [first] = all.sort((a, b) => away(a) - away(b)) as [Jump];
  return { distance: first.text, lo: first.lo, hi: first.hi, support };
}

/** Where the surrogate isn't 0; undefined where that is everywhere, or depends on what is learned. */
function supportOf({ surrogate }: NeuronDef, ranges: Ranges): readonly [number, number] | undefined {
  const row: SurrogateRow | undefined = surrogate === undefined ? undefined : surrogateTable[surrogate.name];
  if (surrogate === undefined || row?.support === undefined) return undefined;
  const args = { ...row.args } as Record<string, number>;
  for (const [name, arg] of Object.entries(surrogate.args)) {
    const { lo, hi } = typeof arg === 'number' ? exactly(arg) : rangeOf(arg, ranges, 1);
    if (lo !== hi) return undefined;
    args[name] = lo;
  }
  const support = row.support(args as Parameters<NonNullable<SurrogateRow['support']>>[0]);
  return support[0] === -Infinity && support[1] === Infinity ? undefined : support;
}

function joined(a: Jump | undefined, b: Jump): Jump {
  return a === undefined ? b : { text: a.text, lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
}

const comparisons: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);

/** The jumps in an expression of `fire`; undefined where one is everywhere, as an integer of anything has. */
function jumpsOf(expr: Expr, ranges: Ranges, inSteps: boolean): readonly Jump[] | undefined {
  const inside = (parts: readonly Expr[]): readonly Jump[] | undefined => {
    const found = parts.map((part) => jumpsOf(part, ranges, inSteps));
    return found.includes(undefined) ? undefined : found.flatMap((one) => one!);
  };
  if (expr.kind === 'binary' && comparisons.has(expr.op)) {
    const [left, right] = [rangeOf(expr.left, ranges, 1), rangeOf(expr.right, ranges, 1)];
    const within = inside([expr.left, expr.right]);
    // what is known before the step jumps nowhere
    if (left.lo === left.hi && right.lo === right.hi) return within;
    const { lo, hi } = binaryRange('-', left, right);
    const text =
      expr.right.kind === 'number' && expr.right.value === 0
        ? printExpr(expr.left)
        : `${printExpr(expr.left)} - ${printExpr(expr.right, 6)}`;
    return within && [...within, { text, lo, hi }];
  }
  if (expr.kind !== 'call') return inside(partsOf(expr));
  const { callee, args, named } = expr;
  if (callee === 'sign') {
    const { lo, hi } = rangeOf(args[0]!, ranges, 1);
    const within = inside(args);
    return within && [...within, { text: printExpr(args[0]!), lo, hi }];
  }
  if (callee === 'levels') {
    const [low, high, step] = ['min', 'max', 'step'].map((name) => known(named[name], ranges));
    if (low === undefined || high === undefined || step === undefined) return undefined;
    return beside(args[0]!, [(low + 1) * step, high * step], ranges, inSteps);
  }
  if (callee === 'clip') {
    const [steps, ...bounds] = args;
    const [low, high] = bounds.map((bound) => known(bound, ranges));
    const rounds = steps?.kind === 'call' && (steps.callee === 'floor' || steps.callee === 'round');
    if (steps?.kind !== 'call' || !rounds || low === undefined || high === undefined) return undefined;
    const half = steps.callee === 'round' ? 0.5 : 0;
    return beside(steps.args[0]!, [low + 1 - half, high - half], ranges, inSteps);
  }
  return callee === 'floor' || callee === 'round' ? undefined : inside([...args, ...Object.values(named)]);
}

function known(expr: Expr | undefined, ranges: Ranges): number | undefined {
  const { lo, hi } = expr === undefined ? anything : rangeOf(expr, ranges, 1);
  return lo === hi ? lo : undefined;
}

/**
 * The distance of what is rounded from the boundaries between levels, the least and the greatest: in units of the membrane, whatever
 * number it is divided or multiplied by; of `ste`, which bounds what is rounded, that itself.
 */
function beside(
  value: Expr,
  [first, last]: readonly [number, number],
  ranges: Ranges,
  inSteps: boolean,
): readonly Jump[] | undefined {
  const { lo, hi } = rangeOf(value, ranges, 1);
  const text = printExpr(value);
  if (inSteps) return [{ text, lo, hi }];
  const divides = value.kind === 'binary' && (value.op === '/' || value.op === '*');
  const factor = divides ? known(value.right, ranges) : 1;
  if (factor === undefined || !(factor > 0)) return undefined;
  const unit = divides && value.op === '*' ? 1 / factor : factor;
  return [{ text: `${text} from the levels`, lo: (lo - last) * unit, hi: (hi - first) * unit }];
}
