import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { fail } from '../base/diagnostics/index.js';
import { type Dataset, labelledFor, readBatch } from '../data/index.js';
import type { Engine } from '../engines/index.js';
import { lower } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { openRunnable } from '../train/index.js';
import { Findings } from '../workspace/findings.js';
import { fitToNetwork, unflattenedShape } from './fit.js';
import { type ShownSamples, pictureOf } from './traces.js';

/** An image beside what each of its pixels shall become and does become: a mask, or a picture. */
export interface PixelSample {
  /** As the data set has it, in 0…1: [channels, height, width]. */
  readonly image: Tensor;
  readonly data: string;
  readonly sample: number;
  /** What is wanted and what the network gives, [maps, height, width]; of logits σ of them. */
  readonly wanted: Tensor;
  readonly found: Tensor;
  /** What is drawn black and white. */
  readonly range: readonly [number, number];
  /** Ones found and wanted over ones found or wanted, where all that is wanted is 0 or 1 and something is. */
  readonly iou?: number;
  /** Mean of |found − wanted|. */
  readonly mae: number;
}

/** How a network's outputs are meant. */
interface Meaning {
  readonly targetIsInput?: boolean;
  readonly givesLogits?: boolean;
}

/** The maps [maps, height, width] that a network gives of images of the same height and width; nothing of another. */
export function pixelShape(network: Network, { shape: sample }: Dataset): readonly number[] | undefined {
  const shape = unflattenedShape(network);
  const [height, width] = sample.slice(-2);
  const fits = sample.length >= 3 && shape.length === 3 && shape[1] === height && shape[2] === width;
  return fits && height! * width! > 1 ? shape : undefined;
}

/** Runs a network that gives a number for each pixel on some images of a data set, from `first`; none where it is another. */
export async function pixelSamples(
  network: Network,
  { targetIsInput = false, givesLogits = false }: Meaning,
  on: ShownSamples,
  engine: Engine,
): Promise<readonly PixelSample[]> {
  const { normalisation, first } = on;
  const labelled = labelledFor(on.dataset, network.outputs, targetIsInput);
  if (!targetIsInput && labelled.targets === undefined) return [];
  const fitted = fitToNetwork(network, labelled, new Findings(), { numbers: true, normalisation, targetIsInput });
  const shape = pixelShape(network, fitted);
  if (shape === undefined) return [];
  const { name, length } = fitted;
  if (first >= length) fail('report/no-such-sample', { name, sample: first, length });
  const running = await openRunnable(lower(network), engine);
  try {
    const samples: PixelSample[] = [];
    for (let sample = first; sample < Math.min(length, first + on.count); sample++) {
      const { images, targets } = readBatch(fitted, sample, 1, normalisation);
      const results = await running.pass()(images);
      const { data } = present(results[running.outputs.logits ?? ''], 'run: no outputs');
      const given = Float32Array.from(data, (z) => (givesLogits ? 1 / (1 + Math.exp(-z)) : z));
      const wanted = present(targets, 'run: no numbers');
      if (wanted.length !== elementCount(shape)) return [];
      samples.push({
        image: pictureOf(fitted, sample),
        data: name,
        sample,
        wanted: tensor('f32', shape, wanted),
        found: tensor('f32', shape, given),
        ...compared(wanted, given),
      });
    }
    return samples;
  } finally {
    await running.dispose();
  }
}

function compared(wanted: Float32Array, found: Float32Array): Pick<PixelSample, 'range' | 'iou' | 'mae'> {
  let [least, most, error, both, either] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const [there, here] = [wanted[i]!, found[i]! > 0.5];
    least = Math.min(least, there);
    most = Math.max(most, there);
    error += Math.abs(found[i]! - there);
    if (here && there === 1) both++;
    if (here || there === 1) either++;
  }
  const isMask = wanted.every((v) => v === 0 || v === 1);
  return {
    range: isMask ? [0, 1] : [least, most],
    ...(isMask && either > 0 ? { iou: both / either } : {}),
    mae: error / wanted.length,
  };
}
