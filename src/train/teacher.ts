import type { Tensor } from '../base/dtype.js';

/** A network that another one learns from. */
export interface Teacher {
  /** Its outputs [n, outputs] of images as the network gets them, normalised. */
  readonly logits: (images: Tensor<'f32'>) => Promise<Tensor>;
  readonly close: () => Promise<void>;
}

export type OpenTeacher = () => Promise<Teacher>;
