import type { Outcome } from '../base/diagnostics/index.js';
import { type Layout, SampleStore, labelledFor, loadReaders, openDataset } from '../data/index.js';
import type { Network } from '../network/index.js';
import { type TrainResult, type TrainingHooks, phasesTo, runTraining } from '../run/training.js';
import { trainerOf } from '../run/trainer.js';
import { prepared } from '../run/prepared-training.js';
import { trainingSamples } from '../run/training-samples.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { Findings } from '../workspace/findings.js';
import { importedForTraining } from '../workspace/imported-training.js';
import { weightsFrom } from '../workspace/first-weights.js';
import { loadModel } from '../workspace/load-model.js';
import { prepare } from '../workspace/nir.js';
import { keptSources } from '../workspace/model-copies.js';
import { forLabels, plannedTraining, trainable } from '../workspace/planned-training.js';
import { RunWriter } from '../workspace/run-writer.js';
import { trainingFolder } from '../workspace/training-folder.js';
import type { TrainOverrides } from '../workspace/train-settings.js';
import type { CommonOptions, Target } from '../workspace/types.js';
export type { TrainResult } from '../run/training.js';

export interface TrainOptions extends CommonOptions, TrainingHooks, TrainOverrides {
  readonly dataDir?: string;
  /** In place of the config's. */
  readonly layout?: Layout;
  readonly engine?: string;
  /** The Python that the engine `torch` runs; `python3` where it isn't said. */
  readonly python?: string;
  readonly threads?: number;
  /** MB of samples that are kept in memory at most. */
  readonly memory?: number;
  readonly resume?: boolean;
  /** The run folder; by default one below `runs`. */
  readonly run?: string;
  /** The run folder, once it is written, the epochs that are done in it, and steps of one that is not. */
  readonly onRun?: (run: string, epochs: number, steps: number | undefined) => void;
  readonly onEngine?: (name: string) => void;
}

/** Trains a config's network on data; everything that is needed to go on, and the network, lie in the run folder. */
export async function trainTarget(target: Target, options: TrainOptions): Promise<Outcome<TrainResult>> {
  const findings = new Findings();
  if (options.from !== undefined) await prepare([{ path: options.from }]);
  const config = chooseConfig(findings.take(loadModel(target.path, options)), target);
  const begin = (initial: Network): Network => weightsFrom(options.from, initial, findings);
  const imported = config.network.kind === 'onnx' ? importedForTraining(config, target.path, findings) : undefined;
  const said = plannedTraining(config, options, findings, begin, imported?.network);
  const { network, data } = said;
  const say = phasesTo(options.onProgress);
  const folder = trainingFolder(target, config.name, options);
  const first = folder.first();
  await loadReaders(data);
  const store = new SampleStore();
  const opened = openDataset(data, { dataDir: options.dataDir, layout: options.layout ?? said.layout });
  try {
    const dataset = labelledFor(opened, network.outputs, said.settings.labels === 'input');
    const sources = keptSources(target.path, options.allowOutside === true, imported?.files);
    const plan = await prepared(forLabels(said, dataset), dataset, target.path, options);
    const { settings } = plan;
    say('compiling the training step');
    const trainee = trainable(plan);
    const writer = new RunWriter(trainee, settings, {
      config: config.name,
      data,
      images: dataset.length,
      sources,
      hardware: config.hardware?.settings,
    });
    const fresh = (run: string): void => writer.refuseToReplace(run, [target.path]);
    if (options.resume !== true) fresh(first);
    say('reading images');
    const samples = trainingSamples(dataset, network, settings, findings, {
      store,
      ...(options.memory === undefined ? {} : { memory: options.memory * 1e6 }),
      onProgress: (done, total) => say('reading images', { done, total }),
    });
    const { threads } = options;
    const program = () => trainee.step.program;
    const work = { program, samples: samples.count * settings.epochs, batch: settings.batch, threads };
    const { engine, loop } = await trainerOf(options, { ...plan, config: config.name, sources }, work, (found) => {
      findings.all.push(found);
      options.onWarning?.(found);
    });
    options.onEngine?.(engine.name);
    const claim = folder.claim(fresh);
    try {
      const from = options.resume === true ? findings.take(writer.resume(claim)) : undefined;
      if (from === undefined) writer.begin(claim);
      options.onRun?.(claim.folder, from?.progress.epoch ?? 0, from?.progress.running?.steps);
      const training = { ...plan, trainee, samples, engine, loop, threads, writer, claim, from };
      return { value: await runTraining(training, options, findings), diagnostics: findings.all };
    } finally {
      claim.release();
    }
  } finally {
    store.close();
    opened.close();
  }
}
