import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import type { Param } from '../../../network/types.js';
import { type Constant, lazyConstant, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { mostComputed } from '../tensor-data.js';
import { type RealValue, inAxesOf } from '../values.js';

export type Operator = 'Add' | 'Sub' | 'Mul' | 'Div';

/** x·scale + shift for one operation with a constant c, which broadcasts to x. */
export function affine(
  context: NodeContext,
  operator: Operator,
  x: RealValue,
  constant: Constant,
  constantFirst: boolean,
  origin: string | undefined,
  suffix?: string,
): RealValue {
  const single = elementCount(constant.shape) === 1;
  const c = single ? reshapedConstant(constant, [1]) : broadcastTo(context, constant, x);
  checkFinite(context, c);
  const mapped = (f: (c: number) => number): Param =>
    context.param(lazyConstant(c.name, 'double', c.shape, () => Float64Array.from(c.data(), f)));
  const ones = (sign: number): Param => ({ tensor: { dtype: 'f64', shape: [1], data: Float64Array.of(sign) } });
  const params = {
    Add: () => ({ scale: ones(1), shift: mapped((v) => v) }),
    Sub: () =>
      constantFirst ? { scale: ones(-1), shift: mapped((v) => v) } : { scale: ones(1), shift: mapped((v) => -v) },
    Mul: () => ({ scale: mapped((v) => v) }),
    Div: () => ({ scale: mapped((v) => 1 / v) }),
  }[operator]();
  const named = suffix === undefined ? {} : { suffix };
  const result = context.emit({ kind: 'affine', inputs: [x], params, origin, ...named });
  const scalar = scalarOf(operator, c, constantFirst);
  if (scalar !== undefined) context.graph.scalarAffines.set(result.op, { source: x.op, ...scalar });
  return inAxesOf(x, result);
}

/** One operation with a single constant as scale·x + shift. */
export function scalarOf(
  operator: Operator,
  c: Constant,
  constantFirst: boolean,
): { readonly scale: number; readonly shift: number } | undefined {
  if (elementCount(c.shape) !== 1) return undefined;
  const value = c.data()[0]!;
  return {
    Add: { scale: 1, shift: value },
    Sub: constantFirst ? { scale: -1, shift: value } : { scale: 1, shift: -value },
    Mul: { scale: value, shift: 0 },
    Div: { scale: 1 / value, shift: 0 },
  }[operator];
}

/** What is divided by an infinity, or scaled by one, says nothing. */
export function checkFinite(context: NodeContext, { name, data }: Constant): void {
  const values = data();
  const index = values.findIndex((value: number) => !Number.isFinite(value));
  if (index >= 0) fail('onnx/not-finite', { name, index, value: String(values[index]) }, context.place);
}

/** A constant as the affine op takes it: [1], one per channel [C], or the op's whole shape. */
export function broadcastTo(context: NodeContext, constant: Constant, x: RealValue): Constant {
  const full = context.onnxShape(x);
  const shape = full.filter((n) => !Number.isNaN(n));
  const aligned = [...Array<number>(Math.max(0, full.length - constant.shape.length)).fill(1), ...constant.shape];
  const fits = aligned.length === full.length && aligned.every((n, i) => n === 1 || n === full[i]);
  if (!fits) {
    context.shapeMismatch(
      `constant "${constant.name}" [${constant.shape.join(', ')}] doesn't fit an activation [${full.map((n) => (Number.isNaN(n) ? 'N' : n)).join(', ')}]`,
    );
  }
  const perm = x.perm ?? full.map((_, axis) => axis);
  if (aligned.every((n, axis) => n === 1 || perm[axis] === 1)) {
    return reshapedConstant(constant, [elementCount(constant.shape)]);
  }
  checkComputed(context, shape, [constant]);
  const sizes = aligned.filter((_, axis) => !Number.isNaN(full[axis]));
  const expanded = expand(constant, sizes, shape);
  if (x.perm === undefined) return expanded;
  // the op's axes in their own order, those of size 1 that the file doesn't have among them
  const behind = perm.filter((axis) => axis !== 0);
  const own = context.shapeOf(x).flatMap((_, axis) => (behind.includes(axis + 1) ? [behind.indexOf(axis + 1)] : []));
  return reshapedConstant(transposedConstant(expanded, own), context.shapeOf(x));
}

export function checkComputed(context: NodeContext, shape: readonly number[], from: readonly Constant[]): void {
  const count = elementCount(shape);
  if (count <= mostComputed || from.some((constant) => elementCount(constant.shape) === count)) return;
  fail('onnx/too-large', { what: 'a broadcast constant', shape }, context.place);
}
/** A constant repeated along axes of size 1. */
export function expand(constant: Constant, from: readonly number[], to: readonly number[]): Constant {
  const type = constant.quantised === undefined ? constant.type : 'double';
  if (from.join() === to.join()) return { kind: 'constant', name: constant.name, shape: to, type, data: constant.data };
  return lazyConstant(constant.name, type, to, () => {
    const data = constant.data();
    const result = new Float64Array(elementCount(to));
    for (let i = 0; i < result.length; i++) {
      let [rest, at, stride] = [i, 0, 1];
      for (let axis = to.length - 1; axis >= 0; axis--) {
        const index = rest % to[axis]!;
        rest = Math.floor(rest / to[axis]!);
        if (from[axis] !== 1) at += index * stride;
        stride *= from[axis]!;
      }
      result[i] = data[at]!;
    }
    return constant.type === 'float' && constant.quantised === undefined ? Float32Array.from(result) : result;
  });
}
