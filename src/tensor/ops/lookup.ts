import { type TypedArray, allocate } from '../../base/dtype.js';
import { wrap } from '../arrays.js';
import { ShapeError, showShape } from '../dims.js';
import { type OpDef, arithmetic, checkDtype, checkSame } from './def.js';

/** How many of the ascending thresholds are ≤ x; 0 of a NaN. */
function countReached(thresholds: TypedArray, x: number): number {
  let [least, most] = [0, thresholds.length];
  while (least < most) {
    const middle = (least + most) >>> 1;
    if (x >= thresholds[middle]!) least = middle + 1;
    else most = middle;
  }
  return least;
}

export const lookup: OpDef = {
  arity: 3,
  attrs: [],
  doc: 'values[#{t ≤ x}] of x, ascending thresholds t [m], m ≥ 1, and values [m + 1]: a piecewise constant function',
  infer: ([x, thresholds, values]) => {
    const dtype = checkSame([x!, thresholds!], 'lookup');
    checkDtype(dtype, arithmetic, 'lookup');
    const [[m, ...more], [n, ...others]] = [thresholds!.shape, values!.shape];
    const lists = more.length === 0 && others.length === 0 && typeof m === 'number' && typeof n === 'number';
    if (!lists || m < 1 || n !== m + 1) {
      throw new ShapeError(
        `lookup: needs thresholds [m] and values [m + 1], has ${showShape(thresholds!.shape)} and ${showShape(values!.shape)}`,
      );
    }
    return { dtype: values!.dtype, shape: x!.shape };
  },
  evaluate: ([x, thresholds, values], { dtype, shape }) => {
    const out = allocate(dtype, x!.data.length);
    for (let i = 0; i < out.length; i++) out[i] = values!.data[countReached(thresholds!.data, x!.data[i]!)]!;
    return wrap(dtype, shape, out);
  },
  gradient: { none: 'it is piecewise constant' },
};
