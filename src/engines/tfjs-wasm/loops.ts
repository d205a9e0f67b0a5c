import { FunctionBody } from '../fused/wasm.js';

/**
 * Windows over one image [height, width, channels], padded already: their rows are runs of numbers that lie side by side.
 * A product of matrices is the case of one row of windows, each a row of the left matrix. Steps are in bytes.
 */
export interface Windows {
  /** Rows of a window, and numbers in each: kernel width · channels. */
  readonly rows: number;
  readonly run: number;
  /** From a window's row to the next. */
  readonly rowStep: number;
  /** How many windows there are, down and across, and how far from one to the next. */
  readonly down: number;
  readonly across: number;
  readonly downStep: number;
  readonly acrossStep: number;
}

/** Outputs that are computed at a time: two vectors. */
export const outputsAtOnce = 8;

const bytes = 4;
const zero = new Uint8Array(16);

/** Bytes of the weights as `productOf` reads them: for each eight outputs all rows of a window, missing outputs zeros. */
export function packedBytes({ rows, run }: Windows, outputs: number): number {
  return Math.ceil(outputs / outputsAtOnce) * rows * run * outputsAtOnce * bytes;
}

/**
 * y[window, output] = Σ x[window, k] · w[k, output]; parameters are the addresses of the image, of the packed weights and of
 * the result. Sums of a few windows × eight outputs stay in registers.
 */
export function productOf(windows: Windows, outputs: number): FunctionBody {
  const f = new FunctionBody(3);
  const [image, weights, result] = [0, 1, 2];
  const [down, tile, across, row, k] = counters(f, 5);
  const [x, w, y, line, start] = counters(f, 5);
  const each = windows.rows * windows.run * outputsAtOnce * bytes;
  const wide = f.local('i32');
  const eight = (width: number): void => {
    copy(f, image, line);
    copy(f, result, y);
    repeat(f, down, windows.down, () => {
      copy(f, line, start);
      const some = (count: number): void => {
        const sums = vectors(f, 2 * count);
        const [first, second] = [f.local('v128'), f.local('v128')];
        const one = f.local('v128');
        for (const sum of sums) {
          f.constant(zero);
          f.set(sum);
        }
        copy(f, start, x);
        copy(f, wide, w);
        repeat(f, row, windows.rows, () => {
          repeat(f, k, windows.run, () => {
            load(f, w, 0, first);
            load(f, w, 4 * bytes, second);
            for (let p = 0; p < count; p++) {
              splat(f, x, p * windows.acrossStep, one);
              addProduct(f, sums[2 * p]!, one, first);
              addProduct(f, sums[2 * p + 1]!, one, second);
            }
            advance(f, x, bytes);
            advance(f, w, outputsAtOnce * bytes);
          });
          advance(f, x, windows.rowStep - windows.run * bytes);
        });
        for (let p = 0; p < count; p++) {
          for (let at = 0; at < width; at += 4) {
            store(f, y, (p * outputs + at) * bytes, sums[2 * p + at / 4]!, Math.min(4, width - at));
          }
        }
        advance(f, start, count * windows.acrossStep);
        advance(f, y, count * outputs * bytes);
      };
      inParts(f, across, windows.across, some);
      advance(f, line, windows.downStep);
    });
    advance(f, wide, each);
    advance(f, result, width * bytes);
  };
  copy(f, weights, wide);
  repeat(f, tile, Math.floor(outputs / outputsAtOnce), () => eight(outputsAtOnce));
  if (outputs % outputsAtOnce !== 0) eight(outputs % outputsAtOnce);
  return f;
}

/**
 * w[k, output] += Σ x[window, k] · g[window, output]; parameters are the addresses of the image, of the gradients and of the
 * sums. Sums of a few k × eight outputs stay in registers over an image.
 */
