import { type Expr, type NeuronDef, assignmentsOf } from '../../src/equations/index.js';

type Vector = readonly number[];

/**
 * Outputs of one neuron step by step, evaluated straight from its equations in float64. Every value
 * is a vector over the units of its states (one unit where there is no more). Further input currents are as `x`; random numbers
 * the middle of their distribution.
 */
export function evaluateNeuron(
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  input: readonly number[],
): number[] {
  const names = new Map<string, Vector>();
  for (const param of def.params) names.set(param.name, [args[param.name] ?? param.default ?? NaN]);
  const units = Math.max(1, ...def.states.map((state) => (state.units ? evaluate(state.units, names)[0]! : 1)));
  names.set(
    'unit',
    Array.from({ length: units }, (_, i) => i + 1),
  );
  names.set('T', [input.length]);
  for (const state of def.states) names.set(state.name, evaluate(state.initial, names));
  return input.map((x, i) => {
    names.set('t', [i + 1]);
    for (const name of ['x', ...(def.currents ?? [])]) names.set(name, [x]);
    for (const { target, value } of assignmentsOf(def)) names.set(target, evaluate(value, names));
    return names.get('s')![0]!;
  });
}

function map(f: (...numbers: number[]) => number, ...vectors: Vector[]): Vector {
  const length = Math.max(...vectors.map((vector) => vector.length));
  return Array.from({ length }, (_, i) => f(...vectors.map((vector) => vector[vector.length === 1 ? 0 : i]!)));
}

function evaluate(expr: Expr, names: ReadonlyMap<string, Vector>): Vector {
  switch (expr.kind) {
    case 'number':
      return [expr.value];
    case 'name': {
      const value = names.get(expr.name);
      if (value === undefined) throw new Error(`no ${expr.name}`);
      return value;
    }
    case 'unary':
      return map((a) => (expr.op === '-' ? 0 - a : Number(a === 0)), evaluate(expr.operand, names));
    case 'binary':
      return map(binary[expr.op]!, evaluate(expr.left, names), evaluate(expr.right, names));
    case 'call': {
      const args = expr.args.map((arg) => evaluate(arg, names));
      if (expr.callee === 'sum') return [args[0]!.reduce((a, b) => a + b, 0)];
      if (expr.callee !== 'levels') return map(functions[expr.callee]!, ...args);
      const { min, max, step } = expr.named;
      const bounds = [min!, max!, step!].map((bound) => evaluate(bound, names));
      return map(
        (v, lo, hi, size) => size! * Math.min(hi!, Math.max(lo!, Math.floor(v! / size!))),
        args[0]!,
        ...bounds,
      );
    }
  }
}

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
};

const functions: Readonly<Record<string, (...x: number[]) => number>> = {
  where: (c, a, b) => (c !== 0 ? a! : b!),
  clip: (x, lo, hi) => Math.min(hi!, Math.max(lo!, x!)),
  floor: Math.floor,
  round: (x) => (Math.abs(x! % 1) === 0.5 ? 2 * Math.round(x! / 2) : Math.round(x!)),
  sign: Math.sign,
  abs: Math.abs,
  min: Math.min,
  max: Math.max,
  exp: Math.exp,
  detach: (x) => x!,
  uniform: (low, high) => (low! + high!) / 2,
  normal: (mean) => mean!,
  sigmoid: (x) => 1 / (1 + Math.exp(-x!)),
};
