import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { DiagnosticError, type Outcome, fail } from '../base/diagnostics/index.js';
import type { Tensor } from '../base/dtype.js';
import { elementCount } from '../base/dtype.js';
import { isFile, type Dataset, type Layout, openDataset, readText, writeFile, writeFolder } from '../data/index.js';
import type { Config } from '../model/index.js';
import { type Network, opsById, printNetwork } from '../network/index.js';
import {
  type EpochRecord,
  type LoopResult,
  type LoopState,
  Samples,
  type TrainSettings,
  type Trainee,
  bestOf,
  readCheckpoint,
  trainLoop,
  traineeOf,
  withoutGradient,
  writeCheckpoint,
} from '../train/index.js';
import { artifactFiles } from '../workspace/artifacts.js';
import { bitTraining, renewalProblems } from '../workspace/bit-training.js';
import { chooseEngine } from '../run/engine.js';
import { fitToNetwork, outputShape } from '../run/fit.js';
import { copiesOf } from '../workspace/model-copies.js';
import { networkOf } from '../workspace/own-network.js';
import { refuseToReplace } from '../workspace/replacing.js';
import { type RunInfo, runFiles } from '../workspace/run-folder.js';
import { Findings } from '../workspace/findings.js';
import { loadModel } from '../workspace/load-model.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { trainSettings } from '../workspace/train-settings.js';
import { packageVersion } from '../workspace/version.js';
import type { Target, CommonOptions } from '../workspace/types.js';

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
  readonly resume?: boolean;
  /** The run folder; by default one below `runs`. */
  readonly run?: string;
  readonly onEpoch?: (record: EpochRecord) => void;
  readonly onEngine?: (name: string) => void;
}

export interface TrainResult {
  /** Epochs that are done, earlier ones included. */
  readonly done: number;
  /** Accuracy on the images held back where there are any, else on the training images. */
  readonly best: { readonly epoch: number; readonly accuracy: number };
  readonly run: string;
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
  const trainee = traineeOf(network, settings);
  const blocked = withoutGradient(trainee);
  if (blocked.length > 0) throw new DiagnosticError(blocked);
  const run = runFolder(target, config, options);
  const dataset = openDataset(data, { dataDir: options.dataDir, layout: options.layout ?? layout });
  try {
    const training = new Training(trainee, settings, {
      config: config.name,
      data,
      run,
      sources: sourcesOf(target, options),
      hardware: config.hardware?.settings,
    });
    if (options.resume !== true) training.refuseToReplace([target.path]);
    const samples = loadSamples(dataset, network, settings, findings);
    const result = await training.run(samples, options);
    return { value: result, diagnostics: findings.all };
  } finally {
    dataset.close();
  }
}

/** The folder that was named, or the first free `runs/NAME-CONFIG`; to resume, the last that is there. */
function runFolder({ path }: Target, config: Config, { run, resume }: TrainOptions): string {
  const holds = (folder: string): boolean => isFile(join(folder, runFiles.checkpoint));
  if (run !== undefined) {
    if (holds(run) && resume !== true) {
      const help = 'go on with it by `--resume`, name another folder with `-o`, or delete it';
      fail('train/run-exists', { path: run }, undefined, { help });
    }
    return run;
  }
  const base = join('runs', `${basename(path).replace(/\.spike$/, '')}-${config.name}`);
  const numbered = (i: number): string => (i === 1 ? base : `${base}-${i}`);
  let last = 0;
  while (holds(numbered(last + 1))) last++;
  return numbered(resume === true ? Math.max(1, last) : last + 1);
}

/** Model files that a run keeps. */
function sourcesOf({ path }: Target, { allowOutside }: TrainOptions): Map<string, string> {
  return copiesOf({ path, text: readText(path), name: 'model.spike' }, allowOutside === true);
}

function loadSamples(given: Dataset, network: Network, settings: TrainSettings, findings: Findings): Samples {
  if (elementCount(outputShape(network)) === 1) fail('data/one-output', {});
  const dataset = fitToNetwork(network, given, findings, { normalisation: settings.normalisation });
  const images = Math.min(dataset.length, settings.limit ?? dataset.length);
  const left = images - Math.round(images * settings.validation);
  if (left < 2) fail('train/too-few-images', { name: dataset.name, images: left });
  return Samples.load(dataset, images, settings.normalisation);
}

interface RunPlace {
  readonly config: string;
  readonly data: string;
  readonly run: string;
  /** The model file, as `model.spike`, and what it uses. */
  readonly sources: ReadonlyMap<string, string>;
  /** What the config says of the hardware. */
  readonly hardware: RunInfo['hardware'] | undefined;
}

/** One training and its folder. */
class Training {
  readonly #fingerprint: string;

  constructor(
    readonly trainee: Trainee,
    readonly settings: TrainSettings,
    readonly place: RunPlace,
  ) {
    this.#fingerprint = fingerprintOf(trainee.network, settings, place.data);
  }

