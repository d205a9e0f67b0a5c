import type { Tensor } from '../../base/dtype.js';
import { type Counter, type Images, forEachBatch } from './batches.js';
import { predictedClasses } from './predictions.js';

/** Logits of all images, [count, classes]. */
export interface Outputs {
  readonly classes: number;
  readonly data: Float64Array<ArrayBuffer>;
}

/** Runs something that gives logits over all images. */
export async function outputsOf(
  logits: (images: Tensor<'f32'>) => Promise<Tensor>,
  lanes: number,
  images: Images,
  counter?: Counter,
): Promise<Outputs> {
  let classes = 0;
  let data = new Float64Array(0);
  await forEachBatch(
    images,
    lanes,
    logits,
    (found, start, size) => {
      if (classes === 0) {
        classes = found.data.length / size;
        data = new Float64Array(images.count * classes);
      }
      data.set(found.data, start * classes);
    },
    counter,
  );
  return { classes, data };
}

/**
 * How far outputs are from those of a reference: the Kullback-Leibler divergence Σ p·ln(p/q) of the softmax of both,
 * the mean over the images. 0 where they are the same; about proportional to the squared difference of logits where
 * that is small, and blind to what adds the same to all classes.
 */
export function divergence(reference: Outputs, found: Outputs): number {
  const { classes } = reference;
  const rows = reference.data.length / classes;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const p = logSoftmax(reference.data, row * classes, classes);
    const q = logSoftmax(found.data, row * classes, classes);
    for (let c = 0; c < classes; c++) sum += Math.exp(p[c]!) * (p[c]! - q[c]!);
  }
  return Math.max(0, sum / Math.max(1, rows));
}

function logSoftmax(values: Float64Array, start: number, count: number): Float64Array {
  const row = values.slice(start, start + count);
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (const value of row) total += Math.exp(value - most);
  const norm = most + Math.log(total);
  return row.map((value) => value - norm);
}

/** The class of each image: the first greatest; of a single output whether it is above the threshold. */
export function classesOf({ classes, data }: Outputs, threshold?: number): Int32Array {
  return predictedClasses({ dtype: 'f64', shape: [data.length / Math.max(1, classes), classes], data }, threshold);
}
