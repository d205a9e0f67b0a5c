import { fail } from '../../../../base/diagnostics/index.js';
import { quantisedActivation } from '../../activation-quantiser.js';
import { type Constant, smallConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { hasIntegers } from '../../integers.js';
import { type RealValue, type Value, inAxesOf } from '../../values.js';
import { addition } from '../arithmetic.js';
import { broadcastTo } from '../with-constant.js';

/** So many thresholds without a line through them become neurons of one bit each. */
const mostBits = 15;

/**
 * MultiThreshold (FINN): #{j: x ≥ T_cj}·out_scale + out_bias, with thresholds for every channel or one row for all. Thresholds
 * on a line are one quantiser: of reals where they are equally spaced, of integers where a line passes between the integers
 * as they do. Others are one quantiser of a bit each, whose values add up.
 */
export function multiThreshold(context: NodeContext): readonly Value[] {
  const scale = context.float('out_scale', 1);
  const bias = context.float('out_bias', 0);
  if (!(scale > 0) || !Number.isFinite(scale)) context.badAttribute('out_scale', scale);
  if (!Number.isFinite(bias)) context.badAttribute('out_bias', bias);
  const x = context.realInAnyLayout(0);
  const rows = thresholdRows(context);
  const code: LevelCode = { scale, zero: -bias / scale, levels: rows[0]!.length };
  const integers = hasIntegers(context.graph.builder, x.op);
  const lines = rows.map((row) => evenLine(row) ?? (integers ? integerLine(row) : undefined));
  if (lines.every((line) => line !== undefined)) return [alongLines(context, x, lines, code)];
  if (code.levels > mostBits) {
    context.badForm(
      `its ${code.levels} thresholds have unequal distances`,
      `up to ${mostBits} of them are supported, or thresholds of integers that a line passes through`,
    );
  }
  return [bitByBit(context, x, rows, code)];
}

interface LevelCode {
  readonly scale: number;
  readonly zero: number;
  readonly levels: number;
}

/** count = ⌊slope·x + start⌋ */
interface Line {
  readonly slope: number;
  readonly start: number;
}

/** Thresholds by channel, in order. */
function thresholdRows(context: NodeContext): readonly (readonly number[])[] {
  const constant = context.constant(1, 'the thresholds');
  const [rows, columns] = constant.shape;
  if (constant.shape.length !== 2 || rows === 0 || columns === 0)
    context.shapeMismatch(`thresholds "${constant.name}" are [${constant.shape.join(', ')}], not [C, B]`);
  const values = Array.from(constant.data());
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) fail('onnx/not-finite', { name: constant.name, index: bad, value: String(values[bad]) }, context.place);
  return Array.from({ length: rows! }, (_, c) => values.slice(c * columns!, (c + 1) * columns!).sort((a, b) => a - b));
}

/** The line through thresholds of equal distances: it is j at the j-th. */
function evenLine(row: readonly number[]): Line | undefined {
  const [first] = row as [number];
  const step = row.length === 1 ? 1 : (row.at(-1)! - first) / (row.length - 1);
  if (!(step > 0)) return undefined;
  const even = row.every((t, j) => Math.abs(t - (first + j * step)) <= 1e-6 * step);
  return even ? { slope: 1 / step, start: 1 - first / step } : undefined;
}

/**
 * A line that reaches j between the integers ⌈T_j⌉ − 1 and ⌈T_j⌉, as far from both as can be. How far it keeps at best is a
 * concave function of its slope.
 */
function integerLine(row: readonly number[]): Line | undefined {
  const steps = row.map(Math.ceil);
  /** the starts that a slope allows: above `least`, below `most` */
  const starts = (slope: number): readonly [number, number] => [
    Math.max(...steps.map((t, j) => j + 1 - slope * t)),
    Math.min(...steps.map((t, j) => j + 1 - slope * (t - 1))),
  ];
  const room = (slope: number): number => starts(slope)[1] - starts(slope)[0];
  let [low, high] = [0, row.length + 1];
  for (let n = 0; n < 200; n++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (room(a) < room(b)) low = a;
    else high = b;
  }
  const slope = (low + high) / 2;
  const [least, most] = starts(slope);
  return most - least > 1e-6 ? { slope, start: (least + most) / 2 } : undefined;
}

function alongLines(context: NodeContext, x: RealValue, lines: readonly Line[], code: LevelCode): RealValue {
  const { scale, zero, levels } = code;
  const slopes = byChannel(
    context,
    x,
    lines.map(({ slope }) => slope * scale),
  );
  const starts = byChannel(
    context,
    x,
    lines.map(({ start }) => (start - zero) * scale),
  );
  const params = { scale: context.param(slopes), shift: context.param(starts) };
  const read = inAxesOf(x, context.emit({ kind: 'affine', inputs: [x], params, suffix: 'steps' }));
  return quantisedActivation(context, read, { scale, zero, min: 0, max: levels }, 'floor', context.output);
}

function bitByBit(
  context: NodeContext,
  x: RealValue,
  rows: readonly (readonly number[])[],
  { scale, zero, levels }: LevelCode,
): RealValue {
  let sum: RealValue | undefined;
  for (let j = 0; j < levels; j++) {
    const own = j === 0 ? zero : 0;
    const isLast = j === levels - 1;
    // the bit is set where the quotient is ½ or more
    const shift = byChannel(
      context,
      x,
      rows.map((row) => scale * (0.5 - own) - row[j]!),
    );
    const one = smallConstant(context.output, 'double', [1], [1]);
    const params = { scale: context.param(one), shift: context.param(shift) };
    const above = inAxesOf(x, context.emit({ kind: 'affine', inputs: [x], params, suffix: `above${j}` }));
    const origin = levels === 1 ? context.output : undefined;
    const bit = quantisedActivation(context, above, { scale, zero: own, min: 0, max: 1 }, 'half_up', origin);
    sum = sum === undefined ? bit : inAxesOf(x, addition(context, sum, bit, isLast ? context.output : undefined));
  }
  return sum!;
}

/** One number, or one a channel, along the axis that the layout says. */
function byChannel(context: NodeContext, x: RealValue, values: readonly number[]): Constant {
  if (values.length === 1) return smallConstant(context.output, 'double', [1], values);
  const rank = context.onnxShape(x).length;
  const axis = context.string('data_layout', 'NCHW').endsWith('C') && rank > 2 ? rank - 1 : 1;
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? values.length : 1));
  return broadcastTo(context, smallConstant(context.output, 'double', shape, values), x);
}
