import { elementCount, tensor } from '../base/dtype.js';
import { costOf } from '../cost/index.js';
import { type Dataset, type Normalisation, readBatch } from '../data/index.js';
import type { Engine } from '../engines/index.js';
import { exactCodes, sampleShape, stepsOfNetwork } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { provenSilence, silentFront } from '../passes/index.js';
import { drawnInputs } from '../run/drawn-inputs.js';
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
}

/** Inputs at most, and multiply-accumulates over all steps and inputs. */
const bounds = { drawn: 60, calibration: 60, operations: 5e9 };
/** On fewer inputs the margin is larger. */
const few = 4;
/** Another one than the finished network is checked with. */
const seed = 2;
/** Shares of a layer's codes that may differ while predictions don't: tried from the largest. */
const tolerances = [0.1, 0.03, 0.01, 0.003, 0.001, 0];

/** A conversion with other silent periods. */
export type Reconvert = (silent: (id: string) => number) => Conversion;

/**
 * Silent periods by layer, as short as they can be while no code (or no prediction) differs on a few inputs, and never
 * longer than what is proven for all inputs.
 */
export async function autoSilence(convert: Reconvert, options: AutoOptions): Promise<AutoSilence> {
  const shape = convert(() => 0);
  const { spiking } = shape;
  const { kept, calibration, onProgress } = options;
  const proven = provenSilence(spiking);
  const images = inputsOf(shape, options);
  const margin = options.margin ?? (images.count < few ? 2 : 1.5);
  const search = { images: single(images), margin, proven, onProgress };
  const silent =
    kept === 'codes'
      ? await leastSilence(spiking, { ...search, tolerance: 0 })
      : await keepingPredictions(convert, images, options, (tolerance) =>
          leastSilence(spiking, { ...search, tolerance }),
        );
  const from =
    calibration === undefined
      ? ({ inputs: 'drawn', seed } as const)
      : ({ inputs: 'calibration', data: calibration.name } as const);
  return { ...from, samples: images.count, kept, margin, ...described(spiking, silent, proven) };
}

/** Silent periods with which every code is right whatever the input. */
export function certainSilence(convert: Reconvert): AutoSilence {
  const { spiking } = convert(() => 0);
  const proven = provenSilence(spiking);
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
  const expected = await classes(convert(() => 0).quantised, exactCodes);
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

function inputsOf({ quantised, spiking }: Conversion, { calibration, normalisation }: AutoOptions): Images {
  const operations = costOf(quantised).total.macs * stepsOfNetwork(spiking);
  const most = Math.max(1, Math.floor(bounds.operations / Math.max(1, operations)));
  if (calibration === undefined) {
    const count = Math.min(most, bounds.drawn);
    return { dataset: drawnInputs(quantised, sampleShape(spiking), count, seed), normalisation: {}, count, batch: 1 };
  }
  const dataset = fitToNetwork(spiking, calibration, new Findings(), { numbers: true, normalisation });
  return { dataset, normalisation, count: Math.min(most, bounds.calibration, calibration.length), batch: 1 };
}

/** [1, …shape] each. */
function single({ dataset, normalisation, count }: Images) {
  const size = elementCount(dataset.shape);
  return Array.from({ length: count }, (_, n) => {
    const { data } = readBatch(dataset, n, 1, normalisation).images;
    return tensor('f32', [1, ...dataset.shape], data.subarray(0, size));
  });
}
