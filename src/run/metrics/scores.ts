import type { DetectionScore } from '../../detection/index.js';
import type { Truth } from './batches.js';
import type { Outputs } from './outputs.js';
import { agreement } from './predictions.js';

/** How far outputs are from numbers. */
export interface Distance {
  /** Mean of |output − number|. */
  readonly mae: number;
  /** √ of the mean of (output − number)². */
  readonly rmse: number;
  /** 1 − Σ(output − number)² / Σ(number − mean)²; missing where all numbers are the same. */
  readonly r2?: number;
  /** 10·log10(peak²/mean squared error) in dB, peak the range of all numbers; missing where there is no error. */
  readonly psnr?: number;
}

/** Numbers that are 0 or 1, as masks have them: 1 is where an output is above a half. */
export interface Masks {
  /** The share of outputs on the right side. */
  readonly accuracy: number;
  /** Of all outputs together: ones found and wanted over ones found or wanted; missing where there are none. */
  readonly iou?: number;
}

export interface Regression extends Distance {
  /** Of several outputs whose numbers are all 0 or 1. */
  readonly masks?: Masks;
  /** Each output by itself, where there are several; r2 above is then their mean. */
  readonly outputs?: readonly Distance[];
}

/** What predictions are worth: a fraction of right classes, or distances. */
export interface Score {
  readonly accuracy?: number;
  readonly regression?: Regression;
  readonly detection?: DetectionScore;
}

/** `givesLogits`: of numbers, σ of the outputs is compared with them. */
export function scoreOf(
  truth: Truth,
  { classes, outputs }: { readonly classes: Int32Array; readonly outputs?: Outputs | undefined },
  givesLogits = false,
): Score {
  if (truth.kind === 'classes') return { accuracy: agreement(classes, truth.classes) };
  if (truth.kind === 'boxes') throw new TypeError('scoreOf: boxes are looked at batch by batch');
  if (outputs === undefined) throw new TypeError('scoreOf: numbers are compared with outputs');
  const said = givesLogits ? { ...outputs, data: outputs.data.map((z) => 1 / (1 + Math.exp(-z))) } : outputs;
  return { regression: regression(said, truth.numbers) };
}

function masksOf(found: Float64Array, wanted: Float64Array): Masks {
  let [right, both, either] = [0, 0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const [here, there] = [found[i]! > 0.5, wanted[i] === 1];
    if (here === there) right++;
    if (here && there) both++;
    if (here || there) either++;
  }
  return { accuracy: right / wanted.length, ...(either === 0 ? {} : { iou: both / either }) };
}

/** Distances of outputs [samples, width] from numbers of the same shape. */
export function regression({ classes: width, data }: Outputs, numbers: Float64Array): Regression {
  const each = Array.from({ length: width }, (_, k) => distance(data, numbers, k, width));
  const [only] = each;
  const mean = (of: (one: Distance) => number): number => each.reduce((sum, one) => sum + of(one), 0) / each.length;
  const rmse = Math.sqrt(mean(({ rmse: one }) => one ** 2));
  const [least, most] = numbers.reduce(([lo, hi], x) => [Math.min(lo, x), Math.max(hi, x)], [Infinity, -Infinity]);
  const peak = most! - least!;
  const noise = rmse > 0 && peak > 0 ? { psnr: 20 * Math.log10(peak / rmse) } : {};
  if (each.length === 1) return { ...only!, ...noise };
  const isMask = numbers.every((y) => y === 0 || y === 1);
  const varied = each.every(({ r2 }) => r2 !== undefined);
  return {
    mae: mean(({ mae }) => mae),
    rmse,
    ...(varied ? { r2: mean(({ r2 }) => r2!) } : {}),
    ...noise,
    ...(isMask ? { masks: masksOf(data, numbers) } : {}),
    outputs: each,
  };
}

/** Of the `k`th of every `width` values. */
function distance(found: Float64Array, wanted: Float64Array, k: number, width: number): Distance {
  const count = wanted.length / width;
  let [absolute, squared, sum] = [0, 0, 0];
  for (let i = k; i < wanted.length; i += width) {
    const difference = found[i]! - wanted[i]!;
    absolute += Math.abs(difference);
    squared += difference ** 2;
    sum += wanted[i]!;
  }
  let spread = 0;
  for (let i = k; i < wanted.length; i += width) spread += (wanted[i]! - sum / count) ** 2;
  return {
    mae: absolute / count,
    rmse: Math.sqrt(squared / count),
    ...(spread > 0 ? { r2: 1 - squared / spread } : {}),
  };
}
