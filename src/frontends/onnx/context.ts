import { fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import type { FilePlace } from '../../base/source.js';
import type { Param } from '../../network/types.js';
import { type AttributeField, isOfType } from './attributes.js';
import type { Constant } from './constant.js';
import { isFloatType } from './element-type.js';
import { describeNode, fullOpType } from './names.js';
import { type CodesValue, type RealValue, type Value, onGridOf } from './values.js';
import { inOrder } from './values.js';
import type { OnnxAttribute, OnnxNode } from './wire.js';
import type { Emission, GraphContext } from './graph-context.js';

/** What an op's importer works with: one node, the values it reads, the network being built. */
export class NodeContext {
  constructor(
    readonly node: OnnxNode,
    readonly graph: GraphContext,
  ) {}

  get place(): FilePlace {
    return { file: this.graph.file, detail: describeNode(this.node) };
  }

  get output(): string {
    return this.node.outputs[0] ?? '';
  }

  /** Whether anything reads the i-th output. */
  isRead(i: number): boolean {
    const name = this.node.outputs[i];
    return name !== undefined && name !== '' && this.graph.readers.has(name);
  }

  /** The i-th input, or undefined where an optional one is left out. */
  optional(i: number): Value | undefined {
    const name = this.node.inputs[i];
    return name === undefined || name === '' ? undefined : this.graph.value(name);
  }

  input(i: number): Value {
    return this.optional(i) ?? this.badForm(`input ${i} is missing`);
  }

  /** The i-th input as a real activation in the file's own axis order. */
  realInAnyLayout(i: number): RealValue {
    const value = this.input(i);
    if (value.kind === 'real') return value;
    if (value.kind === 'pending') {
      if (value.integer)
        this.badForm(
          `its input "${this.node.inputs[i]}" holds integer products; only Cast and Mul by their scale may read them`,
        );
      return value.finish({ origin: this.node.inputs[i]! });
    }
    if (value.kind === 'dynamic') this.badForm(`it reads a ${value.what} that each input has of its own`);
    if (value.kind === 'rounded') return value.finish(value, value.tensor);
    // the input's integers, read as the numbers they are
    if (value.kind === 'codes' && value.input === true) return this.graph.materialise(value);
    if (value.kind === 'codes') {
      fail(
        'onnx/data-type',
        { what: `input "${this.node.inputs[i]}"`, type: `quantised ${value.elementType}` },
        this.place,
        {
          help: `${this.node.opType} needs floats here; a DequantizeLinear is missing before it`,
        },
      );
    }
    return this.badForm(`its input "${this.node.inputs[i]}" is a constant; an activation is needed`);
  }

  /** The i-th input as a real activation whose axes are N, C, H, W. */
  real(i: number): RealValue {
    return this.inOwnLayout(this.realInAnyLayout(i));
  }

  /** The value with its ONNX axes as the op's: a reshape where only axes of size 1 have moved, else a transposition. */
  inOwnLayout(value: RealValue): RealValue {
    const { perm } = value;
    if (perm === undefined) return value;
    if (perm[0] !== 0) {
      this.badForm(
        'the batch is not the first axis of what it reads',
        'if all of the input is one sample, say how large it is, the first axis too: --input-shape 100,10',
      );
    }
    const from = this.shapeOf(value);
    if (!inOrder(perm, from)) return this.graph.transposed(this, value, perm);
    const shape = perm.slice(1).map((axis) => from[axis - 1]!);
    const { perm: _, ...own } = value;
    // one number a sample has no axis in the file and one of size 1 here
    if (shape.join() === from.join() || shape.length === 0) return own;
    const result = this.emit({ kind: 'reshape', inputs: [own], attrs: { shape }, suffix: 'layout' });
    this.graph.reshapedFrom.set(result.op, own);
    return onGridOf(value, result);
  }

  /** Like `real`, with codes dequantised by their own quantiser, for ops that act on both. */
  realOrCodes(i: number): { value: RealValue; rewrap: (result: RealValue) => RealValue | CodesValue } {
    const input = this.input(i);
    if (input.kind !== 'codes') return { value: this.realInAnyLayout(i), rewrap: (result) => result };
    if (input.channels !== undefined && this.node.opType !== 'MaxPool')
      this.badForm('it reads codes with a scale per channel', 'dequantise them first');
    const unread = input.dynamic === true || input.input === true;
    const value = unread ? input.source : this.graph.materialise(input);
    if (!unread && this.graph.builder.typeOf(value.op).code.kind !== 'quant') this.graph.bordered.add(value.op);
    return {
      value,
      rewrap: (source) => ({
        ...input,
        source: unread ? source : { ...source, grid: input.code },
        tensor: this.output,
      }),
    };
  }

  constant(i: number, what: string): Constant {
    const value = this.input(i);
    if (value.kind !== 'constant') fail('onnx/not-constant', { what, tensor: this.node.inputs[i] ?? '' }, this.place);
    return value;
  }

  optionalConstant(i: number, what: string): Constant | undefined {
    return this.optional(i) === undefined ? undefined : this.constant(i, what);
  }

  /** The integers of a small constant input, for axes, shapes and pads. */
  integers(i: number, what: string): readonly number[] | undefined {
    const constant = this.optionalConstant(i, what);
    if (constant === undefined) return undefined;
    if (isFloatType(constant.type) || elementCount(constant.shape) > 1024)
      this.badForm(`${what} must be a short list of integers`);
    return Array.from(constant.data());
  }

  int(name: string, fallback: number): number {
    const attribute = this.#attribute(name, 'i');
    if (attribute === undefined) return fallback;
    const value = attribute.i ?? 0;
    if (!Number.isSafeInteger(value)) this.badAttribute(name, value);
    return value;
  }

  float(name: string, fallback: number): number {
    const whole = this.node.attributes.get(name)?.i;
    if (whole !== undefined) return whole;
    const attribute = this.#attribute(name, 'f');
    if (attribute === undefined) return fallback;
    return attribute.f ?? 0;
  }

  string(name: string, fallback: string): string {
    return this.#attribute(name, 's')?.s ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'ints')?.ints;
  }

  floats(name: string): readonly number[] {
    return [...(this.#attribute(name, 'floats')?.floats ?? [])];
  }

  /** An attribute whose value is of a type; one of another type is no zero. */
  #attribute(name: string, field: AttributeField): OnnxAttribute | undefined {
    const attribute = this.node.attributes.get(name);
    if (attribute !== undefined && !isOfType(attribute, field)) this.badType(name);
    return attribute;
  }

  badType(name: string): never {
    this.badForm(`its attribute "${name}" is of another type, or of a value that the operator doesn’t have`);
  }

  /** A list of `length` whole numbers from `least` up to a million. */
  sizes(name: string, length: number, least: number, fallback?: readonly number[]): readonly number[] {
    const list = this.ints(name) ?? fallback ?? [];
    if (list.length !== length || list.some((n) => !Number.isInteger(n) || n < least || n > 1e6)) {
      this.badAttribute(name, `[${list.join(', ')}]`);
    }
    return list;
  }

  badAttribute(name: string, value: unknown): never {
    fail('onnx/bad-attribute', { op: this.node.opType, name, value: String(value) }, this.place);
  }

  /** The op is known, this use of it is not supported. */
  badForm(what: string, help?: string): never {
    fail('onnx/unsupported-form', { op: fullOpType(this.node), what }, this.place, { help });
  }

  shapeMismatch(what: string): never {
    fail('onnx/shape-mismatch', { op: this.node.opType, what }, this.place);
  }

  /** Shape without the batch axis, in the network's axis order. */
  shapeOf(value: RealValue): readonly number[] {
    return this.graph.builder.typeOf(value.op).shape;
  }

  /** ONNX shape of a value; NaN is the batch. */
  onnxShape(value: RealValue): readonly number[] {
    const shape = [NaN, ...this.shapeOf(value)];
    return value.perm === undefined ? shape : value.perm.map((axis) => shape[axis]!);
  }

  emit(op: Emission): RealValue {
    return this.graph.emit(this, op);
  }

  /** A float constant, checked for NaN and infinities, as a parameter of the network. */
  param(constant: Constant, shape = constant.shape): Param {
    return this.graph.param(constant, shape, this.place);
  }
}
