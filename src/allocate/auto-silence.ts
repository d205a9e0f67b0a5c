import { elementCount } from '../base/dtype.js';
import { costOf } from '../cost/index.js';
import { type Dataset, type Normalisation, readBatch } from '../data/index.js';
import type { Engine } from '../engines/index.js';
import { exactCodes, mostRunSteps, sampleShape, stepsOfNetwork, unrolledSteps } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { provenSilence, silentFront } from '../passes/index.js';
import { drawnCount, drawnInputs } from '../run/drawn-inputs.js';
import { fitToNetwork } from '../run/fit.js';
import { openLogits } from '../run/logits.js';
import { type Images, agreement, classesOf, outputsOf } from '../run/metrics/index.js';
import type { Conversion } from '../workspace/compiled.js';
import { Findings } from '../workspace/findings.js';
import type { OnProgress } from '../workspace/types.js';
import { leastSilence } from './least-silence.js';

/** What must not differ from the quantised network. */
export type Kept = 'codes' | 'predictions';

export interface AutoOptions {
  readonly kept: Kept;
  /** What is still to come in at a decision counts as so many times as much; by the number of inputs where missing. */
  readonly margin?: number | undefined;
  readonly calibration?: Dataset | undefined;
  readonly normalisation: Normalisation;
  readonly engine: Engine;
  /** Bytes that the search may take. */
  readonly memory: number;
  readonly onProgress?: OnProgress | undefined;
}

/** Silent periods that were chosen layer by layer; the keys are those of `convert --json`. */
export interface AutoSilence {
  readonly inputs: 'calibration' | 'drawn' | 'none';
  readonly data?: string;
  readonly seed?: number;
  readonly samples: number;
  readonly kept?: Kept;
  readonly margin?: number;
  readonly latency_steps: number;
  /** With the periods that are proven for all inputs. */
  readonly proven_latency_steps: number;
  readonly layers: readonly { readonly id: string; readonly silent: number; readonly proven: number }[];
  /** Where not all layers were searched: how many, from the front; the others have what is proven. */
  readonly searched?: number;
}

/** Layers are searched up to so many time steps together; each has a session of its own. */
export const mostSearchedSteps = 2 ** 11;

/** Inputs at most; multiply-accumulates, and steps of single neurons, over all steps and inputs. */
const bounds = { drawn: 60, calibration: 60, operations: 5e9, updates: 1e8 };
/** On fewer inputs the margin is larger, and of layers of which fewer codes are seen on them larger again. */
const few = { inputs: 4, codes: 10_000 };
/** Another one than the finished network is checked with. */
const seed = 2;
/** Shares of a layer's codes that may differ while predictions don't: tried from the largest. */
const tolerances = [0.1, 0.03, 0.01, 0.003, 0.001, 0];

/** A conversion with other silent periods. */
export type Reconvert = (silent: (id: string) => number) => Conversion;

/**
 * Silent periods by layer, as short as they can be while no code (or no prediction) differs on a few inputs, and never
 * longer than what is proven for all inputs. `shape`: the conversion without silent steps.
 */
export async function autoSilence(shape: Conversion, convert: Reconvert, options: AutoOptions): Promise<AutoSilence> {
  const { spiking } = shape;
  const searched = front(spiking, options.memory);
  if (searched.size === 0 && neuronsOf(spiking) > 0) return { ...certainSilence(shape), searched: 0 };
  const { calibration, onProgress } = options;
  // predictions are compared by running the whole network
  const kept = unrolledSteps(spiking) > mostRunSteps ? 'codes' : options.kept;
  const proven = provenSilence(spiking);
  const images = inputsOf(shape, options);
  const margin = options.margin ?? (images.count < few.inputs ? 2 : 1.5);
  const careful = options.margin === undefined && images.count < few.inputs;
  const marginOf = (codes: number): number => (careful && codes < few.codes ? 2 * margin : margin);
  const search = { images: batches(images, shape), margin: marginOf, proven, searched, onProgress };
  const silent =
    kept === 'codes'
      ? await leastSilence(spiking, { ...search, tolerance: 0 })
      : await keepingPredictions(shape, convert, images, options, (tolerance) =>
          leastSilence(spiking, { ...search, tolerance }),
        );
  const from =
    calibration === undefined
      ? ({ inputs: 'drawn', seed } as const)
      : ({ inputs: 'calibration', data: calibration.name } as const);
  const partly = searched.size < proven.size ? { searched: searched.size } : {};
  return { ...from, samples: images.count, kept, margin, ...described(spiking, sayable(silent), proven), ...partly };
}

/** What the search holds for each value of a layer and step (measured): its currents as onnxruntime has them and as they are given out, the trains it reads and its own. */
const searchedBytes = 40;

