// Noisy pictures with the clean ones as their labels: `images` [count, 28, 28] with Gaussian noise (deviation 0.3 of the range, cut
// off to it), `labels` [count, 784] from 0 to 1. Reads MNIST's or Fashion-MNIST's files, writes train.npz and test.npz.
//   node examples/autoencoder/noise.mjs /usr/share/datasets/fashion-mnist build/noisy
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, gunzipSync } from 'node:zlib';

const [from = '/usr/share/datasets/fashion-mnist', folder = 'build/noisy'] = process.argv.slice(2);
const deviation = 0.3 * 255;
const size = 784;

/** Numbers from 0 to 1 by a seed (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function npy(type, shape, bytes) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(length & 255, length >> 8)}`, 'latin1');
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`), bytes]);
}

/** A zip of stored files. */
function zip(files) {
  const parts = [];
  const entries = [];
  let at = 0;
  for (const [name, data] of files) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, rest, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

mkdirSync(folder, { recursive: true });
for (const [part, file, most, seed] of [
  ['train', 'train-images-idx3-ubyte.gz', 20_000, 1],
  ['test', 't10k-images-idx3-ubyte.gz', 10_000, 2],
]) {
  const random = randomFrom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const clean = gunzipSync(readFileSync(join(from, file))).subarray(16, 16 + most * size);
  const noisy = Buffer.from(clean, 0, clean.length).map((pixel) =>
    Math.max(0, Math.min(255, Math.round(pixel + deviation * normal()))),
  );
  const labels = Float32Array.from(clean, (pixel) => pixel / 255);
  const files = [
    ['images.npy', npy('|u1', [most, 28, 28], Buffer.from(noisy))],
    ['labels.npy', npy('<f4', [most, size], Buffer.from(labels.buffer))],
  ];
  writeFileSync(join(folder, `${part}.npz`), zip(files));
}
