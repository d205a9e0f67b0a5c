import { elementCount } from '../../../base/dtype.js';
import { InvariantError } from '../../../base/invariant.js';
import { type PrimKind, type TensorOp, attrsOf } from '../../../tensor/index.js';
import { type CType, ctypes } from '../ctypes.js';
import type { Source } from '../unit.js';
import type { PackedWeight } from '../weights.js';
import { computeType } from './expressions.js';
import {
  type WeightForm,
  arrayWeight,
  convInputKernel,
  convKernel,
  convShape,
  matmulKernel,
  packedWeight,
  poolKernel,
  poolShape,
} from './kernels.js';
import type { Info } from './values.js';

/** What a kernel that is called knows of its op. */
export interface KernelCall {
  readonly op: TensorOp;
  readonly source: Source;
  readonly info: (id: string) => Info;
  readonly read: (id: string) => { readonly text: string; readonly type: CType };
  readonly weight: (id: string) => { readonly packed: PackedWeight; readonly name: string } | undefined;
  readonly scratch: (type: CType, count: number) => string;
}

type Write = (call: KernelCall, to: { readonly text: string; readonly type: CType }) => void;

export function kernelOf(kind: PrimKind): Write {
  const write = kernels[kind];
  if (write === undefined) throw new InvariantError(`c: ${kind} in a program of inference`);
  return write;
}

interface Weight {
  readonly form: WeightForm;
  readonly args: string;
}

/** A weight as an argument: packed codes and their scale, or an array. */
function weightOf({ source, read, weight }: KernelCall, id: string): Weight {
  const known = weight(id);
  if (known === undefined) {
    const { text, type } = read(id);
    return { form: arrayWeight(ctypes[type].name), args: text };
  }
  source.helper('spk_bits');
  const scale = source.numbers('f64', known.packed.scale, `scale of ${id}`);
  return {
    form: packedWeight,
    args: `${known.name}, ${known.packed.bits}u, ${scale.name}, ${Number(known.packed.scale.length === 1)}u`,
  };
}

const key = (...parts: readonly string[]): string => parts.join('_').replace(/spk_/g, '');

/** A convolution or its transpose; `image` and `out` are what the convolution reads and writes, whichever way it goes. */
function convolution(
  call: KernelCall,
  to: { readonly text: string; readonly type: CType },
  how: {
    readonly stem: string;
    readonly kernel: typeof convKernel;
    readonly from: string;
    readonly weight: string;
    readonly image: readonly number[];
    readonly out: readonly number[];
    readonly sums: number;
  },
): void {
  const { op, source, read, info, scratch } = call;
  const { stride, pads, dilation, groups } = attrsOf(op, 'conv2d');
  const [from, weight] = [read(how.from), weightOf(call, how.weight)];
  const [filters, , ...kernel] = info(how.weight).shape;
  source.type(convShape);
  const [xType, yType] = [ctypes[from.type].name, ctypes[to.type].name];
  const name = key(how.stem, xType, weight.form.key, yType);
  source.define(name, how.kernel(name, xType, weight.form, yType));
  const sides = [...kernel, ...how.out, ...stride, pads[0], pads[1], ...dilation];
  const fields = [...how.image, filters, ...sides, groups];
  const sum = scratch('f64', how.sums);
  source.line(`{ static const spk_conv s = {${fields.join(', ')}};`);
  source.line(`  ${name}(${from.text}, ${weight.args}, ${to.text}, ${sum}, &s); }`);
}

const conv2d: Write = (call, to) => {
  const { op, info } = call;
  const [x, weight] = op.inputs as [string, string];
  const out = info(op.id).shape.slice(2);
  const image = info(x).shape;
  const sums = elementCount(out);
  convolution(call, to, { stem: 'spk_conv2d', kernel: convKernel, from: x, weight, image, out, sums });
};

