import { drawing } from './draws.js';
import { functionNamed } from './functions.js';
import { phaseTable } from './phases.js';
import type { Expr, NeuronDef } from './types.js';

/**
 * What every phase may read beside parameters, states and what was assigned before: the input current, the step, the
 * number of steps, and which of its membranes a neuron of several works out (docs/language.md, neurons).
 */
const given = ['x', 't', 'T', 'unit'];

/**
 * What is wrong with the names in a neuron's equations: those of a text, which nobody has checked. Each sentence continues
 * "neuron NAME …". Empty for what the language's checker lets through.
 */
export function neuronProblems(def: NeuronDef): readonly string[] {
  let problems = known.get(def);
  if (problems === undefined) known.set(def, (problems = foundProblems(def)));
  return problems;
}

/** Definitions don't change, and each layer asks for its own. */
const known = new WeakMap<NeuronDef, readonly string[]>();

function foundProblems(def: NeuronDef): readonly string[] {
  const problems: string[] = [];
  const params = new Set(def.params.map(({ name }) => name));
  if (params.size < def.params.length) problems.push('has two parameters of one name');
  const look = (expr: Expr, names: ReadonlySet<string>, where: string): void => {
    for (const problem of expressionProblems(expr, names)) problems.push(`${problem} in ${where}`);
  };
  // what is known before the first step
  const outer = new Set([...params, 'T']);
  const taken = new Set([...params, ...given, 's', ...def.states.map((state) => state.name)]);
  for (const current of def.currents ?? []) {
    if (taken.has(current)) problems.push(`has two things called ${current}`);
    taken.add(current);
  }
  const visible = new Set([...params, ...given, ...(def.currents ?? [])]);
  const outside = [...def.states.flatMap(({ initial, units }) => [initial, ...(units === undefined ? [] : [units])])];
  for (const value of Object.values(def.surrogate?.args ?? {})) if (typeof value !== 'number') outside.push(value);
  for (const { callee } of outside.flatMap(drawing)) problems.push(`calls ${callee} outside of its phases`);
  for (const { name, initial, units } of def.states) {
    look(initial, outer, `state ${name}`);
    if (units !== undefined) look(units, params, `the units of state ${name}`);
    visible.add(name);
  }
  for (const { name, assignments } of def.phases) {
    for (const { target, value } of assignments) {
      look(value, visible, `${name} ${target}`);
      visible.add(target);
    }
    if (phaseTable[name].fires === true && !visible.has('s')) problems.push(`assigns no output s in ${name}`);
  }
  for (const [name, value] of Object.entries(def.surrogate?.args ?? {})) {
    if (typeof value !== 'number') look(value, outer, `the surrogate's ${name}`);
  }
  return problems;
}

function expressionProblems(expr: Expr, names: ReadonlySet<string>): readonly string[] {
  const inside = (parts: readonly Expr[]): string[] => parts.flatMap((part) => expressionProblems(part, names));
  switch (expr.kind) {
    case 'number':
      return [];
    case 'name':
      return names.has(expr.name) ? [] : [`reads ${expr.name}, which it doesn't have,`];
    case 'unary':
      return inside([expr.operand]);
    case 'binary':
      return inside([expr.left, expr.right]);
    case 'call':
      return [...callProblems(expr), ...inside([...expr.args, ...Object.values(expr.named)])];
  }
}

function callProblems({ callee, args, named }: Extract<Expr, { kind: 'call' }>): readonly string[] {
  const row = functionNamed(callee);
  if (row === undefined) return [`calls ${callee}, which is no function,`];
  const wanted = row.params.length;
  if (args.length !== wanted) return [`gives ${callee} ${args.length} argument(s) instead of ${wanted}`];
  const other = Object.keys(named).find((name) => row.named?.includes(name) !== true);
  return other === undefined ? [] : [`gives ${callee} an argument ${other}, which it doesn't take,`];
}
