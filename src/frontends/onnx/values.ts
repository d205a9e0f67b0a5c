import type { Constant } from './constant.js';
import type { ElementType } from './element-type.js';

/** Integer codes min…max that stand for (Q − zero)·scale. */
export interface QuantCode {
  readonly scale: number;
  readonly zero: number;
  readonly min: number;
  readonly max: number;
}

/** A real activation: the result of an op of the network (its dequantised result, where that is quantised). */
export interface RealValue {
  readonly kind: 'real';
  readonly op: string;
  /**
   * ONNX axis i of the value is axis perm[i] of [N, ...shape of the op]; missing where they agree.
   * Axes of size 1 may be left out: [N, C, L] is held as an image of height 1.
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

export type Value = Constant | RealValue | CodesValue | PendingValue | FailedValue;

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
