import { type Tensor, tensor } from '../../../base/dtype.js';
import { InvariantError, present } from '../../../base/invariant.js';
import { type Program, type TensorOp, attrsOf, opDef } from '../../../tensor/index.js';
import type { Arena, Buffer } from '../arena.js';
import type { Source } from '../unit.js';
import { elementwise } from './expressions.js';
import { type Whole, rangeOfTensor, wholeRange } from '../../../tensor/whole-ranges.js';
import { type Info, type Place, contiguousStart, infoOf } from './values.js';

/** What is written one after another: loops over elements that do many ops at once, and calls of kernels. */
export type Item =
  | { readonly kind: 'loop'; readonly count: number; readonly ops: TensorOp[] }
  | { readonly kind: 'kernel'; readonly op: TensorOp };

/** Elements that are folded at compile time at most; more are computed where they are read. */
const mostFolded = 64;

/** Where everything of a program will be, and in which loops and kernels it is computed. */
export class ProgramPlan {
  protected readonly places = new Map<string, Place>();
  readonly #infos = new Map<string, Info>();
  protected readonly ranges = new Map<string, Whole>();
  protected readonly items: Item[] = [];
  /** Value → the loop that computes it. */
  protected readonly loops = new Map<string, Item>();

  constructor(
    readonly program: Program,
    readonly source: Source,
    readonly arena: Arena,
    /** Position of all that happens, inside of a loop over time. */
    readonly fixed?: number,
  ) {
    for (const param of program.params) {
      this.#infos.set(param.id, infoOf(param));
      this.places.set(param.id, { kind: 'data', tensor: param.data });
      this.ranges.set(param.id, rangeOfTensor(param.data));
    }
  }

  /** Says where an input of the program is. */
  input(id: string, place: Place, range?: Whole): void {
    const input = present(
      this.program.inputs.find((one) => one.id === id),
      `c: no input ${id}`,
    );
    this.#infos.set(id, infoOf(input));
    this.places.set(id, place);
    this.ranges.set(id, range);
  }

  info(id: string): Info {
    return present(this.#infos.get(id), `c: %${id} is unknown`);
  }

  /** Plans all ops; the inputs' places must be known. */
  protected plan(): void {
    for (const op of this.program.ops) this.#plan(op);
    this.#keep();
  }

  #plan(op: TensorOp): void {
    if (op.parts === undefined) this.#infos.set(op.id, infoOf(op));
    const from = op.inputs.map((id) => this.#infos.get(id)?.dtype ?? 'f32');
    this.ranges.set(
      op.id,
      wholeRange(
        op,
        op.inputs.map((id) => this.ranges.get(id)),
        from,
      ),
    );
    if (op.kind === 'const') {
      const { value } = attrsOf(op, 'const');
      this.ranges.set(op.id, rangeOfTensor(value));
      this.places.set(
        op.id,
        value.data.length === 1 ? { kind: 'number', value: value.data[0]! } : { kind: 'data', tensor: value },
      );
      return;
    }
    const view = this.#viewOf(op);
    if (view !== undefined) {
      this.places.set(op.id, { kind: 'view', ...view });
      return;
    }
    const isElementwise = elementwise[op.kind] !== undefined;
    if (op.inputs.length > 0 && op.kind !== 'scan' && op.inputs.every((id) => this.isConstant(id))) {
      const folds = !isElementwise || this.info(op.id).count <= mostFolded;
      const place: Place = folds ? { kind: 'data', tensor: this.#folded(op) } : { kind: 'derived', op };
      this.places.set(op.id, place);
      return;
    }
    this.places.set(op.id, { kind: 'own', op, offset: 0 });
    if (op.kind === 'scan') return this.#planScan(op);
    if (isElementwise || (op.kind === 'lookup' && this.isConstant(op.inputs[1]!))) this.#loop(op);
    else if (op.kind !== 'concat' || !this.#placesParts(op)) this.items.push({ kind: 'kernel', op });
  }

  /** What an op is only another view of. */
  #viewOf(op: TensorOp): { of: string; offset: number } | undefined {
    const [of] = op.inputs as [string];
    if (op.kind === 'scan_output') return { of: `${of}#${attrsOf(op, 'scan_output').index}`, offset: 0 };
    if (of === undefined || op.parts !== undefined) return undefined;
    const from = this.#infos.get(of);
    if (from === undefined) return undefined;
    const same = this.info(op.id).count === from.count;
    switch (op.kind) {
      case 'reshape':
      case 'detach':
        return { of, offset: 0 };
      case 'cast':
        return from.dtype === op.dtype ? { of, offset: 0 } : undefined;
      case 'broadcast':
        return same || this.root(of).place.kind === 'number' ? { of, offset: 0 } : undefined;
      case 'sum':
      case 'reduce_max':
        return same ? { of, offset: 0 } : undefined;
      case 'transpose': {
        const moved = attrsOf(op, 'transpose').perm.filter((axis) => from.shape[axis] !== 1);
        return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!) ? { of, offset: 0 } : undefined;
      }
      case 'slice': {
        const offset = contiguousStart(op, from.shape);
        return offset === undefined ? undefined : { of, offset };
      }
      case 'concat':
        return op.inputs.length === 1 ? { of, offset: 0 } : undefined;
      default:
        return undefined;
    }
  }

  protected isConstant(id: string): boolean {
    const { kind } = this.root(id).place;
    return kind === 'number' || kind === 'data' || kind === 'derived';
  }

  /** The value of a constant. */
  protected constant(id: string): Tensor {
    const { place, offset } = this.root(id);
    const { dtype, shape, count } = this.info(id);
    if (place.kind === 'number') return tensor(dtype, shape, new Array<number>(count).fill(place.value));
    const whole = place.kind === 'data' ? place.tensor : place.kind === 'derived' ? this.#folded(place.op) : undefined;
    const { data } = present(whole, `c: %${id} isn't constant`);
    return tensor(dtype, shape, [...data.subarray(offset, offset + count)]);
  }

  #folded(op: TensorOp): Tensor {
    const { dtype, shape } = this.info(op.id);
    const inputs = op.inputs.map((id) => this.constant(id));
    const infos = op.inputs.map((id) => ({ dtype: this.info(id).dtype, shape: this.info(id).shape }));
    return opDef(op.kind).evaluate(inputs, {
      attrs: op.attrs,
      inputs: infos,
      dtype,
      shape: [...shape],
      n: 1,
      run: never,
    });
  }

