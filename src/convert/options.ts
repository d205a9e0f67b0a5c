import type { Kept } from '../allocate/auto-silence.js';
import type { CodeRange } from '../base/code-range.js';
import type { Dataset, Normalisation } from '../data/index.js';
import type { Artifact, Balancing, CommonOptions, ConversionCoding, Encoder } from '../workspace/types.js';

/** What a conversion is told. */
export interface ConvertOptions extends CommonOptions {
  readonly coding: ConversionCoding;
  readonly steps?: number;
  /** Silent steps of every layer; `auto` (where missing) by layer, the least on a few inputs; `proven` right for all. */
  readonly silent?: number | 'auto' | 'proven';
  /** With `auto`: what must not differ on these inputs; `codes` where missing. */
  readonly keep?: Kept;
  /** With `auto`: how much more than on these inputs may come in late; 1.5 where missing, 2 on fewer than 4 inputs. */
  readonly margin?: number;
  /** Silent steps of single layers, with a number as `silent` for the others. */
  readonly periods?: readonly { readonly id: string; readonly silent: number }[];
  readonly beta?: number;
  /** sws: the threshold θ/2 (where missing), or θ. */
  readonly threshold?: 'half' | 'full';
  /** sws: `exact` or `drive`; others whose spikes count by time: `spikes` (where missing), or `real`, a constant current; rate and signed: `real` (where missing), `bernoulli` or `regular`. */
  readonly encoder?: Encoder;
  /** rate: the seed of spikes that are drawn. */
  readonly seed?: number;
  /** offset: steps of its input that a layer looks at before it fires. */
  readonly look?: number;
  /** Steps of a period of phases. */
  readonly period?: number;
  /** Bursts: what the first spike of one counts, as a share of a layer's range, and how often the next count more. */
  readonly theta?: number;
  readonly longest?: number;
  /** Time constant of the falling threshold of a first spike; 0: it falls evenly. */
  readonly tau?: number;
  /** Data on which the network is checked, and activation ranges are measured where there are no quantisers. */
  readonly calibrate?: Dataset;
  /** Of the positive activations, in (0, 100]; the default takes 99.9. */
  readonly percentile?: number;
  /** How many calibration images, from the first; 1000 where missing. */
  readonly calibrationLimit?: number;
  /** A range for each channel: `search`, the one with which these steps say its activations best; `local`, by Bu et al. */
  readonly balance?: Balancing;
  /** Bits of MBIF, or D and N of IBRALIF. */
  readonly integer?: number;
  readonly fraction?: number;
  readonly largest?: number;
  readonly perUnit?: number;
  readonly normalisation?: Normalisation;
  /** A network that doesn't pass its check is an error, and nothing is written. */
  readonly strict?: boolean;
  readonly outDir: string;
  /** What is written beside the model file and the weights; `ir`, `json` and `onnx` where missing. */
  readonly emit?: readonly Artifact[];
  /** The output to take, of several. */
  readonly output?: string;
  /** The integers that float inputs hold. */
  readonly inputCodes?: CodeRange;
}
