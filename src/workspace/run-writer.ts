import { join } from 'node:path';
import { type Outcome, diagnostic, fail } from '../base/diagnostics/index.js';
import type { Tensor } from '../base/dtype.js';
import type { FileContent } from '../base/pieces.js';
import { binsOf } from '../lower/program/index.js';
import { type FolderClaim, hashOf, hashOfFile, isFile, readText } from '../data/index.js';
import { givesLogitsOfNumbers } from '../lower/program/index.js';
import { printNetwork } from '../network/index.js';
import {
  type Checkpoint,
  type EpochRecord,
  type Identity,
  type LoopState,
  type TrainSettings,
  type Trainee,
  bestOf,
  checkpointBytes,
  identityOf,
  readCheckpoint,
  renewalProblem,
  settlingProblem,
  shownStates,
} from '../train/index.js';
import { artifactFiles } from './artifacts.js';
import { refuseToReplace } from './replacing.js';
import { type RunInfo, readRunInfo, runFiles } from './run-folder.js';
import { parseLog } from './run-log.js';
import { csvLog, tensorBoardLog } from './run-logs.js';
import { reconstructed } from './train-settings.js';
import { packageVersion } from './version.js';

/** A training, as its run folder knows it. */
export interface TrainingPlace {
  readonly config: string;
  readonly data: string;
  /** How many images the data set has. */
  readonly images: number;
  /** The model file, as `model.spike`, and what it uses. */
  readonly sources: ReadonlyMap<string, string | Uint8Array>;
  /** What the config says of the hardware. */
  readonly hardware: RunInfo['hardware'] | undefined;
}

type Files = Map<string, FileContent>;

/** Writes the run folder of a training: all of an epoch's files together, so that they always belong together. */
export class RunWriter {
  readonly #trainee: Trainee;
  readonly #settings: TrainSettings;
  readonly #place: TrainingPlace;
  readonly #identity: Identity;
  /** Of the weights of the best epoch. */
  #best: string | undefined;

  constructor(trainee: Trainee, settings: TrainSettings, place: TrainingPlace) {
    this.#trainee = trainee;
    this.#settings = settings;
    this.#place = place;
    this.#identity = identityOf(printNetwork(trainee.network), place.data, place.images, settings);
  }

