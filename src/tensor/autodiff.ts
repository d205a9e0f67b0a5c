import { InvariantError } from '../base/invariant.js';
import { activeValues } from './active.js';
import { ProgramBuilder, type Value } from './builder.js';
import { sameShape, showType, units } from './dims.js';
import { isFloat } from './ops/def.js';
import { opDef } from './ops/index.js';
import { type Pullback, scanGradients } from './scan-gradient.js';
import { simplify } from './simplify/index.js';
import { type Program, type TensorOp, attrsOf } from './types.js';

export interface Differentiated {
  /** The program with the backward ops after the forward ones, and an output `grad.ID` for each gradient. */
  readonly program: Program;
  /** Value id → id of ∂loss/∂value. */
  readonly gradients: Readonly<Record<string, string>>;
  /** Values of `wrt` that no differentiable path connects with the loss. */
  readonly unreached: readonly string[];
}

/**
 * Reverse-mode differentiation, source to source: ∂loss/∂v for every v in `wrt` (ids of
 * float inputs, params or other values), then simplified. `loss` is the id of a scalar.
 * Discontinuous ops pass gradients by the surrogate that they carry, or none.
 */
export function autodiff(program: Program, loss: string, wrt: readonly string[]): Differentiated {
  const b = new ProgramBuilder(program.name);
  b.include(program);
  for (const [name, id] of Object.entries(program.outputs)) b.output(name, b.value(id));
  const found = gradients(
    b,
    b.value(loss),
    wrt.map((id) => b.value(id)),
  );
  const unreached = wrt.filter((_, i) => found[i] === undefined);
  wrt.forEach((id, i) => {
    if (found[i] !== undefined) b.output(`grad.${id}`, found[i]);
  });
  const simplified = simplify(b.build(), { differentiated: true });
  const names = wrt.filter((id) => !unreached.includes(id));
  return {
    program: simplified,
    gradients: Object.fromEntries(names.map((id) => [id, simplified.outputs[`grad.${id}`]!])),
    unreached,
  };
}

/**
 * Appends to `b` the ops that compute ∂loss/∂v for each value of `wrt`; undefined where no
 * differentiable path leads from it to the loss.
 */
export function gradients(b: ProgramBuilder, loss: Value, wrt: readonly Value[]): (Value | undefined)[] {
  if (!isFloat(loss.dtype) || loss.shape.length !== 0) {
    throw new TypeError(`autodiff: the loss must be a float scalar, "${loss.id}" is ${showType(loss)}`);
  }
  const grads = pullback(b, [{ value: loss, grad: b.scalar(loss.dtype, 1) }], wrt);
  b.at(undefined);
  return grads;
}

/** Appends the gradients to `wrt` of Σ value·grad over what is seeded. */
const pullback: Pullback = (b, seeds, wrt) => {
  const forward = [...b.operations];
  const active = activeValues(
    forward,
    wrt.map(({ id }) => id),
  );
  const arrived = new Map<string, Value[]>();
  const arrive = (id: string, grad: Value): void => {
    const known = arrived.get(id);
    if (known === undefined) arrived.set(id, [grad]);
    else known.push(grad);
  };
  for (const { value, grad } of seeds) if (active.has(value.id)) arrive(value.id, grad);
  const totals = new Map<string, Value>();
  const total = (id: string): Value | undefined => {
    const parts = arrived.get(id);
    if (parts === undefined || totals.has(id)) return totals.get(id);
    const value = accumulate(b, parts);
    totals.set(id, value);
    return value;
  };
  const ofParts = (op: TensorOp): (Value | undefined)[] => {
    const grads = op.parts!.map((): Value | undefined => undefined);
    for (const part of forward) {
      if (part.kind !== 'scan_output' || part.inputs[0] !== op.id) continue;
      const { index } = attrsOf(part, 'scan_output');
      const [known, grad] = [grads[index], total(part.id)];
      grads[index] = known !== undefined && grad !== undefined ? b.add(known, grad) : (grad ?? known);
    }
    return grads;
  };
  const operandGradients = (op: TensorOp): readonly (Value | undefined)[] => {
    const { gradient } = opDef(op.kind);
    if (gradient === 'body') {
      // a loop's gradient is made at the loop, from what arrived at its parts
      if (op.kind !== 'scan') return [];
      const grads = ofParts(op);
      if (grads.every((grad) => grad === undefined)) return [];
      return scanGradients({ b, op, grads, isActive: (id) => active.has(id), pullback });
    }
    const grad = total(op.id);
    if (grad === undefined || typeof gradient !== 'function') return [];
    const inputs = op.inputs.map((id) => b.value(id));
    return gradient({ b, op, attrs: op.attrs, inputs, out: b.value(op.id), grad });
  };
  for (let i = forward.length - 1; i >= 0; i--) {
    const op = forward[i]!;
    if (!active.has(op.id)) continue;
    b.at(op.from, 'grad');
    operandGradients(op).forEach((g, k) => {
      const id = op.inputs[k]!;
      if (g === undefined || !active.has(id)) return;
      checkGradient(op, b.value(id), g);
      arrive(id, g);
    });
  }
  return wrt.map((value) => {
    b.at(value.id, 'grad');
    return total(value.id);
  });
};

