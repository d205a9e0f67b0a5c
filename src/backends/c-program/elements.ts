import { type TensorOp, attrsOf, isBatch } from '../../tensor/index.js';
import { type Expression, Expressions, isNumber, literal } from './expressions.js';
import { type Linear, constant, indexText, numberOf, plus, times, variable, zero } from './linear.js';
import type { Planner } from './planner.js';
import { pointwiseText } from './pointwise.js';
import { type Split, offsetOf, reshapedIndex, splitShape, volumeOf } from './shapes.js';

/** Thrown where a value can't be computed at one element alone: it must be stored. */
export class NeedsStored extends Error {
  constructor(readonly id: string) {
    super(`"${id}" has to be stored`);
  }
}

/** An element: a position per part of the split shape, or its place in a row of all elements. */
export type Index = readonly Linear[] | { readonly flat: Linear };

export function isFlat(index: Index): index is { readonly flat: Linear } {
  return !Array.isArray(index);
}

/** A float of a byte, or a byte of a float where `unit` is turned round. */
export function ofBytes(text: string, unit: number): string {
  return unit === 1 ? text : `${text} * ${literal('f32', unit)}`;
}

/** Computes elements of values from what is stored. */
export class Elements {
  readonly expressions = new Expressions();
  readonly reads = new Set<number>();
  /** Where loads are, before anything is known of the loops' order. */
  readonly offsets: Linear[] = [];
  /** The same by buffer, as text. */
  readonly loads = new Map<number, Set<string>>();
  /** Whether a position decides what is read. */
  conditional = false;
  readonly #known = new Map<string, Expression>();

  constructor(
    readonly planner: Planner,
    readonly own: ReadonlySet<string>,
    /** The variable of the innermost loop. */
    readonly inner: string,
  ) {}

