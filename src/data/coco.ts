import { join, posix } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { type Dataset, batchCount } from './dataset.js';
import { isFile, isFolder, readText } from './files.js';
import { readImage } from './images.js';
import { type Edges, type Letterbox, boxInImage, framedBox, framedImage, letterbox } from './letterbox.js';

/** Bytes of annotations at most: a text of JavaScript isn't longer. */
const limit = 2 ** 29 - 32;
/** Objects of an image at most. */
const mostObjects = 1000;
/** A box may reach so many pixels over the border, where it is cut: coordinates are rounded. */
const rounding = 1;

interface Picture {
  readonly id: number;
  readonly path: string;
  readonly rows: number;
  readonly columns: number;
  /** Class, left, top, right, bottom of each object. */
  readonly objects: number[][];
}

/**
 * `coco:FOLDER,ANNOTATIONS.json`: images and the boxes of what they show, in COCO's format. Labels are rows of class, left, top,
 * right and bottom in pixels, as many as the image with the most objects has; rows of class −1 fill them up. Classes
 * are the categories in the order of their ids. Images of one size are as they are until a network takes another size; images
 * of several sizes lie in a frame that has room for all of them.
 */
export function openCoco(name: string, folder: string, annotations: string): Dataset {
  if (!isFolder(folder)) fail('file/missing', { path: folder });
  const { pictures, names, ids, notes } = readAnnotations(name, folder, annotations);
  const [first] = pictures;
  if (first === undefined) return fail('data/empty', { name });
  const missing = pictures.filter(({ path }) => !isFile(path));
  if (missing.length > 0) {
    const help =
      missing.length === 1 ? undefined : `${missing.length} of the ${pictures.length} images that it names aren't there`;
    fail('file/missing', { path: missing[0]!.path }, undefined, { help });
  }
  const [channels] = readImage(first.path).shape as [number];
  const sizes = [pictures.map(({ rows }) => rows), pictures.map(({ columns }) => columns)];
  const [least, most] = [Math.min, Math.max].map((of) => sizes.map((all) => all.reduce((a, b) => of(a, b)))) as [
    [number, number],
    [number, number],
  ];
  const varied = least.join() !== most.join();
  const note = `${name}: images from ${least[1]}×${least[0]} to ${most[1]}×${most[0]} pixels, each scaled to fit and grey around it`;
  const set = { name, annotations, pictures, names, ids, notes: varied ? [...notes, note] : notes };
  return framedIn(set, channels, ...most);
}

interface CocoSet {
  readonly name: string;
  readonly annotations: string;
  readonly pictures: readonly Picture[];
  readonly names: readonly string[];
  readonly ids: readonly number[];
  readonly notes: readonly string[];
}

/** The set in frames of so many rows and columns. */
function framedIn(set: CocoSet, channels: number, rows: number, columns: number): Dataset {
  const { name, pictures, names, ids, notes } = set;
  const { length } = pictures;
  const most = pictures.reduce((all, { objects }) => Math.max(all, objects.length), 0);
  const width = 5 * most;
  const size = channels * rows * columns;
  const placeOf = (picture: Picture): Letterbox => letterbox([picture.rows, picture.columns], [rows, columns]);
  return {
    name,
    shape: [channels, rows, columns],
    layout: 'nchw',
    type: 'u1',
    scale: 255,
    frameScale: 1,
    classes: names.length,
    classesKnown: true,
    length,
    targets: width,
    boxes: {
      names,
      most,
      ids,
      source(sample) {
        const picture = pictures[sample]!;
        return { id: picture.id, boxIn: (box) => boxInImage(box, placeOf(picture)) };
      },
    },
    letterboxed: (...frame) => framedIn(set, ...frame),
    decoded: true,
    notes,
    read(from, wanted) {
      const count = batchCount({ length }, from, wanted);
      const images = new Uint8Array(count * size);
      const targets = new Float32Array(count * width);
      for (let i = 0; i < count; i++) {
        const picture = pictures[from + i]!;
        const place = placeOf(picture);
        images.set(framedImage(pixelsOf(picture, channels, set.annotations), channels, place), i * size);
        for (let k = 0; k < most; k++) {
          const [label, ...box] = picture.objects[k] ?? [-1];
          const row = label === -1 ? [-1, 0, 0, 0, 0] : [label!, ...framedBox(box as unknown as Edges, place)];
          targets.set(row, i * width + 5 * k);
        }
      }
      return { count, images, labels: new Int32Array(count), targets };
    },
    close: () => undefined,
  };
}

/** Bytes of an image as large as its annotations say; of a grey one as many times as there are channels. */
function pixelsOf({ path, rows, columns }: Picture, channels: number, annotations: string): Uint8Array {
  const { shape, values } = readImage(path);
  const expected = [channels, rows, columns];
  const grey = shape[0] === 1 && shape.slice(1).join() === expected.slice(1).join();
  if (!grey && shape.join() !== expected.join())
    fail('data/ragged', { file: path, found: shape, first: annotations, expected });
  if (shape[0] === channels) return values as Uint8Array;
  const all = new Uint8Array(channels * rows * columns);
  for (let c = 0; c < channels; c++) all.set(values as Uint8Array, c * rows * columns);
  return all;
}

