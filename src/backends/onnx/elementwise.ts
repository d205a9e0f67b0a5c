import type { DType } from '../../base/dtype.js';
import type { PrimAttrs } from '../../tensor/index.js';
import { type Emit, castTo } from './context.js';
import { elementType } from './writer.js';

type NoAttrs = PrimAttrs['neg'];

/** A primitive that is one ONNX operator. */
export function direct(opType: string): Emit<unknown> {
  return ({ w, names, out }) => w.node(opType, names, {}, out);
}

/** Comparisons of the dtypes without a kernel in onnxruntime are made in int32. */
function comparison(opType: string, withKernel: readonly DType[]): Emit<unknown> {
  return ({ w, names, inputs, out }) => {
    const narrow = !withKernel.includes(inputs[0]!.dtype);
    const operands = narrow ? names.map((name) => castTo(w, name, elementType.i32)) : names;
    w.node(opType, operands, {}, out);
  };
}

const ordered: readonly DType[] = ['f32', 'f64', 'i32'];

/**
 * onnxruntime has no Atan of f64: with a that of f32, arctan x = a + arctan((x·cos a − sin a)/(cos a + x·sin a)), whose argument
 * is so small that it is its own arctangent.
 */
const atan: Emit<unknown> = ({ w, names, inputs, out }) => {
  if (inputs[0]!.dtype !== 'f64') return w.node('Atan', names, {}, out);
  const x = names[0]!;
  const near = castTo(w, w.node('Atan', [castTo(w, x, elementType.f32)]), elementType.f64);
  const [sine, cosine] = [w.node('Sin', [near]), w.node('Cos', [near])];
  const above = w.node('Sub', [w.node('Mul', [x, cosine]), sine]);
  const below = w.node('Add', [w.node('Mul', [x, sine]), cosine]);
  return w.node('Add', [near, w.node('Div', [above, below])], {}, out);
};

/** Integer division truncates in ONNX as in the primitive. */
export const elementwise = {
  detach: direct('Identity'),
  neg: direct('Neg'),
  abs: direct('Abs'),
  sign: direct('Sign'),
  floor: direct('Floor'),
  round: direct('Round'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  sigmoid: direct('Sigmoid'),
  tanh: direct('Tanh'),
  atan,
  not: direct('Not'),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  pow: direct('Pow'),
  min: direct('Min'),
  max: direct('Max'),
  eq: comparison('Equal', [...ordered, 'bool']),
  ne: ({ w, names, inputs, out }) => {
    const narrow = inputs[0]!.dtype === 'i8' || inputs[0]!.dtype === 'u8';
    const operands = narrow ? names.map((name) => castTo(w, name, elementType.i32)) : names;
    w.node('Not', [w.node('Equal', operands)], {}, out);
  },
  lt: comparison('Less', ordered),
  le: comparison('LessOrEqual', ordered),
  gt: comparison('Greater', ordered),
  ge: comparison('GreaterOrEqual', ordered),
  and: direct('And'),
  or: direct('Or'),
} as const satisfies Record<string, Emit<NoAttrs>>;

/** Where has kernels for f32, f64, i32 and u8; the other bytes go through u8 or i32. */
export const select: Emit<NoAttrs> = ({ w, op, names, out }) => {
  if (op.dtype !== 'i8' && op.dtype !== 'bool') {
    w.node('Where', names, {}, out);
    return;
  }
  const wide = names.slice(1).map((name) => castTo(w, name, elementType.i32));
  castTo(w, w.node('Where', [names[0]!, ...wide]), elementType[op.dtype], out);
};

/** Casts to i8 and u8 saturate; ONNX leaves values outside the range open. */
export const cast: Emit<PrimAttrs['cast']> = ({ w, op, names, inputs, out }) => {
  const from = inputs[0]!.dtype;
  let source = names[0]!;
  if ((op.dtype === 'i8' || op.dtype === 'u8') && from !== 'bool') {
    const [lo, hi] = op.dtype === 'i8' ? [-128, 127] : [0, 255];
    const wide = from === 'i8' || from === 'u8' ? 'i32' : from;
    if (wide !== from) source = castTo(w, source, elementType.i32);
    source = w.node('Clip', [source, w.scalar(wide, lo), w.scalar(wide, hi)]);
  }
  castTo(w, source, elementType[op.dtype], out);
};
