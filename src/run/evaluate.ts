import { DiagnosticError, type Outcome, fail, hasErrors } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { checkFit } from '../data/dataset.js';
import { type Engine, openOnnxSource } from '../engines/index.js';
import { type Images, type SpikingRun, agreement, classify, readLabels } from './metrics/index.js';
import { type Network, latencyOf } from '../network/index.js';
import { checkPatterns, conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { chooseEngine } from './engine.js';
import { finiteOnly } from './evaluate-finite.js';
import { evaluateOwn, outputShape, spikeFigures } from './evaluate-own.js';
import { type Carrier, carrierOf } from '../lower/program/index.js';
import { openTarget } from '../workspace/open.js';
import { type RunOptions, batchFor, runNetwork } from './run-network.js';
import { evaluateStages } from './stages.js';
import { Findings } from '../workspace/findings.js';
import type { Source } from '../workspace/target.js';
import { verifyWhereWanted } from './verify-import.js';
import type { EvalOptions, EvalResult } from './types.js';
import type { Target } from '../workspace/types.js';

/** Accuracy, agreement with the source, spikes, operations per frame and latency of a converted network on data. */
export async function evaluateTarget(target: Target, options: RunOptions): Promise<Outcome<EvalResult>> {
  const findings = new Findings();
  const opened = openTarget(target, options, findings);
  if (opened.kind === 'own') return evaluateOwn(opened.own, options, findings);
  const { config, source } = opened;
  const plan = conversionPlan(config, findings);
  const { dataset } = options;
  const outputs = elementCount(outputShape(source.imported.network));
  const misfits = checkFit(dataset, source.imported.sourceInputs[0]!.shape, outputs);
  if (hasErrors(misfits)) throw new DiagnosticError(misfits);
  await verifyWhereWanted(source, options, findings);
  const { last, conversion } = convertNetwork(source.imported.network, plan, findings);
  const network = conversion?.spiking ?? last;
  const { trains } = carrierOf(network);
  refuseFlags(trains, options);
  findings.take({ value: true, diagnostics: trains === 'none' ? [] : checkPatterns(config, network) });
  const images: Images = {
    dataset,
    normalisation: options.normalisation,
    count: Math.min(dataset.length, options.limit ?? dataset.length),
    batch: options.batch ?? batchFor(network, options),
  };
  const labels = readLabels(images);
  const expected = await classifySource(source, images, options);
  const engine = finiteOnly(chooseEngine(options.engine, 'infer'), { file: source.path });
  const phase = trains === 'none' ? 'evaluating' : 'spiking network';
  const { run, activity } = await runNetwork(network, images, engine, options, phase);
  const known = { labels, expected, run, engine, options };
  const value: EvalResult = {
    ...figures({ network, run, images, labels, expected, engine }),
    ...(trains === 'means' ? { by_steps: bySteps(run, Number(config.coding?.args['steps']), labels) } : {}),
    ...activity,
    ...(options.stages === true ? await evaluateStages(present(conversion, 'run: no conversion'), images, known) : {}),
  };
  return { value, diagnostics: findings.all };
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

interface Measured {
  readonly network: Network;
  readonly run: SpikingRun;
  readonly images: Images;
  readonly labels: Int32Array;
  /** The source's predictions. */
  readonly expected: Int32Array;
  readonly engine: Engine;
}

function figures({ network, run, images, labels, expected, engine }: Measured): EvalResult {
  return {
    samples: images.count,
    accuracy: agreement(run.classes, labels),
    source: { accuracy: agreement(expected, labels), agreement: agreement(run.classes, expected) },
    ...spikeFigures(network, run, images.count),
    latency_steps: latencyOf(network),
    seconds: run.milliseconds / 1000,
    engine: engine.name,
  };
}

/** The source's own predictions: the file as it is, in onnxruntime, graph optimisations disabled. */
async function classifySource(
  { path, bytes, imported, external }: Source,
  images: Images,
  options: EvalOptions,
): Promise<Int32Array> {
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const source = await openOnnxSource(external.size > 0 ? path : bytes, {
    name: path,
    batch: imported.sourceInputs[0]?.batch,
    ...threads,
  });
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
