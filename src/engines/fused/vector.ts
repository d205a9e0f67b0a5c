import type { DType } from '../../base/dtype.js';
import type { Graph, Node } from './graph.js';
import type { ElementKind } from './scalar.js';
import type { VectorOp } from './opcodes.js';
import type { FunctionBody, VectorLoad } from './wasm.js';

/** Elements computed together: one vector of f32 or i32, two of f64. */
export const lanes = 4;

/** Where the elements of a memory node lie for the present iteration: address in a local + offset. */
export interface Location {
  readonly pointer: number;
  readonly offset: number;
}

export type MemoryNode = Node & { readonly kind: 'load' | 'repeat' };

export interface Memory {
  readonly locate: (node: MemoryNode) => Location;
  /** Locals already holding a node: what is the same for a whole row. */
  readonly hoisted: ReadonlyMap<number, Vector>;
}

/**
 * A node's value in locals. i8 and u8 are held widened to i32. A bool is a mask of all ones or
 * zeros: `narrow` beside 32-bit elements, `wide` (two vectors) beside f64, either made from the
 * other when first needed.
 */
export interface Vector {
  readonly locals: readonly number[];
  wide?: readonly number[];
  narrow?: readonly number[];
}

const low32 = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const low64 = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const upper = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/** Bytes of a vector with `value` in every lane. */
export function splatBytes(dtype: DType, value: number): Uint8Array {
  const bytes = new Uint8Array(16);
  if (dtype === 'f64') new Float64Array(bytes.buffer).fill(value);
  else if (dtype === 'f32') new Float32Array(bytes.buffer).fill(value);
  else if (dtype === 'bool') new Int32Array(bytes.buffer).fill(value === 0 ? 0 : -1);
  else new Int32Array(bytes.buffer).fill(value);
  return bytes;
}

/** `f64x2.add`, `f32x4.nearest`, `i32x4.min_s`: the instruction of an operation on a dtype. */
function named(dtype: DType, operation: ElementKind): VectorOp {
  const name = operation === 'round' ? 'nearest' : operation;
  if (dtype === 'f64') return `f64x2.${name}` as VectorOp;
  if (dtype === 'f32') return `f32x4.${name}` as VectorOp;
  const signed = ['min', 'max', 'lt', 'le', 'gt', 'ge'].includes(name);
  return `i32x4.${name}${signed ? '_s' : ''}` as VectorOp;
}

/** Emits the nodes of a graph, each once and when first asked for, for four elements. */
export class VectorEmitter {
  private readonly done: Map<number, Vector>;

  constructor(
    private readonly f: FunctionBody,
    private readonly graph: Graph,
    private readonly memory: Memory,
  ) {
    this.done = new Map(memory.hoisted);
  }

