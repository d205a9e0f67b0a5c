import type { DType } from '../../base/dtype.js';
import { integerRange } from '../../tensor/ops/elementwise.js';
import { type ElementKind, foldElement } from './scalar.js';

/**
 * One value of one element of a region: a step of a train, or something repeated over the
 * batch. Nodes are interned, so equal expressions are one node; arguments come before users.
 */
export type Node =
  | { readonly kind: 'constant'; readonly dtype: DType; readonly value: number }
  /** Element of step `step` of a batched source. */
  | { readonly kind: 'load'; readonly dtype: DType; readonly source: number; readonly step: number }
  /** Element of a source without batch axis, repeated by broadcasting. */
  | { readonly kind: 'repeat'; readonly dtype: DType; readonly source: number }
  | { readonly kind: 'cast'; readonly dtype: DType; readonly args: readonly number[] }
  | { readonly kind: ElementKind; readonly dtype: DType; readonly args: readonly number[] };

/** A constant as the dtype would hold it. */
export function roundTo(dtype: DType, value: number): number {
  if (dtype === 'f64') return value;
  if (dtype === 'f32') return Math.fround(value);
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  const [lo, hi] = integerRange(dtype);
  return Math.min(Math.max(Math.trunc(value), lo), hi) || 0;
}

/** Nested choices between constants are followed this far. */
const deepest = 4;

/**
 * Builds the nodes of a region and simplifies on the way. Every rule keeps values exactly as
 * they are, except that x + 0 gives x where IEEE 754 would turn −0 into +0.
 */
export class Graph {
  readonly nodes: Node[] = [];
  private readonly exact = new Set<number>();
  private readonly interned = new Map<string, number>();

  constant(dtype: DType, value: number): number {
    const rounded = roundTo(dtype, value);
    const key = Object.is(rounded, -0) ? '-0' : String(rounded);
    return this.intern(`constant ${dtype} ${key}`, { kind: 'constant', dtype, value: rounded });
  }

  /** `exact`: integers that f32 holds exactly. */
  load(dtype: DType, source: number, step: number, exact = false): number {
    const id = this.intern(`load ${source} ${step}`, { kind: 'load', dtype, source, step });
    if (exact) this.exact.add(id);
    return id;
  }

  repeat(dtype: DType, source: number): number {
    return this.intern(`repeat ${source}`, { kind: 'repeat', dtype, source });
  }

  cast(dtype: DType, arg: number): number {
    const from = this.at(arg);
    if (from.dtype === dtype) return arg;
    if (from.kind === 'constant') return this.constant(dtype, from.value);
    if (from.dtype === 'bool') return this.choice(arg, this.constant(dtype, 1), this.constant(dtype, 0));
    // The choice between constants is made once; its casts only choose again.
    if (dtype === 'f64' && from.kind === 'cast' && from.dtype === 'f32' && this.exact.has(from.args[0]!)) {
      return this.cast(dtype, from.args[0]!);
    }
    const choice = this.asChoice(arg);
    const tree = choice === undefined ? undefined : this.overChoice(choice, deepest, (leaf) => this.cast(dtype, leaf));
    return tree ?? this.intern(`cast ${dtype} ${arg}`, { kind: 'cast', dtype, args: [arg] });
  }

  apply(kind: ElementKind, dtype: DType, args: readonly number[]): number {
    const simpler = this.simplify(kind, dtype, args);
    return simpler ?? this.intern(`${kind} ${dtype} ${args.join(' ')}`, { kind, dtype, args });
  }

  at(id: number): Node {
    return this.nodes[id]!;
  }

  private choice(condition: number, a: number, b: number): number {
    return this.apply('select', this.at(a).dtype, [condition, a, b]);
  }

  private simplify(kind: ElementKind, dtype: DType, args: readonly number[]): number | undefined {
    const values = args.map((arg) => this.valueOf(arg));
    if (values.every((v) => v !== undefined)) {
      const folded = foldElement(kind, dtype, values);
      // An integer that overflows wraps at run time.
      return dtype === 'i32' && roundTo(dtype, folded) !== folded ? undefined : this.constant(dtype, folded);
    }
    if (kind === 'select') return this.simplifySelect(args, values[0]);
    if (kind === 'not') {
      const inner = this.at(args[0]!);
      return inner.kind === 'not' ? inner.args[0] : undefined;
    }
    if (args.length === 1) return this.overChoice(args[0]!, 1, (leaf) => this.apply(kind, dtype, [leaf]));
    return this.neutral(kind, dtype, args, values) ?? this.withConstant(kind, dtype, args, values);
  }

