import { fail } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Place } from '../base/source.js';
import { type Dataset, fitDataset, labelledFor } from '../data/index.js';
import { type Detection, type DetectionScore } from '../detection/index.js';
import { otherScores } from './other-outputs.js';
import type { Engine } from '../engines/index.js';
import { type Carrier, findCarrier, lower, stepsOfNetwork } from '../lower/program/index.js';
import { simplify } from '../tensor/index.js';
import { type Network, isFiringLayer, isNeuronLayer, latencyOf } from '../network/index.js';
import { isSplit } from '../passes/index.js';
import type { Compiled } from '../workspace/compiled.js';
import { Findings } from '../workspace/findings.js';
import type { Opened } from '../workspace/open.js';
import { type Source, bytesOf } from '../workspace/target.js';
import { engineForWork } from './engine.js';
import { finiteOnly } from './evaluate-finite.js';
import { chosenNormalisation, detectorOf, fitToNetwork, namedInputs, outputShape } from './fit.js';
import { refuseNumbers, remarksOn } from './labels.js';
import {
  DetectionCounter,
  type Images,
  type Outputs,
  type SpikingRun,
  type Truth,
  agreement,
  classesOf,
  confusionOf,
  outputsOf,
  readTruth,
  regression,
  scoreOf,
} from './metrics/index.js';
import { realBatch, threadsWithin } from './memory.js';
import { normalisationRemarks } from './normalised.js';
import { openReference, referenceNotes } from './reference.js';
import { type RunOptions, batchFor, runNetwork } from './run-network.js';
import { checkRuns } from './runnable.js';
import { firstSpikeOf } from './first-spike.js';
import { sourceFeeds } from './source-feeds.js';
import { evaluateStages } from './stages.js';
import type { EvalOptions, EvalResult } from './types.js';
import { verifyWhereWanted } from './verify-import.js';

/** Accuracy, agreement with the source, spikes, operations per frame and latency of a target's network on data. */
export async function evaluate(opened: Opened, given: RunOptions, findings: Findings): Promise<EvalResult> {
  const { source, text } = opened;
  const normalisation = chosenNormalisation(given.normalisation, opened.normalisation);
  const options: RunOptions = { ...given, normalisation };
  opened.passPlan();
  const theirs = source === undefined ? undefined : forSource(source, options, findings);
  if (source !== undefined) await verifyWhereWanted(source, options, findings);
  const compiled = opened.compiled();
  const { network } = opened.compiled({ planes: options.planes === true ? 'fused' : false });
  const trains = trainsOf(network);
  refuseFlags(trains, opened, options);
  // what the file takes and what its import takes may lie differently, and is said once
  const said = theirs === undefined ? findings : new Findings();
  const mirrored = opened.targetIsInput === true;
  const labelled = labelledFor(options.dataset, network.outputs, mirrored);
  const dataset = fitToNetwork(network, labelled, said, {
    numbers: true,
    normalisation,
    targetIsInput: mirrored,
    ...detectorOf(network, opened.bins),
  });
  if (dataset.boxes !== undefined && opened.bins === undefined && opened.targetIsInput !== true)
    fail('data/boxes', { name: dataset.name });
  const images: Images = {
    dataset,
    normalisation,
    count: Math.min(dataset.length, options.limit ?? dataset.length),
    batch: options.batch ?? batchFor(network, options),
  };
  const truth = readTruth(images);
  findings.all.push(...remarksOn(truth, images), ...normalisationRemarks(network, images));
  if (text !== undefined) checkRuns(network, text);
  const known = findings.all.some(({ code }) => code === 'convert/reference');
  if (source !== undefined && !known) findings.all.push(...referenceNotes(source));
  const before = await sourceFound(source, { ...images, dataset: theirs ?? dataset }, options);
  const work = { program: () => simplify(lower(network).program), samples: images.count, threads: options.threads };
  const chosen = await engineForWork(options.engine, 'infer', work, (found) => findings.all.push(found));
  const engine = finiteOnly(chosen, placeOf(opened));
  const phase =
    trains === 'weighted' || (trains === 'means' && source !== undefined) ? 'spiking network' : 'evaluating';
  const detections =
    truth.kind === 'boxes' ? new DetectionCounter(truth, images.count, foundBoxes(dataset, options)) : undefined;
  if (detections === undefined && options.onBoxes !== undefined) fail('report/no-detector', { name: opened.label });
  const threads = options.stages === true && source !== undefined ? threadsWithin(network, bytesOf(source)) : undefined;
  const running = {
    ...options,
    ...(options.threads === undefined && threads !== undefined ? { threads } : {}),
    ones: isSplit(compiled.network),
    ...(detections === undefined
      ? {}
      : { onOutputs: (outputs: Tensor, start: number) => detections.add(outputs, start) }),
  };
  const { run, activity } = await runNetwork(network, images, engine, running, phase);
  const measured: Measured = {
    givesLogits: opened.givesLogits === true,
    source,
    compiled,
    network,
    images,
    truth,
    before,
    run,
    engine,
    detections,
  };
  return {
    ...figures(measured),
    ...otherScores({ network, images, truth, run, opened, confusion: options.confusion === true }),
    ...(before !== undefined && trains === 'means' && !readsWhole(network) && truth.kind === 'classes'
      ? { by_steps: bySteps(run, stepsOfNetwork(network), truth.classes) }
      : {}),
    ...(options.confusion === true && truth.kind === 'classes'
      ? confusionOf(truth.classes, run.classes, run.outputs.classes)
      : {}),
    ...activity,
    ...(await stagesOf(measured, options)),
  };
}

