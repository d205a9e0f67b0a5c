import { tensor } from '../../../../base/dtype.js';
import { fail } from '../../../../base/diagnostics/index.js';
import type { Param } from '../../../../network/index.js';
import { type CodeRounding, roundCode } from '../../code-rounding.js';
import { elementReader, lazyConstant } from '../../constant.js';
import { broadcastReader } from '../../constant-quantiser.js';
import type { NodeContext } from '../../context.js';
import { type RealValue, type Value, inAxesOf } from '../../values.js';
import { floatConstant, roundingMode, scaleInput, singleValue } from './params.js';
import { withSteps } from './steps.js';

/** Bits that codes of activations may have: what a stepwise weighted train carries. */
const mostBits = 24;

/** Small floats: so many bits behind the point, steps of 2^least around 0, none above `most`. */
interface FloatFormat {
  readonly mantissa: number;
  readonly least: number;
  readonly most: number;
  readonly rounding: CodeRounding;
}

/**
 * FloatQuant: v = x/scale rounded to a float of few bits, v·scale. The step is 2^max(⌊log₂|v|⌋ − m, 1 − bias − m); what is
 * beyond the largest value becomes that. Constants are reals; of activations the values are a table of steps of the smallest.
 */
export function floatQuant(context: NodeContext): readonly Value[] {
  const scale = scaleInput(context, 1);
  const [exponent, mantissa, bias, largest] = [
    'the exponent bit width',
    'the mantissa bit width',
    'the exponent bias',
    'the largest value',
  ].map((what, i) => singleValue(context, floatConstant(context, 2 + i, what), what)) as [
    number,
    number,
    number,
    number,
  ];
  const whole = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!whole(exponent, 1, 8)) context.badAttribute('exponent bit width', exponent);
  if (!whole(mantissa, 0, 15 - exponent)) context.badAttribute('mantissa bit width', mantissa);
  if (!whole(bias, -128, 256)) context.badAttribute('exponent bias', bias);
  if (!(largest > 0)) context.badAttribute('largest value', largest);
  if (context.int('saturation', 1) === 0)
    context.badForm('what is too large becomes infinite or no number', 'export with saturation');
  const most = Math.min(largest, (2 - 2 ** -mantissa) * 2 ** (2 ** exponent - 1 - bias));
  const format = { mantissa, least: 1 - bias - mantissa, most, rounding: roundingMode(context, 'ROUND') };
  const input = context.input(0);
  if (input.kind === 'constant') {
    const step = broadcastReader(context, scale, input.shape);
    const values = lazyConstant(context.output, 'float', input.shape, () => {
      const element = elementReader(input);
      const count = input.shape.reduce((a, b) => a * b, 1);
      return Float32Array.from({ length: count }, (_, i) => {
        const x = element(i);
        if (!Number.isFinite(x))
          fail('onnx/not-finite', { name: input.name, index: i, value: String(x) }, context.place);
        return Math.fround(rounded(Math.fround(Math.fround(x) / step(i)), format)) * step(i);
      });
    });
    return [values];
  }
  const x = context.realInAnyLayout(0);
  const unit = 2 ** format.least;
  const codes = most / unit;
  if (!Number.isInteger(codes)) context.badForm(`its largest value, ${most}, is none of its steps`);
  if (codes >= 2 ** (mostBits - 1))
    context.badForm(
      `its values are up to 2^${Math.floor(Math.log2(codes))} of its smallest steps`,
      'activations of fewer exponent bits are carried',
    );
  const [thresholds, levels] = stepsOf(format);
  const table = (value: RealValue, step: number, origin: string | undefined): RealValue => {
    const list = (values: readonly number[]): Param => ({ tensor: tensor('f64', [values.length], values) });
    const params = { thresholds: list(thresholds.map((t) => t * step)), levels: list(levels.map((v) => v / unit)) };
    const attrs = { scale: unit * step, zero: 0, min: -codes, max: codes };
    return inAxesOf(value, context.emit({ kind: 'table', inputs: [value], attrs, params, origin }));
  };
  return [withSteps(context, x, scale, table)];
}

function rounded(v: number, { mantissa, least, most, rounding }: FloatFormat): number {
  const exponent = v === 0 ? -Infinity : Math.floor(Math.log2(Math.abs(v)));
  const step = 2 ** Math.max(exponent - mantissa, least);
  return Math.min(most, Math.max(-most, step * roundCode(rounding, v / step)));
}

/** Where values begin, and the values below and between. */
function stepsOf(format: FloatFormat): readonly [thresholds: readonly number[], values: readonly number[]] {
  const positive: number[] = [];
  const step = 2 ** format.least;
  for (let v = step; v < format.most; v += 2 ** Math.max(Math.floor(Math.log2(v)) - format.mantissa, format.least))
    positive.push(v);
  positive.push(format.most);
  const values = [...positive.toReversed().map((v) => -v), 0, ...positive];
  const thresholds = values.slice(1).map((b, i) => {
    const a = values[i]!;
    const middle = (a + b) / 2;
    const places = [above(a), middle, above(middle)];
    return places.find((t) => rounded(t, format) >= b) ?? b;
  });
  return [thresholds, values];
}

/** A little above t: less than a step of float32. */
function above(t: number): number {
  return t === 0 ? 2 ** -140 : t + Math.abs(t) * 2 ** -40;
}
