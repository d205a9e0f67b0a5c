import { invariant, present } from '../../base/invariant.js';
import type { Tensor } from '../../base/dtype.js';
import type { DetectorShape } from '../../detection/index.js';
import { type Dataset, type Normalisation, readBatch } from '../../data/index.js';

export interface Images {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** How many images, from the first. */
  readonly count: number;
  readonly batch: number;
}

/** What is known of the samples: the class of each, or numbers to compare the outputs with. */
export type Truth =
  | { readonly kind: 'classes'; readonly classes: Int32Array }
  /** [samples, outputs], row-major. */
  | { readonly kind: 'numbers'; readonly numbers: Float64Array }
  /** Of each sample as many rows of class, left, top, right and bottom as its set has, [samples, objects, 5]. */
  | { readonly kind: 'boxes'; readonly numbers: Float64Array; readonly detector: DetectorShape };

export type Counter = (done: number, total: number) => void;

/** Labels of all images, which are classes. */
export function readLabels({ dataset, count, batch }: Images): Int32Array {
  const labels = new Int32Array(count);
  for (let start = 0; start < count; start += batch) {
    const size = Math.min(batch, count - start);
    labels.set(dataset.labels?.(start, size) ?? dataset.read(start, size).labels, start);
  }
  return labels;
}

/** All images, as the network gets them: what an output that reconstructs them is compared with. */
export function readInputs({ dataset, normalisation, count, batch }: Images): Float64Array {
  const size = dataset.shape.reduce((product, n) => product * n, 1);
  const numbers = new Float64Array(count * size);
  for (let start = 0; start < count; start += batch) {
    const { images } = readBatch(dataset, start, Math.min(batch, count - start), normalisation);
    numbers.set(images.data, start * size);
  }
  return numbers;
}

/** What is known of all images. */
export function readTruth(images: Images): Truth {
  const { dataset, normalisation, count, batch } = images;
  const { targets: width } = dataset;
  if (width === undefined) return { kind: 'classes', classes: readLabels(images) };
  const numbers = new Float64Array(count * width);
  for (let start = 0; start < count; start += batch) {
    const { targets } = readBatch(dataset, start, Math.min(batch, count - start), normalisation);
    numbers.set(present(targets, `evaluate: ${dataset.name} gave no numbers`), start * width);
  }
  const { boxes, shape } = dataset;
  if (boxes?.bins === undefined) return { kind: 'numbers', numbers };
  const [rows = 0, columns = 0] = shape.slice(-2);
  const detector = { image: [rows, columns], bins: boxes.bins, classes: boxes.names.length } as const;
  return { kind: 'boxes', numbers, detector };
}

/**
 * Runs `work` over all images, a batch at a time, up to `lanes` batches under way at once; memory is
 * bounded by the batches, not by the data set. Results are taken in order.
 */
export async function forEachBatch<T>(
  images: Images,
  lanes: number,
  work: (batch: Tensor<'f32'>) => Promise<T>,
  take: (result: T, start: number, count: number) => void,
  counter?: Counter,
): Promise<void> {
  const { dataset, normalisation, count, batch } = images;
  const pending: { start: number; size: number; result: Promise<T> }[] = [];
  const settle = async (): Promise<void> => {
    const { start, size, result } = pending.shift()!;
    take(await result, start, size);
    counter?.(start + size, count);
  };
  try {
    for (let start = 0; start < count; start += batch) {
      if (pending.length >= lanes) await settle();
      const size = Math.min(batch, count - start);
      const read = readBatch(dataset, start, size, normalisation);
      invariant(read.count === size, `evaluate: ${dataset.name} gave ${read.count} of ${size} images`);
      pending.push({ start, size, result: work(read.images) });
    }
    while (pending.length > 0) await settle();
  } finally {
    await Promise.allSettled(pending.map(({ result }) => result));
  }
}
