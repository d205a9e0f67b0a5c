import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Algebra, type Network, type Op, functions, isFunctionName, paramOf } from '../network/index.js';

/** What a layer of neurons computes of whole codes, besides adding spikes up (docs/cost.md). */
export interface FunctionCost {
  readonly id: string;
  readonly kind: string;
  /** In words: `table of 200 steps`, `digit of sigmoid`, `softmax`. */
  readonly function: string;
  /** Values it gives, of one image. */
  readonly evaluations: number;
  /** Comparisons, additions, multiplications, divisions, roots and powers that these take, of one image. */
  readonly operations: number;
}

/** The functions of all layers that decide on whole inputs, but for products, which are MACs. */
export function functionCosts(network: Network): readonly FunctionCost[] {
  return network.ops.flatMap((op) => {
    const found = functionOf(network, op);
    if (found === undefined) return [];
    const evaluations = elementCount(op.type.shape);
    return [{ id: op.id, kind: op.kind, function: found.name, evaluations, operations: evaluations * found.each }];
  });
}

/** What is computed, and operations of one value of it. */
function functionOf(network: Network, op: Op): { readonly name: string; readonly each: number } | undefined {
  switch (op.kind) {
    case 'recode':
      return { name: `table of ${thresholdsOf(network, op)} steps`, each: searched(network, op) };
    case 'digit_neuron': {
      const { function: name } = op.attrs;
      if (name === undefined) return { name: 'digit', each: digit };
      return { name: `digit of ${name}`, each: digit + operationsOf(name) };
    }
    case 'group_neuron':
      return { name: op.attrs.function, each: (op.attrs.base === undefined ? 1 : digit) + ofGroup(network, op) };
    default:
      return undefined;
  }
}

/** The value in units of its grid rounded, and one digit of it: a multiplication, and two divisions that drop the fraction. */
const digit = 3;

/**
 * Of softmax a comparison, a subtraction, a power, an addition and a division (of integers a search among the powers, too); of a
 * normalisation two sums, a difference, a square, a division and what it is scaled by (of integers by another division).
 */
function ofGroup(network: Network, op: Op<'group_neuron'>): number {
  switch (op.attrs.function) {
    case 'softmax':
      return 5;
    case 'integer_softmax':
      return 5 + searched(network, op);
    case 'layernorm':
      return 5 + Object.keys(op.params).length;
    case 'integer_norm':
      return 6 + Object.keys(op.params).length;
  }
}

/** Comparisons of a search among a table's thresholds. */
function searched(network: Network, op: Op): number {
  return Math.ceil(Math.log2(thresholdsOf(network, op) + 1));
}

function thresholdsOf(network: Network, op: Op): number {
  return elementCount(paramOf(network, op, 'thresholds').tensor.shape);
}

/** How many operations a function of one value is made of. */
function operationsOf(name: string): number {
  if (!isFunctionName(name)) return 1;
  let count = 0;
  const counted = (): number => count++;
  const algebra = Object.fromEntries(operations.map((key) => [key, counted])) as unknown as Algebra<number>;
  present(functions[name], `cost: no function ${name}`).of(algebra, 0, { alpha: 1, beta: 1 });
  return Math.max(1, count);
}

const operations: readonly (keyof Algebra<number>)[] = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'min',
  'max',
  'abs',
  'sign',
  'floor',
  'round',
  'exp',
  'log',
  'sqrt',
  'tanh',
  'sigmoid',
  'positive',
];
