import type { Outcome } from '../base/diagnostics/index.js';
import {
  type Dataset,
  type EventFigures,
  type Normalisation,
  type Spread,
  fitDataset,
  look,
  lookAtRecordings,
} from '../data/index.js';
import { chosenNormalisation, detectorOf, needOf } from '../run/fit.js';
import { type LabelsFound, labelsFound } from '../run/labels-found.js';
import { prepare } from '../workspace/nir.js';
import { openTarget } from '../workspace/open.js';
import { Findings } from '../workspace/findings.js';
import type { CommonOptions, Target } from '../workspace/types.js';

export interface DataOptions extends CommonOptions {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** Samples that are looked at, from the first; all where missing. */
  readonly limit?: number;
  /** The network that would read them. */
  readonly target?: Target;
}

/** The keys are those of `data --json`. */
export interface DataResult extends LabelsFound {
  readonly name: string;
  readonly samples: number;
  /** Samples that were looked at for what follows. */
  readonly looked_at: number;
  /** Of one sample, as the source has it; of recordings that a network frames, of its frames. */
  readonly shape: readonly number[];
  /** Element type in the file, as NumPy abbreviates it. */
  readonly type?: string;
  readonly layout?: string;
  /** As the file has them; missing of recordings that no network frames. */
  readonly raw?: Spread & { readonly zeros: number };
  /** As a network gets them: scaled and normalised. */
  readonly values?: Spread;
  /** Of recordings that no network frames. */
  readonly recordings?: EventFigures;
  /** What the network would read. */
  readonly network?: { readonly input: readonly number[]; readonly frames: boolean; readonly outputs: number };
}

/** What a data set holds, and whether a network can read it; where it can't, the errors say why. */
export async function describeData(options: DataOptions): Promise<Outcome<DataResult>> {
  const findings = new Findings();
  const { normalisation, target } = options;
  const given = options.dataset;
  let dataset = given;
  let used = normalisation;
  let network: DataResult['network'];
  if (target !== undefined) {
    await prepare([target]);
    const opened = openTarget(target, { ...options, onnx: true }, findings);
    used = chosenNormalisation(normalisation, opened.normalisation);
    const own = opened.compiled({ planes: false }).network;
    const need = { ...needOf(own, used), ...detectorOf(own, opened.bins) };
    dataset = findings.take(
      fitDataset(given, { ...need, numbers: true, targetIsInput: opened.targetIsInput === true }),
    );
    network = { input: need.shape, frames: need.frames === true, outputs: need.outputs };
  }
  const looked = Math.min(given.length, options.limit ?? given.length);
  // recordings have a shape as the network frames them
  const { shape, type, layout } = given.recordings === undefined ? given : dataset;
  const common = { name: given.name, samples: given.length, looked_at: looked, shape };
  if (dataset.recordings !== undefined) {
    const value = { ...common, type: 'events', ...lookAtRecordings(dataset, dataset.recordings, looked) };
    return { value, diagnostics: findings.all };
  }
  const found = look(dataset, used, looked);
  const value: DataResult = {
    ...common,
    ...(type === undefined ? {} : { type }),
    ...(layout === undefined ? {} : { layout }),
    ...labelsFound(given, found),
    raw: { ...found.raw.result(), zeros: found.raw.zeros / Math.max(1, found.raw.count) },
    values: found.values.result(),
    ...(network === undefined ? {} : { network }),
  };
  return { value, diagnostics: findings.all };
}
