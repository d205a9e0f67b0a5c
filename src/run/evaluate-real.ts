import type { Engine } from '../engines/index.js';
import { type Images, classify } from './metrics/index.js';
import type { Network } from '../network/index.js';
import { openLogits } from './logits.js';
import type { EvalOptions } from './types.js';

/** Predictions of a network without spikes. */
export interface RealRun {
  readonly classes: Int32Array;
  readonly milliseconds: number;
}

/** Runs a network without spikes over images. */
export async function evaluateReal(
  network: Network,
  images: Images,
  engine: Engine,
  { threads, onProgress }: Pick<EvalOptions, 'threads' | 'onProgress'>,
): Promise<RealRun> {
  const logits = await openLogits(network, engine, { threads });
  const began = performance.now();
  try {
    const classes = await classify({ logits: logits.begin(), lanes: logits.lanes }, images, (done, total) =>
      onProgress?.({ phase: 'evaluating', done, total, unit: 'images' }),
    );
    return { classes, milliseconds: performance.now() - began };
  } finally {
    await logits.dispose();
  }
}
