import { type Tensor, tensor } from '../../base/dtype.js';
import { isBatch } from '../../tensor/dims.js';
import { type Dim, type Program, type TensorOp, attrsOf } from '../../tensor/types.js';
import { type WholeRange, rangeOfData } from '../../tensor/whole-ranges.js';
import { exactInF32, integerRanges } from './ranges.js';

/**
 * A convolution or linear layer whose inputs and weights are small integers: computed as a
 * product of bytes, x + `zero` in u8 times weights in i8, with the same sums exactly.
 */
export interface IntegerSynapse {
  /** The op in the original program. */
  readonly op: TensorOp;
  /** Inputs are stored as x + zero. */
  readonly zero: number;
  /** [K, O], row-major; K runs over (kernel row, kernel column, channel). */
  readonly weights: Int8Array<ArrayBuffer>;
  readonly columns: number;
  /** Height and width of the window; [1, 1] for a linear layer. */
  readonly kernel: readonly [number, number];
}

/** All that could be computed in bytes; `flattened`: also products of rows that are flattened images. */
export function findIntegerSynapses(
  program: Program,
  constants: ReadonlyMap<string, Tensor>,
  flattened = false,
): Map<string, IntegerSynapse> {
  const ranges = integerRanges(program, constants);
  const found = new Map<string, IntegerSynapse>();
  const reshaped = new Set(program.ops.filter((op) => op.kind === 'reshape').map((op) => op.id));
  for (const op of program.ops) {
    if (op.kind !== 'conv2d' && op.kind !== 'matmul') continue;
    const [x, w] = op.inputs as [string, string];
    // The order of a flattened image is channels first; where products of bytes leave it channels last, it doesn't fit.
    if (!flattened && reshaped.has(x)) continue;
    const weight = constants.get(w);
    const range = ranges.get(x);
    if (weight === undefined || range === undefined || op.dtype !== 'f32' || !isPlain(op)) continue;
    const synapse = inBytes(op, weight, range);
    if (synapse !== undefined) found.set(op.id, synapse);
  }
  return found;
}

/** Without groups and dilation; a matrix with a batch of rows on the left, a weight on the right. */
function isPlain(op: TensorOp): boolean {
  if (op.kind === 'matmul') return op.shape.length === 2 && isBatch(op.shape[0]!) && !attrsOf(op, 'matmul').transA;
  const { groups, dilation } = attrsOf(op, 'conv2d');
  return groups === 1 && dilation.every((d) => d === 1) && isBatch(op.shape[0]!);
}

function inBytes(op: TensorOp, weight: Tensor, { lo, hi }: WholeRange): IntegerSynapse | undefined {
  const bounds = rangeOfData(weight.data);
  // u8 × i8 kernels of processors without dot products of bytes add pairs in saturating 16 bits.
  if (bounds === undefined || bounds.lo < -128 || bounds.hi > 127 || (hi - lo) * 2 * 128 > 32767) return undefined;
  const { weights, columns, rows } = matrixOf(op, weight);
  // f32 sums are exact, and so equal to integer sums, below 2²⁴.
  if (rows * 128 * Math.max(hi - lo, -lo, hi) >= exactInF32) return undefined;
  const kernel = weight.shape.length === 4 ? ([weight.shape[2]!, weight.shape[3]!] as const) : ([1, 1] as const);
  return { op, zero: -lo, weights, columns, kernel };
}

function matrixOf(op: TensorOp, weight: Tensor): { weights: Int8Array<ArrayBuffer>; columns: number; rows: number } {
  const { data } = weight;
  if (op.kind === 'matmul') {
    const [a, b] = weight.shape as [number, number];
    if (!attrsOf(op, 'matmul').transB) return { weights: Int8Array.from(data), rows: a, columns: b };
    const weights = new Int8Array(data.length);
    for (let o = 0; o < a; o++) for (let k = 0; k < b; k++) weights[k * a + o] = data[o * b + k]!;
    return { weights, rows: b, columns: a };
  }
  const [outs, ins, height, width] = weight.shape as [number, number, number, number];
  const weights = new Int8Array(data.length);
  for (let o = 0; o < outs; o++) {
    for (let c = 0; c < ins; c++) {
      for (let k = 0; k < height * width; k++) {
        weights[(k * ins + c) * outs + o] = data[(o * ins + c) * height * width + k]!;
      }
    }
  }
  return { weights, rows: ins * height * width, columns: outs };
}

/** Names of the values that stand around an integer synapse. */
export const synapseNames = {
  code: (x: string, zero: number): string => `${x}::code${zero}`,
  sums: (id: string): string => `${id}::sums`,
} as const;

/**
 * Puts bytes around the chosen synapses: x becomes u8 by ops that join the kernel which makes x,
 * the sums are i32, and become the f32 of the program in the kernel that reads them.
 */
export function withIntegerSynapses(program: Program, chosen: ReadonlyMap<string, IntegerSynapse>): Program {
  const shapes = new Map<string, readonly Dim[]>();
  for (const value of [...program.inputs, ...program.params, ...program.ops]) shapes.set(value.id, value.shape);
  const ops: TensorOp[] = [];
  const coded = new Set<string>();
  for (const op of program.ops) {
    const synapse = chosen.get(op.id);
    if (synapse === undefined) {
      ops.push(op);
      continue;
    }
    const [x, w] = op.inputs as [string, string];
    const code = synapseNames.code(x, synapse.zero);
    const sums = synapseNames.sums(op.id);
    const shape = shapes.get(x)!;
    if (!coded.has(code)) {
      const zero = tensor('f32', [], [synapse.zero]);
      ops.push({ id: `${code}.zero`, kind: 'const', inputs: [], attrs: { value: zero }, dtype: 'f32', shape: [] });
      ops.push({ id: `${code}.shifted`, kind: 'add', inputs: [x, `${code}.zero`], attrs: {}, dtype: 'f32', shape });
      ops.push({ id: code, kind: 'cast', inputs: [`${code}.shifted`], attrs: { to: 'u8' }, dtype: 'u8', shape });
      coded.add(code);
    }
    ops.push({ ...op, id: sums, inputs: [code, w], dtype: 'i32' });
    ops.push({ ...op, kind: 'cast', inputs: [sums], attrs: { to: 'f32' } });
  }
  return { ...program, ops };
}
