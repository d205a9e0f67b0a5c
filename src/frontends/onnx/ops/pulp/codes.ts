import { tensor } from '../../../../base/dtype.js';
import type { Param } from '../../../../network/types.js';
import type { NodeContext } from '../../context.js';
import { boundsOf, hasIntegers } from '../../integers.js';
import { type RealValue, inAxesOf } from '../../values.js';

/** More integers than this have no table. */
const mostCodes = 2 ** 16;

/** The integers, from the least to the greatest, that a value can be; refused where it is none of a range. */
export function integersOf(
  context: NodeContext,
  x: RealValue,
  most = mostCodes,
): { readonly min: number; readonly max: number } {
  const reach = hasIntegers(context.graph, x.op) ? boundsOf(context.graph, x.op) : undefined;
  const [min, max] = [Math.ceil(reach?.min ?? NaN), Math.floor(reach?.max ?? NaN)];
  if (max - min < most) return { min, max };
  return context.badForm(
    Number.isFinite(max - min)
      ? `what it reads is ${max - min + 1} different integers at most`
      : 'what it reads is no integers of a range',
    'put a RequantShift in front of it, or say which integers the network takes: --input-codes MIN..MAX',
  );
}

/** Thresholds and levels of a function of the integers from `min` to `max`: a step wherever it changes. */
export function stepsOf(
  { min, max }: { readonly min: number; readonly max: number },
  f: (x: number) => number,
): { readonly params: Readonly<Record<'thresholds' | 'levels', Param>>; readonly levels: readonly number[] } {
  const thresholds: number[] = [];
  const levels = [f(min)];
  for (let x = min + 1; x <= max; x++) {
    const level = f(x);
    if (level === levels.at(-1)) continue;
    // half an integer below, so that none meets a border
    thresholds.push(x - 0.5);
    levels.push(level);
  }
  if (thresholds.length === 0) {
    thresholds.push(max + 0.5);
    levels.push(levels[0]!);
  }
  const list = (values: readonly number[]): Param => ({ tensor: tensor('f64', [values.length], values) });
  return { params: { thresholds: list(thresholds), levels: list(levels) }, levels };
}

/**
 * An integer function of each integer, as a table. Of what another made it is one of what that reads, so that integers between
 * the two need no code of their own.
 */
export function ofEachInteger(context: NodeContext, x: RealValue, f: (x: number) => number): RealValue {
  const { codeFunctions } = context.graph;
  const before = codeFunctions.get(x.op);
  const source = before?.source ?? x;
  const whole = before === undefined ? f : (v: number): number => f(before.f(v));
  const { params, levels } = stepsOf(integersOf(context, source), whole);
  const [min, max] = [Math.min(...levels), Math.max(...levels)];
  const attrs = { scale: 1, zero: 0, min, max: Math.max(max, min + 1) };
  const made = context.emit({ kind: 'table', inputs: [source], attrs, params, origin: context.output });
  codeFunctions.set(made.op, { source, f: whole });
  return inAxesOf(source, made);
}
