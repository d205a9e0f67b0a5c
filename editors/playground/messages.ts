/** What the page asks its compiler, which works beside it. */
export type Request = { readonly id: number } & (
  | { readonly ask: 'file'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly ask: 'configs'; readonly text: string }
  | { readonly ask: 'ir'; readonly text: string; readonly config: string; readonly pass?: string }
  | { readonly ask: 'cost'; readonly text: string; readonly config: string }
  | { readonly ask: 'diff'; readonly text: string; readonly from: string; readonly to: string }
  | { readonly ask: 'report'; readonly text: string; readonly config: string }
  | { readonly ask: 'onnx' | 'tfjs'; readonly text: string; readonly config: string }
  | { readonly ask: 'compare'; readonly text: string; readonly config: string; readonly digits: Digits }
);

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