  private simplifySelect(args: readonly number[], condition: number | undefined): number | undefined {
    if (condition !== undefined) return condition === 0 ? args[2] : args[1];
    if (args[1] === args[2]) return args[1];
    const inner = this.at(args[0]!);
    if (inner.kind === 'not') return this.choice(inner.args[0]!, args[2]!, args[1]!);
    const other = this.at(args[2]!);
    if (other.kind === 'select' && other.args[1] === args[1]) {
      const either = this.apply('or', 'bool', [args[0]!, other.args[0]!]);
      return this.choice(either, args[1]!, other.args[2]!);
    }
    return undefined;
  }

  /** x + 0, x·1, x ∧ true and the like. */
  private neutral(
    kind: ElementKind,
    dtype: DType,
    [a, b]: readonly number[],
    [x, y]: readonly (number | undefined)[],
  ): number | undefined {
    switch (kind) {
      case 'add':
        return x === 0 ? b : y === 0 ? a : undefined;
      case 'sub':
        return y === 0 ? a : undefined;
      case 'mul':
        return x === 1 ? b : y === 1 ? a : undefined;
      case 'div':
        if (y === 1) return a;
        // Dividing by a power of two is multiplying by its reciprocal, bit for bit.
        return y !== undefined && dtype !== 'i32' && isPowerOfTwo(y)
          ? this.apply('mul', dtype, [a!, this.constant(dtype, 1 / y)])
          : undefined;
      case 'and':
        if (x === 0 || y === 0) return this.constant('bool', 0);
        return x === 1 || a === b ? b : y === 1 ? a : undefined;
      case 'or':
        if (x === 1 || y === 1) return this.constant('bool', 1);
        return x === 0 || a === b ? b : y === 0 ? a : undefined;
      default:
        return undefined;
    }
  }

  /** f(choice of constants, constant) is a choice of constants. */
  private withConstant(
    kind: ElementKind,
    dtype: DType,
    [a, b]: readonly number[],
    [x, y]: readonly (number | undefined)[],
  ): number | undefined {
    if (dtype === 'bool') return undefined;
    if (y !== undefined) return this.overChoice(a!, 1, (leaf) => this.apply(kind, dtype, [leaf, b!]));
    if (x !== undefined) return this.overChoice(b!, 1, (leaf) => this.apply(kind, dtype, [a!, leaf]));
    return undefined;
  }

  /** Applies `f` to the leaves of a select whose branches, at most `depth` deep, end in constants. */
  private overChoice(id: number, depth: number, f: (leaf: number) => number): number | undefined {
    const node = this.at(id);
    if (node.kind !== 'select' || !this.isChoice(id, depth)) return undefined;
    const [condition, a, b] = node.args as [number, number, number];
    const branch = (arg: number) => this.overChoice(arg, depth - 1, f) ?? f(arg);
    return this.choice(condition, branch(a), branch(b));
  }

  /** A choice between constants that equals the node: itself, or with a constant added or multiplied at its ends. */
  private asChoice(id: number): number | undefined {
    const node = this.at(id);
    if (node.kind === 'select') return this.isChoice(id, deepest) ? id : undefined;
    if (node.kind !== 'add' && node.kind !== 'sub' && node.kind !== 'mul') return undefined;
    const [a, b] = node.args as [number, number];
    if (this.at(b).kind === 'constant') {
      return this.overChoice(a, deepest, (leaf) => this.apply(node.kind, node.dtype, [leaf, b]));
    }
    if (this.at(a).kind !== 'constant') return undefined;
    return this.overChoice(b, deepest, (leaf) => this.apply(node.kind, node.dtype, [a, leaf]));
  }

  private isChoice(id: number, depth: number): boolean {
    const node = this.at(id);
    if (node.kind === 'constant') return true;
    return (
      node.kind === 'select' &&
      depth > 0 &&
      this.isChoice(node.args[1]!, depth - 1) &&
      this.isChoice(node.args[2]!, depth - 1)
    );
  }

  private valueOf(id: number): number | undefined {
    const node = this.at(id);
    return node.kind === 'constant' ? node.value : undefined;
  }

  private intern(key: string, node: Node): number {
    const known = this.interned.get(key);
    if (known !== undefined) return known;
    this.nodes.push(node);
    this.interned.set(key, this.nodes.length - 1);
    return this.nodes.length - 1;
  }
}

/** Exact powers of two whose reciprocal is a normal number of f32 (and so of f64). */
function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 100 && Math.abs(value) === 2 ** exponent;
}
