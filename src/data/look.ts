import { type Dataset, type Normalisation, type RawBatch, readBatch } from './dataset.js';

/** Of many numbers. */
export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Samples that are looked at together: so many, of so many numbers in all. */
const [atOnce, numbersAtOnce] = [64, 2 ** 22];
/** Samples that are shown one by one. */
export const shownFirst = 5;

/** Counts numbers: their range, mean and how many are 0. */
export class Counter {
  count = 0;
  zeros = 0;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;

  add(value: number): void {
    this.count++;
    if (value === 0) this.zeros++;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#sum += value;
  }

  result(): Spread {
    return { min: this.#min, max: this.#max, mean: this.#sum / Math.max(1, this.count) };
  }
}

interface First {
  readonly label: number;
  readonly numbers?: readonly number[];
  /** Of the values as a network gets them. */
  readonly mean: number;
}

/** What `count` samples of a data set hold, from the first: their values as they lie in the file and as a network gets them. */
export function look(dataset: Dataset, normalisation: Normalisation, count: number) {
  const [raw, values] = [new Counter(), new Counter()];
  const numbers = Array.from({ length: dataset.targets ?? 0 }, () => new Counter());
  const byClass = new Map<number, number>();
  const [objects, sides] = [new Counter(), new Counter()];
  const first: First[] = [];
  const elements = dataset.shape.reduce((all, n) => all * n, 1);
  const some = Math.max(1, Math.min(atOnce, Math.floor(numbersAtOnce / elements)));
  for (let start = 0; start < count; start += some) {
    const read = dataset.read(start, Math.min(some, count - start));
    const { images } = readBatch(dataset, start, read.count, normalisation);
    for (const value of read.images) raw.add(value);
    for (const value of images.data) values.add(value);
    if (dataset.boxes !== undefined) lookAtBoxes(read, { byClass, objects, sides });
    else for (const label of read.labels) byClass.set(label, (byClass.get(label) ?? 0) + 1);
    read.targets?.forEach((value, i) => numbers[i % numbers.length]!.add(value));
    const size = images.data.length / Math.max(1, read.count);
    for (let n = 0; n < read.count && first.length < shownFirst; n++) {
      const own = images.data.subarray(n * size, (n + 1) * size);
      const width = numbers.length;
      first.push({
        label: read.labels[n]!,
        ...(read.targets === undefined ? {} : { numbers: [...read.targets.slice(n * width, (n + 1) * width)] }),
        mean: own.reduce((sum, value) => sum + value, 0) / size,
      });
    }
  }
  const classes = (): readonly ClassCount[] => classCounts(byClass);
  return { raw, values, numbers, classes, first, objects, sides };
}

/** Objects of each image, their classes, and the lengths of their boxes' sides. */
function lookAtBoxes(
  { count, targets = new Float32Array(0) }: RawBatch,
  into: { readonly byClass: Map<number, number>; readonly objects: Counter; readonly sides: Counter },
): void {
  const width = targets.length / Math.max(1, count);
  for (let n = 0; n < count; n++) {
    let own = 0;
    for (let at = n * width; at < (n + 1) * width; at += 5) {
      const [label, left, top, right, bottom] = targets.subarray(at, at + 5) as unknown as [number, number, number, number, number];
      if (label < 0) continue;
      own++;
      into.byClass.set(label, (into.byClass.get(label) ?? 0) + 1);
      into.sides.add(right - left);
      into.sides.add(bottom - top);
    }
    into.objects.add(own);
  }
}

export interface ClassCount {
  readonly class: number;
  readonly samples: number;
}

/** Classes in their order, from how many samples each has. */
export function classCounts(byClass: ReadonlyMap<number, number>): readonly ClassCount[] {
  return [...byClass].sort(([a], [b]) => a - b).map(([label, samples]) => ({ class: label, samples }));
}
