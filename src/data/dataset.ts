import type { Tensor } from '../base/dtype.js';
import { type Diagnostic, diagnostic, fail } from '../base/diagnostics/index.js';
import type { Recordings } from './events/events.js';
import type { Edges } from './letterbox.js';

/** How the numbers of an image are ordered: channels, rows, columns (`nchw`), or channels last (`nhwc`). */
export type Layout = 'nchw' | 'nhwc';

export const layouts: readonly Layout[] = ['nchw', 'nhwc'];

/** Labelled images on the disk, read a batch at a time. */
export interface Dataset {
  /** As the user named it: `mnist:test`. */
  readonly name: string;
  /**
   * Of one sample as the source has it: [channels, height, width], [features], [steps, channels, height, width] …;
   * `fitDataset` gives it the shape of a network's input.
   */
  readonly shape: readonly number[];
  /** In which order channels lie, where that is known: of a named set, or said by the user. */
  readonly layout?: Layout;
  /** How many channels a sample has, and how many numbers of one follow each other; [channels, height, width] without. */
  readonly channels?: { readonly count: number; readonly inner: number };
  /** The first axis of a sample is time: a network takes a frame a step. */
  readonly frames?: boolean;
  /** Number of classes: of the set where it is a known one, otherwise one more than the largest label. */
  readonly classes: number;
  /** The set's own number of classes is known (not derived from labels), so a network must have as many outputs. */
  readonly classesKnown: boolean;
  readonly length: number;
  /** What the raw numbers are divided by before they are normalised: 255 for pixels in bytes, otherwise 1. */
  readonly scale: number;
  /** The same where samples are frames over time: counts of events aren't pixels. */
  readonly frameScale?: number;
  /** False where the source has no labels: all are 0. */
  readonly labelled?: boolean;
  /** Numbers a sample has as its label, where labels aren't classes. */
  readonly targets?: number;
  /** `targets` are rows of class, left, top, right and bottom in pixels, `most` of them; class −1 where there is no object. */
  readonly boxes?: {
    readonly names: readonly string[];
    readonly most: number;
    /** Of the detector that they are fitted to. */
    readonly bins?: number;
    /** Ids of the classes in the file. */
    readonly ids?: readonly number[];
    /** The image that a sample was made from. */
    readonly source?: (sample: number) => SourceImage;
  };
  /** Of images on the disk: each scaled to fit into so many rows and columns. */
  readonly letterboxed?: (channels: number, rows: number, columns: number) => Dataset;
  /** What the outputs are compared with is the sample itself, as a network gets it. */
  readonly targetIsInput?: boolean;
  /** Labels that the source has by name, for networks with several outputs. */
  readonly named?: NamedLabels;
  /** Fails with what is missing, where the source has labels by name alone. */
  readonly withoutLabels?: () => never;
  /** The element type as the file calls it: `uint8`, `f4` … */
  readonly type?: string;
  /** Events, which the network's coding turns into frames; nothing can be read before ({@link fitDataset} does it). */
  readonly recordings?: Recordings;
  /** Labels `start … start + count − 1`, where they are known without reading the samples. */
  readonly labels?: (start: number, count: number) => Int32Array;
  /** Of a file with an array for each input of a network: by the inputs' names the samples of each. Undefined where an array is missing. */
  readonly ofInputs?: (names: readonly string[]) => readonly Dataset[] | undefined;
  /** Names of its arrays. */
  readonly arrays?: readonly string[];
  /** None of them has a name of samples. */
  readonly unnamed?: true;
  /** A sample is decoded, framed or scaled each time it is read, which takes longer than to read its numbers. */
  readonly decoded?: boolean;
  /** Remarks for the user: files of the set that are absent. */
  readonly notes: readonly string[];
  /** Images `start … start + count − 1` (fewer at the end), raw, row-major [count, ...shape]. */
  read(start: number, count: number): RawBatch;
  close(): void;
}

/** An image as it lies on the disk, and where a box of its sample is in it. */
export interface SourceImage {
  readonly id: number;
  readonly boxIn: (box: Edges) => Edges;
}

/** One of several inputs of a network, which has all their numbers in a row: `start` … `end` − 1. */
export interface NamedInput {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Of one sample; missing where the network has its numbers as a row alone. */
  readonly shape?: readonly number[];
  /** Its numbers are ids of so many rows of a table. */
  readonly rows?: number;
}

/** Arrays of labels by their names; each is read, and found right or wrong, when it is asked for. */
export interface NamedLabels {
  readonly names: readonly string[];
  readonly of: (name: string) => Labels | undefined;
}

/** The labels of all samples. */
export interface Labels {
  /** Zeros where they are numbers. */
  readonly classes: Int32Array;
  /** Numbers to be predicted, [count, width], in place of classes. */
  readonly numbers?: { readonly width: number; readonly values: Float32Array };
}

