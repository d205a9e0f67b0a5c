import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DType, type Tensor, arrayConstructor, elementCount, tensor } from '../../src/base/dtype.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/base/safetensors.js';

const dtypes: readonly DType[] = ['f32', 'f64', 'i32', 'i8', 'u8', 'bool'];

const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const count = elementCount(shape);
    const value = dtype === 'bool' ? fc.constantFrom(0, 1) : fc.double({ noNaN: false });
    return fc.array(value, { minLength: count, maxLength: count }).map((values) => tensor(dtype, shape, values));
  });

const anyTensors = fc
  .array(
    fc.tuple(
      fc.string().filter((name) => name !== '__metadata__'),
      anyTensor,
    ),
    { maxLength: 6 },
  )
  .map((entries) => new Map(entries));

function withHeader(header: unknown, dataBytes: number): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function reasons(bytes: Uint8Array<ArrayBuffer>): string[] {
  const outcome = decodeSafetensors(bytes, 'w.safetensors');
  expect(outcome.value).toBeUndefined();
  expect(outcome.diagnostics.length).toBeGreaterThan(0);
  for (const d of outcome.diagnostics) expect(d.code).toBe('data/bad-safetensors');
  return outcome.diagnostics.map((d) => d.message);
}

it('decoding gives back every tensor and the metadata', () => {
  fc.assert(
    fc.property(anyTensors, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
      const outcome = decodeSafetensors(encodeSafetensors(tensors, metadata), 'w');
      expect(outcome.diagnostics).toEqual([]);
      expect(outcome.value?.tensors).toEqual(tensors);
      expect(new Map(Object.entries(outcome.value?.metadata ?? {}))).toEqual(new Map(Object.entries(metadata)));
    }),
    { numRuns: 200 },
  );
});

it('decoding works at any alignment of the bytes', () => {
  const tensors = new Map<string, Tensor>([['w', tensor('f64', [2], [1.5, -2])]]);
  const encoded = encodeSafetensors(tensors);
  const shifted = new Uint8Array(encoded.length + 3);
  shifted.set(encoded, 3);
  expect(decodeSafetensors(shifted.subarray(3), 'w').value?.tensors).toEqual(tensors);
});

it('the order of insertion does not change the bytes', () => {
  fc.assert(
    fc.property(anyTensors, (tensors) => {
      expect(encodeSafetensors(new Map([...tensors].reverse()))).toEqual(encodeSafetensors(tensors));
    }),
  );
});

it('the layout is that of the format: length, padded JSON, wide types first', () => {
  const bytes = encodeSafetensors(
    new Map<string, Tensor>([
      ['a', tensor('u8', [3], [1, 2, 3])],
      ['b', tensor('f32', [1, 1], [0.5])],
    ]),
  );
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
    b: { dtype: 'F32', shape: [1, 1], data_offsets: [0, 4] },
    a: { dtype: 'U8', shape: [3], data_offsets: [4, 7] },
  });
  expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0, 0x3f, 1, 2, 3]);
});

it('a prefix of a file is rejected, never misread', () => {
  const bytes = encodeSafetensors(new Map<string, Tensor>([['w', tensor('i32', [4], [1, 2, 3, 4])]]));
  for (let length = 0; length < bytes.length; length++) reasons(bytes.slice(0, length));
});

it('random damage gives a diagnostic or well-formed tensors, never an exception', () => {
  const bytes = encodeSafetensors(
    new Map<string, Tensor>([
      ['w', tensor('f32', [2, 2], [1, 2, 3, 4])],
      ['q', tensor('i8', [3], [1, 2, 3])],
    ]),
    { made: 'here' },
  );
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const damaged = bytes.slice();
      for (const [at, value] of changes) damaged[at] = value;
      const outcome = decodeSafetensors(damaged, 'w');
      for (const t of outcome.value?.tensors.values() ?? []) {
        expect(t.data).toBeInstanceOf(arrayConstructor(t.dtype));
        expect(t.data.length).toBe(elementCount(t.shape));
      }
      expect(outcome.value !== undefined || outcome.diagnostics.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('a header length beyond the file is rejected before anything is allocated', () => {
  const bytes = new Uint8Array(16).fill(0xff);
  expect(reasons(bytes)[0]).toContain('header should have 18446744073709551615 bytes');
});

it.each([
  ['a header that is no object', '[1]', 0, 'not a JSON object'],
  ['a header that is no JSON', '{"a":', 0, 'not a JSON object'],
  ['an unknown element type', { a: { dtype: 'F16', shape: [1], data_offsets: [0, 2] } }, 2, 'element type "F16"'],
  ['a negative size', { a: { dtype: 'U8', shape: [-1], data_offsets: [0, 1] } }, 1, 'shape is not a list'],
  ['a fractional size', { a: { dtype: 'U8', shape: [0.5], data_offsets: [0, 1] } }, 1, 'shape is not a list'],
  ['a shape that doesn’t fill the data', { a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4, "doesn't fill"],
  ['data outside the file', { a: { dtype: 'U8', shape: [9], data_offsets: [0, 9] } }, 4, 'leaves the file'],
  ['offsets the wrong way round', { a: { dtype: 'U8', shape: [], data_offsets: [3, 2] } }, 4, 'leaves the file'],
  ['a hole in front', { a: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, 2, 'a hole or an overlap'],
  [
    'two tensors in one place',
    { a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] }, b: { dtype: 'U8', shape: [2], data_offsets: [0, 2] } },
    2,
    'a hole or an overlap',
  ],
  ['bytes left over', { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, 5, '4 bytes at the end'],
  ['metadata that is no text', { __metadata__: { a: 1 } }, 0, 'metadata "a" is not a string'],
])('%s is rejected', (_, header, dataBytes, reason) => {
  expect(reasons(withHeader(header, dataBytes)).join('\n')).toContain(reason);
});

it('a BOOL element other than 0 and 1 is rejected', () => {
  const bytes = withHeader({ a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, 1);
  bytes[bytes.length - 1] = 2;
  expect(reasons(bytes)[0]).toContain('neither 0 nor 1');
});

it('a shape whose product overflows is rejected', () => {
  const bytes = withHeader({ a: { dtype: 'U8', shape: Array(16).fill(2 ** 52), data_offsets: [0, 1] } }, 1);
  expect(reasons(bytes)[0]).toContain("doesn't fill");
});
