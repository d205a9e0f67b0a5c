import { InvariantError } from '../../base/invariant.js';
import { broadcastShapes, isBatch, sameInfo, sameShape, units } from '../dims.js';
import { opDef } from '../ops/index.js';
import { type PrimKind, type TensorOp, attrsOf } from '../types.js';
import { type Rewrite, type Rewritten, become, same } from './graph.js';

type Rule = (op: TensorOp, known: Rewritten) => Rewrite | undefined;

/** Results larger than this stay computations rather than become constants. */
const foldLimit = 65_536;

function noBody(): never {
  throw new InvariantError('simplify: a loop is no constant');
}

/** An op whose operands are all constants is evaluated now. */
export const foldConstants: Rule = (op, known) => {
  if (op.kind === 'const' || op.inputs.length === 0 || op.shape.some(isBatch)) return undefined;
  if (op.kind === 'scan') return undefined;
  const shape = op.shape as readonly number[];
  const count = shape.reduce((a, b) => a * b, 1);
  const values = op.inputs.map((id) => known.constant(id));
  if (count > foldLimit || values.some((value) => value === undefined)) return undefined;
  // A repeated number is cheaper as a scalar that is repeated.
  if (op.kind === 'broadcast' && count > 1) return undefined;
  const result = opDef(op.kind).evaluate(
    values.map((value) => value!),
    { attrs: op.attrs, inputs: op.inputs.map((id) => known.type(id)), dtype: op.dtype, shape, n: 1, run: noBody },
  );
  return become(op, 'const', [], { value: result });
};

/** The operand at `index`, if it has the result's type. */
function operand(op: TensorOp, known: Rewritten, index: number): Rewrite | undefined {
  const id = op.inputs[index]!;
  return sameInfo(known.type(id), op) ? same(id) : undefined;
}

/** x ∘ e = x on the right, and on the left where `commutes`. */
function neutral(element: number, commutes: boolean): Rule {
  return (op, known) => {
    if (known.uniform(op.inputs[1]!) === element) return operand(op, known, 0);
    if (commutes && known.uniform(op.inputs[0]!) === element) return operand(op, known, 1);
    return undefined;
  };
}

const negated = (known: Rewritten, id: string): string | undefined => {
  const op = known.op(id);
  return op?.kind === 'neg' ? op.inputs[0] : undefined;
};

/** a + (−b) = a − b, (−a) + b = b − a. */
const addOfNegative: Rule = (op, known) => {
  const [a, b] = [op.inputs[0]!, op.inputs[1]!];
  const [minusA, minusB] = [negated(known, a), negated(known, b)];
  if (minusB !== undefined) return become(op, 'sub', [a, minusB]);
  return minusA === undefined ? undefined : become(op, 'sub', [b, minusA]);
};

/** 0 − x = −x, a − (−b) = a + b. */
const subOfNegative: Rule = (op, known) => {
  const [a, b] = [op.inputs[0]!, op.inputs[1]!];
  if (known.uniform(a) === 0 && sameInfo(known.type(b), op)) return become(op, 'neg', [b]);
  const minusB = negated(known, b);
  return minusB === undefined ? undefined : become(op, 'add', [a, minusB]);
};

