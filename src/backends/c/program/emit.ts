import { elementCount } from '../../../base/dtype.js';
import { present } from '../../../base/invariant.js';
import { type Program, type TensorOp, attrsOf } from '../../../tensor/index.js';
import type { Arena, Buffer } from '../arena.js';
import { type CType, ctypes, integerType } from '../ctypes.js';
import { comment } from '../source.js';
import type { Source } from '../unit.js';
import { type PackedWeight, packedArray } from '../weights.js';
import { computeType, elementwise, literal, needsMath } from './expressions.js';
import { operandIndex } from './index-map.js';
import { type KernelCall, kernelOf } from './kernel-calls.js';
import { type Item, ProgramPlan } from './plan.js';
import { infoOf } from './values.js';

/** A program, or the body of a loop over time, being written as C. */
export class ProgramEmitter extends ProgramPlan {
  #position = 0;

  constructor(
    program: Program,
    source: Source,
    arena: Arena,
    readonly packed: ReadonlyMap<string, PackedWeight>,
    fixed?: number,
  ) {
    super(program, source, arena, fixed);
  }

  /** Decides where everything is, then writes it; `finish` reads what its outputs are. */
  write(finish: () => void): void {
    this.plan();
    this.#lifetimes();
    for (const item of this.items) {
      this.#write(item);
      this.#position++;
    }
    finish();
  }

  readonly #buffers = new Map<string, Buffer>();

  #bufferOf(home: string, at: number): Buffer {
    const known = this.#buffers.get(home);
    if (known !== undefined) {
      known.to = Math.max(known.to, at);
      known.from = Math.min(known.from, at);
      return known;
    }
    const made = this.arena.add(this.#storage(home), this.info(home).count, at);
    this.#buffers.set(home, made);
    return made;
  }

