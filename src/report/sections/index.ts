import { activity, bits, boxes, configs, cost, neurons, pixels, training } from './figures.js';
import { confusion, outputs } from './confusion.js';
import { difference } from './diff.js';
import { learned } from './learned.js';
import { networkGraph } from './network.js';
import { overview } from './overview.js';
import type { Section } from './section.js';

/** Everything a report can have, in the order of the page. */
export const sections: readonly Section[] = [
  overview,
  configs,
  difference,
  networkGraph,
  bits,
  learned,
  cost,
  outputs,
  confusion,
  boxes,
  pixels,
  activity,
  neurons,
  training,
];
