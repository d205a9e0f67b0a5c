import type { Tensor } from '../base/dtype.js';
import { type Diagnostic, diagnostic, fail } from '../base/diagnostics/index.js';

/** Labelled images on the disk, read a batch at a time. */
export interface Dataset {
  /** As the user named it: `mnist:test`. */
  readonly name: string;
  /** Of one image: [channels, height, width]; event frames have [steps, channels, height, width]. */
  readonly shape: readonly number[];
  /** Number of classes: of the set where it is a known one, otherwise one more than the largest label. */
  readonly classes: number;
  /** The set's own number of classes is known (not derived from labels), so a network must have as many outputs. */
  readonly classesKnown: boolean;
  readonly length: number;
  /** What the raw numbers are divided by before they are normalised: 255 for pixels in bytes, otherwise 1. */
  readonly scale: number;
  /** Remarks for the user: files of the set that are absent. */
  readonly notes: readonly string[];
  /** Images `start … start + count − 1` (fewer at the end), raw, row-major [count, ...shape]. */
  read(start: number, count: number): RawBatch;
  close(): void;
}

export interface RawBatch {
  readonly count: number;
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array;
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
  const channels = dataset.shape.at(-3) ?? 1;
  const plane = (dataset.shape.at(-2) ?? 1) * (dataset.shape.at(-1) ?? 1);
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
  return { count: raw.count, images: { dtype: 'f32', shape: [raw.count, ...dataset.shape], data }, labels: raw.labels };
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

/** Reads `--mean` and `--std`: one number, or one per channel. */
export function parseNormalisation(mean: string | undefined, std: string | undefined, channels: number): Normalisation {
  return {
    ...(mean === undefined ? {} : { mean: numberList('--mean', mean, channels) }),
    ...(std === undefined ? {} : { std: numberList('--std', std, channels) }),
  };
}

function numberList(option: '--mean' | '--std', text: string, channels: number): readonly number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const reject = (reason: string): never => fail('data/bad-normalisation', { option, reason });
  if (!numbers.every(Number.isFinite)) reject(`"${text}" is not a list of numbers separated by commas`);
  if (numbers.length !== 1 && numbers.length !== channels) {
    reject(`${numbers.length} numbers for ${channels} channel${channels === 1 ? '' : 's'}`);
  }
  if (option === '--std' && numbers.some((n) => n <= 0)) reject('standard deviations must be positive');
  return numbers;
}

/** Whether a network with this input shape and number of outputs can be judged on the data set. */
export function checkFit(dataset: Dataset, input: readonly number[], outputs: number): readonly Diagnostic[] {
  const { name, shape, classes } = dataset;
  const problems: Diagnostic[] = [];
  if (shape.length !== input.length || shape.some((n, i) => n !== input[i])) {
    problems.push(diagnostic('data/shape-mismatch', { name, data: shape, network: input }));
  }
  if (classes > outputs || (dataset.classesKnown && classes !== outputs)) {
    problems.push(diagnostic('data/class-mismatch', { name, classes, outputs }));
  }
  return problems;
}