  /** The type that a value is stored in: whole numbers in as few bytes as they need. */
  #storage(id: string): CType {
    const { dtype } = this.info(id);
    const range = this.ranges.get(id);
    if (dtype === 'bool') return 'u8';
    if (dtype === 'i32' || dtype === 'i8' || dtype === 'u8') return dtype;
    if (range === undefined || !Number.isFinite(range.lo) || !Number.isFinite(range.hi)) return dtype;
    const whole = integerType(range.lo, range.hi);
    return ctypes[whole].bytes < ctypes[dtype].bytes && whole !== 'i64' ? whole : dtype;
  }

  #lifetimes(): void {
    this.items.forEach((item, position) => {
      const at = this.fixed ?? position;
      for (const op of item.kind === 'loop' ? item.ops : [item.op]) {
        (op.parts ?? []).forEach((_, i) => {
          const part = present(this.parts.get(`${op.id}#${i}`), `c: %${op.id} has no part ${i}`);
          [part.from, part.to] = [at, Math.max(part.to, at)];
        });
        if (this.kept.has(op.id) && op.kind !== 'scan') this.#bufferOf(this.home(op.id).id, at);
        for (const id of op.inputs) this.#touch(id, at);
      }
    });
    const end = this.fixed ?? this.items.length;
    for (const id of Object.values(this.program.outputs)) this.#touch(id, end);
  }

  #touch(id: string, at: number): void {
    if (this.places.get(id) === undefined) return;
    const { root, place } = this.root(id);
    if (place.kind === 'own' && this.kept.has(root) && place.op.kind !== 'scan') this.#bufferOf(this.home(root).id, at);
    const shared = this.parts.get(root);
    if (shared !== undefined) shared.to = Math.max(shared.to, at);
  }

  #write(item: Item): void {
    if (item.kind === 'loop') return this.#writeLoop(item);
    const { op } = item;
    if (op.kind === 'concat') return this.#writeConcat(op);
    if (op.kind === 'scan') return this.#writeScan(op);
    const call: KernelCall = {
      op,
      source: this.source,
      info: (id) => this.info(id),
      read: (id) => this.pointer(id),
      weight: (id) => this.#weight(id),
      scratch: (type, count) => this.#scratch(type, count),
    };
    const at = comment(op.from ?? op.id);
    this.source.line(`/* ${at}: ${op.kind} */`);
    kernelOf(op.kind)(call, this.pointer(op.id));
  }

  /** A loop over time: its states are where their last values will be. */
  #writeScan(op: TensorOp): void {
    const { body, steps, states, scanned, reverse } = attrsOf(op, 'scan');
    const time = `t${this.#depth}`;
    const child = new ProgramEmitter(body, this.source, this.arena, this.packed, this.fixed ?? this.#position);
    child.#depth = this.#depth + 1;
    const part = (i: number): { text: string; type: CType } => this.pointer(`${op.id}#${i}`);
    body.inputs.forEach(({ id }, i) => {
      const from = op.inputs[i]!;
      const { count } = infoOf(body.inputs[i]!);
      const { place } = this.root(from);
      if (i < states) {
        const to = part(i);
        const value = this.#element(from, this.info(from).shape, 'i');
        this.source.line(
          `{ uint32_t i; for (i = 0; i < ${count}u; i++) ${to.text}[i] = (${ctypes[to.type].name})${value}; }`,
        );
        child.input(id, { kind: 'pointer', ...to });
      } else if (i < states + scanned) {
        const { text, type } = this.pointer(from);
        child.input(id, { kind: 'pointer', text: `(${text} + ${time} * ${count}u)`, type }, this.ranges.get(from));
      } else if (place.kind === 'number') child.input(id, place, { lo: place.value, hi: place.value });
      else child.input(id, { kind: 'pointer', ...this.pointer(from) }, this.ranges.get(from));
    });
    const loop = reverse
      ? `for (${time} = ${steps}u; ${time}-- > 0u;)`
      : `for (${time} = 0; ${time} < ${steps}u; ${time}++)`;
    this.source.line(`{ uint32_t ${time}; ${loop} {`);
    child.write(() => {
      const outputs = Object.values(body.outputs);
      const copy = (i: number): void => {
        const to = part(i);
        const { count, shape } = child.info(outputs[i]!);
        const at = i < states ? 'i' : `${time} * ${count}u + i`;
        const value = child.#element(outputs[i]!, shape, 'i');
        this.source.line(
          `{ uint32_t i; for (i = 0; i < ${count}u; i++) ${to.text}[${at}] = (${ctypes[to.type].name})${value}; }`,
        );
      };
      // trains first: what is stacked may be a state as it was before the step
      for (let i = states; i < outputs.length; i++) copy(i);
      const stateOf = (i: number): number => body.inputs.findIndex(({ id }) => id === child.root(outputs[i]!).root);
      let left = [...outputs.keys()].filter((i) => i < states && stateOf(i) !== i);
      while (left.length > 0) {
        // a state changes once no other is to become what it was
        const free = left.find((i) => left.every((other) => other === i || stateOf(other) !== i));
        const next = free ?? left[0]!;
        if (free === undefined) {
          const { id } = body.inputs[next]!;
          const { text, type } = part(next);
          const { count } = child.info(id);
          const saved = child.#scratch(type, count);
          this.source.line(`{ uint32_t i; for (i = 0; i < ${count}u; i++) ${saved}[i] = ${text}[i]; }`);
          child.input(id, { kind: 'pointer', text: saved, type });
        }
        copy(next);
        left = left.filter((i) => i !== next);
      }
    });
    this.source.line('} }');
  }

  #depth = 0;

  /** What an element of an output is, to be given out. */
  output(id: string, index: string): string {
    return this.#element(id, this.info(id).shape, index);
  }

  #scratch(type: CType, count: number): string {
    const buffer = this.arena.add(type, count, this.fixed ?? this.#position);
    return this.source.address(buffer, 0);
  }

  #writeConcat(op: TensorOp): void {
    const { count } = this.info(op.id);
    const { shape } = this.info(op.id);
    const axis = attrsOf(op, 'concat').axis;
    const inner = elementCount(shape.slice(axis + 1));
    const row = shape[axis]! * inner;
    const to = this.pointer(op.id);
    let at = 0;
    for (const id of op.inputs) {
      const part = this.info(id).shape[axis]! * inner;
      const outer = count / row;
      const index = outer === 1 ? `${at}u + i` : `i / ${part}u * ${row}u + ${at}u + i % ${part}u`;
      const total = outer * part;
      const value = this.#element(id, this.info(id).shape, 'i');
      this.source.line(
        `{ uint32_t i; for (i = 0; i < ${total}u; i++) ${to.text}[${index}] = (${ctypes[to.type].name})${value}; }`,
      );
      at += part;
    }
  }

  #writeLoop({ ops, count }: Extract<Item, { kind: 'loop' }>): void {
    const froms = [...new Set(ops.map(({ from }) => from ?? ''))].filter((from) => from !== '');
    const lines: string[] = [];
    for (const op of ops) {
      const name = this.#local(op.id);
      lines.push(`const ${computeType(op.dtype)} ${name} = ${this.#expression(op, 'i')};`);
      if (!this.kept.has(op.id)) continue;
      const to = this.pointer(op.id);
      lines.push(`${to.text}[i] = (${ctypes[to.type].name})${name};`);
    }
    if (froms.length > 0) this.source.line(`/* ${comment(froms.join(', '))} */`);
    this.source.line(`{ uint32_t i; for (i = 0; i < ${count}u; i++) {`);
    for (const line of lines) this.source.line(`  ${line}`);
    this.source.line('} }');
  }

  readonly #locals = new Map<string, string>();

  #local(id: string): string {
    const known = this.#locals.get(id);
    if (known !== undefined) return known;
    const made = `v${this.#locals.size}`;
    this.#locals.set(id, made);
    return made;
  }

  /** An elementwise op at an element of its result. */
  #expression(op: TensorOp, index: string): string {
    const { shape } = this.info(op.id);
    const args = op.inputs.map((id) => this.#element(id, shape, index, this.loops.get(op.id)));
    if (needsMath.has(op.kind)) this.source.usesMath();
    if (op.kind === 'lookup') return this.#lookup(op, args[0]!);
    const from = this.info(op.inputs[op.kind === 'select' ? 1 : 0]!).dtype;
    const row = present(elementwise[op.kind], `c: ${op.kind} isn't elementwise`);
    const text = row(args, { dtype: op.dtype, from });
    this.source.helpersIn(text);
    return text;
  }

  #lookup(op: TensorOp, x: string): string {
    const [, thresholds, values] = op.inputs as [string, string, string];
    const [t, v] = [this.pointer(thresholds), this.pointer(values)];
    const [own, result] = [computeType(this.info(op.inputs[0]!).dtype), computeType(op.dtype)];
    const name = this.source.lookup(own, ctypes[t.type].name, ctypes[v.type].name, result);
    return `${name}(${x}, ${t.text}, ${v.text}, ${this.info(thresholds).count}u)`;
  }

  /** The element of a value that an element of a result reads. */
  #element(id: string, result: readonly number[], index: string, loop?: Item): string {
    const { dtype, shape } = this.info(id);
    const { root, place, offset } = this.root(id);
    if (place.kind === 'number') return literal(place.value, dtype);
    const at = operandIndex(index, result, shape);
    if (place.kind === 'own' && loop !== undefined && this.loops.get(root) === loop) return this.#local(root);
    const moved = offset === 0 ? at : `${at} + ${offset}u`;
    if (place.kind === 'derived') return `(${this.#derived(place.op, moved)})`;
    const { text, type } = this.pointer(root);
    const value = `${text}[${moved}]`;
    const wanted = computeType(dtype);
    return type === dtype ? value : `((${wanted})${value})`;
  }

  #derived(op: TensorOp, index: string): string {
    const wide = /^\w+$/.test(index) ? index : `(${index})`;
    return this.#expression(op, wide);
  }

  /** A pointer to a value's first element. */
  pointer(id: string): { readonly text: string; readonly type: CType } {
    const { root, place, offset } = this.root(id);
    if (place.kind === 'pointer') {
      return { text: offset === 0 ? place.text : `(${place.text} + ${offset}u)`, type: place.type };
    }
    if (place.kind === 'own') {
      const home = this.home(root);
      const buffer = present(this.#buffers.get(home.id), `c: %${root} has no memory`);
      return { text: this.source.address(buffer, home.offset + offset), type: buffer.type };
    }
    const values = place.kind === 'data' ? place.tensor : this.constant(root);
    const array = this.source.array(values, root);
    return { text: offset === 0 ? array.name : `(${array.name} + ${offset}u)`, type: array.type };
  }

  readonly #packedNames = new Map<string, string>();

  /** The weight of a kernel: packed codes where that is known of it. */
  #weight(id: string): { readonly packed: PackedWeight; readonly name: string } | undefined {
    const { root, offset } = this.root(id);
    const packed = this.packed.get(root);
    if (packed === undefined || offset !== 0) return undefined;
    const name = this.#packedNames.get(root) ?? packedArray(this.source, packed, root);
    this.#packedNames.set(root, name);
    return { packed, name };
  }
}
