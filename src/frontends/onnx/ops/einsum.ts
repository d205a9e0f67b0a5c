import { elementCount } from '../../../base/dtype.js';
import { type Constant, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import type { RealValue, Value } from '../values.js';
import { productOf } from './attention.js';
import type { OnnxOpTable } from './define.js';
import { inShape, plain } from './layout.js';
import { matmul, product } from './synapse.js';

/** Sums of products over named axes: of two operands a product of matrices, of one a transposition. */
export const einsumOps: OnnxOpTable = {
  Einsum: { inputs: [1, 2], run: (c) => [einsum(c)] },
};

const help = 'supported are products of two operands, "bhid,bhjd->bhij", and transpositions, "bij->bji"';

/** The axes of each operand and of the result, a letter each. */
interface Equation {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

function einsum(context: NodeContext): Value {
  const values = context.node.inputs.map((_, i) => context.input(i));
  const ranks = values.map((value, i) =>
    value.kind === 'constant' ? value.shape.length : context.onnxShape(context.realInAnyLayout(i)).length,
  );
  const { operands, result } = parsed(context, ranks);
  if (values.every((value) => value.kind === 'constant')) context.badForm('its operands are constants', help);
  if (operands.length === 1) {
    const [from] = operands;
    if (from!.length !== result.length) context.badForm('it sums over axes of its only operand', help);
    return moved(context.realInAnyLayout(0), order(from!, result));
  }
  const [left, right] = values as [Value, Value];
  if (left.kind === 'constant') return byConstant(context, 1, left, { operands: [operands[1]!, operands[0]!], result });
  if (right.kind === 'constant') return byConstant(context, 0, right, { operands, result });
  return ofActivations(context, { operands, result });
}

/** Places of the axes `to` among `from`. */
function order(from: readonly string[], to: readonly string[]): readonly number[] {
  return to.map((label) => from.indexOf(label));
}

/** The same numbers with their ONNX axes in another order. */
function moved(value: RealValue, perm: readonly number[]): RealValue {
  if (perm.every((axis, i) => axis === i)) return value;
  return { ...plain(value), perm: perm.map((axis) => value.perm?.[axis] ?? axis) };
}

/** Which axes are summed over, which both operands have otherwise, and which one alone. */
function roles(context: NodeContext, { operands: [left, right], result }: Equation) {
  const summed = left!.filter((label) => right!.includes(label) && !result.includes(label));
  const shared = left!.filter((label) => right!.includes(label) && result.includes(label));
  const [own, others] = [left!, right!].map((labels) =>
    labels.filter((label) => !summed.includes(label) && !shared.includes(label)),
  );
  const lost = [...own!, ...others!].find((label) => !result.includes(label));
  if (lost !== undefined) context.badForm(`it sums over the axis ${lost} of one operand alone`, help);
  return { summed, shared, own: own!, others: others! };
}

/** [shared …, own …, summed …] by [shared …, summed …, others …], axes of a kind as one. */
function ofActivations(context: NodeContext, equation: Equation): RealValue {
  const [a, b] = [context.realInAnyLayout(0), context.realInAnyLayout(1)];
  const { operands, result } = equation;
  const [left, right] = operands as [readonly string[], readonly string[]];
  const { summed, shared, own, others } = roles(context, equation);
  const sizes = sizesOf(context, [left, right], [context.onnxShape(a), context.onnxShape(b)]);
  const batch = shared.find((label) => Number.isNaN(sizes(label)));
  if (batch === undefined) context.badForm('the batch is no axis of both operands and of its result', help);
  const outer = [batch, ...shared.filter((label) => label !== batch)];
  const joined = (labels: readonly string[]): number => elementCount(labels.map(sizes));
  const many = outer.length > 1 ? [NaN, joined(outer.slice(1))] : [NaN];
  const arranged = (value: RealValue, from: readonly string[], rows: readonly string[], columns: readonly string[]) =>
    inShape(
      context,
      moved(value, order(from, [...outer, ...rows, ...columns])),
      [...many, joined(rows), joined(columns)],
      undefined,
    );
  const natural = [...outer, ...own, ...others];
  const shape = natural.map(sizes);
  const isPlain = own.length === 1 && others.length === 1 && outer.length <= 2;
  const ordered = natural.join() === result.join();
  const origin = ordered ? context.output : undefined;
  const made = productOf(
    context,
    arranged(a, left, own, summed),
    arranged(b, right, summed, others),
    isPlain ? origin : undefined,
  );
  return moved(inShape(context, made, shape, origin), order(natural, result));
}

/** Activations by a constant that has no axis of theirs in the result: [N, …, summed …] by [summed …, others …]. */
function byConstant(context: NodeContext, index: number, weight: Constant, equation: Equation): Value {
  const x = context.realInAnyLayout(index);
  const { operands, result } = equation;
  const [left, right] = operands as [readonly string[], readonly string[]];
  const { summed, shared, own, others } = roles(context, equation);
  if (shared.length > 0) context.badForm(`its constant has the axis ${shared[0]} of the result in common`, help);
  const sizes = sizesOf(context, [left, right], [context.onnxShape(x), weight.shape]);
  const joined = (labels: readonly string[]): number => elementCount(labels.map(sizes));
  const [features, outputs] = [joined(summed), joined(others)];
  const rows = inShape(context, moved(x, order(left, [...own, ...summed])), [...own.map(sizes), features], undefined);
  const matrix = reshapedConstant(transposedConstant(weight, order(right, [...summed, ...others])), [
    features,
    outputs,
  ]);
  const natural = [...own, ...others];
  const plan = matmul(context, rows, matrix);
  if (natural.join() === result.join() && others.length === 1) return product(context, plan, weight);
  const made = inShape(context, plan.emit({}), natural.map(sizes), undefined);
  return moved(made, order(natural, result));
}

/** How long the axes are; NaN is the batch. Operands must agree. */
function sizesOf(
  context: NodeContext,
  operands: readonly (readonly string[])[],
  shapes: readonly (readonly number[])[],
): (label: string) => number {
  const sizes = new Map<string, number>();
  for (const [n, labels] of operands.entries()) {
    for (const [i, label] of labels.entries()) {
      const size = shapes[n]![i]!;
      const known = sizes.get(label) ?? size;
      if (!Object.is(known, size)) context.shapeMismatch(`its axis ${label} has ${known} and ${size} places`);
      sizes.set(label, size);
    }
  }
  return (label) => sizes.get(label)!;
}

/** The equation; an ellipsis is as many axes as an operand has beside its letters, counted from the last. */
function parsed(context: NodeContext, ranks: readonly number[]): Equation {
  const text = context.string('equation', '').replaceAll(' ', '');
  const [inputs = '', output, ...more] = text.split('->');
  const terms = inputs.split(',');
  const letters = /^[A-Za-z]*(?:\.\.\.[A-Za-z]*)?$/;
  if (more.length > 0 || terms.length !== ranks.length || ![...terms, output ?? ''].every((term) => letters.test(term)))
    context.badAttribute('equation', text);
  const labels = (term: string, rank?: number): readonly string[] => {
    const [before = '', after] = term.split('...');
    if (after === undefined) return before.split('');
    const hidden = rank === undefined ? widest : rank - before.length - after.length;
    const names = Array.from({ length: Math.max(0, hidden) }, (_, i) => `…${hidden - i}`);
    return [...before.split(''), ...names, ...after.split('')];
  };
  const widest = Math.max(
    0,
    ...terms.map((term, i) => (term.includes('...') ? ranks[i]! - term.length + '...'.length : 0)),
  );
  const operands = terms.map((term, i) => labels(term, ranks[i]));
  for (const [i, found] of operands.entries()) {
    if (found.length !== ranks[i])
      context.shapeMismatch(`"${terms[i]}" names ${found.length} axes, "${context.node.inputs[i]}" has ${ranks[i]}`);
    if (new Set(found).size < found.length) context.badForm(`"${terms[i]}" names an axis twice`, help);
  }
  const all = operands.flat();
  const once = [...new Set(all)].filter((label) => all.filter((other) => other === label).length === 1);
  // without an arrow: the ellipsis, then what stands once, by the alphabet
  const implied = [
    ...all.filter((label, i) => label.startsWith('…') && all.indexOf(label) === i),
    ...once.filter((label) => !label.startsWith('…')).sort(),
  ];
  const result = output === undefined ? implied : labels(output);
  if (new Set(result).size < result.length || result.some((label) => !all.includes(label)))
    context.badAttribute('equation', text);
  return { operands, result };
}
