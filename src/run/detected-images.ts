import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { fail } from '../base/diagnostics/index.js';
import { readBatch } from '../data/index.js';
import { type Detection, type TrueObject, decodeDetections, objectsOf, usualSuppression } from '../detection/index.js';
import type { Engine } from '../engines/index.js';
import { lower } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { openRunnable } from '../train/index.js';
import { Findings } from '../workspace/findings.js';
import { detectorOf, fitToNetwork } from './fit.js';
import { type ShownSamples, pictureOf } from './traces.js';

/** An image with the boxes of what is there and of what a detector finds. */
export interface DetectedImage {
  /** As the data set has it, in 0…1: [channels, height, width]. */
  readonly image: Tensor;
  /** Which image of which data set. */
  readonly data: string;
  readonly sample: number;
  /** Of the classes. */
  readonly names: readonly string[];
  readonly truth: readonly TrueObject[];
  readonly found: readonly Detection[];
  /** The least score of those. */
  readonly least: number;
}

/** Boxes with a lower score aren't shown. */
const shownScore = 0.25;

/** Runs a detector on some images of a data set, from `first`. */
export async function detectedImages(
  network: Network,
  bins: number,
  on: ShownSamples,
  engine: Engine,
): Promise<readonly DetectedImage[]> {
  const { normalisation, first } = on;
  const fitted = fitToNetwork(network, on.dataset, new Findings(), { normalisation, ...detectorOf(network, bins) });
  const { name, length, boxes } = fitted;
  if (first >= length) fail('report/no-such-sample', { name, sample: first, length });
  const names = present(boxes, 'run: a detector without boxes').names;
  const [rows = 0, columns = 0] = fitted.shape.slice(-2);
  const detector = { image: [rows, columns], bins, classes: names.length } as const;
  const running = await openRunnable(lower(network), engine);
  const found: DetectedImage[] = [];
  try {
    for (let sample = first; sample < Math.min(length, first + on.count); sample++) {
      const { images, targets } = readBatch(fitted, sample, 1, normalisation);
      const results = await running.pass()(images);
      const outputs = present(results[running.outputs.logits ?? ''], 'run: no outputs');
      found.push({
        image: pictureOf(fitted, sample),
        data: name,
        sample,
        names,
        truth: objectsOf(present(targets, 'run: no boxes')),
        found: decodeDetections(outputs.data, detector, { ...usualSuppression, score: shownScore, overlap: 0.5 }),
        least: shownScore,
      });
    }
  } finally {
    await running.dispose();
  }
  return found;
}