  /** Value → where it is written: in its place in a concatenation. */
  protected readonly placed = new Map<string, { readonly in: string; readonly offset: number }>();

  /**
   * Gives the parts of a concatenation their places in it, where each can be written there: it is no work then.
   * False where one can't, or has a place already, in another concatenation or in this one: all are copied then.
   */
  #placesParts(op: TensorOp): boolean {
    const { shape } = this.info(op.id);
    const isWhole = shape.slice(0, attrsOf(op, 'concat').axis).every((size) => size === 1);
    const roots = new Set(op.inputs.map((id) => this.root(id).root));
    if (!isWhole || roots.size < op.inputs.length || !op.inputs.every((id) => this.#placeable(id))) return false;
    let offset = 0;
    for (const id of op.inputs) {
      this.placed.set(this.root(id).root, { in: op.id, offset });
      offset += this.info(id).count;
    }
    return true;
  }

  #placeable(id: string): boolean {
    const { root, place, offset } = this.root(id);
    return (
      place.kind === 'own' &&
      offset === 0 &&
      !this.placed.has(root) &&
      place.op.kind !== 'scan' &&
      this.info(root).count === this.info(id).count &&
      this.info(root).dtype === this.info(id).dtype
    );
  }

  #loop(op: TensorOp): void {
    const { count } = this.info(op.id);
    const last = this.items.at(-1);
    const joins = last?.kind === 'loop' && last.count === count && op.inputs.every((id) => this.#readableIn(last, id));
    const item = joins ? last : { kind: 'loop' as const, count, ops: [] as TensorOp[] };
    if (!joins) this.items.push(item);
    item.ops.push(op);
    this.loops.set(op.id, item);
  }

  /** Whether each element of a value is there when the loop comes to it: made before the loop, or in the same turn. */
  #readableIn(loop: Extract<Item, { kind: 'loop' }>, id: string): boolean {
    const { root, offset } = this.root(id);
    const { count } = this.info(id);
    if (this.loops.get(root) === loop) return offset === 0 && count === loop.count;
    return loop.ops.every((op) => {
      const home = this.home(op.id, root);
      if (home.id !== root) return true;
      const apart = home.offset + loop.count <= offset || offset + count <= home.offset;
      return apart || (home.offset === offset && count === loop.count);
    });
  }

  /** A value behind all views, and how far into it the view begins. */
  protected root(id: string): { readonly root: string; readonly place: Place; readonly offset: number } {
    let [root, offset] = [id, 0];
    for (;;) {
      const place = present(this.places.get(root), `c: %${root} has no place`);
      if (place.kind !== 'view') return { root, place, offset };
      offset += place.offset;
      root = place.of;
    }
  }

  /** What is read outside of its loop gets memory of its own. */
  protected readonly kept = new Set<string>();

  #keep(): void {
    const keep = (id: string): void => {
      const { root, place } = this.root(id);
      if (place.kind === 'own') this.kept.add(root);
    };
    for (const op of this.program.ops) {
      if (this.places.get(op.id)?.kind !== 'own') continue;
      const loop = this.loops.get(op.id);
      if (loop === undefined) this.kept.add(op.id);
      for (const id of op.inputs) {
        if (op.kind === 'scan_output' || this.places.get(id) === undefined) continue;
        if (loop === undefined || this.loops.get(this.root(id).root) !== loop) keep(id);
      }
    }
    for (const id of Object.values(this.program.outputs)) keep(id);
  }

  /** Where a value's memory is: its own, or in that of what it is a part of; no further out than `until`. */
  protected home(root: string, until?: string): { readonly id: string; readonly offset: number } {
    let [id, offset] = [root, 0];
    for (let at = this.placed.get(id); at !== undefined && id !== until; at = this.placed.get(id)) {
      offset += at.offset;
      id = at.in;
    }
    return { id, offset };
  }

  /** Results of loops over time, known to be needed until then. */
  protected readonly parts = new Map<string, Buffer>();

  #planScan(op: TensorOp): void {
    (op.parts ?? []).forEach((part, i) => {
      const id = `${op.id}#${i}`;
      const info = infoOf(part);
      const type = info.dtype === 'bool' ? 'u8' : info.dtype;
      const buffer = this.arena.add(type, info.count, this.fixed ?? 0);
      this.#infos.set(id, info);
      this.ranges.set(id, undefined);
      this.parts.set(id, buffer);
      this.places.set(id, { kind: 'pointer', text: this.source.address(buffer, 0), type });
    });
    this.items.push({ kind: 'kernel', op });
  }
}

function never(): never {
  throw new InvariantError('c: a constant loop');
}
