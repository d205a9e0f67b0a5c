import { type Assignment, type Expr, type NeuronDef, type NeuronState, type NeuronUse, partsOf } from './types.js';

/** Units a state may have. */
export const maxUnits = 64;

/**
 * The neuron with a state of its own for each unit: `state u[3]` becomes `u_unit1`, `u_unit2`,
 * `u_unit3`, an equation of u three equations, `unit` a number, `sum(…)` a sum. A neuron without
 * units is given back as it is; nothing where the numbers of units differ or are out of range.
 */
export function expandUnits(use: NeuronUse): NeuronUse | undefined {
  const { def, args } = use;
  const counts = def.states.flatMap((state) => (state.units === undefined ? [] : [constant(state.units, args)]));
  const [count] = counts;
  if (count === undefined) return use;
  const sound = Number.isInteger(count) && count >= 1 && count <= maxUnits;
  if (!sound || counts.some((other) => other !== count)) return undefined;
  const expansion = new Expansion(def, count);
  return { ...use, def: expansion.run() };
}

class Expansion {
  /** Names with a value for each unit. */
  readonly #vectors: Set<string>;

  constructor(
    private readonly def: NeuronDef,
    private readonly count: number,
  ) {
    this.#vectors = new Set(def.states.filter((state) => state.units !== undefined).map((state) => state.name));
  }

  run(): NeuronDef {
    const states = this.def.states.flatMap((state): NeuronState[] =>
      state.units === undefined
        ? [state]
        : this.#each((unit) => ({ name: at(state.name, unit), initial: state.initial })),
    );
    const phase = (assignments: readonly Assignment[]): Assignment[] => assignments.flatMap((one) => this.#assign(one));
    // In this order: what a name stands for depends on the assignments before.
    const phases = this.def.phases.map(({ name, assignments }) => ({ name, assignments: phase(assignments) }));
    return { ...this.def, states, phases };
  }

  #assign({ target, value }: Assignment): Assignment[] {
    if (!this.#isVector(value) && !this.#vectors.has(target)) return [{ target, value: this.#of(value, 0) }];
    const values = this.#each((unit) => this.#of(value, unit));
    this.#vectors.add(target);
    const parts = this.#each((unit) => at(target, unit));
    if (!mentionsSum(value)) return parts.map((part, i) => ({ target: part, value: values[i]! }));
    // A sum must see all units as they were before any of them changes.
    const kept = parts.map((part) => `${part}_new`);
    return [
      ...kept.map((name, i) => ({ target: name, value: values[i]! })),
      ...parts.map((part, i) => ({ target: part, value: { kind: 'name' as const, name: kept[i]! } })),
    ];
  }

  /** The expression for one unit. */
  #of(expr: Expr, unit: number): Expr {
    const of = (inner: Expr): Expr => this.#of(inner, unit);
    switch (expr.kind) {
      case 'number':
        return expr;
      case 'name':
        if (expr.name === 'unit') return { kind: 'number', value: unit };
        return this.#vectors.has(expr.name) ? { kind: 'name', name: at(expr.name, unit) } : expr;
      case 'unary':
        return { ...expr, operand: of(expr.operand) };
      case 'binary':
        return { ...expr, left: of(expr.left), right: of(expr.right) };
      case 'call': {
        if (expr.callee === 'sum') {
          const terms = this.#each((each) => this.#of(expr.args[0]!, each));
          return terms.reduce((left, right) => ({ kind: 'binary', op: '+', left, right }));
        }
        const named = Object.fromEntries(Object.entries(expr.named).map(([name, value]) => [name, of(value)]));
        return { ...expr, args: expr.args.map(of), named };
      }
    }
  }

  #isVector(expr: Expr): boolean {
    if (expr.kind === 'name') return expr.name === 'unit' || this.#vectors.has(expr.name);
    if (expr.kind === 'call' && expr.callee === 'sum') return false;
    return partsOf(expr).some((part) => this.#isVector(part));
  }

  #each<T>(make: (unit: number) => T): T[] {
    return Array.from({ length: this.count }, (_, i) => make(i + 1));
  }
}

function at(name: string, unit: number): string {
  return `${name}_unit${unit}`;
}

function mentionsSum(expr: Expr): boolean {
  return (expr.kind === 'call' && expr.callee === 'sum') || partsOf(expr).some(mentionsSum);
}

/** The value of an expression of parameters; NaN where it is more than arithmetic. */
function constant(expr: Expr, args: Readonly<Record<string, number>>): number {
  switch (expr.kind) {
    case 'number':
      return expr.value;
    case 'name':
      return args[expr.name] ?? NaN;
    case 'unary':
      return expr.op === '-' ? -constant(expr.operand, args) : NaN;
    case 'binary': {
      const [a, b] = [constant(expr.left, args), constant(expr.right, args)];
      if (expr.op === '+') return a + b;
      if (expr.op === '-') return a - b;
      if (expr.op === '*') return a * b;
      return expr.op === '/' ? a / b : NaN;
    }
    case 'call':
      return NaN;
  }
}
