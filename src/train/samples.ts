import type { Tensor } from '../base/dtype.js';
import type { DetectorShape } from '../detection/index.js';
import { type Dataset, type Labels, type Normalisation, channelsOf, pixelMap } from '../data/index.js';
import { type Placement, asItIs, drawPlacement, inSource, movedNumbers, movedObjects, stays } from './placement.js';
import type { Augmentation } from './settings.js';

/** Images that are read together from the disk, and numbers at most. */
const readAtOnce = 1000;
const numbersAtOnce = 2 ** 24;
/** Bytes of samples that are kept in memory, unless it is said otherwise. */
export const usualMemory = 2 ** 30;

export interface LoadOptions {
  /** Bytes of samples that are kept in memory at most; the others are read again when they are needed. */
  readonly memory?: number;
  /** Keeps samples that had to be decoded and don't fit in the memory. */
  readonly store?: SampleStore;
  /** What outputs behind the first are compared with, by their names; of one that isn't named it is the input. */
  readonly others?: ReadonlyMap<string, Labels>;
  /** Shapes of the outputs by name, of the first without one: labels of pixels move with the images. */
  readonly outputs?: ReadonlyMap<string | undefined, readonly number[]>;
  readonly onProgress?: (done: number, total: number) => void;
}

type Numbers = Uint8Array | Float32Array;

/** A place for samples by their numbers, which may give less than was put there. */
export interface SampleStore {
  readonly get: (sample: number) => Numbers | undefined;
  readonly put: (sample: number, numbers: Numbers) => void;
}

/**
 * The images of a set, raw: as many as fit are kept in memory, the others are read from the disk whenever they are asked
 * for, those that had to be decoded from a store, where one is given; training reads them in random order, and gets the same
 * numbers either way.
 */
export class Samples {
  readonly shape: readonly number[];
  /** The first axis of a sample is time. */
  readonly frames: boolean;
  readonly #dataset: Dataset;
  readonly #kept: readonly Numbers[];
  readonly #store: SampleStore | undefined;
  readonly #size: number;
  readonly #channels: { readonly count: number; readonly inner: number };
  readonly #maps: readonly ((value: number) => number)[];
  readonly #tables: readonly Float32Array[];
  readonly #others: ReadonlyMap<string, Labels>;
  readonly #outputs: NonNullable<LoadOptions['outputs']>;

  private constructor(
    dataset: Dataset,
    kept: readonly Numbers[],
    readonly labels: Int32Array,
    /** [count, targets], where labels are numbers. */
    readonly numbers: Float32Array | undefined,
    /** Bytes that the kept samples take. */
    readonly bytes: number,
    normalisation: Normalisation,
    { others = new Map(), outputs = new Map(), store }: LoadOptions,
  ) {
    this.#store = storeFor(dataset, store);
    this.#others = others;
    this.#outputs = outputs;
    this.shape = dataset.shape;
    this.frames = dataset.frames ?? dataset.shape.length > 3;
    this.#dataset = dataset;
    this.#kept = kept;
    this.#size = sizeOf(dataset);
    const { count, inner } = channelsOf(dataset);
    this.#channels = { count, inner };
    this.#maps = Array.from({ length: count }, (_, c) => pixelMap(dataset.scale, normalisation, c));
    this.#tables = this.#maps.map((map) => Float32Array.from({ length: 256 }, (_, v) => map(v)));
  }

  /** Reads the first `count` images, which must stay readable as long as the samples are used. */
  static load(dataset: Dataset, count: number, normalisation: Normalisation, options: LoadOptions = {}): Samples {
    const { memory = usualMemory, onProgress } = options;
    const store = storeFor(dataset, options.store);
    const size = sizeOf(dataset);
    const atOnce = Math.max(1, Math.min(readAtOnce, Math.floor(numbersAtOnce / Math.max(1, size))));
    const labels = new Int32Array(count);
    const width = dataset.targetIsInput === true ? undefined : dataset.targets;
    const numbers = width === undefined ? undefined : new Float32Array(count * width);
    const kept: Numbers[] = [];
    let bytes = 0;
    for (let start = 0; start < count; start += atOnce) {
      const wanted = Math.min(atOnce, count - start);
      const full = bytes >= memory || kept.length < start;
      if (full && dataset.labels !== undefined) {
        labels.set(dataset.labels(start, wanted), start);
        continue;
      }
      const raw = dataset.read(start, wanted);
      labels.set(raw.labels, start);
      if (numbers !== undefined) numbers.set(raw.targets!, start * width!);
      onProgress?.(start, count);
      for (let i = 0; i < wanted; i++) {
        if (kept.length < start + i && store === undefined) break;
        const own = compact(raw.images, i * size, size);
        if (kept.length === start + i && bytes + own.byteLength <= memory) {
          bytes += own.byteLength;
          kept.push(own);
        } else store?.put(start + i, own);
      }
    }
    return new Samples(dataset, kept, labels, numbers, bytes, normalisation, options);
  }