  /** The locals with a node's value: two for f64; for a bool its first-made mask. */
  emit(id: number): Vector {
    const known = this.done.get(id);
    if (known !== undefined) return known;
    // Operands first, without recursion: a long train of steps is a deep expression.
    const stack = [id];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const node = this.graph.at(top);
      const missing = 'args' in node && !this.loadsDirectly(node) ? node.args.filter((arg) => !this.done.has(arg)) : [];
      if (this.done.has(top)) stack.pop();
      else if (missing.length > 0) stack.push(...missing.reverse());
      else {
        this.done.set(top, this.make(node));
        stack.pop();
      }
    }
    return this.done.get(id)!;
  }

  /** The mask of a bool beside elements of 32 bits or, `wide`, of 64. */
  mask(id: number, wide: boolean): readonly number[] {
    const vector = this.emit(id);
    return wide ? (vector.wide ??= this.widen(vector.locals)) : (vector.narrow ??= this.narrow(vector.locals));
  }

  private make(node: Node): Vector {
    switch (node.kind) {
      case 'constant':
        return this.constant(node);
      case 'load':
      case 'repeat':
        return this.load(node.dtype, this.memory.locate(node));
      case 'cast':
        return this.cast(node);
      case 'select':
        return this.select(node);
      case 'not':
      case 'and':
      case 'or':
        return this.logical(node.kind, node.args);
      case 'sign':
        return this.perPart(node, (part) => this.sign(node.dtype, part[0]!));
      case 'eq':
      case 'ne':
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
        return this.comparison(node.kind, node.args);
      default:
        if (node.kind === 'div' && node.dtype === 'i32') return this.integerDivision(node.args);
        return this.perPart(node, (part) => this.op(named(node.dtype, node.kind), ...part));
    }
  }

  /** Applies `f` to corresponding vectors of the operands. */
  private perPart(node: Node & { args: readonly number[] }, f: (part: readonly number[]) => number): Vector {
    const operands = node.args.map((arg) => this.emit(arg).locals);
    return { locals: operands[0]!.map((_, part) => f(operands.map((locals) => locals[part]!))) };
  }

  private constant(node: Node & { kind: 'constant' }): Vector {
    const local = this.f.local('v128');
    this.f.constant(splatBytes(node.dtype, node.value));
    this.f.set(local);
    if (node.dtype === 'bool') return { locals: [local], narrow: [local], wide: [local, local] };
    return { locals: node.dtype === 'f64' ? [local, local] : [local] };
  }

  private load(dtype: DType, at: Location): Vector {
    const get = (kind: VectorLoad, offset: number) => {
      this.f.get(at.pointer);
      this.f.load(kind, offset);
    };
    if (dtype === 'f64') return { locals: [0, 16].map((o) => this.keep(() => get('v128', at.offset + o))) };
    if (dtype === 'f32' || dtype === 'i32') return { locals: [this.keep(() => get('v128', at.offset))] };
    const suffix = dtype === 'i8' ? 's' : 'u';
    const integers = this.keep(() => {
      get('low32', at.offset);
      this.f.vector(`i16x8.extend_low_i8x16_${suffix}`);
      this.f.vector(`i32x4.extend_low_i16x8_${suffix}`);
    });
    if (dtype !== 'bool') return { locals: [integers] };
    const mask = [this.op('i32x4.ne', integers, this.zero())];
    return { locals: mask, narrow: mask };
  }

  /** f32 and i32 read only to become f64 are converted straight from memory, two elements at a time. */
  private loadsDirectly(node: Node): boolean {
    if (node.kind !== 'cast' || node.dtype !== 'f64') return false;
    const [arg] = node.args;
    const from = this.graph.at(arg!);
    return from.kind === 'load' && (from.dtype === 'f32' || from.dtype === 'i32') && !this.done.has(arg!);
  }

  private cast(node: Node & { kind: 'cast' }): Vector {
    const arg = node.args[0]!;
    const from = this.graph.at(arg);
    if (this.loadsDirectly(node) && from.kind === 'load') {
      const at = this.memory.locate(from);
      const widen = from.dtype === 'f32' ? 'f64x2.promote_low_f32x4' : 'f64x2.convert_low_i32x4_s';
      const promote = (offset: number) =>
        this.keep(() => {
          this.f.get(at.pointer);
          this.f.load('low64', offset);
          this.f.vector(widen);
        });
      return { locals: [promote(at.offset), promote(at.offset + 8)] };
    }
    const x = this.emit(arg).locals;
    switch (node.dtype) {
      case 'bool': {
        const parts = x.map((part) => this.op(named(from.dtype, 'ne'), part, this.zero()));
        return parts.length === 2 ? { locals: parts, wide: parts } : { locals: parts, narrow: parts };
      }
      case 'f64':
        return {
          locals: this.halves(x[0]!, from.dtype === 'f32' ? 'f64x2.promote_low_f32x4' : 'f64x2.convert_low_i32x4_s'),
        };
      case 'f32':
        if (from.dtype === 'f64') return { locals: [this.join(x, 'f32x4.demote_f64x2_zero')] };
        return { locals: [this.op('f32x4.convert_i32x4_s', x[0]!)] };
      default:
        return { locals: [this.clamp(node.dtype, this.toInteger(from.dtype, x))] };
    }
  }

  private toInteger(from: DType, x: readonly number[]): number {
    if (from === 'f64') return this.join(x, 'i32x4.trunc_sat_f64x2_s_zero');
    return from === 'f32' ? this.op('i32x4.trunc_sat_f32x4_s', x[0]!) : x[0]!;
  }

  private clamp(dtype: DType, x: number): number {
    if (dtype === 'i32') return x;
    const [lo, hi] = dtype === 'i8' ? [-128, 127] : [0, 255];
    const raised = this.op('i32x4.max_s', x, this.splat('i32', lo));
    return this.op('i32x4.min_s', raised, this.splat('i32', hi));
  }

  private select(node: Node & { args: readonly number[] }): Vector {
    const [condition, a, b] = node.args as [number, number, number];
    if (node.dtype === 'bool') {
      const wide = this.isWide(condition) && this.isWide(a) && this.isWide(b);
      const c = this.mask(condition, wide);
      const [x, y] = [this.mask(a, wide), this.mask(b, wide)];
      return this.asMask(
        c.map((mask, i) => this.op('v128.bitselect', x[i]!, y[i]!, mask)),
        wide,
      );
    }
    const c = this.mask(condition, node.dtype === 'f64');
    if (this.isZero(b)) {
      const x = this.emit(a).locals;
      return { locals: c.map((mask, i) => this.op('v128.and', x[i]!, mask)) };
    }
    const y = this.emit(b).locals;
    if (this.isZero(a)) return { locals: c.map((mask, i) => this.op('v128.andnot', y[i]!, mask)) };
    const x = this.emit(a).locals;
    return { locals: c.map((mask, i) => this.op('v128.bitselect', x[i]!, y[i]!, mask)) };
  }

  private logical(kind: 'not' | 'and' | 'or', args: readonly number[]): Vector {
    const wide = args.every((arg) => this.isWide(arg));
    const operands = args.map((arg) => this.mask(arg, wide));
    const parts = operands[0]!.map((_, i) => this.op(`v128.${kind}`, ...operands.map((masks) => masks[i]!)));
    return this.asMask(parts, wide);
  }

  private comparison(kind: Comparison, args: readonly number[]): Vector {
    const dtype = this.graph.at(args[0]!).dtype;
    if (dtype === 'bool') return this.compareMasks(kind, args as [number, number]);
    const [x, y] = args.map((arg) => this.emit(arg).locals) as [readonly number[], readonly number[]];
    const parts = x.map((part, i) => this.op(named(dtype, kind), part, y[i]!));
    return this.asMask(parts, dtype === 'f64');
  }

  /** Masks are 0 or −1: as integers they compare the other way round. */
  private compareMasks(kind: Comparison, [a, b]: readonly [number, number]): Vector {
    const [x, y] = [this.mask(a, false)[0]!, this.mask(b, false)[0]!];
    return this.asMask([this.op(named('i32', kind), y, x)], false);
  }

  /** Math.sign: zeros and NaN stay themselves. */
  private sign(dtype: DType, x: number): number {
    const one = this.splat(dtype, 1);
    const positive = this.op('v128.and', this.op(named(dtype, 'gt'), x, this.zero()), one);
    const negative = this.op('v128.and', this.op(named(dtype, 'lt'), x, this.zero()), this.splat(dtype, -1));
    const unit = this.op('v128.or', positive, negative);
    if (dtype === 'i32') return unit;
    const isNumber = this.op(named(dtype, 'ne'), unit, this.zero());
    return this.op('v128.bitselect', unit, x, isNumber);
  }

  /** Quotients of 32-bit integers, truncated: exact by way of f64. */
  private integerDivision(args: readonly number[]): Vector {
    const [x, y] = args.map((arg) => this.halves(this.emit(arg).locals[0]!, 'f64x2.convert_low_i32x4_s'));
    const quotient = x!.map((part, i) => this.op('f64x2.div', part, y![i]!));
    return { locals: [this.join(quotient, 'i32x4.trunc_sat_f64x2_s_zero')] };
  }

  /** Both halves of a vector, each converted to two 64-bit elements. */
  private halves(x: number, conversion: VectorOp): number[] {
    const high = this.keep(() => {
      this.f.get(x);
      this.f.get(x);
      this.f.shuffle(upper);
      this.f.vector(conversion);
    });
    return [this.op(conversion, x), high];
  }

  /** Two vectors of 64-bit elements, each converted to two 32-bit ones, as one vector. */
  private join(x: readonly number[], conversion: VectorOp): number {
    return this.keep(() => {
      for (const part of x) {
        this.f.get(part);
        this.f.vector(conversion);
      }
      this.f.shuffle(low64);
    });
  }

  private widen([mask]: readonly number[]): readonly number[] {
    return [this.op('i64x2.extend_low_i32x4_s', mask!), this.op('i64x2.extend_high_i32x4_s', mask!)];
  }

  private narrow(masks: readonly number[]): readonly number[] {
    return [
      this.keep(() => {
        this.f.get(masks[0]!);
        this.f.get(masks[1]!);
        this.f.shuffle(low32);
      }),
    ];
  }

  private asMask(locals: readonly number[], wide: boolean): Vector {
    return wide ? { locals, wide: locals } : { locals, narrow: locals };
  }

  private isWide(id: number): boolean {
    return this.emit(id).wide !== undefined;
  }

  /** Positive zero: its bits are all zero. */
  private isZero(id: number): boolean {
    const node = this.graph.at(id);
    return node.kind === 'constant' && Object.is(node.value, 0);
  }

  private zero(): number {
    return this.splat('i32', 0);
  }

  private splat(dtype: DType, value: number): number {
    return this.keep(() => this.f.constant(splatBytes(dtype, value)));
  }

  private op(op: VectorOp, ...operands: number[]): number {
    return this.keep(() => {
      for (const operand of operands) this.f.get(operand);
      this.f.vector(op);
    });
  }

  /** Runs code that leaves a vector on the stack, and keeps that in a new local. */
  private keep(code: () => void): number {
    code();
    const local = this.f.local('v128');
    this.f.set(local);
    return local;
  }
}
