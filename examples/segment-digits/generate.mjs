// Digits on textures, and which pixels are theirs: node examples/segment-digits/generate.mjs build/segment-digits
// writes train.npz and test.npz: `images` [samples, 1, 32, 32], bytes, and `labels` [samples, 1, 32, 32], 0 or 1 (floats).
//
// One to three digits of a 5×7 font, turned, stretched and slanted at random, brighter or darker than a background of
// waves, blobs and noise of about their contrast.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const size = 32;
const counts = { train: 2000, test: 500 };

/** Rows of five pixels from the top, a digit a line. */
const font = [
  '01110 10001 10011 10101 11001 10001 01110',
  '00100 01100 00100 00100 00100 00100 01110',
  '01110 10001 00001 00010 00100 01000 11111',
  '11111 00010 00100 00010 00001 10001 01110',
  '00010 00110 01010 10010 11111 00010 00010',
  '11111 10000 11110 00001 00001 10001 01110',
  '00110 01000 10000 11110 10001 10001 01110',
  '11111 00001 00010 00100 01000 01000 01000',
  '01110 10001 10001 01110 10001 10001 01110',
  '01110 10001 10001 01111 00001 00010 01100',
].map((rows) => rows.split(' '));

/** Random numbers of a seed, 0 to 1 (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Waves of three directions and lengths. */
function texture(random) {
  const waves = Array.from({ length: 3 }, () => {
    const [turn, length] = [2 * Math.PI * random(), 3 + 12 * random()];
    const [fx, fy] = [Math.cos(turn) / length, Math.sin(turn) / length];
    return { fx, fy, phase: random(), strength: 40 * random() };
  });
  const level = 80 + 95 * random();
  return (x, y) =>
    waves.reduce((sum, w) => sum + w.strength * Math.sin(2 * Math.PI * (w.fx * x + w.fy * y + w.phase)), level);
}

/** Marks the pixels of a digit in `mask`. */
function draw(mask, random) {
  const rows = font[Math.floor(10 * random())];
  const [turn, slant] = [0.7 * (random() - 0.5), 0.5 * (random() - 0.5)];
  const [wide, high] = [1.4 + 1.2 * random(), 1.4 + 1.2 * random()];
  const [left, top] = [7 + 18 * random(), 7 + 18 * random()];
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [x - left, y - top];
      const [u, v] = [c * dx + s * dy, c * dy - s * dx];
      const [column, row] = [Math.floor((u + slant * v) / wide + 2.5), Math.floor(v / high + 3.5)];
      if (rows[row]?.[column] === '1') mask[y * size + x] = 1;
    }
}

function sample(random) {
  const mask = new Float32Array(size * size);
  for (let digits = 1 + Math.floor(3 * random()); digits > 0; digits--) draw(mask, random);
  const [behind, strokes] = [texture(random), texture(random)];
  const contrast = (random() < 0.5 ? -1 : 1) * (50 + 50 * random());
  const image = Uint8Array.from(mask, (own, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    const noise = 40 * (random() + random() - 1);
    const value = behind(x, y) + own * (contrast + 0.4 * (strokes(x, y) - 128)) + noise;
    return Math.max(0, Math.min(255, Math.round(value)));
  });
  return { image, mask };
}

/** A NumPy array of one type. */
function npy(type, shape, bytes) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1');
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, bytes]);
}

/** A zip of stored files. */
function zip(files) {
  const [parts, listed] = [[], []];
  let offset = 0;
  for (const [name, bytes] of files) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(42);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    common.copy(entry, 6, 0, 24);
    const where = Buffer.alloc(4);
    where.writeUInt32LE(offset);
    listed.push(entry, where, Buffer.from(name));
    parts.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), bytes);
    offset += 30 + name.length + bytes.length;
  }
  const length = listed.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...listed, end]);
}

const [folder = 'build/segment-digits'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const [part, count] of Object.entries(counts)) {
  const random = randomOf(part === 'train' ? 1 : 2);
  const samples = Array.from({ length: count }, () => sample(random));
  const masks = samples.map(({ mask }) => Buffer.from(mask.buffer));
  const shape = [count, 1, size, size];
  writeFileSync(
    join(folder, `${part}.npz`),
    zip([
      ['images.npy', npy('|u1', shape, Buffer.concat(samples.map(({ image }) => image)))],
      ['labels.npy', npy('<f4', shape, Buffer.concat(masks))],
    ]),
  );
  const share = samples.reduce((sum, { mask }) => sum + mask.reduce((a, b) => a + b, 0), 0) / (count * size * size);
  console.log(`${part}: ${count} images, ${(100 * share).toFixed(1)} % of the pixels belong to digits`);
}
