import { elementCount } from '../../../base/dtype.js';
import type { Buffer } from '../arena.js';
import type { CType } from '../ctypes.js';

/** A shape as it lies in memory, channels last: [C, H, W], [C, 1, 1] of features. */
export type Extent = readonly [channels: number, height: number, width: number];

export function extentOf(shape: readonly number[]): Extent | undefined {
  if (shape.length === 1) return [shape[0]!, 1, 1];
  if (shape.length === 2) return [shape[0]!, 1, shape[1]!];
  return shape.length === 3 ? (shape as unknown as Extent) : undefined;
}

/** A train in bits: of each step planes of the bits of its levels, the highest first; where signed, one of + and one of − a bit. */
export interface Bits {
  readonly kind: 'bits';
  readonly buffer: Buffer;
  readonly extent: Extent;
  readonly steps: number;
  readonly signed: boolean;
  /** Bits of a level, the greatest size of one, and what a level of 1 stands for. */
  readonly depth: number;
  readonly top: number;
  readonly unit: number;
}

/** Real numbers that are the same at every step: the image, or what a synapse makes of it. */
export interface Real {
  readonly kind: 'real';
  /** An argument of the function, or working memory. */
  readonly from: string | Buffer;
  readonly type: 'f32' | 'f64';
  /** Channels first, as images are given. */
  readonly planar: boolean;
  /** The greatest size of one: what is beyond counts as so much. */
  readonly most: number;
  readonly extent: Extent;
  readonly steps: number;
}

/** Sums over the windows of a train, made step by step where they are read. */
export interface Pooled {
  readonly kind: 'pooled';
  readonly from: Bits;
  readonly windows: Windows;
  readonly extent: Extent;
  readonly steps: number;
  /** The largest level, the type that holds all of them, and what a level of 1 stands for. */
  readonly most: number;
  readonly type: CType;
  readonly unit: number;
}

export type Train = Bits | Pooled;

/** What `spk_windows` has of a synapse or a pool. */
export interface Windows {
  readonly from: Extent;
  readonly to: Extent;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pads: readonly number[];
  readonly dilation: readonly [number, number];
  readonly groups: number;
  /** A position of the input adds its taps from position · stride − pad on (a transposed convolution), rather than being read so. */
  readonly scattered?: true;
}

/** Part of a potential: gain ⊙ what a train gives through weights, or itself. */
export interface Term {
  readonly train: Train | Real;
  readonly weights?: Weights;
  /** One, or one a channel. */
  readonly gain: readonly number[];
}

/** Integer weights by the order in which spikes lie in memory: a row of outputs for each input and tap. */
export interface Weights {
  readonly name: string;
  /** What a weight of 1 stands for: of all, or of each output. */
  readonly scale: readonly number[];
  readonly windows: Windows;
  readonly rows: Float64Array;
  readonly outputs: number;
  readonly bits: number;
  /** Of each output the sum of its weights' sizes, and the greatest of them. */
  readonly sums: ArrayLike<number>;
  readonly most: number;
  /** The same of the weights in a row of the kernel. */
  readonly mostOfRow: number;
}

/** What reaches neurons: terms, and a constant a step. */
export interface Potential {
  readonly kind: 'potential';
  readonly terms: readonly Term[];
  /** One, one a channel, or one a neuron [C, H, W]; missing for 0. */
  readonly bias?: ArrayLike<number>;
  readonly extent: Extent;
  readonly steps: number;
}

export type Value = { readonly kind: 'image'; readonly name: string } | Real | Train | Potential;

export const sizeOf = (extent: Extent): number => elementCount(extent);
export const planeBytes = (extent: Extent): number => Math.ceil(sizeOf(extent) / 8);

/** The largest size of a train's levels, or of real numbers. */
export function levelsOf(train: Train | Real): number {
  return train.kind === 'bits' ? train.top : train.most;
}

/** Images are normalised, or bytes: nothing is beyond this. */
export const mostOfImages = 256;

/** Planes of bits that a step of a train has, whatever their signs. */
export function planesOf(train: Train | Real): number {
  return train.kind === 'bits' ? train.depth : train.kind === 'pooled' ? train.from.depth : 0;
}

/** The greatest size of a term's sum over so many steps. */
export function mostOf({ train, weights }: Term, beta: number, steps: number): number {
  let sum = 0;
  for (let k = 0; k < Math.min(steps, train.steps); k++) sum += beta ** (steps - 1 - k);
  return sum * levelsOf(train) * (weights?.most ?? 1);
}

/** Σ_{k < count} β^k. */
export function repeated(beta: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += beta ** k;
  return sum;
}