const conv2dInput: Write = (call, to) => {
  const { op, info } = call;
  const [weight, g] = op.inputs as [string, string];
  const image = info(op.id).shape;
  const out = info(g).shape.slice(2);
  const sums = elementCount(image.slice(1));
  convolution(call, to, { stem: 'spk_transposed', kernel: convInputKernel, from: g, weight, image, out, sums });
};

const matmul: Write = (call, to) => {
  const { op, source, read, info } = call;
  const [a, b] = op.inputs as [string, string];
  const { transA, transB } = attrsOf(op, 'matmul');
  const shape = info(op.id).shape;
  const [m, n] = [shape.at(-2)!, shape.at(-1)!];
  const k = info(a).shape.at(transA ? -2 : -1)!;
  const batch = elementCount(shape.slice(0, -2));
  const left = read(a);
  const known = transB && batch === 1 ? call.weight(b) : undefined;
  const weight = known === undefined ? weightOf({ ...call, weight: () => undefined }, b) : weightOf(call, b);
  const [aType, yType] = [ctypes[left.type].name, ctypes[to.type].name];
  const name = key('spk_matmul', aType, weight.form.key, yType);
  source.define(name, matmulKernel(name, aType, weight.form, yType));
  const steps = [...(transA ? [1, m] : [k, 1]), ...(transB ? [1, k] : [n, 1])];
  const sizes = [batch, m, k, n, ...steps].map((size) => `${size}u`).join(', ');
  source.line(`${name}(${left.text}, ${weight.args}, ${to.text}, ${sizes});`);
};

function pool(call: KernelCall, to: { text: string; type: CType }, how: 'max' | 'mean' | 'mean_inside'): void {
  const { op, source, read, info } = call;
  const [x] = op.inputs as [string];
  const { kernel, stride, pads } = attrsOf(op, 'maxpool');
  const from = read(x);
  const [xType, yType] = [ctypes[from.type].name, ctypes[to.type].name];
  const name = key('spk_pool', how, xType, yType);
  source.type(poolShape);
  source.define(name, poolKernel(name, xType, yType, how));
  const [batch, channels, height, width] = info(x).shape;
  const out = info(op.id).shape.slice(2);
  const fields = [batch! * channels!, height, width, ...out, ...kernel, ...stride, pads[0], pads[1]];
  source.line(`{ static const spk_pool s = {${fields.join(', ')}}; ${name}(${from.text}, ${to.text}, &s); }`);
}

/** Loops over the axes of the result: where an element comes from, by its place. */
function moved(call: KernelCall, to: { text: string; type: CType }, from: (at: readonly string[]) => string): void {
  const { source, op, info } = call;
  const { shape } = info(op.id);
  const at = shape.map((_, axis) => `i${axis}`);
  source.line(`{ uint32_t ${['k = 0', ...at].join(', ')};`);
  shape.forEach((size, axis) => source.line(`  for (i${axis} = 0; i${axis} < ${size}u; i${axis}++)`));
  source.line(`    ${to.text}[k++] = (${ctypes[to.type].name})${from(at)}; }`);
}

function strides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

const transpose: Write = (call, to) => {
  const [x] = call.op.inputs as [string];
  const { text } = call.read(x);
  const own = strides(call.info(x).shape);
  const { perm } = attrsOf(call.op, 'transpose');
  moved(call, to, (at) => `${text}[${perm.map((axis, i) => `${at[i]!} * ${own[axis]!}u`).join(' + ')}]`);
};

const slice: Write = (call, to) => {
  const [x] = call.op.inputs as [string];
  const { text } = call.read(x);
  const own = strides(call.info(x).shape);
  const { starts, steps } = attrsOf(call.op, 'slice');
  const offset = starts.reduce((sum, start, axis) => sum + start * own[axis]!, 0);
  moved(
    call,
    to,
    (at) => `${text}[${[`${offset}u`, ...at.map((i, axis) => `${i} * ${own[axis]! * steps[axis]!}u`)].join(' + ')}]`,
  );
};

