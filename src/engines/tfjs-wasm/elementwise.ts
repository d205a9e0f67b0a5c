import type { VectorOp } from '../fused/opcodes.js';
import { FunctionBody } from '../fused/wasm.js';

/** Element-wise operations of float32, as TensorFlow.js computes them. */
export type ElementwiseOp = 'add' | 'sub' | 'mul' | 'div' | 'abs' | 'neg' | 'sqrt' | 'step' | 'min' | 'max';

/**
 * One value of a loop over arrays of one length. `array` reads address `slot` of the table, `row` too, but an array of a
 * period's length, from its start in each; `number` is one number for all. `operands` are places of earlier values.
 */
export type LoopValue =
  | { readonly kind: 'array' | 'row' | 'number'; readonly slot: number }
  | { readonly kind: ElementwiseOp; readonly operands: readonly number[] };

export interface ElementwiseLoop {
  readonly values: readonly LoopValue[];
  /** Which values are written, and where their addresses are in the table. */
  readonly stores: readonly { readonly value: number; readonly slot: number }[];
  /** Elements, and how many of them rows have: both multiples of four. */
  readonly length: number;
  readonly period: number;
}

const vectors: Readonly<Record<Exclude<ElementwiseOp, 'step'>, VectorOp>> = {
  add: 'f32x4.add',
  sub: 'f32x4.sub',
  mul: 'f32x4.mul',
  div: 'f32x4.div',
  abs: 'f32x4.abs',
  neg: 'f32x4.neg',
  sqrt: 'f32x4.sqrt',
  min: 'f32x4.min',
  max: 'f32x4.max',
};

const ones = new Uint8Array(new Float32Array(4).fill(1).buffer);

/** The loop; its parameter is the table's address: 32-bit addresses of arrays, or the numbers themselves. */
export function elementwiseLoop({ values, stores, length, period }: ElementwiseLoop): FunctionBody {
  const f = new FunctionBody(3);
  const [line, column, at] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const addresses = new Map<number, number>();
  const addressOf = (slot: number): void => {
    const known = addresses.get(slot) ?? f.local('i32');
    addresses.set(slot, known);
    f.get(0);
    f.loadInteger(4 * slot);
    f.set(known);
  };
  const results = values.map(() => f.local('v128'));
  values.forEach((value, i) => {
    if (value.kind === 'number') {
      f.get(0);
      f.load('splat32', 4 * value.slot);
      f.set(results[i]!);
    } else if ('slot' in value) addressOf(value.slot);
  });
  for (const { slot } of stores) addressOf(slot);
  const element = (slot: number, index: number): void => {
    f.get(addresses.get(slot)!);
    f.get(index);
    f.integer('add');
  };
  f.i32(0);
  f.set(at);
  f.i32(0);
  f.set(line);
  f.loop(line, length / period, 1, () => {
    f.i32(0);
    f.set(column);
    f.loop(column, 4 * period, 16, () => {
      values.forEach((value, i) => {
        if (value.kind === 'number') return;
        if ('slot' in value) {
          element(value.slot, value.kind === 'row' ? column : at);
          f.load('v128', 0);
        } else
          compute(
            f,
            value.kind,
            value.operands.map((operand) => results[operand]!),
          );
        f.set(results[i]!);
      });
      for (const { value, slot } of stores) {
        element(slot, at);
        f.get(results[value]!);
        f.store(0);
      }
      f.get(at);
      f.i32(16);
      f.integer('add');
      f.set(at);
    });
  });
  return f;
}

function compute(f: FunctionBody, op: ElementwiseOp, operands: readonly number[]): void {
  if (op !== 'step') {
    for (const operand of operands) f.get(operand);
    f.vector(vectors[op]);
    return;
  }
  // 1 above zero, 0 elsewhere, and what is no number stays
  const x = operands[0]!;
  f.get(x);
  f.constant(ones);
  f.get(x);
  f.constant(new Uint8Array(16));
  f.vector('f32x4.gt');
  f.vector('v128.and');
  f.get(x);
  f.get(x);
  f.vector('f32x4.ne');
  f.vector('v128.bitselect');
}
