import type { RandomInput } from '../../network/index.js';
import type { Program } from '../../tensor/index.js';
import type { BitKind } from '../model-to-network/bits.js';

export { stepsOf } from '../../tensor/index.js';
export type { RandomInput } from '../../network/index.js';

/** Quantities beside a network's outputs that a run can report, whatever carries its values. */
export interface Probes {
  /** Fan-out of each neuron of a layer, row-major over its shape: layers that fire count their spikes, unless it is empty. */
  readonly counts?: (id: string) => ArrayLike<number>;
  /** A spike counts as the ones of its integer code, each a spike of a binary plane, and not as its level; of unary trains both are the same. */
  readonly ones?: boolean;
  /** Codes of quantisers, encoders and neurons, and unless `membrane` says no the last membranes of neurons. */
  readonly codes?: boolean;
  readonly membrane?: boolean;
  /** With `codes`: how far what quantisers round is from a tie, where the carrier knows it. */
  readonly ties?: boolean;
  /** Which layers give out their values at every step. */
  readonly trains?: (id: string) => boolean;
  /** Which layers give out their input current. */
  readonly currents?: (id: string) => boolean;
  /** These layers of neurons give out their membranes, and what these are compared with. */
  readonly membranes?: readonly string[];
  /** Also the read-out over so many first steps. */
  readonly early?: readonly number[];
  /** Values without time to give out. */
  readonly expose?: readonly string[];
}

/** Names of the programs' inputs and outputs that aren't ops of the network. */
export const outputNames = {
  labels: 'labels',
  /** Of samples that are mixed with others: the classes of these, and the share that is left (inputs, as `labels` is). */
  partners: 'labels.partners',
  share: 'labels.share',
  /** What a teacher says of the images, an input where the loss has a distillation. */
  teacher: 'teacher',
  loss: 'loss',
  correct: 'correct',
  /** Of labels that are numbers, in its place. */
  error: 'error',
  /** With learned bits: the loss without their penalties, and a penalty. */
  task: 'loss.task',
  penalty: (kind: BitKind): string => `loss.${kind}`,
  /** The same of an output behind the first, by its name. */
  labelsOf: (name?: string): string => (name === undefined ? 'labels' : `labels ${name}`),
  partnersOf: (name?: string): string => (name === undefined ? 'labels.partners' : `labels.partners ${name}`),
  correctOf: (name?: string): string => (name === undefined ? 'correct' : `correct ${name}`),
  errorOf: (name?: string): string => (name === undefined ? 'error' : `error ${name}`),
  /** The network's outputs in its order; the first holds the logits, [N, …]. */
  output: (n: number): string => String(n),
  /** [N, 2]: spikes fired, and spikes times fan-out. */
  counts: (id: string): string => `counts ${id}`,
  /** [N, …shape] or [TN, …shape]: the input current of a layer of neurons. */
  current: (id: string): string => `current ${id}`,
  /** [TN, …shape]: what a layer gives at every step. */
  train: (id: string): string => `train ${id}`,
  /** [N, …shape]: codes above the lower end of their range, of trains in amplitudes. */
  codes: (id: string): string => `codes ${id}`,
  /** [N, …shape]: distance in codes of what a quantiser rounds from the nearest tie. */
  tie: (id: string): string => `tie ${id}`,
  /** [N, …shape]: |u| after the last step, in units of the neuron’s own membrane. */
  membrane: (id: string): string => `membrane ${id}`,
  /** [TN, …shape]: a layer's membranes when it fires, silent steps included. */
  membranes: (id: string): string => `membranes ${id}`,
  /** [TN, …shape]: what they are compared with, of layers that say so. */
  thresholds: (id: string): string => `thresholds ${id}`,
  /** [N, classes]: the read-out over the first steps. */
  early: (steps: number): string => `mean of ${steps}`,
  /** [N, …shape]: a value without time. */
  exposed: (id: string): string => id,
} as const;

/** What a run must be given, parameters apart. */
export interface Feeds {
  /** The images: their input's id and shape, and the steps of their own time axis (1: still images). */
  readonly image: { readonly id: string; readonly shape: readonly number[]; readonly steps: number };
  /** i32 classes [N], in training. */
  readonly labels?: string;
  readonly randoms: readonly RandomInput[];
}

/** Quantities that are given out op by op. */
export const probeKinds = [
  'counts',
  'current',
  'train',
  'codes',
  'tie',
  'membrane',
  'membranes',
  'thresholds',
] as const;
export type ProbeKind = (typeof probeKinds)[number];

/** Which output of the program is what. */
export interface Outputs {
  /** The first output of the network, read out: [N, classes]. Missing in programs that give out losses or probes alone. */
  readonly logits?: string;
  readonly loss?: string;
  readonly correct?: string;
  /** Quantity → op → output. */
  readonly probes: Readonly<Record<ProbeKind, ReadonlyMap<string, string>>>;
  /** Number of first steps → output. */
  readonly early: ReadonlyMap<number, string>;
  /** Op → output. */
  readonly exposed: ReadonlyMap<string, string>;
}

/** A program with all that is needed to run it. */
export interface Runnable {
  readonly program: Program;
  readonly feeds: Feeds;
  readonly outputs: Outputs;
  /** Time steps of the network's trains; 1 without time. */
  readonly steps: number;
}
