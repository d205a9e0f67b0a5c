import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteWriter, FunctionBody, encodeModule } from '../../../src/engines/fused/wasm.js';

interface Api {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, () => void>> };
}
const wasm = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;

/** Decodes LEB128 by its definition. */
function decode(bytes: Uint8Array, signed: boolean): bigint {
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
  }
  return signed && (bytes.at(-1)! & 0x40) !== 0 ? value - (1n << shift) : value;
}

it('writes integers in as many bytes of seven bits as they need', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
      const writer = new ByteWriter();
      writer.unsigned(value);
      expect(decode(writer.finish(), false)).toBe(BigInt(value));
    }),
  );
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const writer = new ByteWriter();
      writer.signed(value);
      expect(decode(writer.finish(), true)).toBe(BigInt(value));
    }),
  );
});

it('makes modules that run: a loop that doubles eight numbers', () => {
  const f = new FunctionBody();
  const at = f.local('i32');
  f.i32(0);
  f.set(at);
  f.loop(at, 32, 16, () => {
    f.get(at);
    f.get(at);
    f.load('v128', 64);
    f.get(at);
    f.load('v128', 64);
    f.vector('f32x4.add');
    f.store(128);
  });
  const memory = new wasm.Memory({ initial: 1 });
  const numbers = new Float32Array(memory.buffer, 64, 8);
  numbers.set([1, 2, 3, 4, 5, 6, 7, 8]);
  new wasm.Instance(new wasm.Module(encodeModule([f], 1)), { env: { memory } }).exports['k0']!();
  expect([...new Float32Array(memory.buffer, 128, 8)]).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
});
