import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Rounding } from '../base/rounding.js';
import { functions, isFunctionName, numbers } from '../network/functions.js';
import { asImage } from '../network/ops/geometry.js';
import type { OpKind } from '../network/ops/index.js';
import { type Operand, conv, conv3d, globalAverage, pad, pool, transposedConv } from './ann-windows.js';
import { integerNorm, integerSoftmax } from './integer-groups.js';
import type { Network, Op, Param } from '../network/types.js';

/**
 * The ANN kinds of the Network IR evaluated by plain loops in float64, one sample at a time: an
 * independent judge of importers and lowerings. Slow and obvious on purpose. A quantised value is
 * given as the real its code stands for, (Q − zero)·scale. Where `known` has a value for an op, its
 * readers get that one: each op can so be judged alone, on what another engine computed before it.
 */
export function evaluateAnn(
  network: Network,
  input: Float64Array,
  known: ReadonlyMap<string, Float64Array> = new Map(),
): Map<string, Float64Array> {
  const values = new Map<string, Float64Array>();
  const shapes = new Map<string, readonly number[]>();
  for (const op of network.ops) {
    const operands = op.inputs.map((id) => ({
      data: known.get(id) ?? present(values.get(id), `evaluateAnn: ${op.id} reads ${id}`),
      shape: shapes.get(id)!,
    }));
    const result = evaluateOp(network, op, operands, input);
    if (result.length !== elementCount(op.type.shape)) {
      throw new TypeError(`evaluateAnn: ${op.id} gives ${result.length} values for shape [${op.type.shape.join(',')}]`);
    }
    values.set(op.id, result);
    shapes.set(op.id, op.type.shape);
  }
  return values;
}

/** The reals a parameter stands for. */
export function paramReals(param: Param): Float64Array {
  const { tensor, quant } = param;
  const data = Float64Array.from(tensor.data);
  if (quant === undefined) return data;
  const inner = elementCount(tensor.shape.slice(quant.axis + 1));
  const count = quant.scale.length;
  return data.map((code, i) => {
    const channel = count === 1 ? 0 : Math.floor(i / inner) % count;
    return (code - quant.zero[channel]!) * quant.scale[channel]!;
  });
}

