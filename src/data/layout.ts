import { type Dataset, channelsOf } from './dataset.js';

const product = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);

/** [… H, W, C] → [… C, H, W]. */
export function channelsFirst(shape: readonly number[]): readonly number[] {
  return [...shape.slice(0, -3), shape.at(-1)!, shape.at(-3)!, shape.at(-2)!];
}

/** [… C, H, W] → [… H, W, C]. */
export function channelsLast(shape: readonly number[]): readonly number[] {
  return [...shape.slice(0, -3), shape.at(-2)!, shape.at(-1)!, shape.at(-3)!];
}

/** For each number of [… C, H, W] its place in [… H, W, C]. */
function placesFromLast(shape: readonly number[]): Uint32Array {
  const channels = shape.at(-3)!;
  const plane = shape.at(-2)! * shape.at(-1)!;
  return Uint32Array.from({ length: product(shape) }, (_, i) => {
    const image = i - (i % (channels * plane));
    const [c, p] = [Math.floor((i - image) / plane), i % plane];
    return image + p * channels + c;
  });
}

/** For each number of [… H, W, C] its place in [… C, H, W]. */
function placesFromFirst(shape: readonly number[]): Uint32Array {
  const places = placesFromLast(channelsFirst(shape));
  const inverse = new Uint32Array(places.length);
  places.forEach((from, to) => (inverse[from] = to));
  return inverse;
}

/** The data set with samples of another shape, their numbers in the same order. */
export function reshaped(dataset: Dataset, shape: readonly number[]): Dataset {
  return { ...dataset, channels: channelsOf(dataset), shape };
}

/** [… H, W, C] in the source, read as [… C, H, W]; a flat source says its `shape` by the caller. */
export function withChannelsFirst(dataset: Dataset, shape = channelsFirst(dataset.shape)): Dataset {
  return moved(dataset, shape, placesFromLast(shape), { count: shape.at(-3)!, inner: shape.at(-2)! * shape.at(-1)! });
}

/** [… C, H, W] in the source, read as [… H, W, C]. */
export function withChannelsLast(dataset: Dataset, shape = channelsLast(dataset.shape)): Dataset {
  return moved(dataset, shape, placesFromFirst(shape), { count: shape.at(-1)!, inner: 1 });
}

function moved(
  dataset: Dataset,
  shape: readonly number[],
  places: Uint32Array,
  channels: NonNullable<Dataset['channels']>,
): Dataset {
  return {
    ...dataset,
    shape,
    channels,
    read(start, count) {
      const batch = dataset.read(start, count);
      const images = batch.images.slice();
      const size = places.length;
      for (let n = 0; n < batch.count; n++) {
        for (let i = 0; i < size; i++) images[n * size + i] = batch.images[n * size + places[i]!]!;
      }
      return { ...batch, images };
    },
  };
}
