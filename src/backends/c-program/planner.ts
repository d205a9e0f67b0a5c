import { present } from '../../base/invariant.js';
import { type Dim, type Program, type TensorOp, type ValueInfo, attrsOf, isBatch } from '../../tensor/index.js';
import type { BufferTable } from './buffers.js';
import { type Demand, type Layout, memoryOrder, splitShape, volumeOf } from './shapes.js';
import { type Item, keptParts, reductionOrder } from './items.js';
import { canonical, operandLayouts, preferredLayout, resultLayout } from './layouts.js';
import { costOf } from './pointwise.js';
import { isGlobalMean, isReduction, isSoft } from './roles.js';
import { type Step, scheduled } from './schedule.js';
import { widest } from './tiles.js';

/** An item whose loops aren't chosen yet. */
type Unlooped = Omit<Item, 'domain' | 'order' | 'planes'>;

/** Cost of what is rather computed again in another kernel than stored. */
const recomputed = 40;

/** The same where values are computed again to save memory, and what they are computed from takes little more of it than they do. */
const recomputedInLess = 400;

/**
 * Decides which values of a program lie in memory, and which loops compute them. An op is either a call (a product, a
 * pool, a loop over time), or computed element by element wherever it is read.
 */
export class Planner {
  readonly types = new Map<string, ValueInfo>();
  readonly ops = new Map<string, TensorOp>();
  /** Values that kernels read from memory instead of computing them. */
  readonly stored = new Set<string>();
  readonly #demands = new Map<string, Set<Layout>>();
  /** Whether the program computes values again to save memory. */
  readonly #low: boolean;

  constructor(
    readonly program: Program,
    readonly buffers: BufferTable,
    readonly scope: string,
    /** The layout of an input, a param or an output. */
    readonly outer: (shape: readonly Dim[]) => Layout,
    /** Params that lie channels last. */
    readonly channelsLast: ReadonlySet<string> = new Set(),
    /** Values that lie in memory as bytes, and what these count. */
    readonly inBytes: ReadonlyMap<string, number> = new Map(),
  ) {
    for (const value of [...program.inputs, ...program.params, ...program.ops]) this.types.set(value.id, value);
    for (const op of program.ops) this.ops.set(op.id, op);
    this.#low = program.ops.some(({ after }) => after !== undefined);
  }

  type(id: string): ValueInfo {
    return present(this.types.get(id), `C program: no value "${id}"`);
  }