function evaluateOp(network: Network, op: Op, operands: readonly Operand[], input: Float64Array): Float64Array {
  const x = operands[0]?.data ?? input;
  const reals = (role: string): Float64Array | undefined => {
    const name = op.params[role];
    return name === undefined ? undefined : paramReals(present(network.params.get(name), `evaluateAnn: no ${name}`));
  };
  switch (op.kind) {
    case 'input':
      if (input.length !== elementCount(op.type.shape)) throw new TypeError('evaluateAnn: wrong input size');
      return input;
    case 'identity':
    case 'dropout':
    case 'flatten':
    case 'reshape':
      return x;
    case 'transpose': {
      const [shape, perm] = [operands[0]!.shape, op.attrs.perm];
      return moved(op.type.shape, shape, x, (at) => shape.map((_, axis) => at[perm.indexOf(axis)]!));
    }
    case 'slice': {
      const { axis, start, step } = op.attrs;
      return moved(op.type.shape, operands[0]!.shape, x, (at) => at.with(axis, start + at[axis]! * step));
    }
    case 'quantize':
      return quantize(op, x);
    case 'relu':
      return x.map((v) => (v > 0 ? v : 0));
    case 'clip':
      return x.map((v) => Math.min(Math.max(v, op.attrs.min), op.attrs.max));
    case 'resample':
      return resample(op, operands[0]!);
    case 'sigmoid':
      return x.map((v) => 1 / (1 + Math.exp(-v)));
    case 'function': {
      const { name } = op.attrs;
      if (!isFunctionName(name)) throw new TypeError(`evaluateAnn: no function ${name}`);
      return x.map((v) => functions[name].of(numbers, v, op.attrs));
    }
    case 'table':
      return table(op, x, reals('thresholds')!, reals('levels')!);
    case 'mul':
      return multiply(operands[0]!, operands[1]!);
    case 'softmax':
      return alongAxis(operands[0]!, op.attrs.axis, (row) => {
        const top = Math.max(...row);
        const total = row.reduce((sum, v) => sum + Math.exp(v - top), 0);
        return row.map((v) => Math.exp(v - top) / total);
      });
    case 'layernorm': {
      const [gamma, beta] = [reals('gamma'), reals('beta')];
      return alongAxis(operands[0]!, op.attrs.axis, (row) => {
        const mean = row.reduce((sum, v) => sum + v, 0) / row.length;
        const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
        const deviation = Math.sqrt(variance + op.attrs.epsilon);
        return row.map((v, i) => ((v - mean) / deviation) * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0));
      });
    }
    case 'integer_softmax':
      return alongAxis(operands[0]!, op.attrs.axis, (row) =>
        integerSoftmax(row, op.attrs, reals('thresholds')!, reals('levels')!),
      );
    case 'integer_norm':
      return alongAxis(operands[0]!, op.attrs.axis, (row) =>
        integerNorm(row, op.attrs, reals('gamma')!, reals('beta')),
      );
    case 'embedding': {
      const [weight, features] = [reals('weight')!, op.type.shape.at(-1)!];
      return Float64Array.from({ length: x.length * features }, (_, i) => {
        return weight[x[Math.floor(i / features)]! * features + (i % features)] ?? 0;
      });
    }
    case 'add':
      return x.map((v, i) => v + operands[1]!.data[i]!);
    case 'concat':
      return Float64Array.from(operands.flatMap((part) => [...part.data]));
    case 'affine':
      return affine(operands[0]!, reals('scale')!, reals('shift'), op.attrs.axis);
    case 'batchnorm':
      return batchnorm(op, operands[0]!, reals);
    case 'linear':
      return linear(operands[0]!, reals('weight')!, reals('bias'));
    case 'matmul':
      return product(operands[0]!, operands[1]!, op.attrs.transpose);
    case 'conv':
      return conv(onImage(op), rowOf(operands[0]!), network.params.get(op.params['weight']!)!.tensor.shape, reals);
    case 'conv3d':
      return conv3d(op, operands[0]!, reals);
    case 'transposed_conv':
      return transposedConv(op, operands[0]!, reals);
    case 'maxpool':
    case 'avgpool':
      return pool(onImage(op), rowOf(operands[0]!));
    case 'globalavgpool':
      return globalAverage(operands[0]!);
    case 'pad':
      return pad(op, operands[0]!);
    default:
      throw new TypeError(`evaluateAnn: ${op.kind} is no layer of an ANN`);
  }
}

/** [C, L] as an image of one row. */
function rowOf({ data, shape }: Operand): Operand {
  return { data, shape: asImage(shape) };
}

function onImage<K extends OpKind>(op: Op<K>): Op<K> {
  return { ...op, type: { ...op.type, shape: asImage(op.type.shape) } };
}

/** The value at each position of `to`, found at the position of `from` that `source` names. */
function moved(
  to: readonly number[],
  from: readonly number[],
  x: Float64Array,
  source: (at: number[]) => readonly number[],
): Float64Array {
  return Float64Array.from({ length: elementCount(to) }, (_, i) => {
    const at = to.map((n, axis) => Math.floor(i / elementCount(to.slice(axis + 1))) % n);
    return x[source(at).reduce((sum, n, axis) => sum * from[axis]! + n, 0)]!;
  });
}

function quantize(op: Op<'quantize'>, x: Float64Array): Float64Array {
  const { scale, zero, min, max, rounding = 'half_even' } = op.attrs;
  const fraction = zero - Math.floor(zero);
  return x.map((v) => {
    // a sign isn't lost beside a half
    const isBit = fraction === 0.5 && rounding === 'half_up';
    const nearest = isBit ? Math.floor(v / scale) + 1 : rounded(v / scale + fraction, rounding);
    return (Math.min(Math.max(nearest + Math.floor(zero), min), max) - zero) * scale;
  });
}

