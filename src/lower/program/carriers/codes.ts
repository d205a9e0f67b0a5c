import { tensor } from '../../../base/dtype.js';
import { withZeroPoint } from '../../../base/rounding.js';
import {
  type Acting,
  type Op,
  codesOf,
  loweringOf,
  centredTensor,
  channelScales,
  hasWeightMatrix,
  paramOf,
  isMaximum,
} from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import type { Carried, Carrier } from './carrier.js';
import { FoldedValues } from './folded.js';
import { image } from './real.js';

/**
 * A quantised network in exact arithmetic, without spikes: convolutions, linear layers and averages
 * act on centred integer codes Q − zero (in f32, exact below 2²⁴), everything after them is f64. What an
 * SNN's codes are compared with; no coding chooses it.
 */
export const exactCodes: Carrier = {
  coding: undefined,
  doc: 'quantised values without time, in exact arithmetic on their codes',
  trains: 'none',
  precision: 'f64',
  begin: (lowering) => new CodesNetwork(lowering),
};

/** Under this name such a network is fed with the codes of a quantiser, [N, …shape], above the lower end of their range. */
export function alongName(id: string): string {
  return `along ${id}`;
}

/**
 * {@link exactCodes} along the codes of another network: where what a quantiser of `ids` rounds lies within `tie` codes of
 * where it changes, rounding errors decide, and the layers behind it read the code beside it that they are fed. What
 * differs there differs by itself, and not because a tie in front went the other way.
 */
export function exactCodesAlong(ids: ReadonlySet<string>, tie: number): Carrier {
  return { ...exactCodes, begin: (lowering) => new CodesNetwork(lowering, { ids, tie }) };
}

/** An integer multiple of a scale: Q − zero of a quantised value, or a sum of them. */
interface Centred {
  /** f32 integers. */
  readonly codes: Value;
  readonly scale: number;
  /** Codes have more than 8 bits. */
  readonly wide: boolean;
}

class CodesNetwork implements Carried {
  readonly #wide: FoldedValues;
  readonly #centred = new Map<string, Centred>();
  /** Codes above the lower end of their range. */
  readonly #codes = new Map<string, Value>();
  /** How far what quantisers round is from where their code changes, in codes, of a value as it is wanted. */
  readonly #ties = new Map<string, () => Value>();

  constructor(
    readonly lowering: Lowering,
    readonly along?: { readonly ids: ReadonlySet<string>; readonly tie: number },
  ) {
    this.#wide = new FoldedValues(lowering, 'f64');
  }

  lower(op: Op): void {
    const { lowering } = this;
    lowering.builder.at(op.id);
    if (op.kind === 'input') return this.#wide.set(op.id, image(lowering, op, 'f64'));
    const from = this.#centred.get(op.inputs[0]!);
    if (op.kind === 'quantize') this.#quantise(op);
    else if (from !== undefined && keepsCodes(op)) this.#keep(op, from);
    else if (from !== undefined && this.#accumulates(op)) this.#wide.set(op.id, this.#integer(op, from));
    else this.#wide.set(op.id, this.#onReals(op));
  }

  /** Layers on values that are no codes; the heavy ones in f32, in which every engine has them. */
  #onReals(op: Op): Value {
    const { builder } = this.lowering;
    if (!isHeavy(op)) return this.#wide.act(op);
    const narrow = new FoldedValues(this.lowering, 'f32');
    const inputs = op.inputs.map((id) => builder.cast(this.#wide.of(id), 'f32'));
    return builder.cast(narrow.act(op, inputs), 'f64');
  }

  /** The input's quantiser rounds in f32, as every runtime does with an f32 image; inner ones in f64. */
  #quantise(op: Op<'quantize'>): void {
    const { builder } = this.lowering;
    const x = this.#wide.of(op.inputs[0]!);
    const isImage = this.#wide.op(op.inputs[0]!).kind === 'input';
    const code = codesOf(builder, isImage ? builder.cast(x, 'f32') : x, op.attrs);
    const { zero, min, scale } = op.attrs;
    this.#ties.set(op.id, () => this.#tie(op, x));
    const own = builder.as('code').cast(min === 0 ? code : builder.sub(code, min), 'f32');
    this.#codes.set(op.id, own);
    const read =
      this.along?.ids.has(op.id) === true
        ? builder.add(this.#fedAtTies(op, own), min - zero)
        : builder.cast(zero === 0 ? code : builder.sub(code, zero), 'f32');
    this.#set(op, {
      codes: read,
      scale,
      wide: op.attrs.max - min > 255,
    });
  }

