import type { Tensor } from '../base/dtype.js';
import { type Dataset, type Normalisation, channelsOf, pixelMap } from '../data/index.js';
import type { Augmentation } from './settings.js';

/** Images that are read together from the disk. */
const readAtOnce = 1000;

/** The images of a set, raw, in memory: training reads them in random order. */
export class Samples {
  readonly shape: readonly number[];
  /** The first axis of a sample is time. */
  readonly frames: boolean;
  readonly #images: Uint8Array | Float32Array;
  readonly #size: number;
  readonly #channels: { readonly count: number; readonly inner: number };
  readonly #map: (channel: number, value: number) => number;

  private constructor(
    dataset: Dataset,
    images: Uint8Array | Float32Array,
    readonly labels: Int32Array,
    normalisation: Normalisation,
  ) {
    this.shape = dataset.shape;
    this.frames = dataset.frames ?? dataset.shape.length > 3;
    this.#images = images;
    this.#size = dataset.shape.reduce((product, n) => product * n, 1);
    const { count, inner } = channelsOf(dataset);
    this.#channels = { count, inner };
    const maps = Array.from({ length: count }, (_, c) => pixelMap(dataset.scale, normalisation, c));
    const tables = maps.map((map) => Float32Array.from({ length: 256 }, (_, v) => map(v)));
    this.#map = images instanceof Uint8Array ? (c, value) => tables[c]![value]! : (c, value) => maps[c]!(value);
  }

  /** Reads the first `count` images. */
  static load(dataset: Dataset, count: number, normalisation: Normalisation): Samples {
    const size = dataset.shape.reduce((product, n) => product * n, 1);
    const labels = new Int32Array(count);
    let images: Uint8Array | Float32Array | undefined;
    for (let start = 0; start < count; start += readAtOnce) {
      const raw = dataset.read(start, Math.min(readAtOnce, count - start));
      images ??= raw.images instanceof Uint8Array ? new Uint8Array(count * size) : new Float32Array(count * size);
      images.set(raw.images, start * size);
      labels.set(raw.labels, start);
    }
    return new Samples(dataset, images ?? new Uint8Array(0), labels, normalisation);
  }

  get count(): number {
    return this.labels.length;
  }

  /**
   * Some images, normalised: [n, …]; event frames [n, T, …] come as [T·n, …], time slowest. With `random`, each image
   * [C, H, W] is augmented (all its frames alike).
   */
  images(indices: Int32Array, augment?: Augmentation, random?: () => number): Tensor<'f32'> {
    const frames = this.frames ? this.shape[0]! : 1;
    const shape = this.frames ? this.shape.slice(1) : this.shape;
    const [n, frame] = [indices.length, this.#size / frames];
    const data = new Float32Array(n * this.#size);
    for (let i = 0; i < n; i++) {
      const change = placement(augment, random);
      for (let t = 0; t < frames; t++) {
        const from = indices[i]! * this.#size + t * frame;
        const to = (t * n + i) * frame;
        if (shape.length === 3) this.#copyImage(data, to, from, shape, change);
        else this.#copyNumbers(data, to, from, frame);
      }
    }
    return { dtype: 'f32', shape: [frames * n, ...shape], data };
  }

  #copyNumbers(data: Float32Array, to: number, from: number, size: number): void {
    const { count, inner } = this.#channels;
    for (let i = 0; i < size; i++) data[to + i] = this.#map(Math.floor(i / inner) % count, this.#images[from + i]!);
  }

  #copyImage(data: Float32Array, to: number, from: number, shape: readonly number[], change: Placement): void {
    const { count, inner } = this.#channels;
    const [channels = 1, height = 1, width = 1] = shape;
    // where channels lie last there is nothing to shift or mirror by rows and columns
    if (count !== channels || inner !== height * width)
      return this.#copyNumbers(data, to, from, channels * height * width);
    for (let c = 0; c < channels; c++) {
      const plane = c * height * width;
      this.#copyPlane(data, to + plane, from + plane, { c, height, width, ...change });
    }
  }

  labelsOf(indices: Int32Array): Tensor<'i32'> {
    return { dtype: 'i32', shape: [indices.length], data: Int32Array.from(indices, (i) => this.labels[i]!) };
  }

  #copyPlane(data: Float32Array, to: number, from: number, plane: Plane): void {
    const { c, height, width, dx, dy, mirrored } = plane;
    const border = this.#map(c, 0);
    for (let y = 0; y < height; y++) {
      const sourceY = y + dy;
      const inside = sourceY >= 0 && sourceY < height;
      for (let x = 0; x < width; x++) {
        const sourceX = (mirrored ? width - 1 - x : x) + dx;
        const known = inside && sourceX >= 0 && sourceX < width;
        data[to + y * width + x] = known ? this.#map(c, this.#images[from + sourceY * width + sourceX]!) : border;
      }
    }
  }
}

interface Plane extends Placement {
  readonly c: number;
  readonly height: number;
  readonly width: number;
}

/** Where an augmented image lies in its source. */
interface Placement {
  readonly dx: number;
  readonly dy: number;
  readonly mirrored: boolean;
}

const asItIs: Placement = { dx: 0, dy: 0, mirrored: false };

function placement(augment: Augmentation | undefined, random: (() => number) | undefined): Placement {
  if (augment === undefined || random === undefined) return asItIs;
  const mirrored = augment.flip && random() < 0.5;
  if (augment.crop === 0) return { ...asItIs, mirrored };
  const shift = (): number => Math.floor(random() * (2 * augment.crop + 1)) - augment.crop;
  return { dx: shift(), dy: shift(), mirrored };
}
