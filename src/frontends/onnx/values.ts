import type { Rounding } from '../../base/rounding.js';
import type { Constant } from './constant.js';
import type { CodeRounding } from './code-rounding.js';
import type { ElementType } from './element-type.js';

/** Integer codes min…max that stand for (Q − zero)·scale. */
export interface QuantCode {
  readonly scale: number;
  readonly zero: number;
  readonly min: number;
  readonly max: number;
  /** Half to even where it isn't said; of a zero point that is no integer the fraction is added before rounding. */
  readonly rounding?: Rounding;
}

/** A real activation: the result of an op of the network (its dequantised result, where that is quantised). */
export interface RealValue {
  readonly kind: 'real';
  readonly op: string;
  /**
   * ONNX axis i of the value is axis perm[i] of [N, ...shape of the op]; missing where they agree.
   * Axes of size 1 may be left out: [N, C, L] is held as an image of height 1. The batch, axis 0 of the op's, may stand
   * behind other axes ([T, N, F]), or be missing where the file's batch is one sample.
   */
  readonly perm?: readonly number[];
  /** All its numbers are codes of this quantiser, dequantised. */
  readonly grid?: QuantCode;
}

/**
 * An activation's integer codes, between QuantizeLinear and DequantizeLinear or inside a
 * QLinear network. The `quantize` op is made when the codes are first used: a Clip may still
 * narrow their range.
 */
export interface CodesValue {
  readonly kind: 'codes';
  /** The real that is quantised. */
  readonly source: RealValue;
  readonly code: QuantCode;
  readonly elementType: ElementType;
  /** The scale of each channel, where they differ: they have been taken out of `source`, whose scale is 1. */
  readonly channels?: readonly number[];
  /** The ONNX tensor that holds the codes. */
  readonly tensor: string;
  /** Their scale and zero point are those of each input: they stand for the real as it is. */
  readonly dynamic?: true;
  /** The network's input, whose codes are integers of scale 1 until a DequantizeLinear says what they stand for. */
  readonly input?: true;
}

/** The scale, perhaps times constant factors, or the zero point that an input has by its own values; or a constant bias as a multiple of that scale. */
export interface DynamicValue {
  readonly kind: 'dynamic';
  readonly what: 'scale' | 'zero point' | 'bias';
  readonly factors: readonly number[];
  /** The bias as the real numbers that it stands for. */
  readonly bias?: Constant;
}

/** Whether a value is a bias of integer products, quantised by each input's scale: rounding, types and axes of size 1 change nothing of it. */
export function isDynamicBias(value: Value): value is DynamicValue & { readonly bias: Constant } {
  return value.kind === 'dynamic' && value.bias !== undefined;
}

/**
 * Integers made by Round, Floor or Ceil, and arithmetic of constants behind: scale·Q + shift with Q = round(factor·x + offset)
 * in [min, max]. The `quantize` op is made when they are used: a Clip may still narrow their range.
 */
export interface RoundedValue {
  readonly kind: 'rounded';
  /** The real that is rounded. */
  readonly source: RealValue;
  readonly factor: number;
  readonly offset: number;
  /** The value that the op reads, factor·x + offset, of the offset it has there. */
  readonly before: { readonly real: RealValue; readonly offset: number };
  readonly rounding: CodeRounding;
  readonly scale: number;
  readonly shift: number;
  readonly min: number;
  readonly max: number;
  /** The ONNX tensor that holds them. */
  readonly tensor: string;
  /**
   * Of integers n, rounded down from n/D: 1/(2D), by which they may be lifted without another result. No border between codes is
   * met then, where float32 would decide.
   */
  readonly lift: number;
  /** Whether its element type is an integer one: a division there drops the fraction. */
  readonly integer: boolean;
  /** The quantiser that makes them, of the value as it has become, for the ONNX tensor that its result equals. */
  readonly finish: (value: RoundedValue, origin: string) => RealValue;
}

/** A linear op waiting for what may be fused into it: an Add of a constant, or an integer product's scale. */
export interface PendingValue {
  readonly kind: 'pending';
  /** Its ONNX shape behind the batch axis. */
  readonly shape: readonly number[];
  /** The integers of ConvInteger and MatMulInteger mean nothing before they are multiplied by a scale. */
  readonly integer: boolean;
  readonly finish: (fused: Fused) => RealValue;
}

export interface Fused {
  /** The ONNX tensor the result equals. */
  readonly origin?: string;
  readonly bias?: Constant;
  /** One factor, or one per output channel. */
  readonly factor?: readonly number[];
}

/** What a node in trouble writes: its readers stay silent. */
interface FailedValue {
  readonly kind: 'failed';
}

export type Value = Constant | RealValue | CodesValue | DynamicValue | RoundedValue | PendingValue | FailedValue;

/** What is made of a value element by element, its ONNX axes lying as that value's. */
export function inAxesOf(value: RealValue, made: RealValue): RealValue {
  return value.perm === undefined ? made : { ...made, perm: value.perm };
}

/** Where the batch stands among the ONNX axes; −1 where it is left out. */
export function batchPlace({ perm }: RealValue): number {
  return perm === undefined ? 0 : perm.indexOf(0);
}

/** The same numbers, seen with the batch as the first axis. */
export function withBatchFirst(value: RealValue): RealValue {
  const { perm } = value;
  if (perm === undefined || perm[0] === 0) return value;
  return { ...value, perm: [0, ...perm.filter((axis) => axis !== 0)] };
}

/** A value whose batch is the first axis, seen with it at another place, or (−1) without it. */
export function withBatchAt(value: RealValue, rank: number, place: number): RealValue {
  if (place === 0) return value;
  const [, ...rest] = value.perm ?? Array.from({ length: rank }, (_, axis) => axis);
  return { ...value, perm: place < 0 ? rest : rest.toSpliced(place, 0, 0) };
}

/** What is made of a value by moving or choosing its numbers: codes of that value's quantiser, if they were. */
export function onGridOf(value: RealValue, made: RealValue): RealValue {
  return value.grid === undefined ? made : { ...made, grid: value.grid };
}

/** Whether row-major order is that of the op: the axes longer than 1 stand in their own order. */
export function inOrder(perm: readonly number[], shape: readonly number[]): boolean {
  const long = perm.filter((axis) => axis === 0 || shape[axis - 1] !== 1);
  return long.every((axis, i) => i === 0 || long[i - 1]! < axis);
}

export function sameCode(a: QuantCode, b: QuantCode): boolean {
  return a.scale === b.scale && a.zero === b.zero && a.min === b.min && a.max === b.max;
}

/** Quantising numbers of `grid` with `code` changes none of them. */
export function keepsGrid(grid: QuantCode, code: QuantCode): boolean {
  return grid.scale === code.scale && grid.zero === code.zero && code.min <= grid.min && code.max >= grid.max;
}