function readAnnotations(
  name: string,
  folder: string,
  file: string,
): { readonly pictures: readonly Picture[]; readonly names: readonly string[]; readonly ids: readonly number[]; readonly notes: readonly string[] } {
  const bad = (reason: string, help?: string): never => fail('data/bad-coco', { file, reason }, { file }, { help });
  const found = parsed(file, bad);
  const list = (key: string): readonly Record<string, unknown>[] => {
    const value = found[key];
    if (!Array.isArray(value)) return bad(`it has no list "${key}"`, 'COCO’s format has `images`, `annotations` and `categories`');
    return value.map((one, i) => (isRecord(one) ? one : bad(`${key}[${i}] is no object`)));
  };
  const idOf = (key: string, one: Record<string, unknown>, i: number, field = 'id'): number =>
    Number.isSafeInteger(one[field]) ? (one[field] as number) : bad(`${key}[${i}] has no whole number "${field}"`);

  const categories = new Map<number, string>();
  list('categories').forEach((one, i) => {
    const id = idOf('categories', one, i);
    if (categories.has(id)) bad(`two categories have the id ${id}`);
    if (typeof one['name'] !== 'string') bad(`categories[${i}] has no name`);
    categories.set(id, one['name'] as string);
  });
  if (categories.size === 0) bad('it has no categories');
  const ids = [...categories.keys()].sort((a, b) => a - b);
  const classes = new Map(ids.map((id, label) => [id, label]));

  const pictures = new Map<number, Picture>();
  list('images').forEach((one, i) => {
    const id = idOf('images', one, i);
    if (pictures.has(id)) bad(`two images have the id ${id}`);
    const path = one['file_name'];
    if (typeof path !== 'string' || path === '') return bad(`images[${i}] has no "file_name"`);
    const inside = posix.normalize(path.replaceAll('\\', '/'));
    if (posix.isAbsolute(inside) || /^(\.\.(\/|$)|[A-Za-z]:)/.test(inside) || inside.includes('\0'))
      bad(`images[${i}] lies outside of its folder: "${path}"`);
    const [rows, columns] = [one['height'], one['width']].map((value, k) =>
      Number.isSafeInteger(value) && (value as number) > 0
        ? (value as number)
        : bad(`images[${i}] has no "${k === 0 ? 'height' : 'width'}" above 0`),
    ) as [number, number];
    pictures.set(id, { id, path: join(folder, inside), rows, columns, objects: [] });
  });

  let [crowds, flat] = [0, 0];
  list('annotations').forEach((one, i) => {
    const what = `annotations[${i}]`;
    const image = pictures.get(idOf('annotations', one, i, 'image_id'));
    if (image === undefined) return bad(`${what} is of an image that it doesn't list: ${String(one['image_id'])}`);
    const category = idOf('annotations', one, i, 'category_id');
    const label = classes.get(category);
    if (label === undefined) return bad(`${what} has a category that it doesn't list: ${category}`);
    const box = one['bbox'];
    if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite))
      return bad(`${what} has no "bbox" of four numbers`, 'a box is [left, top, width, height] in pixels');
    if (one['iscrowd'] === 1) return void crowds++;
    const [left, top, width, height] = box as [number, number, number, number];
    if (width <= 0 || height <= 0) return void flat++;
    const [right, bottom] = [left + width, top + height];
    const over = Math.max(-left, -top, right - image.columns, bottom - image.rows);
    if (over > rounding)
      return bad(
        `${what} reaches out of its image of ${image.columns}×${image.rows} pixels: [${box.join(', ')}]`,
        'a box is [left, top, width, height] in pixels, not [left, top, right, bottom] and no fraction of the image',
      );
    image.objects.push([
      label,
      Math.max(0, left),
      Math.max(0, top),
      Math.min(image.columns, right),
      Math.min(image.rows, bottom),
    ]);
    if (image.objects.length > mostObjects) bad(`"${image.path}" has more than ${mostObjects} objects`);
  });
  if (pictures.size > 0 && [...pictures.values()].every(({ objects }) => objects.length === 0))
    bad('none of its images has an object');
  const left = (count: number, what: string): readonly string[] =>
    count === 0 ? [] : [`${name}: ${count} ${what} left out`];
  return {
    pictures: [...pictures.values()],
    names: ids.map((id) => categories.get(id)!),
    ids,
    notes: [
      ...left(crowds, crowds === 1 ? 'crowd is' : 'crowds are'),
      ...left(flat, flat === 1 ? 'box without an area is' : 'boxes without an area are'),
    ],
  };
}

function parsed(file: string, bad: (reason: string) => never): Record<string, unknown> {
  const text = readText(file, { limit });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // nothing that nests as deep as the stack is annotations either
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    return bad('it is no JSON');
  }
  return isRecord(value) ? value : bad('it is no object');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