/** x · (−1) = −x. */
const mulByMinusOne: Rule = (op, known) => {
  for (const [i, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const x = op.inputs[other]!;
    if (known.uniform(op.inputs[i]!) === -1 && sameInfo(known.type(x), op)) return become(op, 'neg', [x]);
  }
  return undefined;
};

const doubleNegation: Rule = (op, known) => {
  const inner = known.op(op.inputs[0]!);
  return inner?.kind === op.kind ? same(inner.inputs[0]!) : undefined;
};

/** The operand at `index`, repeated to the result's shape where it is smaller. */
function repeated(op: TensorOp, known: Rewritten, index: number): Rewrite {
  return operand(op, known, index) ?? become(op, 'broadcast', [op.inputs[index]!], { shape: op.shape });
}

/** A condition that is always the same, or branches that are. */
const selectKnown: Rule = (op, known) => {
  const condition = known.uniform(op.inputs[0]!);
  if (condition !== undefined) return repeated(op, known, condition === 0 ? 2 : 1);
  return op.inputs[1] === op.inputs[2] ? repeated(op, known, 1) : undefined;
};

/** x ∧ true = x, x ∧ false = false, and likewise for or. */
function logical(element: number): Rule {
  return (op, known) => {
    for (const [i, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const value = known.uniform(op.inputs[i]!);
      if (value === undefined) continue;
      return repeated(op, known, value === element ? other : i);
    }
    return op.inputs[0] === op.inputs[1] ? operand(op, known, 0) : undefined;
  };
}

/** An operand is repeated by a binary op anyway; a broadcast before it only costs memory. */
const operandsUnbroadcast: Rule = (op, known) => {
  for (let i = 0; i < op.inputs.length; i++) {
    const source = known.op(op.inputs[i]!);
    if (source?.kind !== 'broadcast') continue;
    const inputs = op.inputs.with(i, source.inputs[0]!);
    const shape = inputs.map((id) => known.type(id).shape).reduce((a, b) => broadcastShapes(a, b, op.kind));
    if (sameShape(shape, op.shape)) return become(op, op.kind, inputs, op.attrs);
  }
  return undefined;
};

const sameType: Rule = (op, known) => operand(op, known, 0);

const reshapeOfReshape: Rule = (op, known) => {
  const inner = known.op(op.inputs[0]!);
  return inner?.kind === 'reshape' ? become(op, 'reshape', inner.inputs, op.attrs) : undefined;
};

const transposes: Rule = (op, known) => {
  const { perm } = attrsOf(op, 'transpose');
  if (perm.every((axis, i) => axis === i)) return same(op.inputs[0]!);
  const inner = known.op(op.inputs[0]!);
  if (inner?.kind !== 'transpose') return undefined;
  const first = attrsOf(inner, 'transpose').perm;
  return become(op, 'transpose', inner.inputs, { perm: perm.map((axis) => first[axis]!) });
};

/** The one axis that a slice cuts without a stride, and the part it takes. */
function cutOf(op: TensorOp, known: Rewritten): { axis: number; start: number; end: number } | undefined {
  const { starts, ends, steps } = attrsOf(op, 'slice');
  const { shape } = known.type(op.inputs[0]!);
  if (steps.some((step) => step !== 1)) return undefined;
  const axes = shape.map((_, i) => i).filter((i) => starts[i] !== 0 || ends[i] !== units(shape[i]!));
  const axis = axes[0];
  return axis === undefined || axes.length > 1 ? undefined : { axis, start: starts[axis]!, end: ends[axis]! };
}

/** A slice that is exactly one operand of a concatenation, or lies within a broadcast's repetition. */
const sliceOfConcat: Rule = (op, known) => {
  const inner = known.op(op.inputs[0]!);
  const cut = cutOf(op, known);
  if (inner === undefined || cut === undefined) return undefined;
  if (inner.kind === 'broadcast' && known.uniform(inner.id) !== undefined) {
    return become(op, 'broadcast', inner.inputs, { shape: op.shape });
  }
  if (inner.kind !== 'concat' || attrsOf(inner, 'concat').axis !== cut.axis) return undefined;
  let at = 0;
  for (const id of inner.inputs) {
    const size = units(known.type(id).shape[cut.axis]!);
    if (at === cut.start && at + size === cut.end) return same(id);
    at += size;
  }
  return undefined;
};

/** Consecutive slices put together again. */
const concatOfSlices: Rule = (op, known) => {
  const { axis } = attrsOf(op, 'concat');
  let source: string | undefined;
  let at = 0;
  for (const id of op.inputs) {
    const part = known.op(id);
    if (part?.kind !== 'slice' || (source !== undefined && part.inputs[0] !== source)) return undefined;
    const cut = cutOf(part, known);
    if (cut === undefined || cut.axis !== axis || cut.start !== at) return undefined;
    source = part.inputs[0]!;
    at = cut.end;
  }
  return source !== undefined && sameInfo(known.type(source), op) ? same(source) : undefined;
};

/** A sum over axes of size 1 only is another shape. */
const sumOfOnes: Rule = (op, known) => {
  const { axes } = attrsOf(op, 'sum');
  const { shape } = known.type(op.inputs[0]!);
  if (!axes.every((axis) => shape[axis] === 1)) return undefined;
  return sameShape(shape, op.shape) ? same(op.inputs[0]!) : become(op, 'reshape', op.inputs, { shape: op.shape });
};

/** Padding nothing, or slicing everything. */
const wholeSlice: Rule = (op, known) => {
  const { steps } = attrsOf(op, 'slice');
  return steps.every((step) => step === 1) ? operand(op, known, 0) : undefined;
};

/** Rules by the kind they apply to, in the order they are tried. */
export const rules: { readonly [K in PrimKind]?: readonly Rule[] } = {
  neg: [doubleNegation],
  not: [doubleNegation],
  add: [neutral(0, true), addOfNegative, operandsUnbroadcast],
  sub: [neutral(0, false), subOfNegative, operandsUnbroadcast],
  mul: [neutral(1, true), mulByMinusOne, operandsUnbroadcast],
  div: [neutral(1, false), operandsUnbroadcast],
  pow: [neutral(1, false), operandsUnbroadcast],
  min: [neutral(Infinity, true), operandsUnbroadcast],
  max: [neutral(-Infinity, true), operandsUnbroadcast],
  eq: [operandsUnbroadcast],
  ne: [operandsUnbroadcast],
  lt: [operandsUnbroadcast],
  le: [operandsUnbroadcast],
  gt: [operandsUnbroadcast],
  ge: [operandsUnbroadcast],
  and: [logical(1)],
  or: [logical(0)],
  select: [selectKnown, operandsUnbroadcast],
  cast: [sameType],
  reshape: [sameType, reshapeOfReshape],
  transpose: [transposes],
  broadcast: [sameType],
  slice: [wholeSlice, sliceOfConcat],
  pad: [sameType],
  concat: [concatOfSlices],
  sum: [sumOfOnes],
};
