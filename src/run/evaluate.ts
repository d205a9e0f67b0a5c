import { fail } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Engine, openOnnxSource } from '../engines/index.js';
import { type Network, latencyOf } from '../network/index.js';
import { isSplit } from '../passes/index.js';
import type { Compiled } from '../workspace/compiled.js';
import type { Findings } from '../workspace/findings.js';
import type { Opened } from '../workspace/open.js';
import { isOfLayers } from '../workspace/own-network.js';
import type { Source } from '../workspace/target.js';
import { chooseEngine } from './engine.js';
import { finiteOnly } from './evaluate-finite.js';
import { evaluateReal } from './evaluate-real.js';
import { imageShape, normalisationFor, refuseMisfits } from './images.js';
import { isReal } from './logits.js';
import { type Images, type SpikingRun, agreement, classify, readLabels } from './metrics/index.js';
import { type RunOptions, batchFor, runLayers } from './run-layers.js';
import { checkRuns } from './runnable.js';
import { spikingRun, swsBatchFor } from './spiking-run.js';
import { evaluateStages } from './stages.js';
import type { EvalOptions, EvalResult } from './types.js';
import { verifyWhereWanted } from './verify-import.js';

/** Images that run together in a network without spikes. */
const realBatch = 100;

/** Accuracy, agreement with the source, spikes, operations per frame and latency of a target's network on data. */
export async function evaluate(opened: Opened, options: RunOptions, findings: Findings): Promise<EvalResult> {
  const { source, text } = opened;
  const { dataset } = options;
  opened.pipeline();
  refuseMisfits(dataset, opened.network, source?.imported.sourceInputs[0]!.shape ?? imageShape(opened.network));
  if (source !== undefined) await verifyWhereWanted(source, options, findings);
  const compiled = opened.compiled();
  const { network } = opened.compiled({ planes: false });
  const kind = kindOf(network);
  refuseOptions(kind, opened, options);
  const images: Images = {
    dataset,
    normalisation: normalisationFor(opened, options),
    count: Math.min(dataset.length, options.limit ?? dataset.length),
    batch: options.batch ?? batchOf(kind, network, options),
  };
  const labels = readLabels(images);
  if (text !== undefined) checkRuns(network, text);
  const expected = source === undefined ? undefined : await classifySource(source, images, options);
  const engine = finiteOnly(chooseEngine(options.engine, 'infer'), placeOf(opened));
  const { run, ...more } = await runOf(kind, { compiled, network, images, labels, engine, expected, options });
  return { ...figures({ network, written: compiled.network, run, labels, expected, engine }), ...more };
}

type Kind = 'real' | 'sws' | 'layers';

function kindOf(network: Network): Kind {
  if (isReal(network)) return 'real';
  if (network.coding?.name === 'sws') return 'sws';
  if (isOfLayers(network)) return 'layers';
  const construct = `evaluating a compiled network with \`coding ${network.coding?.name}\``;
  return fail('cli/not-lowered', { construct }, undefined, { help: 'name the model file instead' });
}

/** What is measured besides only where it means something. */
function refuseOptions(kind: Kind, { source }: Opened, { stages, activity }: RunOptions): void {
  const refuse = (construct: string, help?: string): never =>
    fail('cli/not-lowered', { construct }, undefined, help === undefined ? {} : { help });
  if (kind === 'real' && stages === true) refuse('`--stages` without a coding');
  if (kind === 'real' && activity === true) refuse('`--activity` without a coding');
  if (kind === 'sws' && activity === true) refuse('`--activity` with `coding sws`');
  if (kind === 'layers' && stages === true) refuse('`--stages` with `coding direct`');
  if (source === undefined && stages === true) {
    refuse('`--stages` without the ONNX file', 'name the model file that converts it');
  }
}

function batchOf(kind: Kind, network: Network, options: RunOptions): number {
  if (kind === 'real') return realBatch;
  return kind === 'sws' ? swsBatchFor(network, options) : batchFor(network, options);
}

function placeOf({ source, text }: Opened): { file: string } | undefined {
  const file = source?.path ?? text;
  return file === undefined ? undefined : { file };
}

interface Running {
  readonly compiled: Compiled;
  /** What runs: the compiled network, its planes put back. */
  readonly network: Network;
  readonly images: Images;
  readonly labels: Int32Array;
  readonly engine: Engine;
  /** The source's predictions. */
  readonly expected: Int32Array | undefined;
  readonly options: RunOptions;
}

