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
}

export type OnProgress = (progress: Progress) => void;

export interface CommonOptions {
  readonly onProgress?: OnProgress;
  /** Let `use` and `onnx(...)` leave the model file's folder. */
  readonly allowOutside?: boolean;
  /** Compare an import with its file in onnxruntime, layer by layer; where missing, files up to 32 MB. */
  readonly verify?: boolean;
}

export const artifacts = ['ir', 'json', 'tensor', 'tfjs', 'onnx'] as const;

export type Artifact = (typeof artifacts)[number];
