import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Engine, partBytes } from '../engines/index.js';
import type { Runnable } from '../lower/program/index.js';
import { programParts, simplify } from '../tensor/index.js';
import { type Results, openRunnable } from '../train/index.js';
import { type Images, forEachBatch } from './metrics/index.js';

export interface PartsOptions {
  readonly threads?: number | undefined;
  /** Whether no memory is kept between images. */
  readonly brief?: boolean | undefined;
  /** Params that the engine holds at a time. */
  readonly mostBytes?: number;
  /** What the program's inputs beside the images are fed with, of a batch from an image on. */
  readonly fed?: ((start: number) => Results) | undefined;
  /** Called when a part has run on a batch: the batch's first image, and those of the program's outputs that it gives. */
  readonly take: (start: number, results: Results) => void;
  /** Steps done, of all parts on all images. */
  readonly counter?: ((done: number, total: number) => void) | undefined;
}

/**
 * Runs a network on images part by part: no engine holds more of its weights than a part has. Between parts the values that
 * the next ones read are kept for all images.
 */
export async function runInParts(
  runnable: Runnable,
  engine: Engine,
  images: Images,
  { threads, brief, mostBytes = partBytes, fed, take, counter }: PartsOptions,
): Promise<void> {
  const parts = programParts(simplify(runnable.program), mostBytes);
  const values = new Map<number, Map<string, Tensor>>();
  for (const [n, { program, kept, last }] of parts.entries()) {
    const { pass, inputs, dispose } = await openRunnable({ ...runnable, program }, engine, { threads, brief });
    const names = new Set(Object.keys(program.outputs).filter((name) => !(name in kept)));
    let start = 0;
    const run = async (batch: Tensor<'f32'>): Promise<Results> => {
      const given = values.get(start) ?? new Map<string, Tensor>();
      values.set(start, given);
      const more = Object.entries(fed?.(start) ?? {}).filter(([name]) => inputs.has(name));
      const results = await pass(Object.fromEntries([...given, ...more]))(batch);
      for (const id of last) given.delete(id);
      for (const [name, id] of Object.entries(kept)) given.set(id, present(results[name], `run: no ${name}`));
      start += batch.shape[0]!;
      return Object.fromEntries(Object.entries(results).filter(([name]) => names.has(name)));
    };
    const count = (done: number, total: number): void => counter?.(n * total + done, parts.length * total);
    try {
      await forEachBatch(images, 1, run, (results, at) => take(at, results), count);
    } finally {
      await dispose();
    }
  }
}