/** Whether nothing is known of an output before its train is complete. */
function readsWhole(network: Network): boolean {
  return findCarrier(network)?.whole === true;
}

interface Measured {
  readonly givesLogits: boolean;
  readonly source: Source | undefined;
  readonly compiled: Compiled;
  /** What ran: the compiled network, its planes put back. */
  readonly network: Network;
  readonly images: Images;
  readonly truth: Truth;
  /** What the source gives. */
  readonly before: Found | undefined;
  readonly run: SpikingRun;
  readonly engine: Engine;
  readonly detections: DetectionCounter | undefined;
}

function figures({
  givesLogits,
  compiled,
  network,
  images,
  truth,
  before,
  run,
  engine,
  detections,
}: Measured): EvalResult {
  return {
    samples: images.count,
    ...(detections === undefined ? scoreOf(truth, run, givesLogits) : precisionOf(detections.result(), images.dataset)),
    ...(before === undefined ? {} : { source: sourceFigures(truth, before, run) }),
    ...firstSpikeOf(network, network.outputs[0], run.outputs),
    ...spikeFigures(network, run, images.count),
    // planes take steps of their own, also where they are put back to run
    latency_steps: latencyOf(compiled.network),
    seconds: run.milliseconds / 1000,
    engine: engine.name,
  };
}

function precisionOf({ map50, map, classes }: DetectionScore, { boxes }: Dataset): Partial<EvalResult> {
  const named = classes.map((one) => ({ ...one, ...(boxes === undefined ? {} : { name: boxes.names[one.class]! }) }));
  return { map50, map, class_precision: named };
}

async function stagesOf(
  { source, compiled, images, truth, before, run, engine }: Measured,
  options: RunOptions,
): Promise<Partial<EvalResult>> {
  if (options.stages !== true || truth.kind !== 'classes') return {};
  const expected = present(before, 'run: no source').classes;
  const known = { source: present(source, 'run: no source'), labels: truth.classes, expected, run, engine, options };
  return evaluateStages(present(compiled.conversion, 'run: no conversion'), images, known);
}

/** Gives out the boxes of a sample as they lie in its image. */
function foundBoxes(
  { boxes }: Dataset,
  { onBoxes }: RunOptions,
): ((found: readonly Detection[], sample: number) => void) | undefined {
  if (onBoxes === undefined) return undefined;
  return (found, sample) => {
    const { id = sample, boxIn } = boxes?.source?.(sample) ?? {};
    const placed = found.map(({ label, score, box }) => {
      const [left, top, right, bottom] = boxIn?.(box) ?? box;
      const bbox = [left, top, right - left, bottom - top] as const;
      return { image_id: id, category_id: boxes?.ids?.[label] ?? label, bbox, score };
    });
    // of what lies beside the image nothing is left
    onBoxes(placed.filter(({ bbox: [, , width, height] }) => width > 0 && height > 0));
  };
}

function placeOf({ source, text }: Opened): Place | undefined {
  const file = source?.path ?? text;
  return file === undefined ? undefined : { file };
}

function trainsOf(network: Network): Carrier['trains'] {
  const carrier = findCarrier(network);
  if (carrier !== undefined) return carrier.trains;
  const construct = `evaluating a compiled network with \`coding ${network.coding?.name}\``;
  return fail('cli/not-lowered', { construct }, undefined, { help: 'name the model file instead' });
}

