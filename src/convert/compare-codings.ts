import { basename, dirname, join } from 'node:path';
import { type Diagnostic, DiagnosticError, distinct } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { costOf, defaultHardware } from '../cost/index.js';
import type { Dataset, Normalisation } from '../data/index.js';
import { present } from '../base/invariant.js';
import { type Network, isFiringLayer, isNeuronLayer, criticalPathOf, latencyOf } from '../network/index.js';
import { configure, isSplit, pipelines, runPipeline } from '../passes/index.js';
import type { Engine } from '../engines/index.js';
import { lower } from '../lower/program/index.js';
import { engineForWork } from '../run/engine.js';
import { fitToNetwork } from '../run/fit.js';
import { openLogits } from '../run/logits.js';
import { type Images, type SpikingRun, agreement, classesOf, outputsOf, readLabels } from '../run/metrics/index.js';
import { residualsOf } from '../run/residuals.js';
import { batchFor, runNetwork } from '../run/run-network.js';
import { simplify } from '../tensor/index.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { libraryNeurons } from '../workspace/files.js';
import { Findings } from '../workspace/findings.js';
import { withoutPlanes } from '../workspace/planes.js';
import type { Source } from '../workspace/target.js';
import { type CommonOptions, type ConversionCoding, isTimedCoding } from '../workspace/types.js';
import type {
  BestOfCoding,
  CodingComparison,
  CodingPoint,
  ComparedPoint,
  RefusedPoint,
} from '../run/compared-codings.js';
import { pointName } from './coding-points.js';
import { measuredFor } from './measured-text.js';
import { type Found, modelText } from './model-text.js';
import { unwritten } from './unwritten.js';

export interface CompareOptions extends CommonOptions {
  readonly points: readonly CodingPoint[];
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** Data on which ranges are measured that no quantiser says. */
  readonly calibrate?: Dataset;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  /** Points with a longer latency aren't run. */
  readonly mostLatency?: number;
  /** Also what neurons of stepwise trains keep. */
  readonly residuals?: boolean;
  /** How far below the ANN an accuracy counts as equal, in points of per cent. */
  readonly within: number;
}

/**
 * Converts an imported network to every coding asked for, and measures each on the same images.
 * @throws DiagnosticError where it converts to none of them.
 */
export async function compareCodings(
  source: Source,
  options: CompareOptions,
  findings: Findings,
): Promise<CodingComparison> {
  const { network } = source.imported;
  const { normalisation, dataset, onProgress } = options;
  const fit = fitToNetwork(network, dataset, findings, { normalisation });
  const count = Math.min(fit.length, options.limit ?? fit.length);
  const images = (batch: number): Images => ({ dataset: fit, normalisation, count, batch });
  const labels = readLabels(images(100));
  const said = new Set<string>();
  const engineFor = (lowered: Network): Promise<Engine> => {
    const work = { program: () => simplify(lower(lowered).program), samples: count, threads: options.threads };
    return engineForWork(options.engine, 'infer', work, (found) => {
      // once, of the network that it is first said of
      if (!said.has(found.code)) findings.all.push(found);
      said.add(found.code);
    });
  };
  const ann = await openLogits(network, await engineFor(network), { threads: options.threads });
  let classes: Int32Array;
  try {
    const counter = (done: number, total: number): void => onProgress?.({ phase: 'ANN', done, total, unit: 'images' });
    classes = classesOf(await outputsOf(ann.begin(), 1, images(options.batch ?? 20), counter));
  } finally {
    await ann.dispose();
  }
  const measured = new Map<string, Found>();
  const points: ComparedPoint[] = [];
  const refused: RefusedPoint[] = [];
  const problems: Diagnostic[] = [];
  for (const point of options.points) {
    const name = pointName(point);
    try {
      const spiking = await converted(source, point, options, measured);
      const batch = options.batch ?? batchFor(spiking, { dataset: fit, normalisation });
      const running = {
        dataset: fit,
        normalisation,
        ...(onProgress && { onProgress }),
        ...(options.threads && { threads: options.threads }),
      };
      // spikes of several bits are sent as binary planes, steps of their own
      const sent = spikesOfBits.includes(point.coding) ? planesOf(spiking, source) : spiking;
      const latency = latencyOf(sent);
      if (latency > (options.mostLatency ?? Infinity)) {
        refused.push({ ...point, name, reason: `its latency is ${latency} steps` });
        continue;
      }
      const ran = withoutPlanes(spiking, findings);
      const engine = await engineFor(ran);
      const { run } = await runNetwork(ran, images(batch), engine, { ...running, ones: isSplit(sent) }, name);
      points.push({
        ...point,
        name,
        ...figuresOf(point, ran, sent, run, count),
        accuracy: agreement(run.classes, labels),
        agreement: agreement(run.classes, classes),
        ...(options.residuals === true && point.coding === 'sws'
          ? { residuals: await residualsOf(spiking, ofFirst(images(batch)), engine) }
          : {}),
      });
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      const first = error.diagnostics.find(({ severity }) => severity === 'error') ?? error.diagnostics[0]!;
      problems.push(first);
      refused.push({
        ...point,
        name,
        reason: first.message,
        ...(first.help === undefined ? {} : { help: first.help }),
      });
    }
  }
  // where nothing is left to compare, what is in the way is the answer
  if (problems.length > 0 && problems.length === options.points.length) throw new DiagnosticError(distinct(problems));
  const { macs } = costOf(network).total;
  const accuracy = agreement(classes, labels);
  return {
    network: network.name,
    data: dataset.name,
    samples: count,
    ann: { accuracy, macs, energy_pj: macs * defaultHardware.e_mac },
    within: options.within,
    points,
    refused,
    best: bestOf(points, accuracy - options.within / 100),
  };
}

