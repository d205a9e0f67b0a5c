import type { Dataset } from '../data/dataset.js';
import { measuredNormalisation } from '../train/measured-normalisation.js';
import { Findings } from '../workspace/findings.js';
import type { PlannedTraining } from '../workspace/planned-training.js';
import { binsOf } from '../lower/program/index.js';
import { detectorOf, fitToNetwork } from './fit.js';

/** The training with the normalisation that its data have, where it is to be measured (`normalize measured`). */
export function normalised(plan: PlannedTraining, dataset: Dataset): PlannedTraining {
  const { measures, labels, ...settings } = plan.settings;
  if (measures !== true) return plan;
  // what is to be said of the data is said when they are read to train on
  const more = {
    numbers: labels === 'numbers',
    targetIsInput: labels === 'input',
    ...detectorOf(plan.network, binsOf(settings.loss)),
  };
  const fitted = fitToNetwork(plan.network, dataset, new Findings(), { normalisation: {}, ...more });
  const normalisation = measuredNormalisation(fitted, settings);
  return { ...plan, settings: { ...settings, ...(labels === undefined ? {} : { labels }), normalisation } };
}