  async run(samples: Samples, options: TrainOptions): Promise<TrainResult> {
    const { trainee, settings, place } = this;
    const checkpoint = join(place.run, runFiles.checkpoint);
    const initial = this.#initial();
    const from = options.resume === true ? readCheckpoint(checkpoint, this.#fingerprint, initial) : undefined;
    const engine = chooseEngine(options.engine, 'train');
    options.onEngine?.(engine.name);
    if (from === undefined) this.#begin();
    const byId = opsById(trainee.network);
    const records: EpochRecord[] = [...(from?.progress.records ?? [])];
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
        this.#save(records, state);
        options.onEpoch?.(record);
      },
      onProgress: (progress) => options.onProgress?.(progressOf(progress)),
    });
    return this.#result(result, engine.name);
  }

  /** A folder without a checkpoint may hold something else: a conversion, an earlier training's network. */
  refuseToReplace(inputs: readonly string[]): void {
    const { run: folder } = this.place;
    const best = new Map(
      [...this.#networkFiles(this.#initial()).keys()].map((name) => [`best/${name}`, undefined] as const),
    );
    const files = new Map([...this.#firstFiles(), ...best]);
    refuseToReplace({ folder, maker: 'train', files, inputs });
  }

  #initial(): ReadonlyMap<string, Tensor> {
    return new Map(this.trainee.step.states.map(({ id, initial }) => [id, initial]));
  }

  /** The folder as it is before the first epoch: a training that is stopped in it can be resumed. */
  #begin(): void {
    const { run } = this.place;
    writeFolder(run, this.#firstFiles());
    writeCheckpoint(join(run, runFiles.checkpoint), {
      states: this.#initial(),
      progress: { fingerprint: this.#fingerprint, epoch: 0, step: 0, records: [] },
    });
  }

  #firstFiles(): Map<string, string | Uint8Array> {
    const { settings, place } = this;
    const info: RunInfo & { settings: TrainSettings } = {
      config: place.config,
      data: place.data,
      normalisation: settings.normalisation,
      ...(place.hardware === undefined ? {} : { hardware: place.hardware }),
      settings,
    };
    return new Map<string, string | Uint8Array>([
      ...this.#networkFiles(this.#initial()),
      [runFiles.run, `${JSON.stringify(info, undefined, 1)}\n`],
      ...place.sources,
      [runFiles.log, ''],
    ]);
  }

  /** The checkpoint first: what is written after it can be made from it again. */
  #save(records: readonly EpochRecord[], { states, ...rest }: LoopState): void {
    const { run } = this.place;
    const progress = { fingerprint: this.#fingerprint, epoch: records.length, records, ...rest };
    writeCheckpoint(join(run, runFiles.checkpoint), { states, progress });
    const files = this.#networkFiles(states);
    writeFolder(run, files);
    if (bestOf(records)?.epoch === records.length) writeFolder(join(run, 'best'), files);
    writeFile(join(run, runFiles.log), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }

  /** The files of a compiled folder, with the weights of the moment. */
  #networkFiles(states: ReadonlyMap<string, Tensor>): Map<string, string | Uint8Array> {
    const { network } = this.trainee;
    const params = new Map(
      [...network.params].map(([name, param]) => {
        const { tensor } = param;
        return [
          name,
          { ...param, tensor: { ...tensor, data: states.get(name)?.data ?? tensor.data } as Tensor },
        ] as const;
      }),
    );
    const { config } = this.place;
    const encoder = new TextEncoder();
    const sources = new Map([...this.place.sources].map(([name, text]) => [name, encoder.encode(text)]));
    const origin = { maker: 'train', config, sources } as const;
    return artifactFiles({ ...network, params }, ['ir', 'json'], origin, packageVersion());
  }

  #result({ records, stopped }: LoopResult, engine: string): TrainResult {
    const best = bestOf(records);
    const accuracy = best?.val_accuracy ?? best?.accuracy ?? 0;
    return {
      done: records.length,
      best: { epoch: best?.epoch ?? 0, accuracy },
      run: this.place.run,
      stopped,
      engine,
    };
  }
}

function progressOf(p: {
  readonly epoch: number;
  readonly epochs: number;
  readonly done: number;
  readonly total: number;
  readonly loss: number;
  readonly accuracy: number;
}): { phase: string; done: number; total: number; unit: string; detail: string } {
  const detail = `loss ${p.loss.toFixed(4)}  accuracy ${(100 * p.accuracy).toFixed(2)} %`;
  return { phase: `epoch ${p.epoch}/${p.epochs}`, done: p.done, total: p.total, unit: 'images', detail };
}

/** What must be equal to resume: the network with its initial weights' shapes, the data, all settings but the length. */
function fingerprintOf(network: Network, settings: TrainSettings, data: string): string {
  const { epochs: _epochs, patience: _patience, ...rest } = settings;
  return createHash('sha256')
    .update(printNetwork(network))
    .update(JSON.stringify([rest, data]))
    .digest('hex');
}
