import type { Program } from './types.js';

/**
 * For every op, by position: the ids of the values that no later op and no output reads,
 * so that an engine may free them once the op has run.
 */
export function lastUses(program: Program): readonly (readonly string[])[] {
  const kept = new Set(Object.values(program.outputs));
  const dead: string[][] = program.ops.map(() => []);
  for (let i = program.ops.length - 1; i >= 0; i--) {
    const op = program.ops[i]!;
    for (const id of [...op.inputs, op.id]) {
      if (kept.has(id)) continue;
      kept.add(id);
      dead[i]!.push(id);
    }
  }
  return dead;
}