type Run = Pick<EvalResult, 'by_steps' | 'activity' | 'stages' | 'layers'> & { readonly run: SpikingRun };

async function runOf(kind: Kind, running: Running): Promise<Run> {
  const { compiled, network, images, labels, engine, expected, options } = running;
  if (kind === 'real') {
    options.countSpikes?.(network);
    const nothing = new Map<never, never>();
    const found = await evaluateReal(network, images, engine, options);
    return { run: { ...found, spikes: nothing, synaptic: nothing, early: nothing } };
  }
  if (kind === 'sws') {
    const run = await spikingRun(network, images, engine, options);
    if (options.stages !== true) return { run };
    const conversion = present(compiled.conversion, 'run: no conversion');
    const known = { labels, expected: present(expected, 'run: no source'), run, engine, options };
    return { run, ...(await evaluateStages(conversion, images, known)) };
  }
  const converted = expected !== undefined;
  const ones = isSplit(compiled.network);
  const phase = converted ? 'spiking network' : 'evaluating';
  const { run, activity } = await runLayers(network, images, engine, { ...options, ones }, phase);
  return { run, ...(converted ? { by_steps: accuracyBySteps(run, network, labels) } : {}), ...activity };
}

function accuracyBySteps(
  { early, classes }: SpikingRun,
  network: Network,
  labels: Int32Array,
): NonNullable<EvalResult['by_steps']> {
  const steps = Number(network.coding?.args['steps']);
  return [...early, [steps, classes] as const].map(([n, found]) => ({ steps: n, accuracy: agreement(found, labels) }));
}

interface Measured {
  readonly network: Network;
  /** As it was compiled: planes take steps of their own, also where they are put back to run. */
  readonly written: Network;
  readonly run: SpikingRun;
  readonly labels: Int32Array;
  readonly expected: Int32Array | undefined;
  readonly engine: Engine;
}

function figures({ network, written, run, labels, expected, engine }: Measured): EvalResult {
  const source =
    expected === undefined
      ? {}
      : { source: { accuracy: agreement(expected, labels), agreement: agreement(run.classes, expected) } };
  return {
    samples: labels.length,
    accuracy: agreement(run.classes, labels),
    ...source,
    ...spikeFigures(network, run, labels.length),
    latency_steps: latencyOf(written),
    seconds: run.milliseconds / 1000,
    engine: engine.name,
  };
}

/** Spikes per neuron and sample, and OPF = Σ(Tc+Ts)·N + Σ fan-out·spikes (SWS eq. 10), per sample. */
function spikeFigures(spiking: Network, run: SpikingRun, samples: number): { spikes_per_neuron: number; opf: number } {
  let neurons = 0;
  let membraneUpdates = 0;
  let spikes = 0;
  for (const op of spiking.ops) {
    if (op.kind !== 'neuron') continue;
    const count = elementCount(op.type.shape);
    neurons += count;
    membraneUpdates += count * (op.type.time!.steps + Number(op.attrs['silent'] ?? 0));
    spikes += run.spikes.get(op.id) ?? 0;
  }
  const synaptic = [...run.synaptic.values()].reduce((a, b) => a + b, 0);
  return {
    spikes_per_neuron: neurons === 0 ? 0 : spikes / neurons / samples,
    opf: membraneUpdates + synaptic / samples,
  };
}

/** The source's own predictions: the file as it is, in onnxruntime, graph optimisations disabled. */
async function classifySource(
  { path, bytes, imported, external }: Source,
  images: Images,
  options: EvalOptions,
): Promise<Int32Array> {
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const source = await openOnnxSource(external.size > 0 ? path : bytes, { name: path, ...threads });
  const input = imported.sourceInputs[0]!.name;
  const { name } = imported.sourceOutput;
  try {
    const logits = async (batch: Tensor<'f32'>): Promise<Tensor> =>
      present((await source.run({ [input]: batch }))[name], `driver: ${path} gave no ${name}`);
    return await classify({ logits, lanes: 1 }, images, (done, total) =>
      options.onProgress?.({ phase: 'source network', done, total, unit: 'images' }),
    );
  } finally {
    await source.dispose();
  }
}
