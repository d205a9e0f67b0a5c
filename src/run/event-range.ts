import type { Range } from '../cost/index.js';
import type { Dataset, Normalisation } from '../data/index.js';
import type { Network } from '../network/index.js';
import { Findings } from '../workspace/findings.js';
import { fitToNetwork } from './fit.js';

/** Samples that are read together. */
const atOnce = 64;
/** Counts from here on are no events of a pixel and step. */
const most = 255;

/**
 * The range of event frames that are spikes: whole numbers (0 and 1, −1 to 1, counts), not scaled and not normalised.
 * Nothing where one of them isn't.
 */
export function eventRange(
  network: Network,
  given: Dataset,
  { mean, std }: Normalisation,
  limit = given.length,
): Range | undefined {
  if (mean !== undefined || std !== undefined) return undefined;
  const dataset =
    given.recordings === undefined ? given : fitToNetwork(network, given, new Findings(), { numbers: true });
  let [min, max] = [0, 0];
  const end = Math.min(limit, dataset.length);
  for (let start = 0; start < end; start += atOnce) {
    for (const value of dataset.read(start, Math.min(atOnce, end - start)).images) {
      if (!Number.isInteger(value)) return undefined;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (max > most || min < -most) return undefined;
  }
  return { min, max };
}