  /** Whether an op is computed element by element, where it is read. */
  isSoft(op: TensorOp): boolean {
    return isSoft(op, this.#operand(op));
  }

  isReduction(op: TensorOp): boolean {
    return isReduction(op, this.#operand(op));
  }

  isGlobalMean(op: TensorOp): boolean {
    return isGlobalMean(op, this.#operand(op));
  }

  /** The first operand; what an op without one makes itself. */
  #operand(op: TensorOp): ValueInfo {
    return this.type(op.inputs[0] ?? op.id);
  }

  /** Whether a value is computed where it is read. */
  isInlined(id: string): boolean {
    const op = this.ops.get(id);
    return op !== undefined && this.isSoft(op) && !this.stored.has(id);
  }

  demand(id: string, layout: Layout): void {
    const { shape } = this.type(id);
    const demanded = this.#demands.get(id) ?? new Set();
    demanded.add(canonical(shape, layout));
    this.#demands.set(id, demanded);
    if (this.ops.has(id)) this.stored.add(id);
  }

  /** The layout in which kernels read a stored value. */
  readLayout(id: string): Layout {
    const op = this.ops.get(id);
    const { shape } = this.type(id);
    if (op === undefined) return canonical(shape, this.channelsLast.has(id) ? 'channels' : this.outer(shape));
    if (!this.isSoft(op)) return resultLayout(op);
    const preferred = preferredLayout(shape);
    const demanded = this.#demands.get(id) ?? new Set();
    return demanded.has(preferred) || demanded.size === 0 ? preferred : [...demanded][0]!;
  }

  key({ id, layout }: Demand): string {
    const op = this.ops.get(id);
    // parts of a scan are one buffer, whatever reads them
    if (op?.kind === 'scan_output')
      return `${this.scope}${op.inputs[0]!}#${attrsOf(op, 'scan_output').index}@${layout}`;
    return `${this.scope}${id}@${layout}`;
  }

  bufferOf(id: string, layout: Layout): number {
    const { dtype, shape } = this.type(id);
    const lies = canonical(shape, layout);
    return this.buffers.take(this.key({ id, layout: lies }), dtype, volumeOf(shape), this.inBytes.get(id));
  }

  /** The steps of the program, in an order of evaluation. */
  plan(): readonly Step[] {
    this.#require();
    for (;;) {
      const items = this.#items();
      const steps = scheduled(items, this);
      if (!this.#storeShared(steps)) return steps;
    }
  }

  /** What must lie in memory, whatever it costs. */
  #require(): void {
    for (const op of this.program.ops) {
      if (this.isReduction(op)) this.stored.add(op.id);
      else if (!this.isSoft(op)) {
        this.stored.add(op.id);
        const layouts = operandLayouts(op);
        if (op.kind === 'scan') op.inputs.forEach((id) => this.demand(id, preferredLayout(this.type(id).shape)));
        else if (op.kind !== 'scan_output') op.inputs.forEach((id, i) => this.demand(id, layouts[i]!));
      } else if (op.kind === 'avgpool') this.demand(op.id, preferredLayout(op.shape));
      else if (op.kind === 'lookup') op.inputs.slice(1).forEach((id) => this.demand(id, 'rows'));
      else if (op.kind === 'concat' && !isBatch(op.shape[attrsOf(op, 'concat').axis]!)) {
        this.demand(op.id, preferredLayout(op.shape));
      }
    }
    // what a larger value repeats is computed once, but for trifles
    for (const op of this.program.ops) {
      if (!this.isSoft(op) || ['slice', 'concat', 'pad', 'reshape', 'transpose'].includes(op.kind)) continue;
      const own = volumeOf(op.kind === 'avgpool' || op.kind === 'sum' ? this.type(op.inputs[0]!).shape : op.shape);
      const slow = op.kind === 'avgpool' && (!isTilingWithoutOverlap(op) || !fillsVectors(op));
      for (const id of op.inputs) {
        if (!this.isInlined(id)) continue;
        const of = volumeOf(this.type(id).shape);
        const smaller = of.power < own.power || of.factor < own.factor || slow;
        if (smaller && this.#cost(id) > (of.power < own.power ? 0 : 2))
          this.demand(id, preferredLayout(this.type(id).shape));
      }
    }
  }

  /** The cost up to which a value that the kernels `steps` compute is rather computed again than stored. */
  #most(op: TensorOp, steps: readonly Step[]): number {
    if (!this.#low) return recomputed;
    const { factor, power } = volumeOf(op.shape);
    let leaves = 0;
    this.cone(
      op.id,
      () => undefined,
      (leaf) => {
        const of = volumeOf(this.type(leaf).shape);
        if (of.power === power) leaves += of.factor;
      },
    );
    return leaves < 2 * factor || this.#isReadAnyway(op.id, steps) ? recomputedInLess : recomputed;
  }

  /** Whether kernels read all that a value is computed from for other values, too: then storing it frees nothing. */
  #isReadAnyway(id: string, steps: readonly Step[]): boolean {
    const needed = new Set<string>();
    const unseen = (): void => undefined;
    this.cone(id, unseen, (leaf) => this.ops.has(leaf) && needed.add(leaf));
    return steps.every((step) => {
      const missing = new Set(needed);
      const items = step.kind === 'loops' ? step.items : [];
      for (const item of items) this.cone(item.value, unseen, (leaf) => missing.delete(leaf), this.owns(item), id);
      return missing.size === 0;
    });
  }

  #cost(id: string): number {
    let total = 0;
    this.cone(
      id,
      (op) => (total += costOf(op.kind)),
      () => undefined,
    );
    return total;
  }

  /** Visits the ops that are computed where `id` is, and the stored values that they read; `without` and what it alone needs apart. */
  cone(id: string, visit: (op: TensorOp) => void, leaf: (id: string) => void, own = false, without?: string): void {
    const seen = new Set<string | undefined>([without]);
    const stack = [id];
    while (stack.length > 0) {
      const next = stack.pop()!;
      if (seen.has(next)) continue;
      seen.add(next);
      const op = this.ops.get(next);
      const inlined = this.isInlined(next) || (own && next === id && op !== undefined && this.isSoft(op));
      if (!inlined) {
        leaf(next);
        continue;
      }
      visit(op!);
      stack.push(...op!.inputs);
    }
  }

  #items(): Map<string, Item> {
    const items = new Map<string, Item>();
    const add = (item: Unlooped): void => {
      items.set(item.key, { ...item, ...this.#loopsOf(item) });
    };
    for (const id of new Set([...this.#demands.keys(), ...this.stored])) {
      const op = this.ops.get(id);
      const { shape } = this.type(id);
      if (op !== undefined && this.isReduction(op)) {
        const operand = op.inputs[0]!;
        const mean = this.isGlobalMean(op);
        const axes = mean ? [2, 3] : attrsOf(op, op.kind as 'sum').axes;
        const area = mean ? attrsOf(op, 'avgpool').kernel.reduce((a, b) => a * b, 1) : 1;
        const from = this.type(operand).shape;
        add({
          key: this.key({ id, layout: this.readLayout(id) }),
          value: operand,
          shape: from,
          buffer: this.bufferOf(id, this.readLayout(id)),
          target: { shape, layout: this.readLayout(id), axis: 0, at: 0 },
          reduce: { kind: op.kind === 'reduce_max' ? 'max' : 'sum', axes, scale: 1 / area, dtype: op.dtype },
        });
      }
      const soft = op !== undefined && this.isSoft(op);
      const layouts = new Set(this.#demands.get(id));
      if (soft && layouts.size === 0) layouts.add(preferredLayout(shape));
      for (const layout of layouts) {
        if (!soft && layout === this.readLayout(id)) continue;
        const key = this.key({ id, layout });
        const buffer = this.bufferOf(id, layout);
        if (op?.kind === 'concat' && !isBatch(shape[attrsOf(op, 'concat').axis]!)) {
          const { axis } = attrsOf(op, 'concat');
          let at = 0;
          op.inputs.forEach((part, i) => {
            const own = this.type(part).shape;
            add({ key: `${key}#${i}`, value: part, shape: own, buffer, target: { shape, layout, axis, at } });
            at += own[axis] as number;
          });
        } else if (op !== undefined && this.#flattensImages(op) && this.owns({ key, value: id })) {
          // in the order in which the images lie, so that it is computed beside them
          const [source] = op.inputs as [string];
          const target = { shape, layout, axis: 0, at: 0, reshaped: true };
          add({ key, value: source, shape: this.type(source).shape, buffer, target });
        } else add({ key, value: id, shape, buffer, target: { shape, layout, axis: 0, at: 0 } });
      }
    }
    for (const [name, id] of Object.entries(this.program.outputs)) {
      const { dtype, shape } = this.type(id);
      const layout = canonical(shape, this.outer(shape));
      const key = `${this.scope}=${name}`;
      const buffer = this.buffers.take(key, dtype, volumeOf(shape));
      add({ key, value: id, shape, buffer, target: { shape, layout, axis: 0, at: 0 } });
    }
    return items;
  }

  #flattensImages(op: TensorOp): boolean {
    return (
      op.kind === 'reshape' && op.shape.length < 4 && preferredLayout(this.type(op.inputs[0]!).shape) === 'channels'
    );
  }

  /** Concatenations along time in what an item computes: then each step is computed by itself. */
  #needsPlanes(item: Unlooped): boolean {
    if (!item.shape.some(isBatch)) return false;
    let found = false;
    this.cone(
      item.value,
      (op) => (found ||= op.kind === 'concat'),
      () => undefined,
      this.owns(item),
    );
    return found;
  }

  #loopsOf(item: Unlooped): Pick<Item, 'domain' | 'order' | 'planes'> {
    const split = splitShape(item.shape);
    const planes = this.#needsPlanes(item);
    const flat = !planes && this.#isFlat(item);
    if (flat) {
      const { factor, power } = volumeOf(item.shape);
      return { domain: `flat ${factor}^${power}`, order: 'flat' };
    }
    const own = item.reduce === undefined && item.target.reshaped !== true;
    const layout = own ? item.target.layout : preferredLayout(item.shape);
    let order: readonly number[] = memoryOrder(split, layout).filter(
      (part) => split.sizes[part] !== 1 && !(planes && part === split.time),
    );
    if (item.reduce !== undefined) order = reductionOrder(order, keptParts(item), split.sizes);
    const times = planes ? { planes: Array.from({ length: split.sizes[split.time] as number }, (_, t) => t) } : {};
    return { domain: order.map((part) => split.sizes[part]!).join(' '), order, ...times };
  }

  /** Whether all that an item computes from has its shape and layout, or is one number. */
  #isFlat(item: Unlooped): boolean {
    const own = volumeOf(item.shape);
    if (item.target.at !== 0 || item.target.axis !== 0 || item.target.reshaped === true) return false;
    if (item.reduce === undefined && volumeOf(item.target.shape).factor !== own.factor) return false;
    const layout = item.reduce === undefined ? item.target.layout : preferredLayout(item.shape);
    if (item.reduce !== undefined && item.reduce.axes.length !== item.shape.length) return false;
    let fits = true;
    const full = (id: string): boolean => {
      const of = volumeOf(this.type(id).shape);
      return of.factor === own.factor && of.power === own.power;
    };
    const single = (id: string): boolean => {
      const of = volumeOf(this.type(id).shape);
      return of.factor === 1 && of.power === 0;
    };
    this.cone(
      item.value,
      (op) => {
        const moves = ['transpose', 'slice', 'pad', 'concat', 'sum', 'avgpool'].includes(op.kind);
        const spreads = op.kind === 'broadcast' && !op.inputs.every((id) => full(id) || single(id));
        const turns = op.kind === 'reshape' && layout !== 'rows' && full(op.id);
        if (moves || spreads || turns || !(full(op.id) || single(op.id))) fits = false;
      },
      (id) => {
        if (single(id)) return;
        if (!full(id) || this.readLayout(id) !== layout) fits = false;
      },
      this.owns(item),
    );
    return fits;
  }

  /** Whether an item computes its value rather than reading it from where it is stored. */
  owns(item: Pick<Item, 'key' | 'value' | 'reduce'>): boolean {
    return item.reduce === undefined && item.key === this.key({ id: item.value, layout: this.readLayout(item.value) });
  }

  /**
   * Stores values that several kernels compute at more than their worth, from the outputs to the inputs; whether there
   * are any. What is computed for a value stored here is left to the next round, which knows that value's kernel.
   */
  #storeShared(steps: readonly Step[]): boolean {
    // two of the kernels that compute a value are enough to know, but where it matters what all of them read
    const kernels = new Map<string, ReadonlySet<number>>();
    const computedIn = (id: string, more: ReadonlySet<number>): void => {
      const known = kernels.get(id);
      if (known === undefined) kernels.set(id, more);
      else if (known.size < 2 || this.#low) kernels.set(id, new Set([...known, ...more]));
    };
    steps.forEach((step, i) => {
      if (step.kind !== 'loops') return;
      for (const item of step.items) {
        const op = this.ops.get(item.value);
        if (op === undefined || !this.isSoft(op)) continue;
        if (this.owns(item) || !this.stored.has(op.id)) computedIn(op.id, new Set([i]));
      }
    });
    let any = false;
    for (const op of this.program.ops.toReversed()) {
      const own = kernels.get(op.id);
      if (own === undefined) continue;
      if (own.size > 1 && !this.stored.has(op.id) && op.kind !== 'const') {
        const makers = [...own].map((i) => steps[i]!);
        if (this.#cost(op.id) > this.#most(op, makers)) {
          this.stored.add(op.id);
          any = true;
          continue;
        }
      }
      for (const id of op.inputs) if (this.isInlined(id)) computedIn(id, own);
    }
    return any;
  }

  /** Stores a value that can't be computed where it is read. */
  store(id: string): void {
    this.demand(id, preferredLayout(this.type(id).shape));
  }
}

/** Whether the channels of what a pool reads fill vectors: its loops can't go on over its columns, as those of other kernels do. */
function fillsVectors({ shape }: TensorOp): boolean {
  return (shape[1] as number) % widest === 0;
}

function isTilingWithoutOverlap(op: TensorOp): boolean {
  const { kernel, stride } = attrsOf(op, 'avgpool');
  return kernel.every((k, i) => stride[i]! >= k);
}
