import type { Tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import {
  type Network,
  type Op,
  asImage,
  isJoinedTrain,
  linksOf,
  opsById,
  roleOf,
  traitsOf,
  unaryTrains,
} from '../../network/index.js';

/** What a layer gives out at all steps for a batch, its own shape last. */
export type Trains = (id: string) => Pick<Tensor, 'data'>;

/**
 * The ones among the bits of spikes, value by value. A value with a code is worth the ones of its code (signed: of its
 * size), or the code itself where its train is sent in unary planes. Values of several codes (joined trains of different step sizes, sums of trains) are worth what they consist
 * of: a sum the ones of both summands, the maximum over a window those of the value that won, the first of equal ones.
 */
export class SpikeOnes {
  readonly #ops: ReadonlyMap<string, Op>;
  readonly #isUnary: (id: string) => boolean;

  constructor(network: Network) {
    this.#ops = opsById(network);
    this.#isUnary = unaryTrains(network);
  }

  /** Ids of the trains that {@link of} reads. */
  reads(id: string): readonly string[] {
    const op = this.#op(id);
    if (hasCodes(op)) return [id];
    const own = roleOf(op) === 'maximum' ? [id, op.inputs[0]!] : [];
    return [...own, ...op.inputs.flatMap((input) => this.reads(input))];
  }

  of(id: string, trains: Trains): Uint32Array {
    const op = this.#op(id);
    const { code, shape } = op.type;
    if (code.kind === 'spike' && hasCodes(op)) {
      return codeOnes(trains(id).data, code.step, this.#isUnary(id) ? (size) => size : onesIn);
    }
    const parts = op.inputs.map((input) => this.of(input, trains));
    const shapes = op.inputs.map((input) => this.#op(input).type.shape);
    switch (roleOf(op)) {
      case 'sum':
        return parts[0]!.map((ones, i) => ones + parts[1]![i]!);
      case 'concatenation':
        return joined(parts, shapes.map(sizeOf));
      case 'maximum':
        return winners(op, shapes[0]!, trains(op.inputs[0]!).data, parts[0]!);
      case 'average': {
        const sums = new Uint32Array((parts[0]!.length / sizeOf(shapes[0]!)) * sizeOf(shape));
        eachInWindow(op, shapes[0]!, parts[0]!.length, (output, input) => (sums[output]! += parts[0]![input]!));
        return sums;
      }
      default:
        return parts[0]!;
    }
  }

  #op(id: string): Op {
    return present(this.#ops.get(id), `SpikeOnes: no op ${id}`);
  }
}

/** Whether its values are codes of one train: a sum or a concatenation is worth what it consists of. */
function hasCodes(op: Op): boolean {
  return op.type.code.kind === 'spike' && (!traitsOf(op).join || isJoinedTrain(op));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What each value's code in steps is worth. */
function codeOnes(data: Tensor['data'], step: number, worth: (size: number) => number): Uint32Array {
  const ones = new Uint32Array(data.length);
  for (let i = 0; i < ones.length; i++) {
    if (data[i] !== 0) ones[i] = worth(Math.abs(Math.round(data[i]! / step)));
  }
  return ones;
}

/** Ones among the bits of a whole number below 2³¹. */
export function onesIn(code: number): number {
  let ones = 0;
  for (let rest = code; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}

/** Blocks of each part in turn, as a concatenation over the first axis of each sample lays them. */
function joined(parts: readonly Uint32Array[], sizes: readonly number[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (let block = 0; to < all.length; block++) {
    parts.forEach((part, n) => {
      all.set(part.subarray(block * sizes[n]!, (block + 1) * sizes[n]!), to);
      to += sizes[n]!;
    });
  }
  return all;
}

/** What belongs to the greatest value of each window. */
function winners(op: Op, shape: readonly number[], values: Tensor['data'], ones: Uint32Array): Uint32Array {
  const outputs = (values.length / sizeOf(shape)) * sizeOf(op.type.shape);
  const greatest = new Float64Array(outputs).fill(-Infinity);
  const won = new Uint32Array(outputs);
  eachInWindow(op, shape, values.length, (output, input) => {
    if (values[input]! <= greatest[output]!) return;
    greatest[output] = values[input]!;
    won[output] = ones[input]!;
  });
  return won;
}

/** Visits what each output of a pool covers, in all samples of `length` values: padding isn't visited. */
function eachInWindow(
  op: Op,
  shape: readonly number[],
  length: number,
  visit: (output: number, input: number) => void,
): void {
  const [channels, height, width] = asImage(shape) as [number, number, number];
  const [, outHeight, outWidth] = asImage(op.type.shape) as [number, number, number];
  const [rows, columns] = [linksOf(op, shape, 0), linksOf(op, shape, 1)];
  // samples and channels alike: planes of height times width
  const planes = length / (height * width);
  if (!Number.isInteger(planes / channels)) throw new TypeError(`SpikeOnes: ${length} values before ${op.id}`);
  for (let plane = 0; plane < planes; plane++) {
    for (const row of rows) {
      const output = (plane * outHeight + row.output) * outWidth;
      const input = (plane * height + row.input) * width;
      for (const column of columns) visit(output + column.output, input + column.input);
    }
  }
}