  /** A folder without a checkpoint may hold something else: a conversion, an earlier training's network. */
  refuseToReplace(folder: string, inputs: readonly string[]): void {
    const network = this.#networkFiles(this.#initial());
    const best = [...network.keys()].map((name) => [`best/${name}`, undefined] as const);
    const files = new Map([...network, ...this.#first([]), ...best]);
    refuseToReplace({ folder, maker: 'train', files, inputs });
  }

  /** The folder as it is before the first epoch: a training that is stopped in it can be resumed. */
  begin(claim: FolderClaim): void {
    const states = this.#initial();
    const checkpoint = this.#checkpoint(states, { epoch: 0, step: 0, records: [] });
    claim.write(new Map([...this.#networkFiles(states), ...this.#first([]), ...checkpoint]));
  }

  /**
   * The checkpoint to go on from. Everything beside it that follows from it is written again. Fails where it is damaged or
   * belongs to another training, and where the log or `run.json` says something else.
   */
  resume(claim: FolderClaim): Outcome<Checkpoint> {
    const { folder } = claim;
    const from = readCheckpoint(join(folder, runFiles.checkpoint), {
      identity: this.#identity,
      states: this.#initial(),
      problemOf: (progress) => this.#problemOf(progress),
      otherNetwork: () => this.#otherNetwork(folder),
    });
    const { records, best } = from.progress;
    checkLog(join(folder, runFiles.log), records);
    if (isFile(join(folder, runFiles.run))) readRunInfo(join(folder, runFiles.run));
    this.#best = best;
    // within an epoch the network of the last one stays as it is
    const within = from.progress.running !== undefined;
    const network = within ? new Map<string, FileContent>() : this.#networkFiles(from.states);
    const isBest = !within && bestOf(records)?.epoch === records.length;
    const kept = [...this.#first(records)].filter(
      ([name]) => !this.#place.sources.has(name) || !isFile(join(folder, name)),
    );
    claim.write(new Map([...network, ...kept, ...(isBest ? inBest(network) : [])]));
    const diagnostics =
      isBest || best === undefined || weightsHash(join(folder, 'best', runFiles.weights)) === best
        ? []
        : [diagnostic('train/best-lost', { path: join(folder, 'best'), epoch: bestOf(records)!.epoch })];
    return { value: from, diagnostics };
  }

  /** After an epoch, the last of `records`. */
  save(claim: FolderClaim, records: readonly EpochRecord[], { states, ...rest }: LoopState): void {
    const network = this.#networkFiles(states);
    const isBest = bestOf(records)?.epoch === records.length;
    if (isBest) this.#best = hashOf(network.get(runFiles.weights)!);
    const best = this.#best === undefined ? {} : { best: this.#best };
    const checkpoint = this.#checkpoint(states, { epoch: records.length, records, ...rest, ...best });
    claim.write(new Map([...checkpoint, ...network, ...(isBest ? inBest(network) : []), ...logFiles(records)]));
  }

  /** Within an epoch: the checkpoint alone, the network stays that of the last epoch. */
  saveRunning(claim: FolderClaim, records: readonly EpochRecord[], { states, ...rest }: LoopState): void {
    const best = this.#best === undefined ? {} : { best: this.#best };
    claim.write(this.#checkpoint(states, { epoch: records.length, records, ...rest, ...best }));
  }

  #initial(): ReadonlyMap<string, Tensor> {
    return new Map(this.#trainee.step.states.map(({ id, initial }) => [id, initial]));
  }

  #checkpoint(states: ReadonlyMap<string, Tensor>, progress: Omit<Checkpoint['progress'], 'identity'>): Files {
    const bytes = checkpointBytes({ states, progress: { identity: this.#identity, ...progress } });
    return new Map([[runFiles.checkpoint, bytes]]);
  }

  /** What doesn't change during a training, and the log. */
  #first(records: readonly EpochRecord[]): Files {
    const [settings, place] = [this.#settings, this.#place];
    const info: RunInfo & { settings: TrainSettings } = {
      config: place.config,
      data: place.data,
      normalisation: settings.normalisation,
      ...comparedAs(settings),
      ...(place.hardware === undefined ? {} : { hardware: place.hardware }),
      settings,
    };
    return new Map<string, FileContent>([
      [runFiles.run, `${JSON.stringify(info, undefined, 1)}\n`],
      ...place.sources,
      ...logFiles(records),
    ]);
  }

  /** The files of a compiled folder, with the weights of the moment. */
  #networkFiles(all: ReadonlyMap<string, Tensor>): Files {
    const { network } = this.#trainee;
    const states = shownStates(all);
    const params = new Map(
      [...network.params].map(([name, param]) => {
        const { tensor } = param;
        return [
          name,
          { ...param, tensor: { ...tensor, data: states.get(name)?.data ?? tensor.data } as Tensor },
        ] as const;
      }),
    );
    const { config } = this.#place;
    const { sources } = this.#place;
    const { normalisation } = this.#settings;
    const mirrored = comparedAs(this.#settings);
    const origin = { maker: 'train', config, sources, normalisation, ...mirrored } as const;
    return artifactFiles({ ...network, params }, ['ir', 'json'], origin, packageVersion());
  }

  /** What a checkpoint remembers of bits must be about this network's. */
  #problemOf({ renewal, settling }: Checkpoint['progress']): string | undefined {
    const { bits } = this.#settings;
    const [renewed, settled] = [renewalProblem(renewal, this.#trainee.network, bits), settlingProblem(settling, bits)];
    if (renewed !== undefined) return `what it remembers of step sizes is wrong: ${renewed}`;
    return settled && `what it remembers of settling is wrong: ${settled}`;
  }

  /** The first line in which the network of the run folder and this one differ. */
  #otherNetwork(folder: string): string {
    const path = join(folder, runFiles.network);
    const here = printNetwork(this.#trainee.network).split('\n');
    const there = isFile(path) ? readText(path).split('\n') : [];
    const line = here.findIndex((text, i) => text !== there[i]);
    if (there.length === 0 || line === -1) return 'the network has other layers or neurons';
    return `line ${line + 1} of the network is \`${(there[line] ?? '').trim()}\` in it, \`${here[line]!.trim()}\` here`;
  }
}

/** Which outputs are compared with the input itself, and whether the first is logits. */
function comparedAs({
  labels,
  loss,
  others,
}: TrainSettings): Pick<RunInfo, 'target' | 'outputs' | 'detector' | 'reconstructs'> {
  const names = reconstructed(others);
  const bins = binsOf(loss);
  return {
    ...(labels === 'input' ? { target: 'input' } : {}),
    ...(labels !== undefined && givesLogitsOfNumbers(loss) ? { outputs: 'logits' } : {}),
    ...(bins === undefined ? {} : { detector: { bins } }),
    ...(names.length > 0 ? { reconstructs: names } : {}),
  };
}

/** The log in each of its forms. */
function logFiles(records: readonly EpochRecord[]): readonly (readonly [string, FileContent])[] {
  return [
    [runFiles.log, logText(records)],
    [runFiles.csv, csvLog(records)],
    [runFiles.events, tensorBoardLog(records)],
  ];
}

function logText(records: readonly EpochRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

function inBest(network: Files): Files {
  return new Map([...network].map(([name, content]) => [`best/${name}`, content]));
}

/** A log that lacks the last epochs is written again; one that says something else was changed by somebody. */
function checkLog(path: string, records: readonly EpochRecord[]): void {
  if (!isFile(path)) return;
  const said = parseLog(readText(path), path);
  const line = said.findIndex((record, i) => JSON.stringify(record) !== JSON.stringify(records[i]));
  if (line !== -1) fail('train/other-log', { path, line: line + 1 }, { file: path });
}

function weightsHash(path: string): string | undefined {
  return isFile(path) ? hashOfFile(path) : undefined;
}
