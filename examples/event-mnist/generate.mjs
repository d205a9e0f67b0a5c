// Event MNIST: MNIST's digits, moved in three saccades before an event camera of 34×34 pixels, written as N-MNIST is:
// Train/DIGIT/NNNNN.bin and Test/DIGIT/NNNNN.bin, 5 bytes an event. The real N-MNIST takes its place with no other change.
//   npx spikec … needs dist: npm run build
//   node examples/event-mnist/generate.mjs build/event-mnist [images of each part, all where missing]
//
// The camera: a pixel remembers the logarithm of the light at its last event; where the present one is `threshold` higher it
// sends ON, where it is lower OFF, once for each threshold that was crossed. The digit goes along a triangle in 3 × 100 ms,
// as the camera of Orchard et al. (2015) did; light between pixels is interpolated linearly, and so are times in a step.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const sensor = 34;
const digit = 28;
const steps = 16; // of a saccade
const duration = 100_000; // of a saccade, µs
const threshold = 0.35; // of the logarithm of light
const dark = 0.1; // light of black, where white is 1
/** Corners of the triangle: where the digit's upper left pixel is, (column, row). */
const corners = [
  [1, 1],
  [3, 5],
  [5, 1],
  [1, 1],
];

/** Where the digit is at each step, and when. */
const path = [];
for (let saccade = 0; saccade < 3; saccade++) {
  for (let step = saccade === 0 ? 0 : 1; step <= steps; step++) {
    const share = step / steps;
    const [from, to] = [corners[saccade], corners[saccade + 1]];
    path.push({
      x: from[0] + share * (to[0] - from[0]),
      y: from[1] + share * (to[1] - from[1]),
      t: Math.round((saccade + share) * duration),
    });
  }
}

/** The logarithm of the light on each pixel of the sensor, the digit's upper left pixel at (x, y). */
function lightAt(pixels, x, y, into) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - left, y - top];
  const pixel = (column, row) =>
    column >= 0 && row >= 0 && column < digit && row < digit ? pixels[row * digit + column] / 255 : 0;
  for (let row = 0; row < sensor; row++) {
    for (let column = 0; column < sensor; column++) {
      const [c, r] = [column - left, row - top];
      const value =
        (1 - fx) * ((1 - fy) * pixel(c, r) + fy * pixel(c, r - 1)) +
        fx * ((1 - fy) * pixel(c - 1, r) + fy * pixel(c - 1, r - 1));
      into[row * sensor + column] = Math.log(dark + (1 - dark) * value);
    }
  }
}

/** The events of a digit, in the order of time: {t, x, y, p}, p = 1 for ON. */
export function eventsOf(pixels) {
  const seen = new Float64Array(sensor * sensor);
  const before = new Float64Array(sensor * sensor);
  const now = new Float64Array(sensor * sensor);
  lightAt(pixels, path[0].x, path[0].y, seen);
  before.set(seen);
  const events = [];
  for (let step = 1; step < path.length; step++) {
    lightAt(pixels, path[step].x, path[step].y, now);
    const [start, length] = [path[step - 1].t, path[step].t - path[step - 1].t];
    const first = events.length;
    for (let i = 0; i < now.length; i++) {
      const change = now[i] - before[i];
      if (change === 0) continue;
      const direction = Math.sign(change);
      while (direction * (now[i] - seen[i]) >= threshold) {
        seen[i] += direction * threshold;
        const t = start + Math.floor((length * (seen[i] - before[i])) / change);
        events.push({ t, x: i % sensor, y: Math.floor(i / sensor), p: direction > 0 ? 1 : 0 });
      }
      before[i] = now[i];
    }
    const own = events.splice(first).sort((a, b) => a.t - b.t);
    events.push(...own);
  }
  return events;
}

/** N-MNIST's layout: x, y, then 1 bit polarity and 23 bits µs, big end first. */
export function binOf(events) {
  const bytes = new Uint8Array(5 * events.length);
  events.forEach(({ t, x, y, p }, i) => bytes.set([x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255], 5 * i));
  return bytes;
}

async function write(folder, part, most) {
  const { openDataset } = await import('../../dist/src/index.js');
  const dataset = openDataset(`mnist:${part.toLowerCase()}`);
  const count = Math.min(most, dataset.length);
  for (let label = 0; label < 10; label++) mkdirSync(join(folder, part, String(label)), { recursive: true });
  let total = 0;
  for (let i = 0; i < count; i++) {
    const { images, labels } = dataset.read(i, 1);
    const events = eventsOf(images);
    total += events.length;
    writeFileSync(join(folder, part, String(labels[0]), `${String(i + 1).padStart(5, '0')}.bin`), binOf(events));
  }
  dataset.close();
  console.log(`${part}: ${count} recordings, ${Math.round(total / count)} events each`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder = 'build/event-mnist', most = 'Infinity'] = process.argv.slice(2);
  for (const part of ['Train', 'Test']) await write(folder, part, Number(most));
}
