import type { Tensor } from '../../src/base/dtype.js';
import type { LayerTrace, SampleTrace } from '../../src/run/sample-trace.js';
import type { EpochRecord } from '../../src/train/record.js';

/** What the page asks its compiler, which works beside it. */
export type Request = { readonly id: number } & (
  | { readonly ask: 'file'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly ask: 'configs'; readonly text: string }
  | { readonly ask: 'ir'; readonly text: string; readonly config: string; readonly pass?: string }
  | { readonly ask: 'cost'; readonly text: string; readonly config: string }
  | { readonly ask: 'diff'; readonly text: string; readonly from: string; readonly to: string }
  | { readonly ask: 'report'; readonly text: string; readonly config: string }
  | {
      readonly ask: 'download';
      readonly kind: Download;
      readonly text: string;
      readonly config: string;
      readonly weights?: Weights;
    }
  | { readonly ask: 'curves'; readonly records: readonly EpochRecord[] }
  | { readonly ask: 'raster'; readonly layers: readonly LayerTrace[] }
  | { readonly ask: 'membranes'; readonly layer: LayerTrace }
  | { readonly ask: 'compare'; readonly text: string; readonly config: string; readonly digits: Digits }
);

/** What a config is made into, to be taken home. */
export type Download = 'onnx' | 'tfjs' | 'torch' | 'c' | 'nir';

export interface DownloadAnswer {
  readonly content: string | Uint8Array;
  /** What there is to say of it. */
  readonly notes: readonly string[];
}

/** Trained values of a network's parameters. */
export type Weights = Readonly<Record<string, Tensor>>;

/** What a training in the page starts from. */
/** Backends of TensorFlow.js in a browser, fastest first. */
export const backends = ['webgpu', 'wasm', 'cpu'] as const;
export type Backend = (typeof backends)[number];

export interface TrainRequest {
  readonly text: string;
  readonly config: string;
  /** In place of the fastest that there is. */
  readonly backend?: Backend;
  /** In place of the config's. */
  readonly epochs?: number;
  readonly digits: Digits;
}

export interface TrainStart {
  readonly engine: string;
  readonly images: number;
  /** Images of them that are held back. */
  readonly held: number;
  readonly epochs: number;
}

export interface TrainEpoch {
  readonly record: EpochRecord;
  readonly weights: Weights;
  /** What some layers do on an image. */
  readonly trace: SampleTrace;
}

/** What a training says; the last is `done` or `problems`. */
export type TrainReply =
  | { readonly start: TrainStart }
  | { readonly progress: string }
  | { readonly epoch: TrainEpoch }
  | { readonly done: true }
  | { readonly problems: readonly string[] };

/** Images in bytes, one after the other, with their classes. */
export interface Digits {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
  readonly mean: number;
  readonly std: number;
}

/** What comes back: an answer, or what is wrong in words. `progress` comes before either. */
export type Reply = { readonly id: number } & (
  { readonly answer: unknown } | { readonly problems: readonly string[] } | { readonly progress: string }
);

export interface ConfigsAnswer {
  readonly configs: readonly string[];
  readonly problems: readonly string[];
}

export interface IrAnswer {
  readonly passes: readonly string[];
  readonly ir: string;
}

export interface CostAnswer {
  readonly rows: readonly (readonly string[])[];
  readonly head: readonly string[];
  readonly latency: number;
}

export interface CompareAnswer {
  readonly images: number;
  readonly source: number;
  readonly spiking: number;
  readonly agreement: number;
  readonly seconds: number;
}
