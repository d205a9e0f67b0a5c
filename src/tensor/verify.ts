import { invariant } from '../base/invariant.js';
import { ShapeError, sameInfo, sameShape, showShape, showType } from './dims.js';
import { opDef } from './ops/index.js';
import { type Program, type TensorOp, type ValueInfo, attrsOf } from './types.js';

/**
 * What is wrong with a program, in sentences: ids defined once and before use, arity,
 * attributes, dtypes and shapes as the shape rules give them, outputs that exist.
 */
export function verify(program: Program): readonly string[] {
  const problems: string[] = [];
  const known = new Map<string, ValueInfo>();
  const define = (id: string, info: ValueInfo) => {
    if (known.has(id)) problems.push(`"${id}" is defined twice`);
    known.set(id, info);
  };
  for (const input of program.inputs) define(input.id, input);
  for (const param of program.params) {
    define(param.id, param);
    if (param.data.dtype !== param.dtype || !sameShape(param.data.shape, param.shape)) {
      problems.push(
        `param "${param.id}" is ${showType(param)}, its data ${param.data.dtype}${showShape(param.data.shape)}`,
      );
    }
  }
  for (const op of program.ops) {
    problems.push(...opProblems(op, known));
    define(op.id, op);
  }
  for (const [name, id] of Object.entries(program.outputs)) {
    if (known.get(id)?.parts !== undefined) problems.push(`output "${name}" is "${id}", which is a tuple`);
    if (!known.has(id)) problems.push(`output "${name}" is "${id}", which is not defined`);
  }
  return problems;
}

function opProblems(op: TensorOp, known: ReadonlyMap<string, ValueInfo>): string[] {
  const missing = op.inputs.filter((id) => !known.has(id));
  if (op.after !== undefined && !known.has(op.after)) {
    return [`"${op.id}" waits for "${op.after}", which is not defined before it`];
  }
  if (missing.length > 0) return missing.map((id) => `"${op.id}" reads "${id}", which is not defined before it`);
  const def = opDef(op.kind);
  if (def === undefined) return [`"${op.id}" is of the unknown kind ${String(op.kind)}`];
  if (def.arity === 'many' ? op.inputs.length === 0 : op.inputs.length !== def.arity) {
    return [`"${op.id}" (${op.kind}) has ${op.inputs.length} operands instead of ${def.arity}`];
  }
  const strange = Object.keys(op.attrs).find((key) => !(def.attrs as readonly string[]).includes(key));
  if (strange !== undefined) return [`"${op.id}" (${op.kind}) has no attribute "${strange}"`];
  const tuple = op.inputs.find((id) => known.get(id)!.parts !== undefined);
  if (tuple !== undefined && op.kind !== 'scan_output') return [`"${op.id}" (${op.kind}) reads the tuple "${tuple}"`];
  if (op.kind === 'scan') {
    const { body } = attrsOf(op, 'scan');
    if (body?.ops === undefined) return [`"${op.id}" (scan) has no body`];
    const inside = verify(body);
    if (inside.length > 0) return inside.map((problem) => `"${op.id}": in its body: ${problem}`);
  }
  try {
    const inferred = def.infer(
      op.inputs.map((id) => known.get(id)!),
      op.attrs,
    );
    if (!sameInfo(inferred, op)) return [`"${op.id}" (${op.kind}) says ${showType(op)}, is ${showType(inferred)}`];
  } catch (error) {
    if (error instanceof ShapeError) return [`"${op.id}": ${error.message}`];
    if (error instanceof TypeError) return [`"${op.id}" (${op.kind}) has wrong attributes: ${error.message}`];
    throw error;
  }
  return [];
}

/** Throws an InvariantError naming `phase` when the program is not valid; returns it. */
export function verified(program: Program, phase: string): Program {
  const problems = verify(program);
  invariant(problems.length === 0, `${phase}: program "${program.name}": ${problems.slice(0, 5).join('; ')}`);
  return program;
}
