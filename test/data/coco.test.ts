import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { type Dataset, fitDataset, openDataset } from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const [width, height] = [64, 32];

function image(columns = width, rows = height): Buffer {
  const png = new PNG({ width: columns, height: rows });
  png.data.forEach((_, i) => (png.data[i] = i % 4 === 3 ? 255 : i % 251));
  return PNG.sync.write(png);
}

const sound = {
  images: [
    { id: 7, file_name: 'a.png', width, height },
    { id: 3, file_name: 'sub/b.png', width, height },
  ],
  categories: [
    { id: 90, name: 'cat' },
    { id: 4, name: 'dog' },
  ],
  annotations: [
    { id: 1, image_id: 7, category_id: 90, bbox: [1, 2, 10.5, 20] },
    { id: 2, image_id: 7, category_id: 4, bbox: [0, 0, 64.4, 32.3] },
    { id: 3, image_id: 3, category_id: 4, bbox: [5, 6, 7, 8] },
  ],
};

function folderOf(annotations: unknown, files: Readonly<Record<string, Buffer>> = {}): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'images', 'sub'), { recursive: true });
  for (const [name, bytes] of Object.entries({ 'a.png': image(), 'sub/b.png': image(), ...files }))
    writeFileSync(join(folder, 'images', name), bytes);
  writeFileSync(join(folder, 'boxes.json'), typeof annotations === 'string' ? annotations : JSON.stringify(annotations));
  return folder;
}

