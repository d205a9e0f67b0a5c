import { InvariantError } from '../base/invariant.js';
import type { Value } from '../tensor/index.js';
import { roundHalfEven } from '../base/rounding.js';
import { emitClip, emitLevels } from './emit/clip.js';
import { type FunctionRow, type RangeCall, drawn, ops } from './emit/function-row.js';
import { emitWhere } from './emit/where.js';
import { type Range, anything, commonRange, commonStep, exactly, isUneven } from './ranges.js';

/** Known where all arguments are numbers, and else unbounded. */
function ofNumbers(fold: (...x: number[]) => number): FunctionRow['range'] {
  return ({ args }) => (args.every(({ lo, hi }) => lo === hi) ? exactly(fold(...args.map(({ lo }) => lo))) : anything);
}

/** Of a function that grows with its argument and has integer values. */
function ofIntegers(fold: (x: number) => number): FunctionRow['range'] {
  return ({ args: [x] }) => ({ lo: fold(x!.lo), hi: fold(x!.hi), step: 1 });
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const surrogate = 'that of the surrogate at each jump';

/** The functions of the equations, one row each: everything the compiler knows of one stands in its row. */
const rows = {
  where: {
    params: ['c', 'a', 'b'],
    doc: 'a where c is true, else b',
    gradient: 'of the side taken; of c that of its surrogate',
    lazy: true,
    range: ({ args: [c, a, b] }) =>
      c!.lo !== c!.hi
        ? { lo: Math.min(a!.lo, b!.lo), hi: Math.max(a!.hi, b!.hi), step: commonStep(a!, b!) }
        : c!.lo === 0
          ? b!
          : a!,
    emit: emitWhere,
  },
  clip: {
    params: ['x', 'lo', 'hi'],
    doc: 'x, at least lo and at most hi',
    gradient: '1 inside of the bounds, which belong to it; around `floor` and `round` that of the surrogate',
    fold: (x, lo, hi) => Math.min(hi!, Math.max(lo!, x!)),
    range: clipRange,
    emit: emitClip,
  },
  min: {
    params: ['a', 'b'],
    doc: 'the smaller',
    gradient: 'of the smaller, halved at ties',
    fold: Math.min,
    range: ({ args: [a, b] }) => ({
      lo: Math.min(a!.lo, b!.lo),
      hi: Math.min(a!.hi, b!.hi),
      step: commonStep(a!, b!),
    }),
    emit: ops((builder, [x, y]) => builder.min(x, y)),
  },
  max: {
    params: ['a', 'b'],
    doc: 'the larger',
    gradient: 'of the larger, halved at ties',
    fold: Math.max,
    range: ({ args: [a, b] }) => ({
      lo: Math.max(a!.lo, b!.lo),
      hi: Math.max(a!.hi, b!.hi),
      step: commonStep(a!, b!),
    }),
    emit: ops((builder, [x, y]) => builder.max(x, y)),
  },
  floor: {
    params: ['x'],
    doc: 'the greatest integer that isn’t above x',
    gradient: surrogate,
    fold: Math.floor,
    range: ofIntegers(Math.floor),
    emit: ops((builder, [x], slope) => builder.floor(x, slope)),
  },
  round: {
    params: ['x'],
    doc: 'the nearest integer, halves to even',
    gradient: surrogate,
    fold: roundHalfEven,
    range: ofIntegers(roundHalfEven),
    emit: ops((builder, [x], slope) => builder.round(x, slope)),
  },
  sign: {
    params: ['x'],
    doc: '−1, 0 or 1',
    gradient: surrogate,
    fold: Math.sign,
    range: () => ({ lo: -1, hi: 1, step: 1 }),
    emit: ops((builder, [x], slope) => builder.sign(x, slope)),
  },
  abs: {
    params: ['x'],
    doc: 'x without its sign',
    gradient: 'the sign of x',
    fold: Math.abs,
    range: ({ args: [x] }) => ({ lo: 0, hi: Math.max(Math.abs(x!.lo), Math.abs(x!.hi)), step: x!.step }),
    emit: ops((builder, [x]) => builder.abs(x)),
  },
  exp: {
    params: ['x'],
    doc: 'e^x',
    gradient: 'its own',
    fold: Math.exp,
    range: ofNumbers(Math.exp),
    emit: ops((builder, [x]) => builder.exp(x)),
  },
  log: {
    params: ['x'],
    doc: 'the natural logarithm',
    gradient: 'its own',
    fold: Math.log,
    range: ofNumbers(Math.log),
    emit: ops((builder, [x]) => builder.log(x)),
  },
  log2: {
    params: ['x'],
    doc: 'the logarithm to base 2',
    gradient: 'its own',
    fold: Math.log2,
    range: ofNumbers(Math.log2),
    emit: ops((builder, [x]) => builder.mul(builder.log(x), Math.LOG2E)),
  },
  sqrt: {
    params: ['x'],
    doc: 'the square root',
    gradient: 'its own',
    fold: Math.sqrt,
    range: ofNumbers(Math.sqrt),
    emit: ops((builder, [x]) => builder.sqrt(x)),
  },
  sigmoid: {
    params: ['x'],
    doc: '1/(1 + e^−x)',
    gradient: 'its own',
    fold: sigmoid,
    range: () => ({ lo: 0, hi: 1, step: 0 }),
    emit: ops((builder, [x]) => builder.sigmoid(x)),
  },
  tanh: {
    params: ['x'],
    doc: 'the hyperbolic tangent',
    gradient: 'its own',
    fold: Math.tanh,
    range: () => ({ lo: -1, hi: 1, step: 0 }),
    emit: ops((builder, [x]) => builder.tanh(x)),
  },
  detach: {
    params: ['x'],
    doc: 'x without its gradient',
    gradient: '0',
    fold: (x) => x!,
    range: ({ args: [x] }) => x!,
    emit: ops((builder, [x]) => builder.detach(x)),
  },
  levels: {
    params: ['v'],
    named: ['min', 'max', 'step'],
    doc: 'step·clip(⌊v/step⌋, min, max), `min` and `max` counted in steps',
    gradient: surrogate,
    range: levelsRange,
    emit: emitLevels,
  },
  uniform: {
    params: ['lo', 'hi'],
    doc: 'a number drawn between lo and hi (hi not included), anew for each neuron, step and sample',
    gradient: 'of lo + (hi − lo)·r, with r as it was drawn',
    draws: true,
    range: ({ args: [lo, hi] }) => ({ lo: Math.min(lo!.lo, hi!.lo), hi: Math.max(lo!.hi, hi!.hi), step: 0 }),
    emit: drawn(({ builder }, r, lo, hi) =>
      builder.add(
        builder.mul(r, typeof lo === 'number' && typeof hi === 'number' ? hi - lo : builder.sub(hi as Value, lo)),
        lo,
      ),
    ),
  },
  normal: {
    params: ['mean', 'deviation'],
    doc: 'a number drawn from the normal distribution, anew for each neuron, step and sample',
    gradient: 'of mean + deviation·r, with r as it was drawn',
    draws: true,
    range: () => anything,
    emit: drawn(({ builder }, r, mean, deviation) => builder.add(builder.mul(r, deviation), mean)),
  },
  sum: {
    params: ['x'],
    doc: 'x added over the units of the states',
    gradient: '1 to each unit',
    range: ({ args: [x], units }) => ({ lo: x!.lo * units, hi: x!.hi * units, step: x!.step }),
    emit: () => {
      throw new InvariantError('lower: sum over units that were not expanded');
    },
  },
} as const satisfies Readonly<Record<string, FunctionRow>>;

export type FunctionName = keyof typeof rows;

export const equationFunctions: Readonly<Record<FunctionName, FunctionRow>> = rows;

export function functionNamed(name: string): FunctionRow | undefined {
  return Object.hasOwn(rows, name) ? equationFunctions[name as FunctionName] : undefined;
}

function clipRange({ args, onProblem }: RangeCall): Range {
  const [a, b, c] = args as [Range, Range, Range];
  // levels cut off between two of them: the greatest output would be no level
  for (const { lo, hi } of [b, c])
    if (lo === hi && a.step > 0 && isUneven(hi / a.step)) onProblem({ kind: 'uneven', bound: hi });
  if (b.lo > c.hi) onProblem({ kind: 'empty', low: b.lo, high: c.hi });
  const step = commonStep(a, commonRange(b, c));
  return { lo: Math.min(Math.max(a.lo, b.lo), c.hi), hi: Math.max(Math.min(a.hi, c.hi), b.lo), step };
}

function levelsRange({ named: { min, max, step }, onProblem }: RangeCall): Range {
  if (min === undefined || max === undefined || step === undefined) return anything;
  if (step.lo !== step.hi || !(step.lo > 0)) return anything;
  const size = step.lo;
  const [low, high] = [min.lo, max.hi];
  if (low > high) onProblem({ kind: 'empty', low: low * size, high: high * size });
  else for (const bound of [low, high]) if (isUneven(bound)) onProblem({ kind: 'uneven', bound });
  return { lo: low * size, hi: high * size, step: size };
}
