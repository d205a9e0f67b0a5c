import { fail } from '../../../../base/diagnostics/index.js';
import { tensor } from '../../../../base/dtype.js';
import type { Interval, Param } from '../../../../network/index.js';
import { quantisedActivation } from '../../activation-quantiser.js';
import { type Constant, smallConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { boundsOf, hasIntegers } from '../../integers.js';
import { leastScale } from '../../quantisation.js';
import { type RealValue, type Value, inAxesOf } from '../../values.js';
import { addition } from '../arithmetic.js';
import { broadcastTo } from '../with-constant.js';

/** What stands for an infinite threshold. */
const farThreshold = 2 ** 100;

/** So many thresholds without a line through them become neurons of one bit each. */
const mostBits = 15;

/**
 * MultiThreshold (FINN): #{j: x ≥ T_cj}·out_scale + out_bias, with thresholds for every channel or one row for all. Thresholds
 * on a line are one quantiser: of reals where they are equally spaced, of integers where a line passes between the integers
 * as they do. Others are a table; a row a channel of reals is one quantiser of a bit each, whose values add up. What lies
 * beyond all that its input can be is reached always or never, wherever it lies.
 */
export function multiThreshold(context: NodeContext): readonly Value[] {
  const scale = context.float('out_scale', 1);
  const bias = context.float('out_bias', 0);
  if (!(scale >= leastScale) || !Number.isFinite(scale)) context.badAttribute('out_scale', scale);
  if (!Number.isFinite(bias)) context.badAttribute('out_bias', bias);
  const x = context.realInAnyLayout(0);
  const rows = thresholdRows(context);
  const code: LevelCode = { scale, zero: -bias / scale, levels: rows[0]!.length };
  const integers = hasIntegers(context.graph, x.op);
  const reach = boundsOf(context.graph, x.op);
  // a border between integers is met by none of them
  const lines = rows.map((row) => (integers ? integerLine(row, reach) : undefined) ?? evenLine(row));
  if (lines.every((line) => line !== undefined)) return [alongLines(context, x, lines, code)];
  if (code.levels > 1 && rows.length === 1) {
    // of integers half a step below, so that none meets a border
    const steps = rows[0]!.filter(Number.isFinite).map((t) => (integers ? Math.ceil(t) - 0.5 : t));
    return [byTable(context, x, steps, countsOf(rows[0]!), code)];
  }
  if (code.levels > 1 && integers && reach !== undefined) return [rowByRow(context, x, rows, reach, code)];
  if (code.levels <= mostBits) return [bitByBit(context, x, rows, code)];
  return context.badForm(
    `its ${code.levels} thresholds have unequal distances, a row for each channel, and what they count is no integers of a range`,
    'say which integers the network takes: --input-codes MIN..MAX',
  );
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

/** Thresholds by channel, in order; one row where all are alike. */
function thresholdRows(context: NodeContext): readonly (readonly number[])[] {
  const constant = context.constant(1, 'the thresholds');
  const [rows, columns] = constant.shape;
  if (constant.shape.length !== 2 || rows === 0 || columns === 0)
    context.shapeMismatch(`thresholds "${constant.name}" are [${constant.shape.join(', ')}], not [C, B]`);
  const values = Array.from(constant.data());
  const bad = values.findIndex((value) => Number.isNaN(value));
  if (bad >= 0) fail('onnx/not-finite', { name: constant.name, index: bad, value: String(values[bad]) }, context.place);
  const all = Array.from({ length: rows! }, (_, c) =>
    values.slice(c * columns!, (c + 1) * columns!).sort((a, b) => a - b),
  );
  const [first] = all as [number[]];
  return all.every((row) => row.every((t, j) => t === first[j])) ? [first] : all;
}

/** The line through thresholds of equal distances, but for what float32 rounds off them: it is j at the j-th. */
function evenLine(row: readonly number[]): Line | undefined {
  const [first] = row as [number];
  const step = row.length === 1 ? 1 : (row.at(-1)! - first) / (row.length - 1);
  if (!(step > 0)) return undefined;
  if (!Number.isFinite(step)) return undefined;
  const written = 2 ** -23 * Math.max(Math.abs(first), Math.abs(row.at(-1)!));
  const apart = Math.max(1e-6 * step, Math.min(written, 1e-4 * step));
  const even = row.every((t, j) => Math.abs(t - (first + j * step)) <= apart);
  return even ? { slope: 1 / step, start: 1 - first / step } : undefined;
}

/**
 * A line that reaches j between the integers ⌈T_j⌉ − 1 and ⌈T_j⌉, as far from both as can be. How far it keeps at best is a
 * concave function of its slope. Within bounds of the integers, thresholds beyond them only have to lie beyond.
 */
function integerLine(row: readonly number[], reach: Interval | undefined): Line | undefined {
  const [least, most] = reach === undefined ? [-Infinity, Infinity] : [Math.ceil(reach.min), Math.floor(reach.max)];
  const steps = row.map(Math.ceil);
  // the counts j and the integers at which they must, and must not yet, be reached
  const reached = steps.map((t, j) => ({ count: j + 1, at: Math.max(t, least) })).filter(({ at }) => at <= most);
  const unreached = steps.map((t, j) => ({ count: j + 1, at: Math.min(t - 1, most) })).filter(({ at }) => at >= least);
  if ([...reached, ...unreached].some(({ at }) => !Number.isFinite(at))) return undefined;
  /** the starts that a slope allows: above `from`, below `to` */
  const starts = (slope: number): readonly [number, number] => [
    Math.max(-1e9, ...reached.map(({ count, at }) => count - slope * at)),
    Math.min(1e9, ...unreached.map(({ count, at }) => count - slope * at)),
  ];
  const room = (slope: number): number => starts(slope)[1] - starts(slope)[0];
  let [low, high] = [0, row.length + 1];
  for (let n = 0; n < 200; n++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (room(a) < room(b)) low = a;
    else high = b;
  }
  const slope = (low + high) / 2;
  const [from, to] = starts(slope);
  if (!(to - from > 1e-6)) return undefined;
  const start = reached.length === 0 ? to - 1 : unreached.length === 0 ? from + 1 : (from + to) / 2;
  return { slope: Math.max(slope, 1e-9), start };
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

/** Counts below each threshold that is finite, and above the last. */
function countsOf(row: readonly number[]): readonly number[] {
  const below = row.filter((t) => t === -Infinity).length;
  const finite = row.filter(Number.isFinite).length;
  return Array.from({ length: finite + 1 }, (_, n) => below + n);
}

/** Levels between thresholds that ascend, as a table of them. */
function byTable(
  context: NodeContext,
  x: RealValue,
  thresholds: readonly number[],
  levels: readonly number[],
  { scale, zero, levels: max }: LevelCode,
): RealValue {
  const list = (values: readonly number[]): Param => ({ tensor: tensor('f64', [values.length], values) });
  const [some, counts] = thresholds.length > 0 ? [thresholds, levels] : [[0], [levels[0]!, levels[0]!]];
  const params = { thresholds: list(some), levels: list(counts) };
  const attrs = { scale, zero, min: 0, max };
  return inAxesOf(x, context.emit({ kind: 'table', inputs: [x], attrs, params, origin: context.output }));
}

/** Rows of thresholds of integers one behind the other in one table: each channel is moved to its own row. */
function rowByRow(
  context: NodeContext,
  x: RealValue,
  rows: readonly (readonly number[])[],
  reach: Interval,
  code: LevelCode,
): RealValue {
  const [least, most] = [Math.ceil(reach.min), Math.floor(reach.max)];
  const width = most - least + 1;
  // half an integer below, so that none meets a border
  const steps = rows.map((row) => row.map((t) => Math.min(Math.max(Math.ceil(t), least), most + 1) - 0.5));
  const thresholds: number[] = [];
  const levels: number[] = [];
  for (const [c, row] of steps.entries()) {
    if (c > 0) thresholds.push(least - 0.5 + c * width);
    levels.push(row.filter((t) => t < least).length);
    for (const t of row) {
      if (t < least || t > most) continue;
      thresholds.push(t + c * width);
      levels.push(levels.at(-1)! + 1);
    }
  }
  const shift = byChannel(
    context,
    x,
    rows.map((_, c) => c * width),
  );
  const one = smallConstant(context.output, 'double', [1], [1]);
  const params = { scale: context.param(one), shift: context.param(shift) };
  const moved = inAxesOf(x, context.emit({ kind: 'affine', inputs: [x], params, suffix: 'rows' }));
  return byTable(context, moved, thresholds, levels, code);
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
    // the bit is set where the quotient is ½ or more; a threshold that is none is as far as numbers are looked at
    const shift = byChannel(
      context,
      x,
      rows.map((row) => scale * (0.5 - own) - Math.min(Math.max(row[j]!, -farThreshold), farThreshold)),
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
