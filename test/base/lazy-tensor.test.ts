import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import {
  castTensor,
  eachPiece,
  elementsOf,
  isLazy,
  lazyTensor,
  mappedTensor,
  slicedTensor,
} from '../../src/base/lazy-tensor.js';
import { inARow, joined, piecesOf, tensorBytes } from '../../src/base/pieces.js';
import { decodeSafetensors, encodeSafetensors, safetensorsPieces } from '../../src/base/safetensors.js';
import { centredCodes, centredTensor, realTensor, realValues } from '../../src/network/index.js';
import { timesInputs, timesScalar } from '../../src/passes/network/scale-inputs.js';

const count = 200_000;
const floats = (): Tensor<'f32'> =>
  tensor(
    'f32',
    [400, 500],
    Array.from({ length: count }, (_, i) => Math.sin(i)),
  );
const counted = (): { made: Tensor<'f32'>; filled: () => number } => {
  let filled = 0;
  const from = floats().data;
  const made = lazyTensor('f32', [400, 500], (into, start) => {
    filled += into.length;
    into.set(from.subarray(start, start + into.length));
  });
  return { made, filled: () => filled };
};

it('a large lazy tensor is made once for its data, and by parts without being kept', () => {
  const { made, filled } = counted();
  expect(isLazy(made)).toBe(true);
  expect(filled()).toBe(0);
  expect([...elementsOf(made, 99_990, 100_010)]).toEqual([...floats().data.subarray(99_990, 100_010)]);
  expect(filled()).toBe(20);
  const seen = new Float32Array(count);
  for (const [piece, start] of eachPiece(made)) seen.set(piece, start);
  expect(seen).toEqual(floats().data);
  expect(filled()).toBe(count + 20);
  expect(made.data).toEqual(floats().data);
  expect(made.data).toBe(made.data);
  expect(filled()).toBe(2 * count + 20);
  expect(elementsOf(made, 5, 9)).toEqual(floats().data.subarray(5, 9));
  expect(filled()).toBe(2 * count + 20);
});

it('a small one is an ordinary tensor', () => {
  expect(isLazy(lazyTensor('f64', [3], (into) => into.fill(2)))).toBe(false);
});

it('a copy of a lazy tensor has its contents, and its part is a part of them', () => {
  const { made } = counted();
  const copy = { ...made, shape: [count] };
  expect(copy.data).toEqual(floats().data);
  const part = slicedTensor(counted().made, [500, 100_500], [200, 500]);
  expect(isLazy(part)).toBe(true);
  expect(part.data).toEqual(floats().data.subarray(500, 100_500));
});

it('lazy tensors of lazy tensors compute what arrays would', () => {
  const scaled = mappedTensor(castTensor('f64', counted().made), (x, i) => x * (i + 1));
  const again = castTensor('f32', scaled);
  const expected = Float64Array.from(floats().data, (x, i) => x * (i + 1));
  expect(scaled.data).toEqual(expected);
  expect(again.data).toEqual(Float32Array.from(expected));
});

it('real values, centred codes and scaled weights are the same piece by piece', () => {
  const codes = tensor(
    'i8',
    [400, 500],
    Array.from({ length: count }, (_, i) => (i % 255) - 127),
  );
  for (const axis of [0, 1]) {
    const length = codes.shape[axis]!;
    const scale = Array.from({ length }, (_, i) => 0.01 * (i + 1));
    const param = { tensor: codes, quant: { scale, zero: scale.map((_, i) => (i % 5) - 2), axis } };
    expect(realTensor(param).data).toEqual(realValues(param));
    expect(centredTensor(param).data).toEqual(Float32Array.from(centredCodes(param)));
    const factors = Float64Array.from({ length: 500 }, (_, i) => 1 / (i + 1));
    const expected = realValues(param).map((w, at) => w * factors[at % 500]!);
    expect(timesInputs(param, factors).tensor.data).toEqual(expected);
  }
  const plain = { tensor: counted().made };
  expect(timesScalar(timesScalar(plain, 3), 0.1).tensor.data).toEqual(
    Float64Array.from(floats().data, (w) => w * 3 * 0.1),
  );
});

it('files in pieces have the bytes of files made at once', () => {
  const tensors = (of: Tensor): Map<string, Tensor> =>
    new Map([
      ['w', of],
      ['b', tensor('i8', [3], [1, 2, 3])],
    ]);
  const pieces = safetensorsPieces(tensors(counted().made), { note: 'x' });
  const whole = encodeSafetensors(tensors(floats()), { note: 'x' });
  expect([...piecesOf(pieces)].length).toBeGreaterThan(4);
  expect(Buffer.from(joined(pieces)).equals(Buffer.from(whole))).toBe(true);
  expect(decodeSafetensors(joined(pieces), 'w').value?.tensors.get('w')?.data).toEqual(floats().data);
  const row = inARow([Uint8Array.of(1, 2), tensorBytes(counted().made), inARow([Uint8Array.of(3)])]);
  expect(row.byteLength).toBe(4 * count + 3);
  expect(joined(row).at(-1)).toBe(3);
});
