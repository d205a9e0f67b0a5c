import { basename, join } from 'node:path';
import { type Diagnostic, DiagnosticError, type Outcome, diagnostic, fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import {
  type Dataset,
  FolderClaim,
  type Layout,
  finishWrites,
  isFile,
  loadReaders,
  openDataset,
  readText,
} from '../data/index.js';
import type { Config } from '../model/index.js';
import { type Network, opsById } from '../network/index.js';
import {
  type Checkpoint,
  type EpochRecord,
  Firing,
  type LoadOptions,
  type LoopResult,
  Samples,
  type TrainSettings,
  bestOf,
  trainLoop,
  traineeOf,
  usualMemory,
  withoutGradient,
} from '../train/index.js';
import { bitTraining, renewalProblems } from '../workspace/bit-training.js';
import { chooseEngine } from '../run/engine.js';
import { fitToNetwork, outputShape } from '../run/fit.js';
import { copiesOf } from '../workspace/model-copies.js';
import { networkOf } from '../workspace/own-network.js';
import { runFiles } from '../workspace/run-folder.js';
import { RunWriter } from '../workspace/run-writer.js';
import { Findings } from '../workspace/findings.js';
import { loadModel } from '../workspace/load-model.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { trainSettings } from '../workspace/train-settings.js';
import type { CommonOptions, Progress, Target } from '../workspace/types.js';

export interface TrainOptions extends CommonOptions {
  /** Data set by name, in place of the config's. */
  readonly data?: string;
  readonly dataDir?: string;
  /** In place of the config's. */
  readonly layout?: Layout;
  readonly epochs?: number;
  readonly limit?: number;
  readonly seed?: number;
  readonly engine?: string;
  readonly threads?: number;
  /** MB of samples that are kept in memory at most. */
  readonly memory?: number;
  readonly resume?: boolean;
  /** The run folder; by default one below `runs`. */
  readonly run?: string;
  /** The run folder, once it is written, and the epochs that are done in it. */
  readonly onRun?: (run: string, epochs: number) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Receives at once what is also part of the outcome: a layer that doesn't fire. */
  readonly onWarning?: (warning: Diagnostic) => void;
  readonly onEngine?: (name: string) => void;
}

export interface TrainResult {
  /** Epochs that are done, earlier ones included. */
  readonly done: number;
  /** Accuracy on the images held back where there are any, else on the training images. */
  readonly best: {
    readonly epoch: number;
    readonly accuracy: number;
    /** The accuracy is that on the images held back. */
    readonly validated: boolean;
    /** Where its weights lie. */
    readonly folder: string;
  };
  /** Its weights lie in the run folder. */
  readonly last: { readonly epoch: number; readonly accuracy: number };
  readonly run: string;
  /** The data set's name. */
  readonly data: string;
  /** Why it ended. */
  readonly stopped: 'epochs' | 'patience';
  readonly engine: string;
}

/** Trains a config's network on data; everything that is needed to go on, and the network, lie in the run folder. */
export async function trainTarget(target: Target, options: TrainOptions): Promise<Outcome<TrainResult>> {
  const findings = new Findings();
  const config = chooseConfig(findings.take(loadModel(target.path, options)), target);
  if (config.network.kind === 'onnx')
    fail('train/setting-missing', { config: config.name, name: 'network of layers' }, config.network.place);
  const { settings: plain, data, layout } = trainSettings(config, options);
  const network = networkOf(config, findings, plain.seed);
  const bits = bitTraining(config, network, plain.rate);
  findings.take({ value: true, diagnostics: renewalProblems(config, network) });
  const settings: TrainSettings = bits === undefined ? plain : { ...plain, bits };
  const say = (
    phase: string,
    { done, total }: { readonly done: number; readonly total?: number } = { done: 0 },
  ): void =>
    options.onProgress?.({ phase, done, ...(total === undefined ? { silent: true } : { total, unit: 'images' }) });
  say('compiling the training step');
  const trainee = traineeOf(network, settings);
  const blocked = withoutGradient(trainee);
  if (blocked.length > 0) throw new DiagnosticError(blocked);
  const runs = runFolders(target, config, options);
  const folder = runs.first();
  await loadReaders(data);
  const dataset = openDataset(data, { dataDir: options.dataDir, layout: options.layout ?? layout });
  try {
    const writer = new RunWriter(trainee, settings, {
      config: config.name,
      data,
      images: dataset.length,
      sources: sourcesOf(target, options),
      hardware: config.hardware?.settings,
    });
    const fresh = (run: string): void => writer.refuseToReplace(run, [target.path]);
    if (options.resume !== true) fresh(folder);
    say('reading images');
    const samples = loadSamples(dataset, network, settings, findings, {
      memory: options.memory === undefined ? usualMemory : options.memory * 1e6,
      onProgress: (done, total) => say('reading images', { done, total }),
    });
    const engine = chooseEngine(options.engine, 'train');
    options.onEngine?.(engine.name);
    const claim = runs.claim(fresh);
    try {
      const from = options.resume === true ? findings.take(resumed(writer, claim)) : undefined;
      if (from === undefined) writer.begin(claim);
      options.onRun?.(claim.folder, from?.progress.epoch ?? 0);
      const firing = new Firing(network);
      const records: EpochRecord[] = [...(from?.progress.records ?? [])];
      const byId = opsById(trainee.network);
      const result = await trainLoop({
        trainee,
        samples,
        settings,
        engine,
        ...(options.threads === undefined ? {} : { threads: options.threads }),
        ...(from === undefined ? {} : { from }),
        placeOf: (op) => byId.get(op)?.place,
        now: () => performance.now(),
        onEpoch: (record, state) => {
          records.push(record);
          writer.save(claim, records, state);
          options.onEpoch?.(record);
          for (const warning of firing.look(record)) {
            findings.all.push(warning);
            options.onWarning?.(warning);
          }
        },
        onPhase: (phase, part) => say(phase, part),
        onProgress: (progress) => options.onProgress?.(progressOf(progress)),
      });
      return { value: resultOf(result, { run: claim.folder, data, engine: engine.name }), diagnostics: findings.all };
    } finally {
      claim.release();
    }
  } finally {
    dataset.close();
  }
}

function resumed(writer: RunWriter, claim: FolderClaim): Outcome<Checkpoint> {
  const { from, diagnostics } = writer.resume(claim);
  return { value: from, diagnostics };
}

interface RunFolders {
  /** The folder as things are now. */
  readonly first: () => string;
  /** The folder, held from now on; `fresh` refuses to begin in one where something would be lost. */
  readonly claim: (fresh: (run: string) => void) => FolderClaim;
}

/** How long somebody who looks at a run folder for a moment is waited for, in ms. */
const claimPatience = 300;

/** The folder that was named, or the first free `runs/NAME-CONFIG`; to resume, the last that is there. */
function runFolders({ path }: Target, config: Config, { run, resume = false }: TrainOptions): RunFolders {
  const holds = (folder: string): boolean => {
    finishWrites(folder);
    return isFile(join(folder, runFiles.checkpoint));
  };
  const base = join('runs', `${basename(path).replace(/\.spike$/, '')}-${config.name}`);
  const numbered = (i: number): string => (i === 1 ? base : `${base}-${i}`);
  let number = 1;
  const first = (): string => {
    if (run === undefined) while (holds(numbered(number))) number++;
    if (resume) {
      const last = run ?? numbered(Math.max(1, number - 1));
      if (!holds(last)) fail('train/no-checkpoint', { path: join(last, runFiles.checkpoint) });
      return last;
    }
    if (run === undefined) return numbered(number);
    if (holds(run)) refuseRun(run);
    return run;
  };
  const claim = (fresh: (run: string) => void): FolderClaim => {
    const folder = first();
    const taken = takeRun(folder, run === undefined && !resume);
    if (taken !== undefined) {
      const busy = !resume && isFile(join(folder, runFiles.checkpoint));
      try {
        if (busy && run !== undefined) refuseRun(folder);
        if (!busy && !resume) fresh(folder);
      } catch (error) {
        taken.release();
        throw error;
      }
      if (!busy) return taken;
      taken.release();
    }
    number++;
    return claim(fresh);
  };
  return { first, claim };
}

function refuseRun(path: string): never {
  const help = 'go on with it by `--resume`, name another folder with `-o`, or delete it';
  fail('train/run-exists', { path }, undefined, { help });
}

/** Nothing where another training has it and another folder will do. */
function takeRun(folder: string, another: boolean): FolderClaim | undefined {
  try {
    return FolderClaim.take(folder, claimPatience);
  } catch (error) {
    if (!another || !(error instanceof DiagnosticError) || error.diagnostics[0]?.code !== 'file/in-use') throw error;
    return undefined;
  }
}

/** Model files that a run keeps. */
function sourcesOf({ path }: Target, { allowOutside }: TrainOptions): Map<string, string> {
  return copiesOf({ path, text: readText(path), name: 'model.spike' }, allowOutside === true);
}

function loadSamples(
  given: Dataset,
  network: Network,
  settings: TrainSettings,
  findings: Findings,
  load: LoadOptions,
): Samples {
  if (elementCount(outputShape(network)) === 1) fail('data/one-output', {});
  const dataset = fitToNetwork(network, given, findings, { normalisation: settings.normalisation });
  const images = Math.min(dataset.length, settings.limit ?? dataset.length);
  const left = images - Math.round(images * settings.validation);
  if (left < 2) fail('train/too-few-images', { name: dataset.name, images: left });
  const samples = Samples.load(dataset, images, settings.normalisation, load);
  if (samples.kept < images) {
    const args = { name: dataset.name, kept: samples.kept, images, megabytes: Math.round(samples.bytes / 1e6) };
    findings.all.push(diagnostic('train/streamed', args));
  }
  return samples;
}

function resultOf(
  { records, stopped }: LoopResult,
  { run, data, engine }: Pick<TrainResult, 'run' | 'data' | 'engine'>,
): TrainResult {
  const [best, last] = [bestOf(records), records.at(-1)];
  const shown = (record: EpochRecord | undefined): Pick<EpochRecord, 'epoch' | 'accuracy'> => ({
    epoch: record?.epoch ?? 0,
    accuracy: record?.val_accuracy ?? record?.accuracy ?? 0,
  });
  return {
    done: records.length,
    best: { ...shown(best), validated: best?.val_accuracy !== undefined, folder: join(run, 'best') },
    last: shown(last),
    run,
    data,
    stopped,
    engine,
  };
}

function progressOf(p: {
  readonly epoch: number;
  readonly epochs: number;
  readonly done: number;
  readonly total: number;
  readonly loss: number;
  readonly accuracy: number;
}): Progress {
  const phase = `epoch ${p.epoch}/${p.epochs}`;
  const counted = { phase, done: p.done, total: p.total, unit: 'images' };
  if (p.done === 0) return counted;
  return { ...counted, detail: `loss ${p.loss.toFixed(4)}  training ${(100 * p.accuracy).toFixed(2)} %` };
}
