import type { InputShape } from '../base/input-shape.js';

/** What a command works on: `FILE` or `FILE#CONFIG`. */
export interface Target {
  readonly path: string;
  readonly config?: string;
}

/** How far a long piece of work has come. */
export interface Progress {
  /** `evaluating` */
  readonly phase: string;
  readonly done: number;
  readonly total?: number;
  /** What is counted: `images`. */
  readonly unit?: string;
  /** Figures to show beside: `loss 0.31  accuracy 91.20 %`. */
  readonly detail?: string;
  /** May take long, and nothing is said before it ends. */
  readonly silent?: boolean;
  /** Shown on a screen alone: many short steps that no log needs. */
  readonly passing?: boolean;
}

export type OnProgress = (progress: Progress) => void;

export interface CommonOptions {
  /** Sizes of inputs that an ONNX file leaves free: of a target that is such a file. */
  readonly inputShapes?: readonly InputShape[];
  readonly onProgress?: OnProgress;
  /** Let `use` and `onnx(...)` leave the model file's folder. */
  readonly allowOutside?: boolean;
  /**
   * How much of an import is compared with its file in onnxruntime, layer by layer, and on how many inputs a finished
   * conversion is checked. `sample` (where missing): files up to 32 MB, a few inputs. True means `full`, false `none`.
   */
  readonly verify?: boolean | VerifyLevel;
}

export const verifyLevels = ['none', 'sample', 'full'] as const;

export type VerifyLevel = (typeof verifyLevels)[number];

export function verifyLevel({ verify = 'sample' }: Pick<CommonOptions, 'verify'>): VerifyLevel {
  if (typeof verify === 'string') return verify;
  return verify ? 'full' : 'none';
}

/** What `--emit` can name, in the order in which it is made; each has a row in `emitters`. */
export const artifacts = ['ir', 'json', 'tensor', 'tfjs', 'onnx', 'c', 'torch', 'nir'] as const;

/** Tools that read NIR, each in its own way. */
export const nirTools = ['nir', 'snntorch', 'spikingjelly', 'norse', 'sinabs', 'rockpool', 'spyx', 'lava'] as const;

export type Artifact = (typeof artifacts)[number];

/** Codings that `convert` writes a config for. */
export const conversionCodings = [
  'sws',
  'rate',
  'signed',
  'offset',
  'mbif',
  'ibra',
  'binary',
  'phase',
  'burst',
  'ttfs',
  'ttfs_dynamic',
  'tsc',
  'pattern',
] as const;

/** Those of them whose spikes count by their time or by what came before: each has a row in the language. */
export const timedCodings = ['phase', 'burst', 'ttfs', 'ttfs_dynamic', 'tsc', 'pattern'] as const;

export type TimedCoding = (typeof timedCodings)[number];

export function isTimedCoding(coding: ConversionCoding): coding is TimedCoding {
  return (timedCodings as readonly string[]).includes(coding);
}

export type ConversionCoding = (typeof conversionCodings)[number];

/** How an input comes in. */
export const encoders = ['exact', 'drive', 'spikes', 'real', 'bernoulli', 'regular'] as const;
export type Encoder = (typeof encoders)[number];

/** How ranges of channels are found. */
export const balancings = ['search', 'local'] as const;
export type Balancing = (typeof balancings)[number];

/** Codings whose trains are means of steps that count alike, and whose channels may have ranges of their own. */
export const balancedCodings = ['rate', 'signed', 'offset'] as const satisfies readonly ConversionCoding[];
