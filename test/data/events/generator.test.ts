import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataset } from '../../../src/data/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

interface Generator {
  readonly eventsOf: (pixels: Uint8Array) => readonly { t: number; x: number; y: number; p: number }[];
  readonly binOf: (events: ReturnType<Generator['eventsOf']>) => Uint8Array;
}

/** A digit of one white pixel, at row 10, column 12. */
const dot = new Uint8Array(784);
dot[10 * 28 + 12] = 255;

async function generator(): Promise<Generator> {
  const path: string = '../../../examples/event-mnist/generate.mjs';
  return (await import(path)) as Generator;
}

it('event MNIST: the reader gives the events that the generator wrote, byte by byte', async () => {
  const { eventsOf, binOf } = await generator();
  const events = eventsOf(dot);
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'Train/7'), { recursive: true });
  writeFileSync(join(folder, 'Train/7/00001.bin'), binOf(events));
  const { recordings } = openDataset('nmnist:train', { dataDir: folder });
  const read = recordings!.events(0);
  expect(events.length).toBeGreaterThan(50);
  for (const key of ['t', 'x', 'y', 'p'] as const) expect([...read[key]!]).toEqual(events.map((event) => event[key]));
});

it('event MNIST: a pixel sends ON and OFF by turns of the light, and comes back to where it began', async () => {
  const { eventsOf } = await generator();
  const events = eventsOf(dot);
  // the saccades end where they began, so each pixel's light too: within a threshold as many ON as OFF
  const balance = new Map<string, number>();
  for (const { x, y, p } of events) balance.set(`${x},${y}`, (balance.get(`${x},${y}`) ?? 0) + (p === 1 ? 1 : -1));
  for (const [place, sum] of balance) expect(Math.abs(sum), place).toBeLessThanOrEqual(1);
  // light leaves the pixel where the dot is first: OFF of ln(1/0.1) = 2.303, 6 thresholds of 0.35
  const start = events.filter(({ x, y, t }) => x === 13 && y === 11 && t < 100_000);
  expect(start.map(({ p }) => p)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(Math.max(...events.map(({ t }) => t))).toBeLessThanOrEqual(300_000);
});
