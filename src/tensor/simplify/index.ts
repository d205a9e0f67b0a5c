import type { Program, TensorOp } from '../types.js';
import { attrsOf } from '../types.js';
import { printProgram } from '../print.js';
import { withoutDeadCode } from './dead-code.js';
import { Rewritten } from './graph.js';
import { foldConstants, rules } from './rules.js';
import { trimmedScans } from './scan.js';

export { withoutDeadCode };

export interface SimplifyOptions {
  /** Derivatives have been taken: `detach` and surrogates, which only autodiff reads, go. */
  readonly differentiated?: boolean;
}

/**
 * The same outputs from fewer ops: constants folded, algebra (x·1, x + 0, select with a
 * known condition, movements that cancel), equal ops computed once, unused ops dropped; the
 * same inside of loops, without the states and trains that nothing reads.
 * Values are the same bit for bit, apart from the sign of zero.
 */
export function simplify(program: Program, options: SimplifyOptions = {}): Program {
  let current = program;
  for (let round = 0; round < 4; round++) {
    const next = withoutDeadCode(trimmedScans(rewriteOnce(current, options)));
    if (next.ops.length === current.ops.length) return next;
    current = next;
  }
  return current;
}

function rewriteOnce(program: Program, options: SimplifyOptions): Program {
  const known = new Rewritten(program);
  const renamed = new Map<string, string>();
  const byKey = new Map<string, string>();
  const ops: TensorOp[] = [];
  const current = (id: string) => renamed.get(id) ?? id;
  for (const original of program.ops) {
    const op = prepared(original, current, options);
    const result = applyRules(op, known, options);
    if ('same' in result) {
      renamed.set(original.id, result.same);
      continue;
    }
    const key = keyOf(result.op);
    const twin = byKey.get(key);
    if (twin !== undefined) {
      renamed.set(original.id, twin);
      continue;
    }
    byKey.set(key, original.id);
    known.add(result.op);
    ops.push(result.op);
  }
  const outputs = Object.fromEntries(Object.entries(program.outputs).map(([name, id]) => [name, current(id)]));
  return { ...program, ops, outputs };
}

function prepared(original: TensorOp, current: (id: string) => string, options: SimplifyOptions): TensorOp {
  const waits = original.after === undefined || current(original.after) === original.after;
  const op = waits ? original : { ...original, after: current(original.after!) };
  const reads = op.inputs.every((id) => current(id) === id);
  const inputs = reads ? op.inputs : op.inputs.map(current);
  if (op.kind === 'scan') {
    const attrs = attrsOf(op, 'scan');
    return { ...op, inputs, attrs: { ...attrs, body: simplify(attrs.body, options) } };
  }
  // what stays as it is stays the same object, whose key is known
  if (options.differentiated !== true || op.attrs['surrogate'] === undefined) return reads ? op : { ...op, inputs };
  const attrs = Object.entries(op.attrs).filter(([key]) => !key.startsWith('surrogate'));
  return { ...op, inputs, attrs: Object.fromEntries(attrs) };
}

function applyRules(op: TensorOp, known: Rewritten, options: SimplifyOptions) {
  let current = op;
  // Every rewrite makes the op simpler; the bound only guards against a slip in the rules.
  for (let i = 0; i < 16; i++) {
    if (current.kind === 'detach' && options.differentiated === true) return { same: current.inputs[0]! };
    let changed: ReturnType<typeof foldConstants> = foldConstants(current, known);
    for (const rule of rules[current.kind] ?? []) changed ??= rule(current, known);
    if (changed === undefined || 'same' in changed) return changed ?? { op: current };
    current = changed.op;
  }
  return { op: current };
}

const commutative = new Set(['add', 'mul', 'min', 'max', 'eq', 'ne', 'and', 'or']);

const keys = new WeakMap<TensorOp, string>();

/** Equal for ops that compute the same. */
function keyOf(op: TensorOp): string {
  const known = keys.get(op) ?? newKeyOf(op);
  keys.set(op, known);
  return known;
}

function newKeyOf(op: TensorOp): string {
  if (op.kind === 'const') {
    const { dtype, shape, data } = attrsOf(op, 'const').value;
    // Large constants are told apart by name; comparing their values isn't worth it.
    if (data.length > 1024) return `const ${op.id}`;
    return `const ${dtype}[${shape.join()}] ${Array.from(data, (v) => (Object.is(v, -0) ? '-0' : v)).join()}`;
  }
  if (op.kind === 'scan') {
    const { body, ...rest } = attrsOf(op, 'scan');
    return `scan ${JSON.stringify(op.inputs)} ${JSON.stringify(rest)} ${printProgram(body)}`;
  }
  const plain = op.attrs['surrogate'] === undefined;
  const inputs = commutative.has(op.kind) && plain ? [...op.inputs].sort() : op.inputs;
  const after = op.after === undefined ? '' : ` after ${op.after}`;
  return `${op.kind} ${JSON.stringify(inputs)} ${JSON.stringify(op.attrs, infinities)} ${op.dtype}${after}`;
}

/** JSON has no infinities: they are written as strings. */
function infinities(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