export interface RawBatch {
  readonly count: number;
  readonly images: Uint8Array | Float32Array;
  /** Zeros where labels are numbers or absent. */
  readonly labels: Int32Array;
  /** [count, targets], where labels are numbers. */
  readonly targets?: Float32Array;
}

/** Per-channel mean and standard deviation of inputs scaled to [0, 1]. */
export interface Normalisation {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

export interface Batch {
  readonly count: number;
  /** [count, ...shape], scaled and normalised. */
  readonly images: Tensor<'f32'>;
  readonly labels: Int32Array;
  /** [count, targets], where labels are numbers. */
  readonly targets?: Float32Array;
}

/** How many images a batch may have left from `start`; misuse is a TypeError. */
export function batchCount(dataset: { readonly length: number }, start: number, count: number): number {
  if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 0) {
    throw new TypeError(`a batch starts and counts in whole images, got ${start} and ${count}`);
  }
  return Math.max(0, Math.min(count, dataset.length - start));
}

/**
 * Reads a batch and maps its pixels: x ← (raw / scale − mean) / std, each step rounded to float32, so that
 * the numbers are those of torchvision's `ToTensor` and `Normalize`.
 */
export function readBatch(dataset: Dataset, start: number, count: number, normalisation: Normalisation = {}): Batch {
  const raw = dataset.read(start, count);
  const data = new Float32Array(raw.images.length);
  const { count: channels, inner: plane } = channelsOf(dataset);
  const maps = Array.from({ length: channels }, (_, c) => pixelMap(dataset.scale, normalisation, c));
  const tables =
    raw.images instanceof Uint8Array
      ? maps.map((map) => Float32Array.from({ length: 256 }, (_, v) => map(v)))
      : undefined;
  for (let at = 0, c = 0; at < data.length; at += plane, c = (c + 1) % channels) {
    const table = tables?.[c];
    const map = maps[c] as (value: number) => number;
    for (let i = at; i < at + plane; i++) {
      const value = raw.images[i] as number;
      data[i] = table === undefined ? map(value) : (table[value] as number);
    }
  }
  const targets = dataset.targetIsInput === true ? data : raw.targets;
  return {
    count: raw.count,
    images: { dtype: 'f32', shape: [raw.count, ...dataset.shape], data },
    labels: raw.labels,
    ...(targets === undefined ? {} : { targets }),
  };
}

/** How many channels a sample has, and how many numbers of one follow each other. */
export function channelsOf({ channels, shape }: Pick<Dataset, 'channels' | 'shape'>): {
  readonly count: number;
  readonly inner: number;
} {
  return channels ?? { count: shape.at(-3) ?? 1, inner: (shape.at(-2) ?? 1) * (shape.at(-1) ?? 1) };
}

/** What {@link readBatch} does to the raw numbers of a channel. */
export function pixelMap(scale: number, { mean, std }: Normalisation, channel: number): (value: number) => number {
  const m = Math.fround(ofChannel(mean, channel) ?? 0);
  const s = Math.fround(ofChannel(std, channel) ?? 1);
  return (value) => Math.fround(Math.fround(Math.fround(value / scale) - m) / s);
}

function ofChannel(list: readonly number[] | undefined, channel: number): number | undefined {
  return list?.length === 1 ? list[0] : list?.[channel];
}

/** Reads `--mean` and `--std`: one number, or one per channel ({@link channelProblems} counts them). */
export function parseNormalisation(mean: string | undefined, std: string | undefined): Normalisation {
  return {
    ...(mean === undefined ? {} : { mean: numberList('--mean', mean) }),
    ...(std === undefined ? {} : { std: numberList('--std', std) }),
  };
}

function numberList(option: '--mean' | '--std', text: string): readonly number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const reject = (reason: string): never => fail('data/bad-normalisation', { option, reason });
  if (!numbers.every(Number.isFinite)) reject(`"${text}" is not a list of numbers separated by commas`);
  if (option === '--std' && numbers.some((n) => n <= 0)) reject('standard deviations must be positive');
  return numbers;
}

/** Means and deviations that are neither one nor one per channel. */
export function channelProblems(dataset: Dataset, { mean, std }: Normalisation): readonly Diagnostic[] {
  const { count } = channelsOf(dataset);
  return (['mean', 'std'] as const).flatMap((key) => {
    const numbers = { mean, std }[key]?.length ?? 1;
    if (numbers === 1 || numbers === count) return [];
    const reason = `${numbers} numbers for ${count} channel${count === 1 ? '' : 's'}`;
    const last = dataset.layout === undefined && dataset.shape.length >= 3 && dataset.shape.at(-1) === numbers;
    const help = last ? 'if the channels lie last, say so: --layout nhwc' : undefined;
    return [diagnostic('data/bad-normalisation', { option: `--${key}`, reason }, undefined, { help })];
  });
}
