import { FunctionBody } from '../fused/wasm.js';
import { advance, copy, outputsAtOnce, repeat } from './loops.js';

/** Copies the rows of an image to where their border is around them; parameters: from, to, unused. */
export function borderCopy(height: number, rowBytes: number, paddedBytes: number): FunctionBody {
  const f = new FunctionBody(3);
  const [from, to] = [0, 1];
  const row = f.local('i32');
  repeat(f, row, height, () => {
    f.get(to);
    f.get(from);
    f.i32(rowBytes);
    f.bulk('copy');
    advance(f, from, rowBytes);
    advance(f, to, paddedBytes);
  });
  return f;
}

/**
 * Arrays side by side: for each of `outer` rows the next numbers of every array, `inner` of each, multiples of four. The
 * parameter is the address of a table: the result's address, then those of the arrays.
 */
export function sideBySide(outer: number, inner: readonly number[]): FunctionBody {
  const f = new FunctionBody(3);
  const [row, part] = [f.local('i32'), f.local('i32')];
  const [to, ...from] = [0, ...inner].map((_, slot) => {
    const pointer = f.local('i32');
    f.get(0);
    f.loadInteger(4 * slot);
    f.set(pointer);
    return pointer;
  });
  repeat(f, row, outer, () => {
    from.forEach((pointer, i) => {
      const vectors = inner[i]! / 4;
      const atOnce = [8, 7, 6, 5, 4, 3, 2].find((n) => vectors % n === 0) ?? 1;
      repeat(f, part, vectors / atOnce, () => {
        for (let v = 0; v < atOnce; v++) copyVector(f, pointer, to!, 16 * v);
        advance(f, pointer, 16 * atOnce);
        advance(f, to!, 16 * atOnce);
      });
    });
  });
  return f;
}

/** The columns of a matrix [rows, outputs], eight at a time, as `productOf` reads them; parameters: from, to, unused. */
export function packedColumns(rows: number, outputs: number): FunctionBody {
  const f = new FunctionBody(3);
  const [from, to] = [0, 1];
  const [tile, row, at] = [f.local('i32'), f.local('i32'), f.local('i32')];
  repeat(f, tile, Math.floor(outputs / outputsAtOnce), () => {
    copy(f, from, at);
    repeat(f, row, rows, () => {
      copyVector(f, at, to, 0);
      copyVector(f, at, to, 16);
      advance(f, at, 4 * outputs);
      advance(f, to, 4 * outputsAtOnce);
    });
    advance(f, from, 4 * outputsAtOnce);
  });
  return f;
}

function copyVector(f: FunctionBody, from: number, to: number, offset: number): void {
  f.get(to);
  f.get(from);
  f.load('v128', offset);
  f.store(offset);
}
