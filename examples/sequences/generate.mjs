// Delayed copy: three symbols of eight, one a step; a wait with nothing to see; a cue. Writes train.npz and test.npz:
// `images` [samples, steps, 9] of 0 and 1 (a symbol each, and the cue), and the symbols as `first`, `second` and `third`.
//   node examples/sequences/generate.mjs build/copy [steps to wait, 30 where missing]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const symbols = 8;
const names = ['first', 'second', 'third'];
const [folder = 'build/copy', wait = '30'] = process.argv.slice(2);
const steps = names.length + Number(wait) + 1;

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

function npy(shape, bytes) {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${tuple}), }`;
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
for (const [part, count, seed] of [
  ['train', 4000, 1],
  ['test', 1000, 2],
]) {
  const random = randomFrom(seed);
  const images = Buffer.alloc(count * steps * (symbols + 1));
  const labels = names.map(() => Buffer.alloc(count));
  for (let n = 0; n < count; n++) {
    names.forEach((_, step) => {
      const symbol = Math.floor(random() * symbols);
      images[(n * steps + step) * (symbols + 1) + symbol] = 1;
      labels[step][n] = symbol;
    });
    images[(n * steps + steps - 1) * (symbols + 1) + symbols] = 1;
  }
  const files = [
    ['images.npy', npy([count, steps, symbols + 1], images)],
    ...names.map((name, step) => [`${name}.npy`, npy([count], labels[step])]),
  ];
  writeFileSync(join(folder, `${part}.npz`), zip(files));
}
