import { type DType, byteWidth, elementCount } from '../../base/dtype.js';
import { units } from '../../tensor/dims.js';
import type { Node } from './graph.js';
import type { RegionGraph, Source } from './region.js';
import { emitStore } from './store.js';
import { type Location, type MemoryNode, type Vector, VectorEmitter, lanes } from './vector.js';
import { FunctionBody, loopParams } from './wasm.js';

/** How a value moves from one step of a loop to the next: by so many bytes times a number that the step is given. */
export interface Moves {
  /** Which number: the time step, 0 or 1 in turns, or 1 or 0 in turns. */
  readonly by: 0 | 1 | 2;
  readonly bytes: number;
}

/** Where a value lies in the memory; in a loop, at each step. */
export interface Place {
  readonly offset: number;
  readonly moves?: Moves | undefined;
}

/** Where a kernel finds and leaves values. */
export interface Addresses {
  /** `expanded` asks for a constant's copy that is repeated to that shape. */
  readonly source: (id: string, expanded: readonly number[] | undefined) => Place;
  readonly sink: (id: string) => Place;
}

/** The loops of a kernel, outermost first, and how each repeated source advances in them. */
export interface LoopNest {
  readonly sizes: readonly number[];
  /** Per source: its strides in elements, 0 where it repeats; undefined for batched ones. */
  readonly strides: readonly (readonly number[] | undefined)[];
  /** Per source: the shape that its constant data has to be repeated to first, if any. */
  readonly expanded: readonly (readonly number[] | undefined)[];
}

/** Rows shorter than this spend their time in tails: constants are repeated to make them longer. */
const shortRow = 24;
/** Constants repeated over the whole batch stay below this many elements. */
const largestExpansion = 1 << 14;

/**
 * Chooses loops for batches of `n`: neighbouring axes are one loop unless some source repeats
 * along one of them only. `isConstant` tells which sources may be repeated beforehand.
 */
export function planLoops(region: RegionGraph, n: number, isConstant: (source: Source) => boolean): LoopNest {
  const { inner, batched } = region.space;
  const outer = batched ? n * region.times : 1;
  const full = [outer, ...inner];
  let best: LoopNest | undefined;
  // Repeated along one more axis at a time, from the innermost, until rows are long enough.
  for (let from = full.length; from >= 0; from--) {
    if (from === 0 && elementCount(full) > largestExpansion) break;
    const expanded = region.sources.map((source) =>
      from < full.length && !source.batched && isConstant(source) ? repeatedFrom(source, full, from) : undefined,
    );
    const strides = region.sources.map((source, i) => stridesIn(source, full, expanded[i]));
    best = { ...mergeLoops(full, strides), expanded };
    if (best.sizes.at(-1)! >= shortRow) break;
  }
  return best!;
}

/** A source's shape, with the full size along the axes from `from` on. */
function repeatedFrom(source: Source, full: readonly number[], from: number): number[] {
  const own = source.shape.map(units);
  const lead = full.length - own.length;
  return full.map((size, axis) => (axis >= from ? size : (own[axis - lead] ?? 1)));
}

