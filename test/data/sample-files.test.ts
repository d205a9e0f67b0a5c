import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { File as H5File } from 'h5wasm/node';
import { expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { type Dataset, fitDataset, loadReaders, openDataset, readBatch, sampleForm } from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Files that Pillow 13 wrote, and the values that it reads from them. */
const files = {
  rgb: 'iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAIAAAAiZtkUAAAAFUlEQVR4nGNkYGbjRAUsZmZmZAkBAJZKBBm8y1/mAAAAAElFTkSuQmCC',
  grey: 'iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAAAAACIbxGfAAAAGElEQVR4nGNk4OLi4uJitOHi4uLiYkGhABRRAYcw7vYWAAAAAElFTkSuQmCC',
  palette: 'iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEBAMAAABfKlNwAAAAGFBMVEXCxciipaiDholoa25NUFMyNTgbHiEFCAuk2PT/AAAAFElEQVR4nGMsf/+f5R4EMwgyMAAATh8IGNYTFKcAAAAASUVORK5CYII=',
  transparent: 'iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAYAAACtBE5DAAAAIklEQVR4nGNkYGZj4OTk/M/JycmAjFnMzMwwBGESGIJ4JQBqZgYXqLcHZgAAAABJRU5ErkJggg==',
  deep: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAAAAAAHTY67AAAAEklEQVR4nGNgYGB+wch+geUFAAkQArADJKanAAAAAElFTkSuQmCC',
  jpeg: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIAAgDAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDyT9n39hTHkY0bjj/lnX0OAx+2p8p4V+Knwe/26n//2Q==',
  greyJpeg: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/wgALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAB//aAAgBAQAAAAEz/8QAFRABAQAAAAAAAAAAAAAAAAAAAAf/2gAIAQEAAQUCkj//xAAVEAEBAAAAAAAAAAAAAAAAAAAAA//aAAgBAQAGPwKb/8QAFRABAQAAAAAAAAAAAAAAAAAAAMH/2gAIAQEAAT8hi//aAAgBAQAAABB//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxB//9k=',
  cmyk: '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSwwMTQ0NB8nOT04MjwuMzQy/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDmfAX/ACy/Cs3/AIQL/pl+lV9B0H7vyV7/AF//2Q==',
};
const paletteValues = [5, 5, 27, 27, 27, 50, 50, 50, 77, 77, 77, 104, 104, 104, 131, 131, 131, 162, 162, 162, 194, 194, 194, 194, 8, 8, 30, 30, 30, 53, 53, 53, 80, 80, 80, 107, 107, 107, 134, 134, 134, 165, 165, 165, 197, 197, 197, 197, 11, 11, 33, 33, 33, 56, 56, 56, 83, 83, 83, 110, 110, 110, 137, 137, 137, 168, 168, 168, 200, 200, 200, 200];
const jpegValues = [19, 41, 59, 79, 102, 121, 140, 161, 19, 40, 58, 77, 101, 120, 139, 160, 20, 41, 61, 79, 103, 122, 140, 161, 22, 43, 61, 79, 103, 122, 140, 162, 19, 40, 59, 77, 100, 119, 138, 159, 20, 41, 59, 77, 101, 120, 138, 159, 20, 41, 61, 79, 103, 121, 140, 161, 20, 39, 60, 78, 103, 120, 139, 160, 39, 39, 40, 41, 40, 40, 40, 40, 61, 60, 61, 61, 60, 60, 61, 60, 80, 80, 81, 80, 80, 80, 80, 80, 99, 99, 99, 99, 98, 99, 99, 100, 122, 122, 122, 121, 120, 120, 122, 121, 141, 140, 140, 140, 139, 140, 141, 140, 161, 160, 160, 161, 159, 160, 160, 159, 180, 180, 181, 181, 180, 180, 181, 180, 48, 60, 70, 82, 91, 99, 110, 120, 60, 69, 80, 90, 100, 111, 121, 130, 68, 79, 90, 100, 109, 118, 131, 139, 79, 90, 100, 108, 118, 128, 139, 151, 92, 100, 113, 120, 129, 140, 151, 162, 100, 111, 121, 131, 140, 149, 160, 170, 109, 120, 131, 139, 150, 159, 169, 180, 118, 128, 140, 151, 160, 168, 180, 189];
const greyJpegValues = [20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160, 20, 40, 60, 79, 101, 120, 140, 160];

const bytesOf = (name: keyof typeof files): Buffer => Buffer.from(files[name], 'base64');

/** Files by their names, in a new folder. */
function folderOf(contents: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const valuesOf = (dataset: Dataset, i = 0): number[] => [...dataset.read(i, 1).images];

function failing(work: () => unknown): { readonly code: string; readonly message: string; readonly help?: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics[0] as ReturnType<typeof failing>;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The planes of pixels 3·i mod 256 that lie interleaved. */
const rgbValues = [0, 1, 2].flatMap((c) => Array.from({ length: 24 }, (_, i) => ((i * 3 + c) * 3) % 256));

it('images:FOLDER has a class a folder, by turns, and the pixels of its PNG files as planes', () => {
  const folder = folderOf({ 'cat/a.png': bytesOf('rgb'), 'cat/b.png': bytesOf('palette'), 'dog/c.PNG': bytesOf('rgb') });
  const dataset = openDataset(`images:${folder}`);
  expect(dataset).toMatchObject({ shape: [3, 4, 6], length: 3, classes: 2, scale: 255, layout: 'nchw' });
  expect([...dataset.read(0, 3).labels]).toEqual([0, 1, 0]);
  expect(valuesOf(dataset, 1)).toEqual(rgbValues);
  expect(valuesOf(dataset, 2)).toEqual(paletteValues);
  expect(readBatch(dataset, 0, 1).images.data[1]).toBe(Math.fround(9 / 255));
});

it('grey PNG and JPEG files have one channel', () => {
  const grey = openDataset(`images:${folderOf({ '0/a.png': bytesOf('grey') })}`);
  expect(grey.shape).toEqual([1, 4, 6]);
  expect(valuesOf(grey)).toEqual(Array.from({ length: 24 }, (_, i) => i * 10));
  const jpeg = openDataset(`images:${folderOf({ '0/a.jpg': bytesOf('greyJpeg') })}`);
  expect(jpeg.shape).toEqual([1, 8, 8]);
  expectNear(valuesOf(jpeg), greyJpegValues, 1);
});

it('JPEG pixels are those of libjpeg within 2 of 255', () => {
  const dataset = openDataset(`images:${folderOf({ '0/a.jpeg': bytesOf('jpeg') })}`);
  expect(dataset.shape).toEqual([3, 8, 8]);
  expectNear(valuesOf(dataset), jpegValues, 2);
});

function expectNear(found: readonly number[], expected: readonly number[], most: number): void {
  expect(found.length).toBe(expected.length);
  expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(most);
}

it('a folder of images without folders in it, or one image, has no labels', () => {
  const folder = folderOf({ 'a.png': bytesOf('grey'), 'b.png': bytesOf('grey') });
  expect(openDataset(`images:${folder}`)).toMatchObject({ length: 2, labelled: false });
  expect(openDataset(`images:${join(folder, 'b.png')}`)).toMatchObject({ length: 1, labelled: false });
});

it.each([
  ['transparent.png', bytesOf('transparent'), /some of its pixels are transparent/],
  ['deep.png', bytesOf('deep'), /its pixels have 16 bits/],
  ['cmyk.jpg', bytesOf('cmyk'), /its colours are CMYK/],
  ['cut.png', bytesOf('rgb').subarray(0, 60), /cut off: byte 60 should follow, and it has 60/],
  ['endless.png', bytesOf('rgb').subarray(0, -12), /cut off/],
  ['head.png', bytesOf('rgb').subarray(0, 20), /cut off in its header/],
  ['cut.jpg', bytesOf('jpeg').subarray(0, 100), /cut off in front of its pixels/],
  ['empty.png', new Uint8Array(), /it is empty/],
  ['text.png', 'not an image', /it starts as neither PNG nor JPEG does/],
])('the image %s is refused by name', (name, content, message) => {
  const folder = folderOf({ [`0/${name}`]: content });
  const error = failing(() => openDataset(`images:${folder}`));
  expect(error.code).toBe('data/bad-image');
  expect(error.message).toMatch(message);
  expect(error.message).toContain(name);
});

it('images of another size or number of channels are refused with both files', () => {
  const folder = folderOf({ '0/a.png': bytesOf('rgb'), '1/b.png': bytesOf('grey') });
  const error = failing(() => openDataset(`images:${folder}`).read(0, 2));
  expect(error.code).toBe('data/ragged');
  expect(error.message).toMatch(/b\.png" has the shape \[1, 4, 6\], and .*a\.png" \[3, 4, 6\]/);
});

it('a folder without files of the form says which are taken', () => {
  const error = failing(() => openDataset(`images:${folderOf({ '0/a.txt': '' })}`));
  expect(error.code).toBe('data/no-files');
  expect(error.help).toMatch(/\.png, \.jpg, \.jpeg/);
});

it('csv:FOLDER has a table a sample, [steps, features], with a first line of names or without', () => {
  const folder = folderOf({ '0/a.csv': 'x,y\n1,2\n3,4\n', '1/b.csv': '5, 6.5\r\n-7,8e-1\r\n' });
  const dataset = openDataset(`csv:${folder}`);
  expect(dataset).toMatchObject({ shape: [2, 2], length: 2, classes: 2 });
  expect([...dataset.read(0, 2).images]).toEqual([1, 2, 3, 4, 5, 6.5, -7, 0.8].map(Math.fround));
  const { value } = fitDataset(dataset, { shape: [2, 2], frames: true, outputs: 2 });
  expect(value?.frames).toBe(true);
});

it('csv:FOLDER#steps= cuts longer tables and fills shorter ones up with zeros', () => {
  const folder = folderOf({ '0/a.csv': '1\n2\n3\n', '1/b.csv': '4\n' });
  expect(failing(() => openDataset(`csv:${folder}`).read(0, 2)).code).toBe('data/ragged');
  expect([...openDataset(`csv:${folder}#steps=2`).read(0, 2).images]).toEqual([1, 2, 4, 0]);
});

it('csv:FILE has a row a sample, its class or its targets by name', () => {
  const folder = folderOf({ 'a.csv': 'u,label,v\n1,2,3\n4,0,5\n', 'b.csv': '"target_1",u,target_2\n1,2,3\n4,5,6\n' });
  const classes = openDataset(`csv:${join(folder, 'a.csv')}`);
  expect(classes).toMatchObject({ shape: [2], length: 2, classes: 3, labelled: true });
  const { images, labels } = classes.read(0, 2);
  expect([[...images], [...labels]]).toEqual([
    [1, 3, 4, 5],
    [2, 0],
  ]);
  const numbers = openDataset(`csv:${join(folder, 'b.csv')}`);
  expect(numbers).toMatchObject({ shape: [1], targets: 2 });
  expect([...numbers.read(1, 1).targets!]).toEqual([4, 6]);
});

it('csv:FILE has lines that end in any way, and what is behind the last number is nothing', () => {
  const folder = folderOf({ 'a.csv': 'label,u\r\n1,2\n0,4\r2,6\r\n \n\r\n' });
  const dataset = openDataset(`csv:${join(folder, 'a.csv')}`);
  expect([...dataset.read(0, 9).images]).toEqual([2, 4, 6]);
  expect([...dataset.read(0, 9).labels]).toEqual([1, 0, 2]);
});

it('a table of more numbers than are kept is refused before they are read, with what to do', () => {
  const folder = folderOf({ 'a.csv': `${'1,'.repeat(2 ** 16)}1${'\n1'.repeat(2 ** 10)}` });
  const error = failing(() => openDataset(`csv:${join(folder, 'a.csv')}`));
  expect(error.message).toMatch(/1025 rows of 65537 columns are more than the 67108864 numbers/);
  expect(error.help).toMatch(/numpy\.savez/);
});

it('csv:FILE with a column "sample" has its rows as steps', () => {
  const folder = folderOf({ 'a.csv': 'sample,label,u,v\n7,1,1,2\n7,1,3,4\n3,0,5,6\n3,0,7,8\n' });
  const dataset = openDataset(`csv:${join(folder, 'a.csv')}`);
  expect(dataset).toMatchObject({ shape: [2, 2], length: 2, classes: 2 });
  expect([...dataset.read(0, 2).images]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...dataset.read(0, 2).labels]).toEqual([1, 0]);
  expect([...openDataset(`csv:${join(folder, 'a.csv')}#steps=3`).read(1, 1).images]).toEqual([5, 6, 7, 8, 0, 0]);
});

it.each([
  ['', 1, /the file is empty/],
  ['label;u\n1;2\n', 1, /no comma/],
  ['label,u\n', 1, /no rows/],
  ['label,u\n1,2\n3\n', 3, /it has 1 column, and the first line 2/],
  ['label,u\n1,\n', 2, /"" in column 2 is not a finite number/],
  ['label,u\n1,nan\n', 2, /"nan" in column 2/],
  ['label,u\n1,1e300\n', 2, /"1e300" in column 2/],
  ['label,u\n1.5,2\n', 2, /the label 1\.5 is no class/],
  ['label,u\n-1,2\n', 2, /the label -1 is no class/],
  ['1,2\n', 1, /no line names the columns/],
  ['label,target,u\n1,2,3\n', 1, /both a column "label" and/],
  ['label,u,u\n1,2,3\n', 1, /two columns are named "u"/],
  ['label\n1\n', 1, /no column of features/],
  ['sample,label,u\n1,0,1\n1,1,1\n', 3, /"label" changes within a sample/],
  ['sample,label,u\n1,0,1\n2,0,1\n1,0,1\n', 4, /sample 1 goes on behind another one/],
  ['sample,label,u\n1,0,1\n1,0,1\n2,0,1\n', 4, /sample 1 has 1 rows, and the first 2/],
])('the table %j is refused at its line', (content, line, message) => {
  const path = join(folderOf({ 'a.csv': content }), 'a.csv');
  const error = failing(() => openDataset(`csv:${path}`));
  expect(error.code).toBe('data/bad-csv');
  expect(error.message).toContain(`line ${line}:`);
  expect(error.message).toMatch(message);
});

/** A WAV file by the layout of RIFF: a header of 44 bytes, then samples. */
function wav(
  samples: readonly number[],
  { bits = 16, channels = 1, rate = 8000, format = 1 }: { bits?: number; channels?: number; rate?: number; format?: number } = {},
): Buffer {
  const width = bits / 8;
  const bytes = Buffer.alloc(44 + samples.length * width);
  bytes.write('RIFF');
  bytes.writeUInt32LE(36 + samples.length * width, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(format, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * channels * width, 28);
  bytes.writeUInt16LE(channels * width, 32);
  bytes.writeUInt16LE(bits, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples.length * width, 40);
  samples.forEach((value, i) => {
    const at = 44 + i * width;
    if (format === 3) bytes.writeFloatLE(value, at);
    else if (bits === 8) bytes.writeUInt8(value, at);
    else bytes.writeIntLE(value, at, width);
  });
  return bytes;
}

it.each([
  [8, 1, [0, 128, 255], [-1, 0, 127 / 128]],
  [16, 1, [-32768, 0, 16384], [-1, 0, 0.5]],
  [24, 1, [-(2 ** 23), 1, 2 ** 22], [-1, 2 ** -23, 0.5]],
  [32, 1, [-(2 ** 31), 0, 2 ** 30], [-1, 0, 0.5]],
  [32, 3, [-1, 0.25, 0.5], [-1, 0.25, 0.5]],
])('WAV of %i bits (format %i) is from −1 to 1', (bits, format, samples, values) => {
  const dataset = openDataset(`wav:${folderOf({ '0/a.wav': wav(samples, { bits, format }) })}`);
  expect(dataset.shape).toEqual([3, 1]);
  expect(valuesOf(dataset)).toEqual(values);
});

it('WAV of two channels is [steps, channels], and #steps= cuts or fills up with silence', () => {
  const folder = folderOf({
    'no/a.wav': wav([1, 2, 3, 4].map((x) => x * 4096), { channels: 2 }),
    'yes/b.wav': wav([5, 6].map((x) => x * 4096), { channels: 2 }),
  });
  expect(openDataset(`wav:${folder}`).shape).toEqual([2, 2]);
  expect(failing(() => openDataset(`wav:${folder}`).read(0, 2)).code).toBe('data/ragged');
  const dataset = openDataset(`wav:${folder}#steps=2`);
  expect([...dataset.read(0, 2).images].map((x) => x * 8)).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
  expect(failing(() => openDataset(`wav:${folder}#stops=2`)).help).toMatch(/steps=NUMBER/);
});

it.each([
  ['cut', wav([1, 2, 3]).subarray(0, 47), /cut off/],
  ['law', wav([1, 2, 3], { bits: 8, format: 6 }), /format 6/],
  ['text', 'no sound', /not a usable WAV file/],
  ['empty', '', /it is empty/],
  ['silent', wav([]), /no sound in it/],
])('the WAV file %s is refused by name', (name, content, message) => {
  const error = failing(() => openDataset(`wav:${folderOf({ [`0/${name}.wav`]: content })}`));
  expect(error.code).toBe('data/bad-wav');
  expect(error.message).toMatch(message);
});

it('WAV files of another rate are refused with both', () => {
  const folder = folderOf({ '0/a.wav': wav([1]), '1/b.wav': wav([1], { rate: 16_000 }) });
  expect(failing(() => openDataset(`wav:${folder}`).read(0, 2)).message).toMatch(/16000 samples a second.*8000/);
});

/** Arrays in an HDF5 file. */
async function hdf5(arrays: Readonly<Record<string, { data: unknown; shape: number[]; dtype: string }>>): Promise<string> {
  const path = join(temporaryFolder(), 'a.h5');
  await loadReaders(`hdf5:${path}`);
  const file = new H5File(path, 'w');
  for (const [name, { data, shape, dtype }] of Object.entries(arrays))
    file.create_dataset({ name, data: data as never, shape, dtype });
  file.close();
  return path;
}

it('hdf5:FILE has the arrays of an NPZ file: pixels in bytes, classes as 64-bit integers', async () => {
  const path = await hdf5({
    images: { data: Uint8Array.from({ length: 12 }, (_, i) => i * 20), shape: [3, 2, 2], dtype: '<B' },
    labels: { data: BigInt64Array.from([2n, 0n, 1n]), shape: [3], dtype: '<q' },
  });
  const dataset = openDataset(`hdf5:${path}`);
  expect(dataset).toMatchObject({ shape: [1, 2, 2], length: 3, classes: 3, scale: 255, type: 'u1' });
  expect([...dataset.read(1, 2).images]).toEqual([80, 100, 120, 140, 160, 180, 200, 220]);
  expect([...dataset.read(0, 3).labels]).toEqual([2, 0, 1]);
  dataset.close();
});

it('hdf5:FILE has time series of floats with numbers to be learned', async () => {
  const path = await hdf5({
    x: { data: Float32Array.from({ length: 12 }, (_, i) => i / 4), shape: [2, 3, 2], dtype: '<f' },
    y: { data: Float64Array.from([0.5, -1]), shape: [2, 1], dtype: '<d' },
  });
  const dataset = openDataset(`hdf5:${path}`);
  expect(dataset).toMatchObject({ length: 2, targets: 1, scale: 1, type: 'f4' });
  expect([...dataset.read(1, 1).images]).toEqual([1.5, 1.75, 2, 2.25, 2.5, 2.75]);
  expect([...dataset.read(1, 1).targets!]).toEqual([-1]);
  dataset.close();
});

it('hdf5:FILE without its arrays, with too few labels or with NaN is refused by name', async () => {
  const floats = { data: Float32Array.from([1, Number.NaN]), shape: [2, 1], dtype: '<f' };
  const alone = await hdf5({ x: floats });
  expect(failing(() => openDataset(`hdf5:${alone}`)).message).toMatch(/no array "labels" or "y"/);
  expect(failing(() => openDataset(`hdf5:${alone}`, { labelled: false }).read(0, 2)).message).toMatch(/image 1 has a value/);
  const few = await hdf5({ x: floats, y: { data: Int32Array.from([1]), shape: [1], dtype: '<i' } });
  expect(failing(() => openDataset(`hdf5:${few}`)).code).toBe('data/count-mismatch');
});

it('a path alone is told by its files', () => {
  const folder = folderOf({ 'a/0/x.png': '', 'b/x.wav': '', 'c/0/x.csv': '', 'd/0/x.bin': '' });
  expect(['a', 'b', 'c', 'd', 'c/0/x.csv'].map((name) => sampleForm(join(folder, name)))).toEqual([
    'images',
    'wav',
    'csv',
    undefined,
    'csv',
  ]);
});
