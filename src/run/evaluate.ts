import { DiagnosticError, type Outcome, fail, hasErrors } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { checkFit } from '../data/dataset.js';
import { type Engine, openOnnxSource } from '../engines/index.js';
import { type Images, type SpikingRun, agreement, classify, readLabels } from './metrics/index.js';
import { type Network, latencyOf } from '../network/index.js';
import { checkPatterns, conversionOptions, convertNetwork } from '../workspace/conversion.js';
import { chooseEngine } from './engine.js';
import { finiteOnly } from './evaluate-finite.js';
import { evaluateOwn, outputShape, spikeFigures } from './evaluate-own.js';
import { evaluateReal, realFigures } from './evaluate-real.js';
import { isReal } from './logits.js';
import { openTarget } from '../workspace/open.js';
import { type RunOptions, batchFor, runLayers } from './run-layers.js';
import { spikingRun, swsBatchFor } from './spiking-run.js';
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
  const settings = conversionOptions(config, findings);
  const { dataset } = options;
  const outputs = elementCount(outputShape(source.imported.network));
  const misfits = checkFit(dataset, source.imported.sourceInputs[0]!.shape, outputs);
  if (hasErrors(misfits)) throw new DiagnosticError(misfits);
  await verifyWhereWanted(source, options, findings);
  const { last, conversion } = convertNetwork(source.imported.network, settings, findings);
  if (isReal(last)) return { value: await evaluateAnn(source, last, options), diagnostics: findings.all };
  const { spiking } = present(conversion, 'driver: the pipeline ended early');
  findings.take({ value: true, diagnostics: checkPatterns(config, spiking) });
  const isSws = settings.coding === 'sws';
  if (!isSws && options.stages === true) fail('cli/not-lowered', { construct: '`--stages` with `coding direct`' });
  if (isSws && options.activity === true) fail('cli/not-lowered', { construct: '`--activity` with `coding sws`' });
  const images: Images = {
    dataset,
    normalisation: options.normalisation,
    count: Math.min(dataset.length, options.limit ?? dataset.length),
    batch: options.batch ?? (isSws ? swsBatchFor(spiking, options) : batchFor(spiking, options)),
  };
  const labels = readLabels(images);
  const expected = await classifySource(source, images, options);
  const engine = finiteOnly(chooseEngine(options.engine, 'infer'), { file: source.path });
  if (!isSws) {
    const { run, activity } = await runLayers(spiking, images, engine, options, 'spiking network');
    const value: EvalResult = {
      ...figures({ spiking, run, images, labels, expected, engine }),
      by_steps: [...run.early, [settings.steps, run.classes] as const].map(([steps, classes]) => ({
        steps,
        accuracy: agreement(classes, labels),
      })),
      ...activity,
    };
    return { value, diagnostics: findings.all };
  }
  const run = await spikingRun(spiking, images, engine, options);
  const stages =
    options.stages === true
      ? await evaluateStages(present(conversion, 'driver: no conversion'), images, {
          labels,
          expected,
          run,
          engine,
          options,
        })
      : {};
  return {
    value: { ...figures({ spiking, run, images, labels, expected, engine }), ...stages },
    diagnostics: findings.all,
  };
}

/** Images that run together in a network without spikes. */
const annBatch = 100;

/** An imported network that stays an ANN, beside its file. */
async function evaluateAnn(source: Source, network: Network, options: RunOptions): Promise<EvalResult> {
  for (const flag of ['stages', 'activity'] as const) {
    if (options[flag] === true) fail('cli/not-lowered', { construct: `\`--${flag}\` without a coding` });
  }
  const { dataset, normalisation } = options;
  const count = Math.min(dataset.length, options.limit ?? dataset.length);
  const images: Images = { dataset, normalisation, count, batch: options.batch ?? annBatch };
  const labels = readLabels(images);
  const expected = await classifySource(source, images, options);
  const engine = finiteOnly(chooseEngine(options.engine, 'infer'), { file: source.path });
  const measured = await evaluateReal(network, images, engine, options);
  return {
    ...realFigures(measured, labels, engine.name),
    source: { accuracy: agreement(expected, labels), agreement: agreement(measured.classes, expected) },
  };
}

interface Measured {
  readonly spiking: Network;
  readonly run: SpikingRun;
  readonly images: Images;
  readonly labels: Int32Array;
  /** The source's predictions. */
  readonly expected: Int32Array;
  readonly engine: Engine;
}

function figures({ spiking, run, images, labels, expected, engine }: Measured): EvalResult {
  return {
    samples: images.count,
    accuracy: agreement(run.classes, labels),
    source: { accuracy: agreement(expected, labels), agreement: agreement(run.classes, expected) },
    ...spikeFigures(spiking, run, images.count),
    latency_steps: latencyOf(spiking),
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