/** Strides of an unbatched source along the axes of `full`; 0 where it repeats. */
function stridesIn(
  source: Source,
  full: readonly number[],
  expanded: readonly number[] | undefined,
): number[] | undefined {
  if (source.batched) return undefined;
  const shape = expanded ?? source.shape.map(units);
  const lead = full.length - shape.length;
  const strides = new Array<number>(full.length).fill(0);
  let stride = 1;
  for (let i = shape.length - 1; i >= Math.max(0, -lead); i--) {
    if (shape[i] !== 1) strides[i + lead] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

function mergeLoops(
  full: readonly number[],
  strides: readonly (readonly number[] | undefined)[],
): Omit<LoopNest, 'expanded'> {
  const axes = full
    .map((size, axis) => ({ size, strides: strides.map((s) => s?.[axis] ?? 0) }))
    .filter((a) => a.size !== 1);
  const merged: { size: number; strides: number[] }[] = [];
  for (const axis of axes) {
    const last = merged.at(-1);
    const joins =
      last?.strides.every(
        (stride, i) => stride === axis.strides[i]! * axis.size && (stride === 0) === (axis.strides[i] === 0),
      ) ?? false;
    if (last === undefined || !joins) merged.push(axis);
    else {
      last.size *= axis.size;
      last.strides = axis.strides;
    }
  }
  if (merged.length === 0) merged.push({ size: 1, strides: strides.map(() => 0) });
  return {
    sizes: merged.map((axis) => axis.size),
    strides: strides.map((s, i) => (s === undefined ? undefined : merged.map((axis) => axis.strides[i]!))),
  };
}

/**
 * Groups of four elements computed in turns, one step each: one group's chain of dependent
 * instructions leaves the processor's vector units idle half of the time.
 */
const interleaved = 3;

/** Elements `first` to `first + count` − 1, counted from the innermost loop's position. */
interface ElementGroup {
  readonly first: number;
  readonly count: number;
}

const log2Width = (dtype: DType): number => Math.log2(byteWidth[dtype]);

/** Emits a region as one function that reads and writes memory at fixed addresses, or those of a loop's step. */
export class KernelWriter {
  private readonly f: FunctionBody;
  private readonly counters: readonly number[];
  /** Element index of the present row in batched values, and in repeated ones by their strides. */
  private readonly row: number;
  private readonly repeatedRows = new Map<string, number>();
  private readonly pointers = new Map<string, number>();
  /** How far values have moved at this step, in bytes. */
  private readonly moved = new Map<string, number>();
  private readonly stepSize: number;

  constructor(
    private readonly region: RegionGraph,
    private readonly nest: LoopNest,
    private readonly addresses: Addresses,
    inLoop = false,
  ) {
    this.f = new FunctionBody(inLoop ? loopParams : 0);
    this.counters = nest.sizes.map(() => this.f.local('i32'));
    this.row = this.f.local('i32');
    this.stepSize = elementCount(nest.sizes);
  }

  write(): FunctionBody {
    for (const { id } of this.region.sinks) this.follow(this.addresses.sink(id));
    this.region.sources.forEach(({ id }, i) => this.follow(this.addresses.source(id, this.nest.expanded[i])));
    this.nested(0);
    return this.f;
  }

  /** Computes how far a value has moved, once. */
  private follow({ moves }: Place): void {
    if (moves === undefined || this.moved.has(moveKey(moves))) return;
    const local = this.f.local('i32');
    this.f.get(moves.by);
    this.f.i32(moves.bytes);
    this.f.integer('mul');
    this.f.set(local);
    this.moved.set(moveKey(moves), local);
  }

  private nested(level: number): void {
    const counter = this.counters[level]!;
    this.f.i32(0);
    this.f.set(counter);
    if (level === this.nest.sizes.length - 1) this.innermost();
    else this.f.loop(counter, this.nest.sizes[level]!, 1, () => this.nested(level + 1));
  }

  private innermost(): void {
    this.startRow();
    const hoisted = this.hoist();
    const counter = this.counters.at(-1)!;
    const size = this.nest.sizes.at(-1)!;
    const whole = size - (size % (lanes * interleaved));
    const groups = (count: number) =>
      Array.from({ length: Math.ceil(count / lanes) }, (_, i) => ({
        first: i * lanes,
        count: Math.min(lanes, count - i * lanes),
      }));
    if (whole > 0)
      this.f.loop(counter, whole, lanes * interleaved, () => this.body(hoisted, groups(lanes * interleaved)));
    if (whole < size) this.body(hoisted, groups(size - whole));
  }

  /** Sets the element indices at which the innermost loop starts. */
  private startRow(): void {
    const rowStrides = this.nest.sizes.map((_, level) => elementCount(this.nest.sizes.slice(level + 1)));
    this.setIndex(this.row, rowStrides);
    for (const strides of this.nest.strides) {
      if (strides === undefined) continue;
      const key = strides.join();
      const local = this.repeatedRows.get(key) ?? this.f.local('i32');
      this.repeatedRows.set(key, local);
      this.setIndex(local, strides);
    }
  }

  private setIndex(local: number, strides: readonly number[]): void {
    this.f.i32(0);
    strides.slice(0, -1).forEach((stride, level) => {
      if (stride === 0) return;
      this.f.get(this.counters[level]!);
      this.f.i32(stride);
      this.f.integer('mul');
      this.f.integer('add');
    });
    this.f.set(local);
  }

  /** Loads what stays the same along a row, repeated into all lanes. */
  private hoist(): ReadonlyMap<number, Vector> {
    const hoisted = new Map<number, Vector>();
    const { nodes } = this.region.graph;
    nodes.forEach((node, id) => {
      if (node.kind !== 'repeat' || this.advances(node.source)) return;
      const { pointer, offset } = this.repeatedLocation(node, false);
      hoisted.set(id, this.splat(node, pointer, offset));
    });
    return hoisted;
  }

  private splat(node: Node, pointer: number, offset: number): Vector {
    const local = this.f.local('v128');
    this.f.get(pointer);
    if (byteWidth[node.dtype] === 1) {
      this.f.loadByte(node.dtype === 'i8', offset);
      this.f.vector('i32x4.splat');
    } else this.f.load(node.dtype === 'f64' ? 'splat64' : 'splat32', offset);
    if (node.dtype === 'bool') {
      this.f.constant(new Uint8Array(16));
      this.f.vector('i32x4.ne');
    }
    this.f.set(local);
    if (node.dtype === 'bool') return { locals: [local], narrow: [local], wide: [local, local] };
    return { locals: node.dtype === 'f64' ? [local, local] : [local] };
  }

  private advances(source: number): boolean {
    return this.nest.strides[source]!.at(-1) !== 0;
  }

  /** Computes and stores groups of up to four elements of every step. */
  private body(hoisted: ReadonlyMap<number, Vector>, groups: readonly ElementGroup[]): void {
    this.pointers.clear();
    const emitters = groups.map(({ first }) => {
      const shifted = (node: MemoryNode): Location => {
        const at = node.kind === 'load' ? this.stepLocation(node) : this.repeatedLocation(node, true);
        return { pointer: at.pointer, offset: at.offset + first * byteWidth[node.dtype] };
      };
      return new VectorEmitter(this.f, this.region.graph, { hoisted, locate: shifted });
    });
    for (const { id, dtype, step, node } of this.storesInOrder()) {
      groups.forEach(({ first, count }, i) => {
        const { offset, moves } = this.addresses.sink(id);
        const pointer = this.pointer(this.row, dtype, true, moves);
        const at = { pointer, offset: offset + (step * this.stepSize + first) * byteWidth[dtype] };
        emitStore(this.f, emitters[i]!, node, dtype, at, count);
      });
    }
  }

  /** Stores in the order in which their values come to be: few are alive at a time. */
  private storesInOrder(): { id: string; dtype: DType; step: number; node: number }[] {
    const stores = this.region.sinks.flatMap(({ id, dtype, steps }) =>
      steps.map((node, step) => ({ id, dtype, step, node })),
    );
    const { nodes } = this.region.graph;
    // Unrolling numbers whole trains op by op; a step's depth tells when its value is due.
    const depth = new Array<number>(nodes.length).fill(0);
    nodes.forEach((node, id) => {
      if ('args' in node) depth[id] = 1 + Math.max(...node.args.map((arg) => depth[arg]!));
    });
    return stores.sort((a, b) => depth[a.node]! - depth[b.node]! || a.step - b.step);
  }

  private stepLocation(node: Node & { kind: 'load' }): Location {
    const source = this.region.sources[node.source]!;
    const { offset, moves } = this.addresses.source(source.id, undefined);
    const pointer = this.pointer(this.row, node.dtype, true, moves);
    return { pointer, offset: offset + node.step * this.stepSize * byteWidth[node.dtype] };
  }

  private repeatedLocation(node: MemoryNode, inLoop: boolean): Location {
    const { id } = this.region.sources[node.source]!;
    const row = this.repeatedRows.get(this.nest.strides[node.source]!.join())!;
    const { offset, moves } = this.addresses.source(id, this.nest.expanded[node.source]);
    return { pointer: this.pointer(row, node.dtype, inLoop, moves), offset };
  }

  /** Byte offset of the present element: (row + innermost counter) · width, or of the row's start. */
  private pointer(row: number, dtype: DType, withCounter: boolean, moves: Moves | undefined): number {
    const shift = log2Width(dtype);
    const key = `${row} ${shift} ${withCounter} ${moves === undefined ? '' : moveKey(moves)}`;
    const known = this.pointers.get(key);
    if (known !== undefined) return known;
    const local = this.f.local('i32');
    this.f.get(row);
    if (withCounter) {
      this.f.get(this.counters.at(-1)!);
      this.f.integer('add');
    }
    if (shift > 0) {
      this.f.i32(shift);
      this.f.integer('shl');
    }
    if (moves !== undefined) {
      this.f.get(this.moved.get(moveKey(moves))!);
      this.f.integer('add');
    }
    this.f.set(local);
    this.pointers.set(key, local);
    return local;
  }
}

function moveKey({ by, bytes }: Moves): string {
  return `${by} ${bytes}`;
}