export function weightGradientOf(windows: Windows, outputs: number): FunctionBody {
  const f = new FunctionBody(3);
  const [image, gradients, result] = [0, 1, 2];
  const [tile, row, part, down, across] = counters(f, 5);
  const [x, g, w, line, start] = counters(f, 5);
  const some = (count: number, width: number): void => {
    const held = Math.ceil(width / 4);
    const sums = vectors(f, held * count);
    const given = vectors(f, held);
    const one = f.local('v128');
    const each = (use: (sum: number, at: number) => void): void =>
      sums.forEach((sum, i) => use(sum, (Math.floor(i / held) * outputs + (i % held) * 4) * bytes));
    const read = (from: number, at: number, to: number): void =>
      width === 1 ? splat(f, from, at, to) : load(f, from, at, to);
    each((sum, at) => read(w, at, sum));
    copy(f, start, x);
    copy(f, gradients, g);
    repeat(f, down, windows.down, () => {
      repeat(f, across, windows.across, () => {
        given.forEach((vector, v) => read(g, 4 * v * bytes, vector));
        for (let p = 0; p < count; p++) {
          splat(f, x, p * bytes, one);
          given.forEach((vector, v) => addProduct(f, sums[p * held + v]!, one, vector));
        }
        advance(f, x, windows.acrossStep);
        advance(f, g, outputs * bytes);
      });
      advance(f, x, windows.downStep - windows.across * windows.acrossStep);
    });
    each((sum, at) => store(f, w, at, sum, Math.min(4, width)));
    advance(f, start, count * bytes);
    advance(f, w, count * outputs * bytes);
  };
  const outputsOf = (width: number): void => {
    copy(f, result, w);
    copy(f, image, line);
    repeat(f, row, windows.rows, () => {
      copy(f, line, start);
      inParts(f, part, windows.run, (count) => some(count, width));
      advance(f, line, windows.rowStep);
    });
    advance(f, gradients, width * bytes);
    advance(f, result, width * bytes);
  };
  repeat(f, tile, Math.floor(outputs / outputsAtOnce), () => outputsOf(outputsAtOnce));
  if (outputs % outputsAtOnce >= 4) outputsOf(4);
  repeat(f, tile, outputs % 4, () => outputsOf(1));
  return f;
}

/**
 * Splits `length` into parts of one size and a rest: at most four, whose sums (two vectors each) and operands stay in sixteen
 * registers. V8 loads everything that a block of code reads before it computes: bodies of loops are of one term therefore.
 */
function inParts(f: FunctionBody, counter: number, length: number, part: (count: number) => void): void {
  // additions take three cycles: fewer than three sums wait for themselves
  const cost = (count: number): number => (count === 0 ? 0 : Math.max(3, count) + 0.5);
  const total = (size: number): number => Math.floor(length / size) * cost(size) + cost(length % size);
  const size = [4, 3, 2, 1].filter((n) => n <= length).reduce((best, n) => (total(n) < total(best) ? n : best));
  repeat(f, counter, Math.floor(length / size), () => part(size));
  if (length % size > 0) part(length % size);
}

/** `body` so many times, by a loop where it is more than once. */
export function repeat(f: FunctionBody, counter: number, times: number, body: () => void): void {
  if (times === 0) return;
  if (times === 1) return body();
  f.i32(0);
  f.set(counter);
  f.loop(counter, times, 1, body);
}

type Five = [number, number, number, number, number];
function counters(f: FunctionBody, count: 5): Five {
  return Array.from({ length: count }, () => f.local('i32')) as Five;
}

function vectors(f: FunctionBody, count: number): number[] {
  return Array.from({ length: count }, () => f.local('v128'));
}

/** Sets a local to what another is. */
export function copy(f: FunctionBody, from: number, to: number): void {
  f.get(from);
  f.set(to);
}

/** Adds bytes to a pointer. */
export function advance(f: FunctionBody, pointer: number, by: number): void {
  if (by === 0) return;
  f.get(pointer);
  f.i32(by);
  f.integer('add');
  f.set(pointer);
}

function load(f: FunctionBody, pointer: number, offset: number, to: number): void {
  f.get(pointer);
  f.load('v128', offset);
  f.set(to);
}

function splat(f: FunctionBody, pointer: number, offset: number, to: number): void {
  f.get(pointer);
  f.load('splat32', offset);
  f.set(to);
}

function addProduct(f: FunctionBody, sum: number, a: number, b: number): void {
  f.get(sum);
  f.get(a);
  f.get(b);
  f.vector('f32x4.mul');
  f.vector('f32x4.add');
  f.set(sum);
}

/** Stores the first `count` numbers of a vector. */
function store(f: FunctionBody, pointer: number, offset: number, vector: number, count: number): void {
  for (let lane = 0; lane < (count === 4 ? 1 : count); lane++) {
    f.get(pointer);
    f.get(vector);
    if (count === 4) f.store(offset);
    else f.storeLane(32, offset + lane * bytes, lane);
  }
}