/** The network in a coding; what has to be measured for it is measured once. */
async function converted(
  source: Source,
  { coding, steps, silent, threshold, layers }: CodingPoint,
  { calibrate, normalisation, onProgress }: CompareOptions,
  measured: Map<string, Found>,
): Promise<Network> {
  const findings = new Findings();
  const own = {
    coding,
    steps,
    outDir: '',
    normalisation,
    ...(silent === undefined ? {} : { silent }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(layers === undefined ? {} : { periods: layers }),
    ...(calibrate && { calibrate }),
    ...(onProgress && { onProgress }),
  };
  const kind = coding === 'sws' ? 'sws' : isTimedCoding(coding) ? 'timed' : 'means';
  const known = measured.get(kind) ?? (await measuredFor(source, own, findings));
  measured.set(kind, known);
  const path = join(dirname(source.path), 'compared.spike');
  const text = modelText(basename(source.path), own, known);
  const plan = conversionPlan(unwritten(path, text, findings).config, findings);
  return convertNetwork(source.imported.network, plan, findings).network;
}

/** Samples whose residuals are counted: each has thousands. */
const residualSamples = 200;

const ofFirst = (images: Images): Images => ({
  ...images,
  count: Math.min(images.count, residualSamples),
  batch: Math.min(images.batch, 10),
});

/** Codings whose spikes have several bits. */
const spikesOfBits: readonly ConversionCoding[] = ['mbif', 'ibra'];

function planesOf(network: Network, { path }: Source): Network {
  const { network: split, diagnostics } = runPipeline(network, configure(pipelines.planes, {}), {
    neurons: libraryNeurons(),
  });
  return present(split, `compare: ${path}: ${diagnostics[0]?.message}`);
}

function figuresOf(
  { coding }: CodingPoint,
  spiking: Network,
  sent: Network,
  run: SpikingRun,
  samples: number,
): Omit<ComparedPoint, keyof CodingPoint | 'name' | 'accuracy' | 'agreement'> {
  let [neurons, updates, spikes] = [0, 0, 0];
  for (const op of spiking.ops) {
    if (!isNeuronLayer(op)) continue;
    const size = elementCount(op.type.shape);
    if (isFiringLayer(op)) neurons += size;
    updates += size * (op.type.time!.steps + (op.attrs.silent ?? 0));
    spikes += run.spikes.get(op.id) ?? 0;
  }
  const synaptic = [...run.synaptic.values()].reduce((a, b) => a + b, 0) / samples;
  const operations = synaptic + (coding === 'sws' ? updates : 0);
  const { real_macs: macs } = costOf(spiking).total;
  return {
    latency_steps: latencyOf(sent),
    critical_path_steps: criticalPathOf(sent),
    operations,
    synaptic_operations: synaptic,
    membrane_updates: updates,
    macs,
    spikes_per_neuron: neurons === 0 ? 0 : spikes / neurons / samples,
    energy_pj: defaultHardware.e_ac * operations + defaultHardware.e_mac * macs,
  };
}

function bestOf(points: readonly ComparedPoint[], least: number): readonly BestOfCoding[] {
  return [...new Set(points.map(({ coding }) => coding))].map((coding) => {
    const own = points.filter((point) => point.coding === coding);
    // of 1,000 images an accuracy is a multiple of 0.001, not that of a float
    const good = own.filter(({ accuracy }) => accuracy >= least - 1e-9);
    const accuracy = Math.max(...own.map((point) => point.accuracy));
    if (good.length === 0) return { coding, accuracy };
    return {
      coding,
      accuracy,
      latency_steps: Math.min(...good.map((point) => point.latency_steps)),
      critical_path_steps: Math.min(...good.map((point) => point.critical_path_steps)),
      operations: Math.min(...good.map((point) => point.operations)),
    };
  });
}
