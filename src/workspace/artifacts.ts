import { diagnostic } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { type Normalisation, hashOf } from '../data/index.js';
import { lower, mostUnrolledSteps, unrolledSteps } from '../lower/program/index.js';
import { type Network, weightsPieces } from '../network/index.js';
import { type Program, simplify } from '../tensor/index.js';
import { type Emission, emitters } from './emitters.js';
import type { Findings } from './findings.js';
import { type Artifact, type OnProgress, artifacts } from './types.js';

/** Commands that write compiled folders. */
export type Maker = 'compile' | 'convert' | 'train' | 'allocate' | 'opt';

/** What a compiled folder records of where it came from. */
export interface Origin {
  readonly maker: Maker;
  readonly config: string;
  /** Source file name → its bytes. */
  readonly sources: ReadonlyMap<string, FileContent>;
  /** What images are normalised by, where something says it. */
  readonly normalisation?: Normalisation;
  /** The outputs are compared with the input itself. */
  readonly target?: 'input';
  /** The outputs are those of a detector. */
  readonly detector?: { readonly bins: number } | undefined;
  /** The first output is logits of numbers from 0 to 1 (`loss bce`). */
  readonly outputs?: 'logits';
  /** Outputs behind the first that are. */
  readonly reconstructs?: readonly string[];
  /** Files from earlier that stay beside these, by hash. */
  readonly earlier?: Readonly<Record<string, string>>;
}

/** The inference program of a network. */
export function inferenceProgram(network: Network): Program {
  return simplify(lower(network).program);
}

/** What is emitted unasked: without the programs of a network that would unroll too many steps, which a note says. */
export function affordable(emit: readonly Artifact[], network: Network, findings: Findings): readonly Artifact[] {
  const steps = unrolledSteps(network);
  const programs = emit.filter((one) => emitters[one].lowers);
  if (steps <= mostUnrolledSteps || programs.length === 0) return emit;
  const names = programs.map((one) => leftOut[one] ?? one);
  const what = `${names.join(' and ')} left out`;
  findings.all.push(diagnostic('convert/too-long', { what, steps, most: mostUnrolledSteps }));
  return emit.filter((one) => !emitters[one].lowers);
}

const leftOut: Readonly<Partial<Record<Artifact, string>>> = {
  onnx: '`infer.onnx`',
  tensor: '`network.tensor`',
  c: 'C',
};

/** The files of a compiled folder; the same input gives the same bytes. */
export function artifactFiles(
  network: Network,
  emit: readonly Artifact[],
  origin: Origin,
  version: string,
  {
    more = new Map(),
    tfjs = noModule,
    torch = noModule,
    said = () => undefined,
    nirFor,
    nirExtensions,
    onProgress,
  }: ArtifactOptions = {},
): Map<string, FileContent> {
  const files = new Map(more);
  files.set('weights.safetensors', weightsPieces(network));
  let lowered: Program | undefined;
  const program = (): Program => (lowered ??= inferenceProgram(network));
  const wanted = artifacts.filter((one) => emit.includes(one));
  for (const [done, name] of wanted.entries()) {
    onProgress?.({ phase: `emitting ${name}`, done, total: wanted.length, unit: 'artifacts', passing: true });
    const made = { network, program, detector: origin.detector, tfjs, torch, said, nirFor, nirExtensions };
    for (const [file, content] of emitters[name].files(made)) files.set(file, content);
  }
  files.set('manifest.json', manifest(files, origin, version));
  return files;
}

export interface ArtifactOptions {
  /** Files that stand before these. */
  readonly more?: ReadonlyMap<string, FileContent>;
  readonly tfjs?: Emission['tfjs'];
  readonly torch?: Emission['torch'];
  readonly said?: Emission['said'];
  readonly nirFor?: Emission['nirFor'];
  readonly nirExtensions?: Emission['nirExtensions'];
  readonly onProgress?: OnProgress | undefined;
}

function noModule(): never {
  throw new TypeError('artifacts: a program of training of a network that nobody trains');
}

/** The same files, recorded with another origin. */
export function recordedAs(
  files: ReadonlyMap<string, FileContent>,
  origin: Origin,
  version: string,
): Map<string, FileContent> {
  const all = new Map(files);
  all.delete('manifest.json');
  return all.set('manifest.json', manifest(all, origin, version));
}

/** The files of a compiled folder and, behind them, others that its manifest also records. */
export function artifactsWith(
  copies: ReadonlyMap<string, FileContent>,
  network: Network,
  emit: readonly Artifact[],
  origin: Origin,
  version: string,
  options: Omit<ArtifactOptions, 'more'> = {},
): Map<string, FileContent> {
  const files = artifactFiles(network, emit, origin, version, { ...options, more: copies });
  return new Map([...[...files].filter(([name]) => !copies.has(name)), ...copies]);
}

function manifest(files: ReadonlyMap<string, FileContent>, origin: Origin, version: string): string {
  const sources = Object.fromEntries([...origin.sources].map(([name, bytes]) => [name, hashOf(bytes)]));
  const written = Object.fromEntries([...files].map(([name, bytes]) => [name, hashOf(bytes)]));
  const { maker, config, normalisation = {}, target, outputs, reconstructs = [], detector, earlier = {} } = origin;
  const scaled = {
    ...(Object.keys(normalisation).length === 0 ? {} : { normalisation }),
    ...(target === undefined ? {} : { target }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(reconstructs.length > 0 ? { reconstructs } : {}),
    ...(detector === undefined ? {} : { detector }),
  };
  const stays = Object.keys(earlier).length === 0 ? {} : { earlier };
  const record = { spikec: version, format: 1, made_by: maker, config, ...scaled, sources, files: written, ...stays };
  return `${JSON.stringify(record, undefined, 1)}\n`;
}
