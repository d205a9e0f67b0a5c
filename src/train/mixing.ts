import type { Tensor } from '../base/dtype.js';
import { shuffled } from './random.js';
import type { Augmentation } from './settings.js';

/** How the samples of a batch are mixed with one another. */
export interface Mixing {
  /** For each sample the place of the one that it is mixed with. */
  readonly partners: Int32Array;
  /** What is left of a sample, λ; its partner has 1 − λ. */
  readonly share: number;
  /** The rectangle that comes from the partner (cutmix), in place of a sum (mixup). */
  readonly box?: { readonly top: number; readonly left: number; readonly bottom: number; readonly right: number };
}

/** Whether a training mixes samples. */
export function mixes(augment: Augmentation | undefined): boolean {
  return augment?.mixup !== undefined || augment?.cutmix !== undefined;
}

/**
 * Draws how a batch of samples of some shape is mixed: one λ from Beta(α, α) a batch and a random order of partners (Zhang
 * et al. 2018); with both, mixup or cutmix at equal odds. The rectangle of cutmix has the share 1 − λ of the area, its
 * centre anywhere; λ is what is left where it reaches over the border (Yun et al. 2019).
 */
export function drawMixing(
  augment: Augmentation,
  count: number,
  shape: readonly number[],
  random: () => number,
): Mixing | undefined {
  const { mixup, cutmix } = augment;
  if (mixup === undefined && cutmix === undefined) return undefined;
  const cuts = cutmix !== undefined && (mixup === undefined || random() < 0.5);
  const share = beta(cuts ? cutmix : mixup!, random);
  const partners = shuffled(count, random);
  if (!cuts) return { partners, share };
  const [rows, columns] = shape.slice(-2) as [number, number];
  const edge = Math.sqrt(1 - share);
  const [y, x] = [Math.floor(random() * rows), Math.floor(random() * columns)];
  const half = (size: number): number => Math.floor(Math.floor(size * edge) / 2);
  const box = {
    top: Math.max(0, y - half(rows)),
    bottom: Math.min(rows, y + half(rows)),
    left: Math.max(0, x - half(columns)),
    right: Math.min(columns, x + half(columns)),
  };
  return { partners, box, share: 1 - ((box.bottom - box.top) * (box.right - box.left)) / (rows * columns) };
}

/** A number from Beta(α, α): Jöhnk's way. */
function beta(alpha: number, random: () => number): number {
  for (;;) {
    const [x, y] = [random() ** (1 / alpha), random() ** (1 / alpha)];
    if (x + y <= 1 && x + y > 0) return x / (x + y);
  }
}

/** Images [T·n, …], time slowest: the frames of a sample are mixed with those of its partner, step by step. */
export function mixedImages(images: Tensor<'f32'>, { partners, share, box }: Mixing): Tensor<'f32'> {
  const n = partners.length;
  const size = images.data.length / images.shape[0]!;
  const steps = images.shape[0]! / n;
  const data = images.data.slice();
  const [rows, columns] = images.shape.slice(-2) as [number, number];
  for (let t = 0; t < steps; t++) {
    partners.forEach((partner, i) => {
      const [to, from] = [(t * n + i) * size, (t * n + partner) * size];
      if (box === undefined) {
        for (let k = 0; k < size; k++)
          data[to + k] = share * images.data[to + k]! + (1 - share) * images.data[from + k]!;
        return;
      }
      for (let plane = 0; plane < size; plane += rows * columns)
        for (let y = box.top; y < box.bottom; y++) {
          const [start, end] = [plane + y * columns + box.left, plane + y * columns + box.right];
          data.set(images.data.subarray(from + start, from + end), to + start);
        }
    });
  }
  return { ...images, data };
}

/**
 * What the outputs are compared with, where it is numbers [n, outputs]: mixed as the images are. Numbers of the pixels of a `frame`
 * [rows, columns] come from where these come from.
 */
export function mixedNumbers(numbers: Tensor, mixing: Mixing, frame?: readonly number[]): Tensor {
  const { dtype, shape, data } = numbers;
  const { partners, share, box } = mixing;
  if (frame !== undefined && box !== undefined) {
    const planes = { ...numbers, shape: [shape[0]!, ...frame] } as Tensor<'f32'>;
    return { ...mixedImages(planes, mixing), shape };
  }
  const width = shape[1]!;
  const mixed = Float32Array.from(data, (value, at) => {
    const [i, k] = [Math.floor(at / width), at % width];
    return share * value + (1 - share) * data[partners[i]! * width + k]!;
  });
  return { dtype, shape, data: mixed } as Tensor;
}

/** The classes of the partners. */
export function partnersOf({ shape, data }: Tensor, { partners }: Mixing): Tensor<'i32'> {
  return { dtype: 'i32', shape, data: Int32Array.from(partners, (partner) => data[partner]!) };
}
