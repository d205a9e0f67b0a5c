import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Framing, fitDataset, openDataset } from '../../../src/data/index.js';
import { partOfSet, parseSplit } from '../../../src/data/events/splits.js';
import { unpackLz4 } from '../../../src/data/events/lz4.js';
import { fromHalf, toHalf } from '../../../src/data/events/half.js';
import { seededRandom } from '../../../src/base/random.js';
import { Samples } from '../../../src/train/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { bin } from './writers.js';

/** A folder of recordings of 3 classes on 6×5 pixels, with up to 400 events on one of them. */
function recordings(count: number): string {
  const folder = temporaryFolder();
  const random = seededRandom(1);
  for (let i = 0; i < count; i++) {
    const own = join(folder, String(i % 3));
    mkdirSync(own, { recursive: true });
    const length = 20 + Math.floor(380 * random());
    const events = Array.from({ length }, (_, t) => ({
      t: 10 * t,
      x: i === 0 ? 3 : Math.floor(6 * random()),
      y: i === 0 ? 3 : Math.floor(5 * random()),
      p: i === 0 ? 1 : Math.floor(2 * random()),
    }));
    writeFileSync(join(own, `${i}.bin`), bin(events));
  }
  return folder;
}

const framing: Framing = { steps: 1, by: 'number', rule: 'spikingjelly' };

it('samples that don’t fit in the memory are read again, and are the same numbers', () => {
  const fit = fitDataset(openDataset(`events:${recordings(30)}`), {
    shape: [1, 2, 5, 6],
    frames: true,
    outputs: 3,
    framing,
  }).value!;
  const [all, some, none] = [2 ** 30, 700, 0].map((memory) => Samples.load(fit, 30, {}, { memory }));
  expect(all!.kept).toBe(30);
  expect(some!.kept).toBeGreaterThan(2);
  expect(some!.kept).toBeLessThan(12);
  expect(some!.bytes).toBeLessThanOrEqual(700);
  expect(none!.kept).toBe(0);
  const order = Int32Array.of(29, 0, 7, 3, 18, 11);
  const augment = { flip: true, crop: 1 };
  const images = (samples: Samples) => samples.images(order, augment, seededRandom(5));
  // recording 0 has more events on one pixel than a byte counts
  expect(Math.max(...all!.images(Int32Array.of(0)).data)).toBeGreaterThan(255);
  expect(images(some!)).toEqual(images(all!));
  expect(images(none!)).toEqual(images(all!));
  expect(none!.labels).toEqual(all!.labels);
});

it('the first samples of a set are of all classes', () => {
  const dataset = openDataset(`events:${recordings(9)}`);
  expect([...dataset.labels!(0, 6)]).toEqual([0, 1, 2, 0, 1, 2]);
});

it('splits are those that their names say', () => {
  const names = [10, 2, 0, 1, 100, 99, 150, 3, 4, 5].sort((a, b) => (String(a) < String(b) ? -1 : 1));
  const files = [0, 1].flatMap((label) => names.map((n) => ({ path: `/d/${label}/c_${n}.aedat`, label })));
  const part = (split: string, which: 'train' | 'test') =>
    partOfSet(files, parseSplit(split)!, which).map(({ path }) => path.split('/').slice(2).join('/'));
  // by name 99 comes last, behind 5
  expect(part('first90', 'test')).toEqual(['0/c_99.aedat', '1/c_99.aedat']);
  expect(part('tebn', 'train')).toEqual(['0/c_100.aedat', '0/c_150.aedat', '1/c_100.aedat', '1/c_150.aedat']);
  const tests = [1, 2, 3, 4, 5, 6].map((seed) => part(`random${seed}`, 'test').join());
  expect(new Set(tests).size).toBeGreaterThan(2);
  expect(part('random3', 'test')).toEqual(part('random3', 'test'));
  expect([...part('random3', 'test'), ...part('random3', 'train')].sort()).toEqual([...part('first90', 'test'), ...part('first90', 'train')].sort());
  expect(parseSplit('tebn3')).toBeUndefined();
});

it('half precision is that of IEEE 754', () => {
  expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x3555].map(fromHalf)).toEqual([
    1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 0.333251953125,
  ]);
  for (let bits = 0; bits < 0x7c00; bits++) {
    const [value, next] = [fromHalf(bits), fromHalf(bits + 1)];
    expect(toHalf(value)).toBe(value);
    if (bits === 0x7bff) continue;
    // halfway between two numbers goes to the one whose bits are even
    expect(toHalf((value + next) / 2)).toBe(bits % 2 === 0 ? value : next);
  }
});

it('LZ4 frames unpack as the specification says: literals, repetitions that overlap, blocks that are stored', () => {
  const frame = (...blocks: (readonly number[])[]) =>
    Uint8Array.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0, ...blocks.flat(), 0, 0, 0, 0]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // 3 literals "abc", then 7 bytes from 3 before: "abcabca", then the last literals "end"
  const packed = [0x33, 97, 98, 99, 3, 0, 0x30, 101, 110, 100];
  expect(text(unpackLz4(frame([packed.length, 0, 0, 0, ...packed])))).toBe('abcabcabcaend');
  const stored = [2, 0, 0, 0x80, 104, 105];
  // a later block refers to the one before
  const linked = [0x00, 2, 0, 0x10, 33];
  expect(text(unpackLz4(frame(stored, [linked.length, 0, 0, 0, ...linked])))).toBe('hihihi!');
  expect(() => unpackLz4(frame([4, 0, 0, 0, 0x10, 97, 9, 0]))).toThrow(/refers to what is not there/);
  expect(() => unpackLz4(frame([40, 0, 0, 0, 0x10]))).toThrow(/cut off/);
});

it('the package for zstd is the one that AEDAT 4 asks for', () => {
  const zstd = createRequire(import.meta.url)('fzstd') as { decompress: (bytes: Uint8Array) => Uint8Array };
  // a frame of one raw block, by hand: magic, single segment of 2 bytes, last raw block of 2 bytes
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 0x11, 0, 0, 104, 105);
  expect(new TextDecoder().decode(zstd.decompress(frame))).toBe('hi');
});