/** The data as the source's file takes it. */
function forSource(
  { imported }: Source,
  { dataset, normalisation, ...options }: RunOptions,
  findings: Findings,
): Dataset {
  const { shape } = imported.row;
  const outputs = elementCount(outputShape(imported.network));
  const fit = findings.take(
    fitDataset(dataset, { shape, inputs: namedInputs(imported.network), outputs, numbers: true, normalisation }),
  );
  if (fit.targets !== undefined) refuseNumbers(imported.sourceOutput.dropped, dataset.name, options.stages === true);
  return fit;
}

/** Figures that networks of a kind don't have. */
function refuseFlags(trains: Carrier['trains'], { source }: Opened, options: RunOptions): void {
  const missing = {
    none: { flags: ['stages', 'activity'], where: 'without a coding' },
    means: { flags: ['stages'], where: 'with `coding direct`' },
    weighted: { flags: ['activity'], where: 'with `coding sws`' },
  } as const;
  const { flags, where } = missing[trains];
  for (const flag of flags) {
    if (options[flag] === true) fail('cli/not-lowered', { construct: `\`--${flag}\` ${where}` });
  }
  if (options.stages !== true || source !== undefined) return;
  const help = 'name the model file that converts it';
  fail('cli/not-lowered', { construct: '`--stages` without the ONNX file' }, undefined, { help });
}

function bySteps(run: SpikingRun, all: number, labels: Int32Array): NonNullable<EvalResult['by_steps']> {
  return [...run.early, [all, run.classes] as const].map(([steps, classes]) => ({
    steps,
    accuracy: agreement(classes, labels),
  }));
}

interface Found {
  readonly classes: Int32Array;
  readonly outputs: Outputs;
}

/** How good the source is, and how near the converted network comes to it. */
function sourceFigures(truth: Truth, source: Found, found: Found): NonNullable<EvalResult['source']> {
  if (truth.kind === 'classes')
    return { ...scoreOf(truth, source), agreement: agreement(found.classes, source.classes) };
  return { ...scoreOf(truth, source), difference: regression(found.outputs, source.outputs.data) };
}

/** What the source gives for the images that it takes, where there is one. */
async function sourceFound(
  source: Source | undefined,
  images: Images,
  options: RunOptions,
): Promise<Found | undefined> {
  if (source === undefined) return undefined;
  const batch = realBatch(source.imported.network, images.batch);
  const outputs = await sourceOutputs(source, { ...images, batch }, options);
  return { outputs, classes: classesOf(outputs, source.imported.sourceOutput.dropped === 'Sigmoid' ? 0.5 : 0) };
}

/** The source's own outputs: the file as it is, in onnxruntime, graph optimisations disabled. */
async function sourceOutputs(file: Source, images: Images, options: EvalOptions): Promise<Outputs> {
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const { path, imported } = file;
  const { name } = imported.sourceOutput;
  const { source, outputs: named } = await openReference(file, [name], threads);
  const output = named.get(name) ?? name;
  try {
    const outputs = async (batch: Tensor<'f32'>): Promise<Tensor> =>
      present((await source.run(sourceFeeds(imported, batch), [output]))[output], `driver: ${path} gave no ${name}`);
    return await outputsOf(outputs, 1, images, (done, total) =>
      options.onProgress?.({ phase: 'source network', done, total, unit: 'images' }),
    );
  } finally {
    await source.dispose();
  }
}

/** Spikes per neuron and sample, and OPF = Σ(Tc+Ts)·N + Σ fan-out·spikes (SWS eq. 10), per sample. */
function spikeFigures(spiking: Network, run: SpikingRun, samples: number): { spikes_per_neuron: number; opf: number } {
  let neurons = 0;
  let membraneUpdates = 0;
  let spikes = 0;
  for (const op of spiking.ops) {
    if (!isNeuronLayer(op)) continue;
    const count = elementCount(op.type.shape);
    if (isFiringLayer(op)) neurons += count;
    membraneUpdates += count * (op.type.time!.steps + (op.attrs.silent ?? 0));
    spikes += run.spikes.get(op.id) ?? 0;
  }
  const synaptic = [...run.synaptic.values()].reduce((a, b) => a + b, 0);
  return {
    spikes_per_neuron: neurons === 0 ? 0 : spikes / neurons / samples,
    opf: membraneUpdates + synaptic / samples,
  };
}
