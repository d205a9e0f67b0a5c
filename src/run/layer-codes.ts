import type { Tensor } from '../base/dtype.js';
import type { Engine } from '../engines/index.js';
import type { ProbeKind, Runnable } from '../lower/program/index.js';
import { runInParts } from './in-parts.js';
import type { Results } from '../train/index.js';
import { type Counter, type Images, predictedClasses } from './metrics/index.js';

/** What is probed of one layer on a batch. */
export type Probed = (kind: ProbeKind) => Tensor | undefined;

export interface LayersOptions {
  /** Called once for each layer with codes and each batch, whose first image is `start`, when all that is probed of it is there. */
  readonly take: (start: number, id: string, found: Probed) => void;
  readonly counter?: Counter | undefined;
  /** What the program's inputs beside the images are fed with, of a batch from an image on. */
  readonly fed?: ((start: number) => Results) | undefined;
}

/**
 * Runs a network over images part by part, one layer's values after the other's: what isn't taken is not kept. Gives the
 * predictions.
 */
export async function runLayers(
  { outputs, ...runnable }: Runnable,
  engine: Engine,
  images: Images,
  { take, counter, fed }: LayersOptions,
): Promise<Int32Array> {
  const classes = new Int32Array(images.count);
  const probed = new Map<string, { readonly id: string; readonly kind: ProbeKind }>();
  const left = new Map<string, number>();
  for (const kind of ['codes', 'tie', 'membrane'] as const) {
    for (const [id, name] of outputs.probes[kind]) {
      if (!outputs.probes.codes.has(id)) continue;
      probed.set(name, { id, kind });
      left.set(id, (left.get(id) ?? 0) + 1);
    }
  }
  const waiting = new Map<string, Map<ProbeKind, Tensor>>();
  await runInParts({ ...runnable, outputs }, engine, images, {
    // image by image a second lane would only hold the network once more
    threads: images.batch === 1 ? 1 : undefined,
    brief: images.batch === 1,
    counter,
    fed,
    take: (start, results) => {
      const logits = results[outputs.logits ?? ''];
      if (logits !== undefined) classes.set(predictedClasses(logits), start);
      for (const [name, value] of Object.entries(results)) {
        const probe = probed.get(name);
        if (probe === undefined) continue;
        const { id, kind } = probe;
        const key = `${start} ${id}`;
        const found = waiting.get(key) ?? new Map<ProbeKind, Tensor>();
        waiting.set(key, found.set(kind, value));
        if (found.size < left.get(id)!) continue;
        waiting.delete(key);
        take(start, id, (of) => found.get(of));
      }
    },
  });
  return classes;
}

/** Codes of a network that are kept at once, at most, a byte each. */
const mostKept = 5e7;
/** Values of layers given out at once, at most. */
const valuesAtOnce = 4e6;

/** Images in portions whose codes may be kept, `values` of each, in batches whose values may be given out at once. */
export function portionsOf(images: Images, values: number, most = mostKept): readonly Portion[] {
  const batch = Math.max(1, Math.min(images.batch, Math.floor(valuesAtOnce / values)));
  const each = batch * Math.max(1, Math.floor(most / values / batch));
  const { dataset, count: total } = images;
  return Array.from({ length: Math.ceil(total / each) }, (_, n) => {
    const first = n * each;
    const read: typeof dataset.read = (start, size) => dataset.read(first + start, size);
    return { first, images: { ...images, dataset: { ...dataset, read }, count: Math.min(each, total - first), batch } };
  });
}

export interface Portion {
  /** Its first image. */
  readonly first: number;
  /** Counted from there. */
  readonly images: Images;
}
