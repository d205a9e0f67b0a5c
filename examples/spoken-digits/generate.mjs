// Spoken digits: the ten digits in voices of espeak-ng (Debian: apt install espeak-ng), as spikes of a cochlea.
//   node examples/spoken-digits/generate.mjs build/spoken-digits
// writes train.npz and test.npz: `images` [samples, 100 steps of 10 ms, 64 channels], 0 or 1, and `labels`.
//
// A voice is an accent of English with a variant of the speaker; each speaks at three rates and two pitches, each time with
// noise. No variant of the test is heard in training. The cochlea: 64 band-passes from 100 Hz to 8 kHz, evenly spaced on
// the mel scale, their energy in each 10 ms on a logarithmic scale, and for each a neuron that adds it up and fires.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const accents = ['en-us', 'en-gb', 'en-gb-scotland', 'en-gb-x-rp', 'en-029'];
const variants = { train: ['m1', 'm2', 'm4', 'm6', 'm8', 'f1', 'f3', 'f5'], test: ['m3', 'm7', 'f2', 'f4'] };
const rates = [130, 165, 200]; // words a minute
const pitches = [35, 60];
const [steps, channels, stepSeconds] = [100, 64, 0.01];
const noise = 0.01; // of full scale
const threshold = 1.5; // of a channel's neuron, in factors e of energy above the noise

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

/** What espeak-ng says: 16-bit samples as numbers from −1 to 1. */
function spoken(word, voice, rate, pitch) {
  const wav = execFileSync('espeak-ng', ['--stdout', '-v', voice, '-s', String(rate), '-p', String(pitch), word]);
  const start = wav.indexOf('data') + 8;
  const samples = new Float64Array((wav.length - start) >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = wav.readInt16LE(start + 2 * i) / 32768;
  return { samples, hertz: wav.readUInt32LE(24) };
}

const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (m) => 700 * (10 ** (m / 2595) - 1);

/** Energy of each channel in each step, [steps][channels]: second-order band-passes (the cookbook's, constant peak), twice. */
function cochlea(samples, hertz) {
  const energy = Array.from({ length: steps }, () => new Float64Array(channels));
  const perStep = Math.round(stepSeconds * hertz);
  for (let c = 0; c < channels; c++) {
    const at = (i) => hertzOf(mel(100) + (i / (channels - 1)) * (mel(8000) - mel(100)));
    const centre = at(c);
    const quality = centre / Math.max(60, at(c + 1) - at(c - 1));
    const w = (2 * Math.PI * centre) / hertz;
    const alpha = Math.sin(w) / (2 * quality);
    const [b, a1, a2] = [alpha / (1 + alpha), (-2 * Math.cos(w)) / (1 + alpha), (1 - alpha) / (1 + alpha)];
    const filters = [0, 1].map(() => ({ x1: 0, x2: 0, y1: 0, y2: 0 }));
    for (let i = 0; i < steps * perStep; i++) {
      let x = samples[i] ?? 0;
      for (const f of filters) {
        const y = b * (x - f.x2) - a1 * f.y1 - a2 * f.y2;
        [f.x2, f.x1, f.y2, f.y1] = [f.x1, x, f.y1, y];
        x = y;
      }
      energy[Math.floor(i / perStep)][c] += (x * x) / perStep;
    }
  }
  return energy;
}

/** Spikes of one recording, [steps · channels]. */
function spikesOf({ samples, hertz }, random) {
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  const before = Math.floor(random() * 0.1 * hertz);
  const padded = new Float64Array(Math.round(steps * stepSeconds * hertz));
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  for (let i = 0; i < padded.length; i++) padded[i] = (0.5 * (samples[i - before] ?? 0)) / loudest + noise * normal();
  const energy = cochlea(padded, hertz);
  const spikes = new Uint8Array(steps * channels);
  const membrane = new Float64Array(channels);
  for (let t = 0; t < steps; t++) {
    for (let c = 0; c < channels; c++) {
      membrane[c] += Math.max(0, Math.log(energy[t][c] / (noise * noise * 0.1))) / 4;
      if (membrane[c] < threshold) continue;
      membrane[c] = 0;
      spikes[t * channels + c] = 1;
    }
  }
  return spikes;
}

function npy(type, shape, bytes) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n';
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
  const size = listed.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...listed, end]);
}

const [folder = 'build/spoken-digits'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const part of ['train', 'test']) {
  const random = randomOf(part === 'train' ? 1 : 2);
  const [images, labels] = [[], []];
  for (const accent of accents)
    for (const variant of variants[part])
      for (const rate of rates)
        for (const pitch of pitches)
          for (const [label, word] of digits.entries()) {
            images.push(spikesOf(spoken(word, `${accent}+${variant}`, rate, pitch), random));
            labels.push(label);
          }
  const bytes = Buffer.concat(images);
  writeFileSync(
    join(folder, `${part}.npz`),
    zip([
      ['images.npy', npy('|u1', [images.length, steps, channels], bytes)],
      ['labels.npy', npy('|u1', [labels.length], Buffer.from(labels))],
    ]),
  );
  const share = bytes.reduce((sum, s) => sum + s, 0) / bytes.length;
  console.log(`${part}: ${images.length} recordings, ${(100 * share).toFixed(1)} % of steps and channels fire`);
}