const broadcast: Write = (call, to) => {
  const [x] = call.op.inputs as [string];
  const { text } = call.read(x);
  const { shape } = call.info(x);
  const own = strides(shape);
  const skipped = call.info(call.op.id).shape.length - shape.length;
  const parts = shape.flatMap((size, axis) => (size === 1 ? [] : [`i${axis + skipped} * ${own[axis]!}u`]));
  moved(call, to, () => `${text}[${parts.length === 0 ? '0' : parts.join(' + ')}]`);
};

const pad: Write = (call, to) => {
  const [x] = call.op.inputs as [string];
  const { text } = call.read(x);
  const { shape } = call.info(x);
  const own = strides(shape);
  const { before, value } = attrsOf(call.op, 'pad');
  moved(call, to, (at) => {
    const inside = shape.map((size, axis) => `${at[axis]!} - ${before[axis]!}u < ${size}u`).join(' && ');
    const index = shape.map((_, axis) => `(${at[axis]!} - ${before[axis]!}u) * ${own[axis]!}u`).join(' + ');
    return `(${inside} ? (double)${text}[${index}] : ${value})`;
  });
};

/** Over some axes, in double, in row-major order. */
function reduced(start: string, step: (value: string) => string): Write {
  return (call, to) => {
    const { op, source, read, info } = call;
    const [x] = op.inputs as [string];
    const { axes } = attrsOf(op, 'sum');
    const { shape } = info(x);
    const own = strides(shape);
    const { text } = read(x);
    const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const names = shape.map((_, axis) => `i${axis}`);
    source.line(`{ uint32_t ${['k = 0', ...names].join(', ')};`);
    for (const axis of kept) source.line(`  for (i${axis} = 0; i${axis} < ${shape[axis]!}u; i${axis}++)`);
    source.line(`  { double sum = ${start};`);
    for (const axis of axes) source.line(`    for (i${axis} = 0; i${axis} < ${shape[axis]!}u; i${axis}++)`);
    const index = names.map((i, axis) => `${i} * ${own[axis]!}u`).join(' + ');
    source.line(`      ${step(`(double)${text}[${index}]`)}`);
    source.line(`    ${to.text}[k++] = (${ctypes[to.type].name})sum; } }`);
  };
}

const argmax: Write = (call, to) => {
  const { op, source, read, info } = call;
  const [x] = op.inputs as [string];
  const { axis } = attrsOf(op, 'argmax');
  const { shape } = info(x);
  const [outer, size, inner] = [elementCount(shape.slice(0, axis)), shape[axis]!, elementCount(shape.slice(axis + 1))];
  const { text } = read(x);
  const own = computeType(info(x).dtype);
  source.line(`{ uint32_t o, i; for (o = 0; o < ${outer * inner}u; o++) {`);
  source.line(`  const uint32_t base = o / ${inner}u * ${size * inner}u + o % ${inner}u; uint32_t best = 0;`);
  source.line(
    `  for (i = 1; i < ${size}u; i++) if ((${own})${text}[base + i * ${inner}u] > (${own})${text}[base + best * ${inner}u]) best = i;`,
  );
  source.line(`  ${to.text}[o] = (${ctypes[to.type].name})best; } }`);
};

const kernels: Partial<Readonly<Record<PrimKind, Write>>> = {
  conv2d,
  conv2d_input_grad: conv2dInput,
  matmul,
  maxpool: (call, to) => pool(call, to, 'max'),
  avgpool: (call, to) => pool(call, to, attrsOf(call.op, 'avgpool').include_pad ? 'mean' : 'mean_inside'),
  transpose,
  slice,
  pad,
  broadcast,
  sum: reduced('0.0', (value) => `sum += ${value};`),
  reduce_max: reduced('-1.7976931348623157e308', (value) => `if (${value} > sum) sum = ${value};`),
  argmax,
};