  /** How many are kept in memory, from the first. */
  get kept(): number {
    return this.#kept.length;
  }

  /** The numbers of a sample as its source has them; divided by `scale` and normalised they are those of `images`. */
  raw(i: number): Numbers {
    return this.#kept[i] ?? this.#store?.get(i) ?? this.#read(i);
  }

  #read(i: number): Numbers {
    const { images } = this.#dataset.read(i, 1);
    if (this.#store === undefined) return images;
    const own = compact(images, 0, images.length);
    this.#store.put(i, own);
    return own;
  }

  get scale(): number {
    return this.#dataset.scale;
  }

  /** Whether channels lie in front of rows and columns, so that `raw` numbers can be told apart by the shape alone. */
  get channelsFirst(): boolean {
    const { count, inner } = channelsOf({ shape: this.shape });
    return this.#channels.count === count && this.#channels.inner === inner;
  }

  /** What the outputs are compared with boxes by. */
  get detector(): DetectorShape | undefined {
    const { boxes } = this.#dataset;
    const [rows = 0, columns = 0] = this.shape.slice(-2);
    if (boxes?.bins === undefined) return undefined;
    return { image: [rows, columns], bins: boxes.bins, classes: boxes.names.length };
  }

  get count(): number {
    return this.labels.length;
  }

  /**
   * Some images, normalised: [n, …]; event frames [n, T, …] come as [T·n, …], time slowest. With `random`, each image
   * [C, H, W] is augmented (all its frames alike).
   */
  images(indices: Int32Array, augment?: Augmentation, random?: () => number): Tensor<'f32'> {
    return this.placed(indices, augment, random).images;
  }

  /** The same, and where each of them lies in its source, for {@link truthOf}. */
  placed(
    indices: Int32Array,
    augment?: Augmentation,
    random?: () => number,
  ): { readonly images: Tensor<'f32'>; readonly placements: readonly Placement[] } {
    const frames = this.frames ? this.shape[0]! : 1;
    const shape = this.frames ? this.shape.slice(1) : this.shape;
    const [n, frame] = [indices.length, this.#size / frames];
    const data = new Float32Array(n * this.#size);
    const placements: Placement[] = [];
    // where channels lie last there is nothing to shift or mirror by rows and columns
    const moves = shape.length === 3 && this.channelsFirst;
    for (let i = 0; i < n; i++) {
      const change = drawPlacement(augment, random);
      placements.push(moves ? change : asItIs);
      const hole = holeOf(augment, shape, random);
      const late = lateness(augment, random);
      const source = thinned(this.raw(indices[i]!), augment, random);
      for (let t = 0; t < frames; t++) {
        const from = t - late;
        const there = from >= 0 && from < frames;
        const own = there ? source.subarray(from * frame, (from + 1) * frame) : source.slice(0, frame).fill(0);
        const to = (t * n + i) * frame;
        if (moves) this.#copyImage(data, to, own, shape, change);
        else this.#copyNumbers(data, to, own);
        if (hole !== undefined) erase(data.subarray(to, to + frame), shape, hole);
      }
    }
    return { images: { dtype: 'f32', shape: [frames * n, ...shape], data }, placements };
  }

  #copyNumbers(data: Float32Array, to: number, own: Numbers): void {
    const { count, inner } = this.#channels;
    const map = this.#map(own);
    for (let i = 0; i < own.length; i++) data[to + i] = map(Math.floor(i / inner) % count, own[i]!);
  }

  /** What becomes of a raw number; of bytes it is looked up. */
  #map(own: Numbers): (channel: number, value: number) => number {
    const [tables, maps] = [this.#tables, this.#maps];
    return own instanceof Uint8Array ? (c, value) => tables[c]![value]! : (c, value) => maps[c]!(value);
  }

  #copyImage(data: Float32Array, to: number, own: Numbers, shape: readonly number[], change: Placement): void {
    const [channels = 1, height = 1, width = 1] = shape;
    for (let c = 0; c < channels; c++) {
      const plane = c * height * width;
      this.#copyPlane(data, to + plane, own.subarray(plane, plane + height * width), { c, height, width, ...change });
    }
  }

