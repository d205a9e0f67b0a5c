import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { memorySource } from '../../src/data/bytes.js';
import { openDataset } from '../../src/data/index.js';
import { readMat } from '../../src/data/mat.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type MatArray, bytesOf, matBytes, matElement } from './builders.js';

const count = 5;
/** X[row, column, channel, sample], column-major: the row runs fastest. */
const pixel = (row: number, column: number, channel: number, sample: number): number =>
  (row + 5 * column + 71 * channel + 13 * sample) % 251;
const pixels = Uint8Array.from({ length: count * 3072 }, (_, i) =>
  pixel(i % 32, Math.floor(i / 32) % 32, Math.floor(i / 1024) % 3, Math.floor(i / 3072)),
);
const x: MatArray = { name: 'X', shape: [32, 32, 3, count], data: pixels };
const y: MatArray = { name: 'y', shape: [count, 1], data: Uint8Array.of(1, 9, 10, 3, 4) };

function folderOf(bytes: Uint8Array): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'svhn'));
  writeFileSync(join(folder, 'svhn', 'test_32x32.mat'), bytes);
  return folder;
}

const open = (...arrays: readonly MatArray[]) => openDataset('svhn:test', { dataDir: folderOf(matBytes(arrays)) });

it.each([false, true])('SVHN is read from MATLAB files, packed: %s', (deflate) => {
  const other = { name: 'mean_image', shape: [1, 2], type: 9, kind: 6, data: bytesOf(Float64Array.of(1, 2)) };
  const data = open({ ...other, deflate }, { ...x, deflate }, { ...y, deflate });
  expect(data).toMatchObject({ shape: [3, 32, 32], classes: 10, classesKnown: true, length: count, scale: 255 });
  const { images, labels } = data.read(1, 3);
  expect([...labels]).toEqual([9, 0, 3]); // 10 is the digit 0
  const expected = Uint8Array.from({ length: 3 * 3072 }, (_, i) =>
    pixel(Math.floor(i / 32) % 32, i % 32, Math.floor(i / 1024) % 3, 1 + Math.floor(i / 3072)),
  );
  expect(Buffer.compare(images as Uint8Array, expected)).toBe(0);
  data.close();
});

it('labels may be doubles, as other tools write them', () => {
  const data = open(x, { ...y, type: 9, kind: 6, data: bytesOf(Float64Array.of(10, 2, 3, 4, 5)) });
  expect([...data.read(0, 5).labels]).toEqual([0, 2, 3, 4, 5]);
  data.close();
});

it('a MATLAB file that is no SVHN is reported', () => {
  expectDiagnostic('data/bad-mat', () => open(y));
  expectDiagnostic('data/bad-mat', () => open(x));
  expectDiagnostic('data/bad-mat', () => open({ ...x, shape: [32, 32, count, 3] }, y));
  expectDiagnostic('data/bad-mat', () => open({ ...x, kind: 4 }, y));
  expectDiagnostic('data/bad-mat', () => open({ ...x, shape: [32, 32, 3, count + 1] }, y));
  expectDiagnostic('data/count-mismatch', () => open(x, { ...y, shape: [4, 1], data: Uint8Array.of(1, 2, 3, 4) }));
  expectDiagnostic('data/label-out-of-range', () => open(x, { ...y, data: Uint8Array.of(1, 9, 11, 3, 4) }));
  const newer = Buffer.from('MATLAB 7.3 MAT-file'.padEnd(512));
  const { help } = expectDiagnostic('data/bad-mat', () => openDataset('svhn:test', { dataDir: folderOf(newer) }));
  expect(help).toBe('save it with -v7');
  expectDiagnostic('data/bad-mat', () => openDataset('svhn:test', { dataDir: folderOf(Buffer.alloc(200)) }));
  expectDiagnostic('data/set-not-found', () => openDataset('svhn:train', { dataDir: temporaryFolder() }));
});

it('cut off or changed anywhere, it is a diagnostic or the same data, never an internal error', () => {
  const names = ['X', 'y'];
  const read = (bytes: Uint8Array) => readMat(memorySource('a.mat', Uint8Array.from(bytes)), names, 2 ** 20);
  const tiny = [
    { name: 'X', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'y', shape: [2, 1], data: Uint8Array.of(1, 2), deflate: true },
  ];
  const whole = matBytes(tiny);
  expect([...read(whole).keys()]).toEqual(names);
  const failures = new Set<string>();
  const attempt = (bytes: Uint8Array): void => {
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      for (const { code } of error.diagnostics) failures.add(code);
    }
  };
  for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at++) {
    for (const bits of [1, 0x80, 0xff]) {
      const changed = Buffer.from(whole);
      changed[at]! ^= bits;
      attempt(changed);
    }
  }
  expect([...failures].sort()).toEqual(['data/bad-gzip', 'data/bad-mat', 'data/truncated']);
});

it('an array that unpacks to more than it says, or than the limit, stops there', () => {
  const zeros = { name: 'X', shape: [1024, 2048], data: new Uint8Array(2 ** 21), deflate: true };
  const source = (bytes: Uint8Array) => memorySource('bomb.mat', Uint8Array.from(bytes));
  const bytes = matBytes([zeros]);
  expect(bytes.length).toBeLessThan(2 ** 13);
  expectDiagnostic('data/unpacked-too-large', () => readMat(source(bytes), ['X'], 2 ** 20));
  expect(readMat(source(bytes), ['y'], 2 ** 20).size).toBe(0);
  expect(matElement(2, Uint8Array.of(1, 2, 3))).toHaveLength(16);
});
