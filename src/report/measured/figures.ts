import {
  type Cost,
  type Hardware,
  measuredCost,
  costOf as networkCost,
  takesEvents,
  withEventSpikes,
} from '../../cost/index.js';
import { type Dataset, type Normalisation, labelledFor, withoutLabels } from '../../data/index.js';
import type { Measured, ReportTarget } from '../index.js';
import { chooseEngine } from '../../run/engine.js';
import { finiteOnly } from '../../run/evaluate-finite.js';
import { evaluate } from '../../run/evaluate.js';
import { chosenNormalisation } from '../../run/fit.js';
import { detectedImages } from '../../run/detected-images.js';
import { pixelSamples } from '../../run/pixel-outputs.js';
import { eventRange } from '../../run/event-range.js';
import { findCarrier } from '../../lower/program/index.js';
import type { Network } from '../../network/index.js';
import { type LayerActivity, SpikeCounter } from '../../run/metrics/index.js';
import { checkRuns } from '../../run/runnable.js';
import { measureLevels, neuronLayers, spreadOver, traceSample } from '../../run/traces.js';
import type { EvalResult } from '../../run/types.js';
import type { Findings } from '../../workspace/findings.js';
import { type Opened, isOnnx } from '../../workspace/open.js';
import type { CommonOptions, OnProgress, Target } from '../../workspace/types.js';
import { costOfOpened } from '../../run/cost.js';

/** What a network is measured on. */
export interface FigureOptions extends Pick<CommonOptions, 'onProgress'> {
  readonly dataset?: Dataset | undefined;
  readonly normalisation: Normalisation;
  /** Images that accuracy and levels are measured on; all where missing. */
  readonly limit?: number;
  readonly batch?: number;
  /** The image whose spikes and membranes are shown, from 0. */
  readonly sample?: number;
  readonly engine?: string;
  readonly threads?: number;
}

/** Images of a detector that are shown with boxes. */
const shownImages = 6;
/** Layers whose spikes and membranes are shown. */
const tracedLayers = 4;
/** Levels of stepwise weighted trains are counted on so many images at most: every step is kept. */
const mostStepwise = 100;

/** A network's cost with the energies of its hardware; of an ONNX file itself without them. */
export async function costFigures(
  target: Target,
  opened: Opened,
  findings: Findings,
): Promise<Cost & { readonly hardware?: Hardware }> {
  return isOnnx(target) ? networkCost(opened.compiled().network) : await costOfOpened(opened, {}, findings);
}

interface Subject {
  readonly target: Target;
  readonly opened: Opened;
  readonly name: string;
  readonly cost: Cost & { readonly hardware?: Hardware };
}

/** What a network does on the data; nothing without data, and for ONNX files themselves. */
export async function figuresOnData(
  { target, opened, name, cost }: Subject,
  options: FigureOptions,
  findings: Findings,
): Promise<Pick<ReportTarget, 'measured' | 'trace' | 'detected' | 'pixels' | 'remark'>> {
  const { dataset, limit, batch, engine, threads, sample = 0 } = options;
  if (dataset === undefined) return {};
  if (isOnnx(target)) return { remark: 'not measured: an ONNX file is measured once it is converted' };
  const { network } = opened.compiled({ planes: false });
  if (opened.text !== undefined) checkRuns(network, opened.text);
  const labelled: OnProgress = (progress) => options.onProgress?.({ ...progress, phase: `${name}: ${progress.phase}` });
  const trains = findCarrier(network)?.trains;
  const normalisation = chosenNormalisation(options.normalisation, opened.normalisation);
  const labelledBy = labelledFor(dataset, network.outputs, opened.targetIsInput === true);
  // of labels that are classes a trace says which one an image has
  const numbers = opened.targetIsInput === true || labelledBy.targets !== undefined;
  const chosen = { dataset: numbers ? withoutLabels(labelledBy) : labelledBy, normalisation };
  const used = finiteOnly(chooseEngine(engine, 'infer'), { file: target.path });
  const layers = spreadOver(neuronLayers(network), tracedLayers);
  const trace = layers.length === 0 ? {} : { trace: await traceSample(network, { ...chosen, sample }, layers, used) };
  const range = takesEvents(network) ? eventRange(network, chosen.dataset, normalisation, limit) : undefined;
  const asSpikes = (one: Network): Network => (range === undefined ? one : withEventSpikes(one, range));
  let counter: SpikeCounter | undefined;
  const result = await evaluate(
    opened,
    {
      dataset,
      normalisation,
      activity: trains === 'means',
      confusion: true,
      onProgress: labelled,
      countSpikes: (counted) => (counter = new SpikeCounter(asSpikes(counted))),
      ...(limit === undefined ? {} : { limit }),
      ...(batch === undefined ? {} : { batch }),
      ...(engine === undefined ? {} : { engine }),
      ...(threads === undefined ? {} : { threads }),
    },
    findings,
  );
  let activity: readonly LayerActivity[] = result.activity ?? [];
  if (trains === 'weighted') {
    const count = Math.min(dataset.length, limit ?? dataset.length, mostStepwise);
    const images = { ...chosen, count, batch: 10 };
    activity = await measureLevels(network, images, used, (done, total) =>
      labelled({ phase: 'counting levels', done, total, unit: 'images' }),
    );
  }
  const layered = range === undefined ? cost : { ...cost, ...networkCost(asSpikes(network)) };
  const energy = energyOf(counter, layered, result.samples);
  const images = { dataset, normalisation, first: sample, count: shownImages };
  const { bins } = opened;
  const detected = bins === undefined ? {} : { detected: await detectedImages(network, bins, images, used) };
  // of several outputs it is the first, which `measured` is about, too
  const pixels = numbers && bins === undefined ? await pixelSamples(network, opened, images, used) : [];
  const drawn = pixels.length === 0 ? {} : { pixels };
  return { measured: measuredOf(result, activity, dataset.name, energy), ...trace, ...detected, ...drawn };
}

/** Energy of an image in joules, from the spikes that were counted. */
function energyOf(
  counter: SpikeCounter | undefined,
  { hardware, ...cost }: Subject['cost'],
  samples: number,
): number | undefined {
  if (counter === undefined || hardware === undefined) return undefined;
  const spikes = counter;
  return 1e-12 * measuredCost(spikes.network, cost, (id) => spikes.countsOf(id), samples, hardware).total.energy_pj;
}

function measuredOf(
  result: EvalResult,
  activity: readonly LayerActivity[],
  data: string,
  energy: number | undefined,
): Measured {
  const { samples, accuracy, regression, outputs, source, spikes_per_neuron, opf, latency_steps } = result;
  const { classes, confusion, map50, map, first_spike } = result;
  return {
    data,
    samples,
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(regression === undefined ? {} : { regression }),
    ...(map50 === undefined || map === undefined ? {} : { map50, map }),
    ...(first_spike === undefined ? {} : { first_spike }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(source?.accuracy === undefined || source.agreement === undefined
      ? {}
      : { source: { accuracy: source.accuracy, agreement: source.agreement } }),
    spikes_per_neuron,
    opf,
    latency_steps,
    ...(energy === undefined ? {} : { energy_joules: energy }),
    activity,
    ...(classes === undefined || confusion === undefined ? {} : { classes, confusion }),
  };
}