const open = (annotations: unknown, files?: Readonly<Record<string, Buffer>>): Dataset => {
  const folder = folderOf(annotations, files);
  return openDataset(`coco:${join(folder, 'images')},${join(folder, 'boxes.json')}`);
};

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof DiagnosticError) return `${error.diagnostics[0]!.code}: ${error.diagnostics[0]!.message}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

it('boxes are rows of class, left, top, right and bottom; classes go by the ids of categories', () => {
  const dataset = open(sound);
  expect(dataset).toMatchObject({ shape: [3, height, width], length: 2, classes: 2, targets: 10, boxes: { names: ['dog', 'cat'], most: 2 } });
  const { targets } = dataset.read(0, 2);
  // a box that reaches over the border by less than a pixel is cut
  expect([...targets!]).toEqual([1, 1, 2, 11.5, 22, 0, 0, 0, 64, 32, 0, 5, 6, 12, 14, -1, 0, 0, 0, 0]);
});

it('crowds and boxes without an area are left out, with a note; an image without objects stays', () => {
  const dataset = open({
    ...sound,
    annotations: [
      sound.annotations[0],
      { ...sound.annotations[1], iscrowd: 1 },
      { ...sound.annotations[2], bbox: [5, 6, 0, 8] },
    ],
  });
  expect(dataset.notes.map((note) => note.replace(/^coco:\S+: /, ''))).toEqual(['1 crowd is left out', '1 box without an area is left out']);
  expect([...dataset.read(1, 1).targets!]).toEqual([-1, 0, 0, 0, 0]);
});

const change = (key: 'images' | 'annotations' | 'categories', part: object) => ({
  ...sound,
  [key]: [{ ...sound[key][0], ...part }, ...sound[key].slice(1)],
});

it.each<[string, unknown, RegExp]>([
  ['a box outside of its image', change('annotations', { bbox: [60, 2, 10, 20] }), /annotations\[0\] reaches out of its image of 64×32 pixels: \[60, 2, 10, 20\]/],
  ['a box of fractions that begins below 0', change('annotations', { bbox: [-5, 0.2, 0.1, 0.1] }), /reaches out/],
  ['a class that isn’t listed', change('annotations', { category_id: 91 }), /a category that it doesn't list: 91/],
  ['an image that isn’t listed', change('annotations', { image_id: 1 }), /an image that it doesn't list: 1/],
  ['a box of three numbers', change('annotations', { bbox: [1, 2, 3] }), /no "bbox" of four numbers/],
  ['a box that isn’t of numbers', change('annotations', { bbox: [1, 2, 3, null] }), /no "bbox" of four numbers/],
  ['an annotation that is none', { ...sound, annotations: [null] }, /annotations\[0\] is no object/],
  ['a name that leads out of the folder', change('images', { file_name: '../boxes.json' }), /lies outside of its folder/],
  ['a name that leads out of the folder after all', change('images', { file_name: 'sub/../../x.png' }), /lies outside of its folder/],
  ['an absolute name', change('images', { file_name: '/etc/passwd' }), /lies outside of its folder/],
  ['a name of another system', change('images', { file_name: 'C:\\x.png' }), /lies outside of its folder/],
  ['a size that is none', change('images', { width: -4 }), /images\[0\] has no "width" above 0/],
  ['two images of one id', change('images', { id: 3 }), /two images have the id 3/],
  ['two categories of one id', change('categories', { id: 4 }), /two categories have the id 4/],
  ['no categories', { ...sound, categories: [] }, /it has no categories/],
  ['no list of images', { ...sound, images: {} }, /it has no list "images"/],
  ['no objects at all', { ...sound, annotations: [] }, /none of its images has an object/],
  ['a list', [], /it is no object/],
  ['no JSON', '{"images": [', /it is no JSON/],
  ['brackets without an end', '['.repeat(200_000), /it is no JSON/],
  ['an id that is a prototype', change('annotations', { image_id: '__proto__' }), /no whole number "image_id"/],
])('annotations with %s are refused', (_, annotations, what) => {
  const message = refused(() => open(annotations));
  expect(message.slice(0, 15)).toBe('data/bad-coco: ');
  expect(message).toMatch(what);
});

it('more objects than an image can have are refused', () => {
  const many = Array.from({ length: 1001 }, () => sound.annotations[0]);
  expect(refused(() => open({ ...sound, annotations: many }))).toMatch(/more than 1000 objects/);
});

it('images that aren’t there or not as large as the annotations say are refused', () => {
  expect(refused(() => open(change('images', { file_name: 'c.png' })))).toMatch(/^file\/missing: .*c\.png/);
  const dataset = open(sound, { 'sub/b.png': image(32, 32) });
  expect(refused(() => dataset.read(0, 2))).toMatch(/^data\/ragged: .*b\.png/);
  const folder = folderOf(sound);
  expect(refused(() => openDataset(`coco:${join(folder, 'none')},${join(folder, 'boxes.json')}`))).toMatch(/^file\/missing/);
  expect(refused(() => openDataset(`coco:${join(folder, 'images')},${join(folder, 'none.json')}`))).toMatch(/^file\/missing/);
  expect(refused(() => openDataset(`coco:${join(folder, 'images')}`))).toMatch(/^data\/unknown-set/);
});

it('images of several sizes lie in a frame that has room for all, or in that of a network; so do their boxes', () => {
  const small = { ...sound, images: [{ ...sound.images[0], width: 32, height: 48 }, sound.images[1]] };
  const dataset = open(
    { ...small, annotations: [{ id: 1, image_id: 7, category_id: 90, bbox: [4, 6, 20, 30] }, sound.annotations[2]] },
    { 'a.png': image(32, 48) },
  );
  expect(dataset).toMatchObject({ shape: [3, 48, 64], targets: 5 });
  expect(dataset.notes[0]).toMatch(/images from 32×32 to 64×48 pixels, each scaled to fit and grey around it$/);
  // 32×48 is in the middle of 64×48, 64×32 of 64×48
  const { targets, images } = dataset.read(0, 2);
  expect([...targets!]).toEqual([1, 20, 6, 40, 36, 0, 5, 14, 12, 22]);
  expect([images[0], images[15], images[48], images[3 * 48 * 64]]).toEqual([114, 114, 114, 114]);
  expect(images[16]).toBe(0);

  const detector = { places: 21, bins: 4 };
  const fitted = fitDataset(dataset, { shape: [3, 32, 32], outputs: 21 * 18, detector }).value!;
  expect(fitted).toMatchObject({ shape: [3, 32, 32], boxes: { bins: 4 } });
  // 48 rows of 32 columns become 32 of 21.33, rounded to 21, 5 columns grey to the left; 64×32 becomes 32×16 below 8 rows
  const [, left, top, right, bottom, , ...second] = fitted.read(0, 2).targets!;
  expect(left).toBeCloseTo(5 + (4 * 21) / 32, 5);
  expect(top).toBeCloseTo((6 * 32) / 48, 5);
  expect(right).toBeCloseTo(5 + (24 * 21) / 32, 5);
  expect(bottom).toBeCloseTo((36 * 32) / 48, 5);
  expect(second).toEqual([2.5, 11, 6, 15]);
  const source = fitted.boxes!.source!(1);
  expect(source.id).toBe(3);
  expect(source.boxIn([2.5, 11, 6, 15])).toEqual([5, 6, 12, 14]);
});

const need = { shape: [3, height, width], outputs: 42 * (16 + 2) };

it('a detector takes boxes of its classes and bins, and nothing else; other networks take none', () => {
  const dataset = open(sound);
  const codes = (given: Dataset, more: object): string[] =>
    fitDataset(given, { ...need, ...more }).diagnostics.map(({ code }) => code);
  const detector = { places: 42, bins: 4 };
  expect(fitDataset(dataset, { ...need, detector }).value?.boxes).toMatchObject({ bins: 4 });
  expect(codes(dataset, { detector: { places: 42, bins: 5 } })).toEqual(['data/detector-mismatch']);
  expect(codes(dataset, {})).toEqual(['data/boxes']);
  const { boxes: _, targets: __, ...classes } = dataset;
  expect(codes(classes, { detector })).toEqual(['data/no-boxes']);
});
