import { type Outcome, fail } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Dataset, fitDataset } from '../data/index.js';
import {
  type Images,
  type Outputs,
  type SpikingRun,
  type Truth,
  agreement,
  classesOf,
  outputsOf,
  readTruth,
  regression,
  scoreOf,
} from './metrics/index.js';
import { latencyOf } from '../network/index.js';
import { checkPatterns, conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { chooseEngine } from './engine.js';
import { finiteOnly } from './evaluate-finite.js';
import { evaluateOwn, spikeFigures } from './evaluate-own.js';
import { chosenNormalisation, fitToNetwork, outputShape } from './fit.js';
import { refuseNumbers, remarksOn } from './labels.js';
import { type Carrier, carrierOf } from '../lower/program/index.js';
import { openTarget } from '../workspace/open.js';
import { openReference, referenceNotes } from './reference.js';
import { type RunOptions, batchFor, runNetwork } from './run-network.js';
import { evaluateStages } from './stages.js';
import { Findings } from '../workspace/findings.js';
import type { Source } from '../workspace/target.js';
import { normalisationOf } from '../workspace/train-settings.js';
import { verifyWhereWanted } from './verify-import.js';
import type { EvalOptions, EvalResult } from './types.js';
import type { Target } from '../workspace/types.js';

/** Accuracy, agreement with the source, spikes, operations per frame and latency of a converted network on data. */
export async function evaluateTarget(target: Target, given: RunOptions): Promise<Outcome<EvalResult>> {
  const findings = new Findings();
  const opened = openTarget(target, given, findings);
  if (opened.kind === 'own') return evaluateOwn(opened.own, given, findings);
  const { config, source } = opened;
  const normalisation = chosenNormalisation(given.normalisation, normalisationOf(config.normalize));
  const options: RunOptions = { ...given, normalisation };
  const plan = conversionPlan(config, findings);
  const theirs = forSource(source, options, findings);
  await verifyWhereWanted(source, options, findings);
  const { last, conversion } = convertNetwork(source.imported.network, plan, findings);
  const network = conversion?.spiking ?? last;
  const { trains } = carrierOf(network);
  refuseFlags(trains, options);
  findings.take({ value: true, diagnostics: trains === 'none' ? [] : checkPatterns(config, network) });
  const images: Images = {
    // what the file takes and what its import takes may lie differently
    dataset: fitToNetwork(network, options.dataset, new Findings(), { numbers: true }),
    normalisation,
    count: Math.min(theirs.length, options.limit ?? theirs.length),
    batch: options.batch ?? batchFor(network, options),
  };
  const truth = readTruth(images);
  findings.all.push(...remarksOn(truth, images));
  if (!findings.all.some(({ code }) => code === 'convert/reference')) findings.all.push(...referenceNotes(source));
  const before = await sourceOutputs(source, { ...images, dataset: theirs }, options);
  const expected = classesOf(before, source.imported.sourceOutput.dropped === 'Sigmoid' ? 0.5 : 0);
  const engine = finiteOnly(chooseEngine(options.engine, 'infer'), { file: source.path });
  const phase = trains === 'none' ? 'evaluating' : 'spiking network';
  const { run, activity } = await runNetwork(network, images, engine, options, phase);
  const value: EvalResult = {
    samples: images.count,
    ...scoreOf(truth, run),
    source: sourceFigures(truth, { classes: expected, outputs: before }, run),
    ...spikeFigures(network, run, images.count),
    latency_steps: latencyOf(network),
    seconds: run.milliseconds / 1000,
    engine: engine.name,
    ...(trains === 'means' && truth.kind === 'classes'
      ? { by_steps: bySteps(run, Number(config.coding?.args['steps']), truth.classes) }
      : {}),
    ...activity,
    ...(options.stages === true && truth.kind === 'classes'
      ? await evaluateStages(present(conversion, 'run: no conversion'), images, {
          labels: truth.classes,
          expected,
          run,
          engine,
          options,
        })
      : {}),
  };
  return { value, diagnostics: findings.all };
}

/** The data as the source's file takes it. */
function forSource(
  { imported }: Source,
  { dataset, normalisation, ...options }: RunOptions,
  findings: Findings,
): Dataset {
  const { shape } = imported.sourceInputs[0]!;
  const outputs = elementCount(outputShape(imported.network));
  const fit = findings.take(fitDataset(dataset, { shape, outputs, numbers: true, normalisation }));
  if (fit.targets !== undefined) refuseNumbers(imported.sourceOutput.dropped, dataset.name, options.stages === true);
  return fit;
}

/** Figures that networks of a kind don't have. */
function refuseFlags(trains: Carrier['trains'], options: RunOptions): void {
  const missing = {
    none: { flags: ['stages', 'activity'], where: 'without a coding' },
    means: { flags: ['stages'], where: 'with `coding direct`' },
    weighted: { flags: ['activity'], where: 'with `coding sws`' },
  } as const;
  const { flags, where } = missing[trains];
  for (const flag of flags) {
    if (options[flag] === true) fail('cli/not-lowered', { construct: `\`--${flag}\` ${where}` });
  }
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

/** The source's own outputs: the file as it is, in onnxruntime, graph optimisations disabled. */
async function sourceOutputs(file: Source, images: Images, options: EvalOptions): Promise<Outputs> {
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const { path, imported } = file;
  const input = imported.sourceInputs[0]!.name;
  const { name } = imported.sourceOutput;
  const { source, outputs: named } = await openReference(file, [name], threads);
  const output = named.get(name) ?? name;
  try {
    const outputs = async (batch: Tensor<'f32'>): Promise<Tensor> =>
      present((await source.run({ [input]: batch }, [output]))[output], `driver: ${path} gave no ${name}`);
    return await outputsOf(outputs, 1, images, (done, total) =>
      options.onProgress?.({ phase: 'source network', done, total, unit: 'images' }),
    );
  } finally {
    await source.dispose();
  }
}