/** Our own rules must give gradients of the operand's type (floats) or shape (bools). */
function checkGradient(op: TensorOp, operand: Value, g: Value): void {
  const fits =
    sameShape(operand.shape, g.shape) && (isFloat(operand.dtype) ? g.dtype === operand.dtype : isFloat(g.dtype));
  if (!fits) {
    throw new InvariantError(
      `autodiff: the gradient of ${op.kind} "${op.id}" to ${showType(operand)} is ${showType(g)}`,
    );
  }
}

/**
 * The sum of the gradients that arrived at one value. Those of its time steps come as
 * slices padded with zeros: disjoint ones are put side by side rather than added, so that T
 * steps cost one pass over memory, not T.
 */
function accumulate(b: ProgramBuilder, parts: readonly Value[]): Value {
  if (parts.length === 1) return parts[0]!;
  const pieces: Piece[] = [];
  const rest: Value[] = [];
  for (const part of parts) {
    const piece = pieceOf(b, b.makerOf(part.id));
    const twin = pieces.findIndex((p) => p.start === piece?.start && p.end === piece.end && p.axis === piece.axis);
    if (piece === undefined || (pieces[0]?.axis ?? piece.axis) !== piece.axis) rest.push(part);
    else if (twin >= 0) pieces[twin] = { ...piece, value: b.add(pieces[twin]!.value, piece.value) };
    else pieces.push(piece);
  }
  pieces.sort((p, q) => p.start - q.start);
  const disjoint = pieces.every((p, i) => i === 0 || pieces[i - 1]!.end <= p.start);
  const summands = pieces.length > 1 && disjoint ? [...rest, sideBySide(b, pieces, parts[0]!)] : parts;
  return summands.reduce((sum, part) => b.add(sum, part));
}

/** A gradient that is zero outside `start`…`end` of one axis. */
interface Piece {
  readonly value: Value;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

function pieceOf(b: ProgramBuilder, op: TensorOp | undefined): Piece | undefined {
  if (op?.kind !== 'pad') return undefined;
  const { before, after, value: filler } = attrsOf(op, 'pad');
  const axes = before.map((_, i) => i).filter((i) => before[i] !== 0 || after[i] !== 0);
  const value = b.value(op.inputs[0]!);
  const axis = axes[0];
  if (filler !== 0 || axis === undefined || axes.length !== 1) return undefined;
  return { value, axis, start: before[axis]!, end: before[axis]! + units(value.shape[axis]!) };
}

function sideBySide(b: ProgramBuilder, pieces: readonly Piece[], like: Value): Value {
  const { axis } = pieces[0]!;
  const along = (count: number) => like.shape.map((_, i) => (i === axis ? count : 0));
  const none = along(0);
  // Gaps become padding of the piece before them.
  const values = pieces.map((piece, i) => {
    const next = pieces[i + 1]?.start ?? units(like.shape[axis]!);
    const before = i === 0 ? along(piece.start) : none;
    return b.pad(piece.value, before, along(next - piece.end));
  });
  return b.concat(values, axis);
}
