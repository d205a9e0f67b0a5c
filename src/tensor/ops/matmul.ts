import { allocate, elementCount } from '../../base/dtype.js';
import { wrap } from '../arrays.js';
import { ShapeError, isBatch, sameDim, sameShape, showShape } from '../dims.js';
import { type OpDef, arithmetic, checkDtype, checkSame } from './def.js';

interface MatmulAttrs {
  readonly transA: boolean;
  readonly transB: boolean;
}

/**
 * Product of row-major matrices: a is [m, k] (or [k, m] where transA), b is [k, n] (or
 * [n, k] where transB); accumulated in float64.
 */
export function multiply(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  size: { readonly m: number; readonly k: number; readonly n: number },
  { transA, transB }: MatmulAttrs,
): Float64Array<ArrayBuffer> {
  const { m, k, n } = size;
  const out = new Float64Array(m * n);
  const [aRow, aCol] = transA ? [1, m] : [k, 1];
  const [bRow, bCol] = transB ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const v = a[i * aRow + p * aCol]!;
      for (let j = 0; j < n; j++) out[i * n + j]! += v * b[p * bRow + j * bCol]!;
    }
  }
  return out;
}

export const matmul: OpDef<MatmulAttrs> = {
  arity: 2,
  attrs: ['transA', 'transB'],
  doc: 'matrix product of the last two axes (transposed first where transA, transB); leading axes equal',
  infer: (inputs, { transA, transB }) => {
    const dtype = checkSame(inputs, 'matmul');
    checkDtype(dtype, arithmetic, 'matmul');
    const [a, b] = [inputs[0]!.shape, inputs[1]!.shape];
    const what = `matmul of ${showShape(a)} and ${showShape(b)}`;
    if (a.length < 2 || a.length !== b.length || !sameShape(a.slice(0, -2), b.slice(0, -2))) {
      throw new ShapeError(`${what}: ranks ≥ 2 and leading axes must be equal`);
    }
    const [m, k] = transA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
    const [k2, n] = transB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
    if (!sameDim(k, k2)) throw new ShapeError(`${what}: the inner sizes differ`);
    const shape = [...a.slice(0, -2), m, n];
    if (shape.filter(isBatch).length > 1) throw new ShapeError(`${what}: the result would have two batch axes`);
    return { dtype, shape };
  },
  evaluate: ([a, b], { attrs, dtype, shape }) => {
    const [m, n] = [shape.at(-2)!, shape.at(-1)!];
    const k = a!.shape.at(attrs.transA ? -2 : -1)!;
    const out = allocate(dtype, elementCount(shape));
    for (let o = 0, batch = 0; o < out.length; o += m * n, batch++) {
      const left = a!.data.subarray(batch * m * k, (batch + 1) * m * k);
      const right = b!.data.subarray(batch * k * n, (batch + 1) * k * n);
      out.set(multiply(left, right, { m, k, n }, attrs), o);
    }
    return wrap(dtype, shape, out);
  },
  gradient: ({ b, attrs: { transA, transB }, inputs, grad }) => {
    const [x, y] = [inputs[0]!, inputs[1]!];
    const toX = transA ? b.matmul(y, grad, { transA: transB, transB: true }) : b.matmul(grad, y, { transB: !transB });
    const toY = transB ? b.matmul(grad, x, { transA: true, transB: transA }) : b.matmul(x, grad, { transA: !transA });
    return [toX, toY];
  },
};
