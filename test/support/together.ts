import type { Program } from '../../src/tensor/index.js';

/** A program beside others: its names begin with `prefix`. */
export function prefixed(program: Program, prefix: string): Program {
  const named = <T extends { readonly id: string }>(value: T): T => ({ ...value, id: prefix + value.id });
  return {
    ...program,
    inputs: program.inputs.map(named),
    params: program.params.map(named),
    ops: program.ops.map((op) => ({ ...named(op), inputs: op.inputs.map((id) => prefix + id) })),
    outputs: Object.fromEntries(Object.entries(program.outputs).map(([name, id]) => [prefix + name, prefix + id])),
  };
}

/** Programs as one, which a compiler is called for once. */
export function together(programs: readonly Program[]): Program {
  return {
    name: 'together',
    inputs: programs.flatMap(({ inputs }) => inputs),
    params: programs.flatMap(({ params }) => params),
    ops: programs.flatMap(({ ops }) => ops),
    outputs: Object.fromEntries(programs.flatMap(({ outputs }) => Object.entries(outputs))),
  };
}
