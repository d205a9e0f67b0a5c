import { type Dataset, type Normalisation, channelsOf } from '../data/dataset.js';
import { splitSamples } from './loop.js';
import type { TrainSettings } from './settings.js';

const atOnce = 64;

/**
 * Mean and standard deviation of each channel over the samples that are trained on (those held back not among them), scaled
 * as a network gets them; of six digits, so that a model file can say the same. A channel without any difference keeps 1.
 */
export function measuredNormalisation(
  dataset: Dataset,
  { validation, seed, limit }: Pick<TrainSettings, 'validation' | 'seed' | 'limit'>,
): Required<Normalisation> {
  const count = Math.min(dataset.length, limit ?? dataset.length);
  const [training] = splitSamples(count, { validation, seed });
  const used = new Set(training);
  const { count: channels, inner } = channelsOf(dataset);
  const size = dataset.shape.reduce((all, n) => all * n, 1);
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  // squares are taken of the distance to the first sample's mean, which loses no digits
  let shift: Float64Array | undefined;
  for (let start = 0; start < count; start += atOnce) {
    const { images, count: read } = dataset.read(start, Math.min(atOnce, count - start));
    for (let n = 0; n < read; n++) {
      if (!used.has(start + n)) continue;
      shift ??= meansOf(images, n * size, { channels, inner, size });
      for (let i = 0; i < size; i++) {
        const c = Math.floor(i / inner) % channels;
        const away = images[n * size + i]! - shift[c]!;
        sums[c]! += away;
        squares[c]! += away * away;
      }
    }
  }
  const each = (training.length * size) / channels;
  const digits = (value: number): number => Number(value.toPrecision(6));
  const away = Array.from(sums, (sum) => sum / each);
  return {
    mean: away.map((mean, c) => digits((mean + (shift?.[c] ?? 0)) / dataset.scale)),
    std: away.map((mean, c) => digits(Math.sqrt(Math.max(0, squares[c]! / each - mean * mean)) / dataset.scale) || 1),
  };
}

function meansOf(
  images: ArrayLike<number>,
  start: number,
  { channels, inner, size }: { readonly channels: number; readonly inner: number; readonly size: number },
): Float64Array {
  const means = new Float64Array(channels);
  for (let i = 0; i < size; i++) means[Math.floor(i / inner) % channels]! += (images[start + i]! * channels) / size;
  return means;
}
