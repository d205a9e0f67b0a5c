import { type Program, printOp, printProgram } from '../tensor/index.js';
import type { ProgramText } from './program-text.js';

/** The program with the values of renamed ops under their new names, so that a new name alone is no difference. */
export function renamedValues(program: Program, names: ReadonlyMap<string, string>): Program {
  if (names.size === 0) return program;
  const values = new Map<string, string>();
  for (const { id, from } of program.ops) {
    const to = from === undefined ? undefined : names.get(from);
    if (to !== undefined && id.startsWith(from!)) values.set(id, to + id.slice(from!.length));
  }
  const renamed = (id: string): string => values.get(id) ?? id;
  const ops = program.ops.map((op) => ({ ...op, id: renamed(op.id), inputs: op.inputs.map(renamed) }));
  const outputs = Object.fromEntries(Object.entries(program.outputs).map(([name, id]) => [name, renamed(id)]));
  return { ...program, ops, outputs };
}

/** A program's lines by the op of the network that they come from. */
export function programText(program: Program): ProgramText {
  const [, ...head] = printProgram({ ...program, ops: [] })
    .trimEnd()
    .split('\n');
  const lines = new Map<string, string[]>([['', head.map((line) => line.trim())]]);
  for (const { from = '', ...op } of program.ops) {
    const known = lines.get(from);
    if (known === undefined) lines.set(from, [printOp(op)]);
    else known.push(printOp(op));
  }
  // inputs, parameters and constants stand in the order of their first use, which says nothing
  lines.get('')!.sort();
  return lines;
}
