import type { Dataset } from '../data/index.js';
import type { PlannedTraining } from '../workspace/planned-training.js';
import { normalised } from './measured-training.js';
import { type TeacherOptions, withTeacher } from './teacher.js';

/** A training with what its data and other files say of it: the measured normalisation, the teacher. */
export function prepared(
  plan: PlannedTraining,
  dataset: Dataset,
  model: string,
  options: TeacherOptions,
): Promise<PlannedTraining> {
  return withTeacher(normalised(plan, dataset), model, options);
}