function rounded(q: number, rounding: Rounding): number {
  const below = Math.floor(q);
  const rest = q - below;
  if (rounding === 'floor') return below;
  if (rounding === 'ceil') return Math.ceil(q);
  if (rest !== 0.5) return Math.round(q);
  const odd = Math.abs(below) % 2;
  return below + { half_even: odd, half_odd: 1 - odd, half_up: 1, half_down: 0 }[rounding];
}

/** Chosen rows and columns, pixel by pixel. */
function resample({ attrs: { rows, columns } }: Op<'resample'>, { data, shape }: Operand): Float64Array {
  const [channels, height, width] = shape as [number, number, number];
  const result: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (const y of rows) for (const x of columns) result.push(data[(c * height + y) * width + x]!);
  }
  return Float64Array.from(result);
}

/** The levels by counting the thresholds that are reached, one by one. */
function table(op: Op<'table'>, x: Float64Array, thresholds: Float64Array, levels: Float64Array): Float64Array {
  const { zero, scale } = op.attrs;
  return x.map((v) => (levels[thresholds.filter((t) => t <= v).length]! - zero) * scale);
}

/** A function of each run of values along an axis. */
function alongAxis({ data, shape }: Operand, axis: number, of: (row: number[]) => number[]): Float64Array {
  const [size, inner] = [shape[axis]!, elementCount(shape.slice(axis + 1))];
  const result = new Float64Array(data.length);
  for (let first = 0; first < data.length; first++) {
    if (Math.floor(first / inner) % size !== 0) continue;
    const places = Array.from({ length: size }, (_, i) => first + i * inner);
    of(places.map((at) => data[at]!)).forEach((v, i) => (result[places[i]!] = v));
  }
  return result;
}

/** The second operand may have one factor a channel. */
function multiply(a: Operand, b: Operand): Float64Array {
  const alike = a.data.length === b.data.length;
  return a.data.map((v, i) => v * b.data[alike ? i : channelOf(a.shape, i)]!);
}

function channelOf(shape: readonly number[], i: number, axis = 0): number {
  return Math.floor(i / elementCount(shape.slice(axis + 1))) % shape[axis]!;
}

/** Matrix by matrix, each sum by itself. */
function product(a: Operand, b: Operand, transpose: boolean): Float64Array {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(transpose ? -2 : -1)!;
  return Float64Array.from({ length: (a.data.length / k) * n }, (_, at) => {
    const [matrix, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
    let sum = 0;
    for (let p = 0; p < k; p++)
      sum += a.data[(matrix * m + i) * k + p]! * b.data[matrix * k * n + (transpose ? j * k + p : p * n + j)]!;
    return sum;
  });
}

function affine(x: Operand, scale: Float64Array, shift: Float64Array | undefined, axis = 0): Float64Array {
  const pick = (values: Float64Array, i: number): number => {
    if (values.length === 1) return values[0]!;
    return values.length === x.data.length ? values[i]! : values[channelOf(x.shape, i, axis)]!;
  };
  return x.data.map((v, i) => v * pick(scale, i) + (shift === undefined ? 0 : pick(shift, i)));
}

function batchnorm(op: Op<'batchnorm'>, x: Operand, reals: (role: string) => Float64Array | undefined): Float64Array {
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((role) => reals(role)!);
  return x.data.map((v, i) => {
    const c = channelOf(x.shape, i, op.attrs.axis);
    const deviation = Math.sqrt(variance![c]! + op.attrs.epsilon);
    return ((v - mean![c]!) / deviation) * gamma![c]! + beta![c]!;
  });
}

function linear({ data, shape }: Operand, weight: Float64Array, bias: Float64Array | undefined): Float64Array {
  const inputs = shape.at(-1)!;
  const outputs = weight.length / inputs;
  const y = new Float64Array((data.length / inputs) * outputs);
  for (let at = 0; at < y.length; at++) {
    const [token, o] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += weight[o * inputs + i]! * data[token * inputs + i]!;
    y[at] = sum + (bias?.[o] ?? 0);
  }
  return y;
}