  /**
   * What the outputs of some samples are compared with: classes, their numbers, or the images as they are given. Boxes, and
   * numbers of pixels, lie where the images' placements put them.
   */
  truthOf(indices: Int32Array, images: Tensor<'f32'>, placements: readonly Placement[] = []): Tensor {
    if (this.#dataset.targetIsInput === true) return this.#inputOf(images, indices.length);
    const { numbers, labels } = this;
    if (numbers === undefined) return chosen(labels, indices);
    const rows = chosenRows(numbers, labels.length, indices);
    if (this.#dataset.boxes !== undefined) return this.#moved(rows, placements, movedObjects);
    return this.isOfPixels() ? this.#moved(rows, placements, movedNumbers) : rows;
  }

  /** The same of an output behind the first. */
  truthOfOther(
    name: string,
    indices: Int32Array,
    images: Tensor<'f32'>,
    placements: readonly Placement[] = [],
  ): Tensor {
    const labels = this.#others.get(name);
    if (labels === undefined) return this.#inputOf(images, indices.length);
    const { classes, numbers } = labels;
    if (numbers === undefined) return chosen(classes, indices);
    const rows = chosenRows(numbers.values, classes.length, indices);
    return this.isOfPixels(name) ? this.#moved(rows, placements, movedNumbers) : rows;
  }

  /** Whether an output, the first without a name, has a number, or several, for each pixel. */
  isOfPixels(name?: string): boolean {
    const [channels, rows, columns] = this.#outputs.get(name) ?? [];
    const [height, width] = this.shape.slice(-2);
    return channels !== undefined && rows === height && columns === width && height !== undefined;
  }

  #moved(
    rows: Tensor<'f32'>,
    placements: readonly Placement[],
    move: (own: Float32Array, frame: readonly [number, number], placement: Placement) => Float32Array,
  ): Tensor {
    const frame = this.shape.slice(-2) as unknown as [number, number];
    const width = rows.shape[1]!;
    placements.forEach((placement, i) => {
      if (stays(placement)) return;
      const own = rows.data.subarray(i * width, (i + 1) * width);
      own.set(move(own, frame, placement));
    });
    return rows;
  }

  #inputOf(images: Tensor<'f32'>, n: number): Tensor<'f32'> {
    return { dtype: 'f32', shape: [n, this.#size], data: images.data };
  }

  #copyPlane(data: Float32Array, to: number, own: Numbers, plane: Plane): void {
    const { c, height, width, dx, dy, mirrored, scale } = plane;
    if (scale !== 1) return this.#scalePlane(data, to, own, plane);
    const map = this.#map(own);
    const border = map(c, 0);
    for (let y = 0; y < height; y++) {
      const sourceY = y + dy;
      const inside = sourceY >= 0 && sourceY < height;
      for (let x = 0; x < width; x++) {
        const sourceX = (mirrored ? width - 1 - x : x) + dx;
        const known = inside && sourceX >= 0 && sourceX < width;
        data[to + y * width + x] = known ? map(c, own[sourceY * width + sourceX]!) : border;
      }
    }
  }

  /** The same of a scaled image: raw numbers interpolated linearly, 0 outside. */
  #scalePlane(data: Float32Array, to: number, own: Numbers, plane: Plane): void {
    const { c, height, width, dx, dy, mirrored, scale } = plane;
    const map = this.#maps[c]!;
    const at = (y: number, x: number): number =>
      y >= 0 && y < height && x >= 0 && x < width ? own[y * width + x]! : 0;
    const columns = Array.from({ length: width }, (_, x) =>
      around(inSource(mirrored ? width - 1 - x : x, width, dx, scale)),
    );
    for (let y = 0; y < height; y++) {
      const { first: top, share: down } = around(inSource(y, height, dy, scale));
      columns.forEach(({ first, share }, x) => {
        const upper = at(top, first) * (1 - share) + at(top, first + 1) * share;
        const lower = at(top + 1, first) * (1 - share) + at(top + 1, first + 1) * share;
        data[to + y * width + x] = map(upper * (1 - down) + lower * down);
      });
    }
  }
}

