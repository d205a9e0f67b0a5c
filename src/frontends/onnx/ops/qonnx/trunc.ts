import { quantisedActivation, scaledBy } from '../../activation-quantiser.js';
import { roundCode } from '../../code-rounding.js';
import { boundsOf } from '../../integers.js';
import type { NodeContext } from '../../context.js';
import type { RealValue, Value } from '../../values.js';
import { floatConstant, integerRange, roundingMode, scaleInput, singleValue } from './params.js';

/** What is left of integers y = round(x/scale + zero) when their last bits are cut off: round(y/2^bits), with a value of its own. */
interface Truncation {
  readonly scale: number;
  readonly zero: number;
  /** Bits cut off. */
  readonly cut: number;
  readonly scaleLeft: number;
  readonly zeroLeft: number;
  /** The codes left; all that there can be where the operator doesn't clip. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
}

/**
 * Trunc: the last bits of integer codes are cut off. Version 1 (five inputs) keeps the scale, so that values shrink by 2^k,
 * and doesn't clip; version 2 (six inputs) goes to a scale of its own and clips to its bit width.
 */
export function trunc(context: NodeContext): readonly Value[] {
  const second = context.node.inputs.length === 6;
  // the version without a domain is that of ONNX's own operators
  const version = context.node.domain === '' ? undefined : context.graph.domainVersion(context.node.domain);
  if (version !== undefined && version >= 2 !== second) {
    context.badForm(
      `it has ${context.node.inputs.length} inputs, which isn't version ${version} of ${context.node.domain}`,
      'version 1 has 5 inputs, version 2 has 6',
    );
  }
  const one = (index: number, what: string): number => singleValue(context, floatConstant(context, index, what), what);
  const scale = singleValue(context, scaleInput(context, 1), 'scales');
  const zero = one(2, 'zero points');
  const input = context.input(0);
  if (input.kind === 'constant') context.badForm('it cuts a constant');
  const x = context.realInAnyLayout(0);
  const width = (index: number, what: string): number => {
    const bits = one(index, what);
    return bits >= 1 && bits <= 64 ? bits : context.badAttribute('bit width', bits);
  };
  if (!second) {
    const cut = width(3, 'input bit widths') - width(4, 'output bit widths');
    return [truncated(context, x, { scale, zero, cut, scaleLeft: scale, zeroLeft: zero, range: undefined })];
  }
  const scaleLeft = singleValue(context, scaleInput(context, 4, 'the output scale'), 'output scales');
  const cut = Math.round(Math.log2(scaleLeft / scale));
  const range = integerRange(
    width(5, 'output bit widths'),
    context.int('signed', 1) !== 0,
    context.int('narrow', 0) !== 0,
  );
  return [truncated(context, x, { scale, zero, cut, scaleLeft, zeroLeft: zero / 2 ** cut, range })];
}

function truncated(context: NodeContext, x: RealValue, truncation: Truncation): RealValue {
  const { scale, zero, cut, scaleLeft, zeroLeft, range } = truncation;
  if (!Number.isInteger(cut)) context.badForm(`it cuts ${cut} bits`, 'whole numbers of bits are supported');
  const rounding = roundingMode(context, 'FLOOR');
  const unit = 2 ** cut;
  const bounds = range === undefined ? boundsOf(context.graph, x.op) : undefined;
  if (range === undefined && bounds === undefined) {
    context.badForm('its input has no bounds', 'quantise the network before it: Trunc of version 1 doesn’t clip');
  }
  const levelOf = (real: number): number => roundCode(rounding, roundCode('half_even', real / scale + zero) / unit);
  const left = range ?? { min: levelOf(bounds!.min), max: levelOf(bounds!.max) };
  // round(x/scale + zero) ≥ n·2^k is x/scale + zero ≥ n·2^k − ½: cutting rounded integers is cutting x, half a step higher
  const direct = rounding === 'floor' && cut >= 1;
  const y = direct ? x : integers(context, x, truncation);
  const lift = direct ? 0.5 : 0;
  const gain = scaleLeft / (scale * unit);
  const sameScale = Math.abs(gain - 1) <= 2 ** -22;
  const shift = scaleLeft * ((zero + lift) / unit - zeroLeft);
  const read = sameScale && shift === 0 ? y : scaledBy(context, y, sameScale ? 1 : gain, shift, undefined);
  const code = { scale: scaleLeft, zero: zeroLeft, ...left };
  return quantisedActivation(context, read, code, rounding, context.output);
}

/** The integers before bits are cut off, as a quantiser of their own. */
function integers(context: NodeContext, x: RealValue, { scale, zero, cut, range }: Truncation): RealValue {
  const bounds = boundsOf(context.graph, x.op);
  const code = (real: number): number => roundCode('half_even', real / scale + zero);
  const unit = 2 ** cut;
  // beyond what is left after the cut all integers are alike
  const min = Math.max(
    bounds === undefined ? -Infinity : code(bounds.min),
    range === undefined ? -Infinity : Math.floor((range.min - 1) * unit),
  );
  const max = Math.min(
    bounds === undefined ? Infinity : code(bounds.max),
    range === undefined ? Infinity : Math.ceil((range.max + 1) * unit),
  );
  return quantisedActivation(context, x, { scale, zero, min, max }, 'half_even', undefined);
}