/** The first layers of neurons, as many as are searched: up to the first layer that takes too much memory. */
function front(spiking: Network, memory: number): ReadonlySet<string> {
  const steps = stepsOfNetwork(spiking);
  const most = Math.max(1, Math.floor(mostSearchedSteps / steps));
  const end = spiking.ops.findIndex(({ type }) => searchedBytes * steps * elementCount(type.shape) > memory);
  const layers = spiking.ops.slice(0, end === -1 ? undefined : end).filter(({ kind }) => kind === 'neuron');
  return new Set(layers.slice(0, most).map(({ id }) => id));
}

/** Layers that have a period of their own in a model file, at most: a file has a size that the language allows. */
export const mostListed = 4000;

/** Periods that a model file can say: of too many different ones the longest of all. */
function sayable(periods: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (periods.size <= mostListed) return periods;
  const counts = new Map<number, number>();
  for (const period of periods.values()) counts.set(period, (counts.get(period) ?? 0) + 1);
  const usual = [...counts.values()].reduce((a, b) => Math.max(a, b));
  if (periods.size - usual <= mostListed) return periods;
  const longest = [...counts.keys()].reduce((a, b) => Math.max(a, b));
  return new Map([...periods.keys()].map((id) => [id, longest]));
}

/** Silent periods with which every code is right whatever the input. */
export function certainSilence({ spiking }: Conversion): AutoSilence {
  const proven = sayable(provenSilence(spiking));
  return { inputs: 'none', samples: 0, ...described(spiking, proven, proven) };
}

function described(
  spiking: Network,
  silent: ReadonlyMap<string, number>,
  proven: ReadonlyMap<string, number>,
): Pick<AutoSilence, 'latency_steps' | 'proven_latency_steps' | 'layers'> {
  const steps = stepsOfNetwork(spiking);
  const latency = (periods: ReadonlyMap<string, number>): number => {
    const only = new Map([...periods].map(([id, period]) => [id, [{ silent: period, error: 0 }]] as const));
    return silentFront(spiking, only, steps)[0]?.latency ?? steps;
  };
  return {
    latency_steps: latency(silent),
    proven_latency_steps: latency(proven),
    layers: [...silent].map(([id, period]) => ({ id, silent: period, proven: proven.get(id)! })),
  };
}

/** The shortest periods of those found with more and more codes right that change no prediction, by halving. */
async function keepingPredictions(
  shape: Conversion,
  convert: Reconvert,
  images: Images,
  { engine }: AutoOptions,
  least: (tolerance: number) => Promise<ReadonlyMap<string, number>>,
): Promise<ReadonlyMap<string, number>> {
  const classes = async (network: Network, carrier?: typeof exactCodes): Promise<Int32Array> => {
    const logits = await openLogits(network, engine, carrier === undefined ? {} : { carrier });
    try {
      return classesOf(await outputsOf(logits.begin(), logits.lanes, images));
    } finally {
      await logits.dispose();
    }
  };
  const expected = await classes(shape.quantised, exactCodes);
  let [low, high] = [0, tolerances.length - 1];
  let found: ReadonlyMap<string, number> | undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const tried = await least(tolerances[middle]!);
    if (agreement(await classes(convert((id) => tried.get(id)!).spiking), expected) === 1) {
      found = tried;
      high = middle;
    } else {
      found = undefined;
      low = middle + 1;
    }
  }
  return found ?? least(tolerances[low]!);
}

function neuronsOf({ ops }: Network): number {
  return ops.reduce((sum, { kind, type }) => sum + (kind === 'neuron' ? elementCount(type.shape) : 0), 0);
}

function inputsOf({ quantised, spiking }: Conversion, { calibration, normalisation }: AutoOptions): Images {
  const operations = costOf(quantised).total.macs * stepsOfNetwork(spiking);
  const updates = neuronsOf(spiking) * stepsOfNetwork(spiking);
  const most = Math.max(
    1,
    Math.floor(Math.min(bounds.operations / Math.max(1, operations), bounds.updates / Math.max(1, updates))),
  );
  if (calibration === undefined) {
    const shape = sampleShape(spiking);
    const count = drawnCount(shape, Math.min(most, bounds.drawn));
    return { dataset: drawnInputs(quantised, shape, count, seed), normalisation: {}, count, batch: 1 };
  }
  const dataset = fitToNetwork(spiking, calibration, new Findings(), { numbers: true, normalisation });
  return { dataset, normalisation, count: Math.min(most, bounds.calibration, calibration.length), batch: 1 };
}

/** Values of a layer over a batch, at most, unless one image has more. */
const valuesAtOnce = 2e5;

/** Images in batches, [N, …shape] each. */
function batches({ dataset, normalisation, count }: Images, { spiking }: Conversion) {
  const most = spiking.ops.reduce((all, { type }) => Math.max(all, elementCount(type.shape)), 1);
  const batch = Math.max(1, Math.floor(valuesAtOnce / most));
  return Array.from(
    { length: Math.ceil(count / batch) },
    (_, n) => readBatch(dataset, n * batch, Math.min(batch, count - n * batch), normalisation).images,
  );
}
