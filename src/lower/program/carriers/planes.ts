import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { stepsOf } from '../runnable.js';

/**
 * Bits of integer codes: plane b of step t is virtual step t·B + b (from 0), ⌊S/2^b⌋ mod 2. Of signed codes those of
 * their size, with their sign. Unary planes: [S > b].
 */
export function planes(lowering: Lowering, op: Op<'planes'>, codes: Value): Value {
  const { builder } = lowering;
  const isSigned = op.type.code.kind === 'spike' && op.type.code.min < 0;
  if (!isSigned) return planesOfSizes(lowering, op, codes);
  const [above, below] = [builder.max(codes, 0), builder.max(builder.neg(codes), 0)];
  return builder.as('signed').sub(planesOfSizes(lowering, op, above), planesOfSizes(lowering, op, below));
}

function planesOfSizes(lowering: Lowering, op: Op<'planes'>, codes: Value): Value {
  const { builder } = lowering;
  const { bits, unary } = op.attrs;
  const parts = unary === true ? unaryParts(lowering, codes, bits) : binaryParts(lowering, codes, bits);
  const virtual: Value[] = [];
  for (let t = 0; t < stepsOf(codes); t++) for (const part of parts) virtual.push(builder.step(part, t));
  return builder.as('planes').concat(virtual, 0);
}

function binaryParts({ builder }: Lowering, codes: Value, bits: number): readonly Value[] {
  const rest = Array.from({ length: bits }, (_, b) =>
    b === 0 ? codes : builder.as(`rest${b}`).floor(builder.mul(codes, 2 ** -b)),
  );
  return rest.map((value, b) => {
    const next = rest[b + 1];
    return next === undefined ? value : builder.as(`plane${b}`).sub(value, builder.mul(next, 2));
  });
}

/** As many ones as the code says, from plane 0 on. */
function unaryParts({ builder }: Lowering, codes: Value, count: number): readonly Value[] {
  return Array.from({ length: count }, (_, b) => builder.as(`plane${b}`).cast(builder.gt(codes, b), codes.dtype));
}

/** The ones among the bits of integers n, n − Σ_{b ≥ 1} ⌊n/2^b⌋, where `code` has more than one. */
export function onesOf({ builder }: Lowering, n: Value, code: { readonly min: number; readonly max: number }): Value {
  let ones = n;
  for (let weight = 2; weight <= Math.max(code.max, -code.min); weight *= 2) {
    ones = builder.as('ones').sub(ones, builder.floor(builder.mul(n, 1 / weight)));
  }
  return ones;
}

/** Of a synapse on planes: how many a step. */
function planesOf(op: Op): number | undefined {
  return op.kind !== 'neuron' && 'planes' in op.attrs ? op.attrs.planes : undefined;
}

/** 2^b·(W∗S_b): multiplying by a power of two is exact, so it doesn't matter on which side. Unary planes count alike. */
export function weighed({ builder }: Lowering, op: Op, y: Value): Value {
  const bits = planesOf(op);
  const isUnary = op.kind !== 'neuron' && 'unary' in op.attrs && op.attrs.unary;
  if (bits === undefined || isUnary) return y;
  const virtual = Array.from({ length: stepsOf(y) }, (_, i) => {
    const step = builder.step(y, i);
    return i % bits === 0 ? step : builder.mul(step, 2 ** (i % bits));
  });
  return builder.as('weighed').concat(virtual, 0);
}

/** A constant current, once a step: at plane 0 where there are planes. */
export function withConstant({ builder }: Lowering, op: Op, y: Value, constant: Value | number): Value {
  const bits = planesOf(op);
  if (bits === undefined) return builder.add(y, constant);
  const virtual = Array.from({ length: stepsOf(y) }, (_, i) => {
    const step = builder.step(y, i);
    return i % bits === 0 ? builder.add(step, constant) : step;
  });
  return builder.as('biased').concat(virtual, 0);
}

/** Σ over the virtual steps of each step. */
export function gather({ builder }: Lowering, op: Op<'gather'>, y: Value): Value {
  const bits = op.attrs.bits;
  const steps = Array.from({ length: stepsOf(y) / bits }, (_, t) => {
    let sum = builder.step(y, t * bits);
    for (let b = 1; b < bits; b++) sum = builder.add(sum, builder.step(y, t * bits + b));
    return sum;
  });
  return builder.as('gathered').concat(steps, 0);
}