  /** What is fed where it is the code on the other side of a tie. */
  #fedAtTies({ id, type }: Op<'quantize'>, own: Value): Value {
    const { builder } = this.lowering;
    const fed = builder.input(alongName(id), 'f32', folded(1, type.shape));
    const near = builder.lt(builder.cast(this.#ties.get(id)!(), 'f32'), this.along!.tie);
    const beside = builder.le(builder.abs(builder.sub(fed, own)), 1);
    return builder.select(near, builder.select(beside, fed, own), own);
  }

  #tie({ attrs: { scale, zero, rounding: how = 'half_even' } }: Op<'quantize'>, x: Value): Value {
    const { builder } = this.lowering;
    const { rounding, fraction } = withZeroPoint(how, zero);
    const scaled = builder.div(x, scale);
    const value = fraction === 0 ? scaled : builder.add(scaled, fraction);
    const from =
      rounding === 'floor' || rounding === 'ceil' ? builder.round(value) : builder.add(builder.floor(value), 0.5);
    return builder.abs(builder.sub(value, from));
  }

  /** Averages become sums of codes at a smaller scale, so that they stay integers. */
  #keep(op: Op, { codes, scale, wide }: Centred): void {
    const row = loweringOf(op);
    const { lowering } = this;
    const acting: Acting = { lowering, builder: lowering.builder, dtype: 'f32', weight: (one) => lowering.weight(one) };
    if (row.role === 'synapse' && row.sums !== undefined) {
      const size = row.sums.size(op, this.#wide.op(op.inputs[0]!).type.shape);
      return this.#set(op, { codes: row.sums.act(acting, op, [codes]), scale: scale / size, wide });
    }
    if (row.role === 'moves' || row.role === 'values') {
      this.#set(op, { codes: row.act(acting, op, [codes]), scale, wide });
    }
  }

  #set(op: Op, centred: Centred): void {
    const { codes, scale } = centred;
    const { builder } = this.lowering;
    this.#centred.set(op.id, centred);
    this.#wide.set(op.id, builder.mul(builder.cast(codes, 'f64'), scale));
  }

  #accumulates(op: Op): boolean {
    if (!hasWeightMatrix(op)) return false;
    const { quant } = paramOf(this.lowering.network, op, 'weight');
    return quant !== undefined && (quant.axis === 0 || quant.scale.length === 1);
  }

  #integer(op: Op, from: Centred): Value {
    const { lowering } = this;
    const { builder } = lowering;
    const param = paramOf(lowering.network, op, 'weight');
    const { shape } = param.tensor;
    let made: Value | undefined;
    const weight = (): Value => (made ??= builder.param(`${op.id}.codes`, centredTensor(param)));
    const row = loweringOf(op);
    const acting: Acting = { lowering, builder, dtype: 'f32', weight };
    const sum = (codes: Value): Value => (row.role === 'synapse' ? row.act!(acting, op, [codes]) : codes);
    const acc = from.wide ? this.#inBytes(from.codes, sum) : builder.cast(sum(from.codes), 'f64');
    const wide = [shape[0]!, ...new Array<number>(op.type.shape.length - 1).fill(1)];
    const units = channelScales(param, shape[0]!).map((scale) => scale * from.scale);
    const real = builder.mul(acc, builder.constant(tensor('f64', wide, units)));
    const bias = lowering.perChannel(op, 'bias', 'f64', op.type.shape.length);
    return bias === undefined ? real : builder.add(real, bias);
  }

  /** A linear map of codes of more than 8 bits: the sums of their high and of their low bytes, each exact in f32. */
  #inBytes(codes: Value, sum: (codes: Value) => Value): Value {
    const { builder } = this.lowering;
    const high = builder.floor(builder.div(codes, 256));
    const low = builder.sub(codes, builder.mul(high, 256));
    const [wideHigh, wideLow] = [sum(high), sum(low)].map((value) => builder.cast(value, 'f64')) as [Value, Value];
    return builder.add(builder.mul(wideHigh, 256), wideLow);
  }

  real(id: string): Value {
    return this.#wide.of(id);
  }

  output(id: string): Value {
    return this.lowering.builder.cast(this.#wide.of(id), 'f32');
  }

  logits(id: string): Value {
    return this.#wide.flat(this.output(id));
  }

  train(): undefined {
    return undefined;
  }

  current(): undefined {
    return undefined;
  }

  counts(): undefined {
    return undefined;
  }

  codes(op: Op): { readonly codes: Value; readonly tie?: Value } | undefined {
    const codes = this.#codes.get(op.id);
    const tie = this.#ties.get(op.id);
    if (codes === undefined || tie === undefined) return undefined;
    const { builder } = this.lowering;
    builder.at(op.id).as('tie');
    return { codes, tie: builder.cast(tie(), 'f32') };
  }

  trace(): undefined {
    return undefined;
  }
}

/** Sums over many values. */
function isHeavy(op: Op): boolean {
  const row = loweringOf(op);
  return row.role === 'synapse' && row.act !== undefined;
}

/** Ops that give codes of codes: their scale changes at most. */
function keepsCodes(op: Op): boolean {
  const row = loweringOf(op);
  if (row.role === 'moves' || isMaximum(op)) return true;
  return row.role === 'synapse' && row.sums?.dividesAlike(op) === true;
}
