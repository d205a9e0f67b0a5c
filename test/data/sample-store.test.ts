import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Dataset, SampleStore } from '../../src/data/index.js';
import { Samples } from '../../src/train/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** 12 samples of 2×3 numbers, every third with one that is no byte; `reads` counts those that were read. */
function decoded(): { dataset: Dataset; reads: () => number } {
  let reads = 0;
  const of = (i: number): number[] => Array.from({ length: 6 }, (_, k) => 6 * i + k + (i % 3 === 0 ? 0.5 : 0));
  const dataset: Dataset = {
    name: 'drawn',
    shape: [1, 2, 3],
    classes: 2,
    classesKnown: false,
    length: 12,
    scale: 1,
    decoded: true,
    labels: (start, count) => new Int32Array(count).fill(start % 2),
    notes: [],
    read(start, count) {
      reads += count;
      const images = Float32Array.from(Array.from({ length: count }, (_, i) => of(start + i)).flat());
      return { count, images, labels: new Int32Array(count) };
    },
    close: () => undefined,
  };
  return { dataset, reads: () => reads };
}

const order = Int32Array.of(11, 0, 3, 7, 11, 6);

it('samples that are decoded and don’t fit in the memory are decoded once, and are the same numbers', () => {
  const { dataset, reads } = decoded();
  const store = new SampleStore(temporaryFolder());
  const [all, some] = [undefined, 40].map((memory) =>
    Samples.load(dataset, 12, {}, { store, ...(memory === undefined ? {} : { memory }) }),
  ) as [Samples, Samples];
  expect([all.kept, some.kept]).toEqual([12, 3]);
  const images = some.images(order);
  expect(images).toEqual(all.images(order));
  const once = reads();
  expect(some.images(order)).toEqual(images);
  expect(reads()).toBe(once);
  store.close();
  // what was kept is gone, the samples are not
  expect(some.images(order)).toEqual(images);
  expect(reads()).toBeGreaterThan(once);
});

it('samples that are read for their labels are kept as they come', () => {
  const { dataset, reads } = decoded();
  const { labels: _, ...unlabelled } = dataset;
  const store = new SampleStore(temporaryFolder());
  const samples = Samples.load(unlabelled, 12, {}, { store, memory: 40 });
  expect([samples.kept, reads()]).toEqual([3, 12]);
  samples.images(order);
  expect(reads()).toBe(12);
  store.close();
});

it('samples that aren’t decoded are read again from where they lie', () => {
  const { dataset, reads } = decoded();
  const store = new SampleStore(temporaryFolder());
  const samples = Samples.load({ ...dataset, decoded: false }, 12, {}, { store, memory: 0 });
  samples.images(order);
  const once = reads();
  samples.images(order);
  expect(reads() - once).toBe(order.length);
});

it('the file leaves nothing behind, and where none can be written nothing is kept', () => {
  const folder = temporaryFolder();
  const store = new SampleStore(folder);
  store.put(5, Float32Array.of(0.5, -0));
  store.put(2000, Uint8Array.of(1, 2, 255));
  expect(store.get(5)).toEqual(Float32Array.of(0.5, -0));
  expect(store.get(2000)).toEqual(Uint8Array.of(1, 2, 255));
  expect([store.get(0), store.get(4), store.get(9999)]).toEqual([undefined, undefined, undefined]);
  store.close();
  store.close();
  expect(store.get(5)).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
  const nowhere = new SampleStore(join(folder, 'nowhere'));
  nowhere.put(0, Uint8Array.of(1));
  expect(nowhere.get(0)).toBeUndefined();
  nowhere.close();
});