  at(id: string, index: Index): Expression {
    const key = `${id}|${isFlat(index) ? indexText(index.flat) : index.map(indexText).join('|')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const op = this.planner.ops.get(id);
    const inlined = op !== undefined && this.planner.isSoft(op) && (this.planner.isInlined(id) || this.own.has(id));
    const made = inlined ? this.#compute(op, index) : this.#load(id, index);
    this.#known.set(key, made);
    return made;
  }

  #load(id: string, index: Index): Expression {
    const { dtype, shape } = this.planner.type(id);
    const layout = this.planner.readLayout(id);
    const buffer = this.planner.bufferOf(id, layout);
    this.reads.add(buffer);
    const offset = isFlat(index) ? index.flat : offsetOf(splitShape(shape), layout, index);
    this.offsets.push(offset);
    this.loads.set(buffer, (this.loads.get(buffer) ?? new Set()).add(indexText(offset)));
    const text = `b${buffer}[${indexText(this.#strided(offset))}]`;
    const { unit } = this.planner.buffers.all[buffer]!;
    if (unit === undefined) return this.expressions.make(dtype, text);
    return this.expressions.make(dtype, ofBytes(`(float)${text}`, unit));
  }

  /** Steps of the innermost loop, where they aren't of one element: compilers vectorise those of a length they don't know. */
  #strided({ terms }: Linear): Linear {
    return {
      terms: terms.map((term) => {
        if (term.atom?.text !== this.inner || term.factor === 1) return term;
        return { ...term, atom: { ...term.atom, text: `${term.atom.text} * one` } };
      }),
    };
  }

  #compute(op: TensorOp, index: Index): Expression {
    switch (op.kind) {
      case 'const': {
        const { value } = attrsOf(op, 'const');
        return this.expressions.number(op.dtype, value.data[0]!);
      }
      case 'reshape': {
        const [id] = op.inputs as [string];
        if (isFlat(index)) return this.at(id, index);
        return this.at(id, reshapedIndex(splitShape(op.shape), index, splitShape(this.planner.type(id).shape)));
      }
      case 'broadcast':
        return this.#operand(op, index, 0);
      case 'lookup': {
        const [, thresholds, values] = op.inputs as [string, string, string];
        const x = this.#operand(op, index, 0);
        const [t, v] = [this.planner.bufferOf(thresholds, 'rows'), this.planner.bufferOf(values, 'rows')];
        this.reads.add(t).add(v);
        const count = this.planner.type(thresholds).shape[0] as number;
        return this.expressions.make(op.dtype, `b${v}[reached_${x.dtype}(b${t}, ${count}, $0)]`, [x]);
      }
      case 'transpose':
      case 'slice':
      case 'pad':
      case 'concat':
      case 'sum':
      case 'avgpool':
        if (isFlat(index)) throw new TypeError(`C program: ${op.kind} of elements in a row`);
        return this.#moved(op, index);
      default: {
        const operands = op.inputs.map((_, i) => this.#operand(op, index, i));
        const text = pointwiseText(op, operands[0]!.dtype, operands[1] !== undefined && isNumber(operands[1]))!;
        return text === '$0' ? operands[0]! : this.expressions.make(op.dtype, text, operands);
      }
    }
  }

  /** Operand `i` under broadcasting. */
  #operand(op: TensorOp, index: Index, i: number): Expression {
    const id = op.inputs[i]!;
    const { shape } = this.planner.type(id);
    if (isFlat(index)) {
      const { factor, power } = volumeOf(shape);
      return this.at(id, factor === 1 && power === 0 ? { flat: zero } : index);
    }
    const to = splitShape(op.shape);
    const found: Linear[] = shape.flatMap((dim, axis) => {
      if (dim === 1) return [zero];
      return to.axes[axis + op.shape.length - shape.length]!.map((part) => index[part]!);
    });
    return this.at(id, found);
  }

  #moved(op: TensorOp, index: readonly Linear[]): Expression {
    const [first] = op.inputs as [string];
    const { shape } = this.planner.type(first);
    const [from, to] = [splitShape(shape), splitShape(op.shape)];
    switch (op.kind) {
      case 'transpose': {
        const found: Linear[] = from.sizes.map(() => zero);
        attrsOf(op, 'transpose').perm.forEach((axis, i) => {
          from.axes[axis]!.forEach((part, k) => (found[part] = index[to.axes[i]![k]!]!));
        });
        return this.at(first, found);
      }
      case 'slice': {
        const { starts, steps } = attrsOf(op, 'slice');
        const found = [...index];
        to.axes.forEach(([part], axis) => {
          found[part!] = plus(constant(starts[axis]!), times(index[part!]!, { factor: steps[axis]!, power: 0 }));
        });
        return this.at(first, found);
      }
      case 'pad':
        return this.#padded(op, index, to, from);
      case 'concat': {
        const { axis } = attrsOf(op, 'concat');
        const part = to.axes[axis]![0]!;
        const at = numberOf(index[part]!);
        if (at === undefined) throw new NeedsStored(op.id);
        let before = 0;
        for (const id of op.inputs) {
          const dim = this.planner.type(id).shape[axis]!;
          const size = isBatch(dim) ? dim.batch : dim;
          if (at < before + size) return this.at(id, index.with(part, constant(at - before)));
          before += size;
        }
        throw new RangeError('concat: no such position');
      }
      case 'sum': {
        const { axes, keepdims } = attrsOf(op, 'sum');
        const positions = axes
          .toSorted((a, b) => a - b)
          .reduce<number[][]>(
            (all, axis) => all.flatMap((one) => Array.from({ length: shape[axis] as number }, (_, i) => [...one, i])),
            [[]],
          );
        const order = axes.toSorted((a, b) => a - b);
        const terms = positions.map((position) => {
          let next = 0;
          const found = from.axes.flatMap((parts, axis) => {
            const reduced = order.indexOf(axis);
            if (reduced >= 0) {
              if (keepdims) next++;
              return [constant(position[reduced]!)];
            }
            const own = to.axes[next++]!;
            return parts.map((_, k) => index[own[k]!]!);
          });
          return this.at(first, found);
        });
        return this.#added(op, terms);
      }
      default: {
        const { kernel, stride } = attrsOf(op, 'avgpool');
        const terms: Expression[] = [];
        const [y, x] = [to.axes[2]![0]!, to.axes[3]![0]!];
        for (let ky = 0; ky < kernel[0]!; ky++) {
          for (let kx = 0; kx < kernel[1]!; kx++) {
            const row = plus(times(index[y]!, { factor: stride[0]!, power: 0 }), constant(ky));
            const column = plus(times(index[x]!, { factor: stride[1]!, power: 0 }), constant(kx));
            terms.push(this.at(first, index.with(y, row).with(x, column)));
          }
        }
        const area = this.expressions.number(op.dtype, kernel[0]! * kernel[1]!);
        return this.expressions.make(op.dtype, '$0 / $1', [this.#added(op, terms), area]);
      }
    }
  }

  #added(op: TensorOp, terms: readonly Expression[]): Expression {
    if (terms.length === 0) return this.expressions.number(op.dtype, 0);
    return terms.reduce((sum, term) => this.expressions.make(op.dtype, '$0 + $1', [sum, term]));
  }

  #padded(op: TensorOp, index: readonly Linear[], to: Split, from: Split): Expression {
    const { before, after, value } = attrsOf(op, 'pad');
    const found = [...index];
    const conditions: string[] = [];
    for (const [axis, [part]] of to.axes.entries()) {
      if (before[axis] === 0 && after[axis] === 0) continue;
      const size = from.sizes[from.axes[axis]![0]!] as number;
      const at = numberOf(index[part!]!);
      if (at !== undefined) {
        if (at < before[axis]! || at >= before[axis]! + size) return this.expressions.number(op.dtype, value);
        found[part!] = constant(at - before[axis]!);
        continue;
      }
      const text = `(${indexText(index[part!]!)} - ${before[axis]!})`;
      const inside = `(unsigned long)${text} < ${size}ul`;
      conditions.push(inside);
      this.conditional = true;
      found[part!] = variable(`(${inside} ? ${text} : 0)`, { factor: Math.max(size, 1), power: 0 });
    }
    if (from.sizes.includes(0)) return this.expressions.number(op.dtype, value);
    const inner = this.at(op.inputs[0]!, found);
    if (conditions.length === 0) return inner;
    return this.expressions.make(op.dtype, `(${conditions.join(' && ')} ? $0 : ${literal(op.dtype, value)})`, [inner]);
  }
}
