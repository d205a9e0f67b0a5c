import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { TimeLimit, withinMemory, withinTime } from '../../../src/data/events/time-limit.js';
import { loadNir, readNir } from '../../../src/data/nir.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

it('what never ends is ended, what ends gives its value or its error, one inside the other too', () => {
  expect(() =>
    withinTime(50, () => {
      for (;;);
    }),
  ).toThrow(TimeLimit);
  expect(withinTime(60_000, () => 1 + withinTime(60_000, () => 2))).toBe(3);
  expect(() =>
    withinTime(60_000, () => {
      throw new RangeError('own');
    }),
  ).toThrow(new RangeError('own'));
});

it('a damaged NIR file in which the HDF5 library turns for ever is refused in a few seconds', async () => {
  await loadNir();
  const path = join(temporaryFolder(), 'net.nir');
  // what the fuzzer found: a heap of texts whose entries lead back to each other
  writeFileSync(path, gunzipSync(readFileSync(new URL('../../frontends/nir/endless.nir.gz', import.meta.url))));
  expect(() => readNir(path)).toThrow('reading it doesn’t end');
});

interface Growing {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

it('memory of WebAssembly grows within its bound, and as before behind it', () => {
  const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (of: { initial: number }) => Growing } })
    .WebAssembly;
  const memory = new Memory({ initial: 1 });
  withinMemory(3 * 2 ** 16, () => {
    memory.grow(2);
    expect(() => memory.grow(2)).toThrow(RangeError);
    memory.grow(1);
  });
  memory.grow(2);
  expect(memory.buffer.byteLength).toBe(6 * 2 ** 16);
});

it('a damaged NIR file for which the HDF5 library takes a gigabyte is refused within the bound of memory', async () => {
  await loadNir();
  const path = join(temporaryFolder(), 'net.nir');
  writeFileSync(path, gunzipSync(readFileSync(new URL('../../frontends/nir/growing.nir.gz', import.meta.url))));
  const before = process.memoryUsage().rss;
  expect(() => readNir(path)).toThrow('net.nir');
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
});