/** Of a data set whose samples are read as fast from where they lie nothing is kept a second time. */
function storeFor(dataset: Dataset, store: SampleStore | undefined): SampleStore | undefined {
  return dataset.decoded === true ? store : undefined;
}

/** Between the two pixels around `at`, the share of the second. */
function around(at: number): { readonly first: number; readonly share: number } {
  const first = Math.floor(at);
  return { first, share: at - first };
}

/** Some of the classes. */
function chosen(labels: Int32Array, indices: Int32Array): Tensor<'i32'> {
  return { dtype: 'i32', shape: [indices.length], data: Int32Array.from(indices, (i) => labels[i]!) };
}

/** Some of `count` rows of numbers. */
function chosenRows(numbers: Float32Array, count: number, indices: Int32Array): Tensor<'f32'> {
  const width = numbers.length / count;
  const data = new Float32Array(indices.length * width);
  indices.forEach((from, i) => data.set(numbers.subarray(from * width, (from + 1) * width), i * width));
  return { dtype: 'f32', shape: [indices.length, width], data };
}

function sizeOf({ shape }: Dataset): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** One sample, copied: whole numbers from 0 to 255 as bytes, which map to the same numbers. */
function compact(images: Numbers, start: number, size: number): Numbers {
  const own = images.subarray(start, start + size);
  if (own instanceof Uint8Array) return own.slice();
  for (let i = 0; i < size; i++) {
    const value = own[i]!;
    // of −0 the sign would be lost
    if (!(value >= 0 && value <= 255 && Number.isInteger(value)) || Object.is(value, -0)) return own.slice();
  }
  return Uint8Array.from(own);
}

interface Plane extends Placement {
  readonly c: number;
  readonly height: number;
  readonly width: number;
}

interface Hole {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** What random erasing takes out of an image [C, H, W]: its share of the area is uniform, its aspect between 0.3 and 1/0.3. */
function holeOf(
  augment: Augmentation | undefined,
  shape: readonly number[],
  random: (() => number) | undefined,
): Hole | undefined {
  if (augment?.erase === undefined || random === undefined || shape.length !== 3) return undefined;
  const { probability, min, max } = augment.erase;
  const [, rows, columns] = shape as [number, number, number];
  if (random() >= probability) return undefined;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = (min + (max - min) * random()) * rows * columns;
    const aspect = 0.3 ** (1 - 2 * random());
    const [height, width] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
    if (height < 1 || width < 1 || height > rows || width > columns) continue;
    const place = (room: number): number => Math.floor(random() * (room + 1));
    return { top: place(rows - height), left: place(columns - width), height, width };
  }
  return undefined;
}

function erase(image: Float32Array, shape: readonly number[], { top, left, height, width }: Hole): void {
  const [channels, rows, columns] = shape as [number, number, number];
  for (let c = 0; c < channels; c++)
    for (let y = top; y < top + height; y++) {
      const start = (c * rows + y) * columns + left;
      image.fill(0, start, start + width);
    }
}

/** How many steps later a recording begins. */
function lateness(augment: Augmentation | undefined, random: (() => number) | undefined): number {
  if (augment?.jitter === undefined || random === undefined) return 0;
  return Math.floor(random() * (2 * augment.jitter + 1)) - augment.jitter;
}

/** A recording that has lost each of its events with a probability; a count of n is n events. */
function thinned(source: Numbers, augment: Augmentation | undefined, random: (() => number) | undefined): Numbers {
  if (augment?.drop === undefined || random === undefined) return source;
  const kept = source.slice();
  for (let i = 0; i < kept.length; i++) {
    const events = Math.round(Math.abs(kept[i]!));
    for (let k = 0; k < events; k++) if (random() < augment.drop) kept[i]! -= Math.sign(source[i]!);
  }
  return kept;
}
