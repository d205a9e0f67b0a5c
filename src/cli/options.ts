import { type Command, InvalidArgumentError, Option } from 'commander';
import { DiagnosticError } from '../base/diagnostics/index.js';
import { type InputShape, inputShapesOf } from '../base/input-shape.js';
import {
  type Dataset,
  type Layout,
  type Normalisation,
  channelProblems,
  channelsOf,
  layouts,
  parseNormalisation,
} from '../data/dataset.js';
import { type Target, verifyLevels } from '../workspace/types.js';

/** Adds what every command has: `--json`, `--quiet`, and examples under `--help`. */
export function withCommonFlags(command: Command, examples: readonly string[]): Command {
  return command
    .option('--json', 'print one JSON document on stdout')
    .option('-q, --quiet', 'no progress, no warnings, no remarks')
    .addHelpText(
      'after',
      `\nExample${examples.length === 1 ? '' : 's'}:\n${examples.map((e) => `  $ ${e}\n`).join('')}`,
    );
}

/** `--input-shape SHAPE`, for files that leave sizes free; once for each input. */
export const inputShapeOption = [
  '--input-shape <shape>',
  'sizes of an input that the file leaves free, the batch first: 1,3,224,224, of several inputs NAME=1,3,224,224',
  (text: string, before: readonly InputShape[] = []): readonly InputShape[] => {
    const shapes = inputShapesOf(text);
    if (shapes === undefined) throw new InvalidArgumentError('Sizes are expected, as NAME=1,3,224,224.');
    return [...before, ...shapes];
  },
] as const;

/** The flag of `--input-shape`. */
export interface ShapeFlags {
  readonly inputShape?: readonly InputShape[];
}

/** Sizes for those of the targets that are ONNX files; the command ends where none is. */
export function shapesFor(
  command: Command,
  { inputShape }: ShapeFlags,
  targets: readonly (Target | undefined)[],
): { readonly inputShapes?: readonly InputShape[] } {
  if (inputShape === undefined) return {};
  const isFile = (target: Target | undefined): boolean =>
    target !== undefined && target.config === undefined && /\.onnx$/i.test(target.path);
  if (!targets.some((target) => isFile(target)))
    command.error('error: --input-shape is of ONNX files; a model file says it in onnx("net.onnx", input_shape: "…")');
  return { inputShapes: inputShape };
}

/** Adds the flag that lets a model file reach outside its folder. */
export function withOutsideFlag(command: Command): Command {
  return command.option('--allow-outside', 'let use and onnx(...) leave the folder of the model file');
}

/** Adds `--verify LEVEL` and `--no-verify`; without either it depends on the size of the network. */
export function withVerifyFlag(command: Command, what = 'compare the import with onnxruntime layer by layer'): Command {
  return command
    .option(
      '--verify [level]',
      `${what}: none, sample (files up to 32 MB; the default) or full (however large the file is; of over 2,000 layers a sample)`,
      (text: string) => oneOf(text, verifyLevels),
    )
    .option('--no-verify', 'the same as --verify none');
}

function oneOf<T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`);
  return found;
}

/** `--verify` alone means `--verify full`, also in front of a file. */
export function withVerifyAlone(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  const flags = end === -1 ? args.length : end;
  const isLevel = (word: string | undefined): boolean =>
    (verifyLevels as readonly (string | undefined)[]).includes(word);
  return args.map((arg, n) => (arg === '--verify' && n < flags && !isLevel(args[n + 1]) ? '--verify=full' : arg));
}

/**
 * Splits `FILE#CONFIG`. What stands behind the last `#` is a configuration behind a model file, the time behind a NIR file
 * (`net.nir#steps=100,dt=1e-3,coding=direct`), and a configuration where it could be a name.
 */
export function parseTarget(text: string): Target {
  const match = /^(.+)#([A-Za-z_][\w-]*)$/s.exec(text) ?? /^(.+\.(?:spike|nir))#([^#/\\]+)$/s.exec(text);
  if (match?.[1] !== undefined && match[2] !== undefined) return { path: match[1], config: match[2] };
  if (text === '' || text.endsWith('#')) throw new InvalidArgumentError('FILE or FILE#CONFIG is expected.');
  return { path: text };
}

/** A parser of whole numbers from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`A whole number from ${least} on is expected.`);
    }
    return value;
  };
}

export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number is expected.');
  return value;
}

/** A number greater than or equal to 0. */
export function numberFromZero(text: string): number {
  const value = realNumber(text);
  if (value < 0) throw new InvalidArgumentError('A number from 0 on is expected.');
  return value;
}

/** A number greater than 0. */
export function numberAboveZero(text: string): number {
  const value = realNumber(text);
  if (value <= 0) throw new InvalidArgumentError('A number greater than 0 is expected.');
  return value;
}

/** A parser of comma lists of known words. */
export function listOf<T extends string>(words: readonly T[]): (text: string) => readonly T[] {
  return (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const known = parts.filter((part): part is T => (words as readonly string[]).includes(part));
    const unknown = parts.find((part) => !(words as readonly string[]).includes(part));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`"${unknown}" is not one of ${words.join(', ')}.`);
    }
    return [...new Set(known)];
  };
}

export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words);
}

/** Flags about data sets, beside the flag that names one. */
export interface DataFlags {
  readonly dataDir?: string;
  readonly mean?: string;
  readonly std?: string;
  readonly layout?: Layout;
}

export function withDataFlags(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'where named data sets lie (or the variable SPIKEC_DATA)')
    .option('--mean <list>', 'subtract from pixels scaled to 0…1, one number or one per channel')
    .option('--std <list>', 'then divide by, one number or one per channel')
    .addOption(choice('--layout <layout>', 'how channels lie in an NPZ or IDX file', layouts));
}

export const dataHelp =
  'mnist:test, mnist:train, fashion:test, fashion:train, cifar10:test, cifar10:train, cifar100:test, cifar100:train, svhn:test, svhn:train, nmnist:test …, idx:IMAGES,LABELS, npz:FILE, hdf5:FILE, images:FOLDER, csv:PATH, wav:FOLDER, events:PATH or coco:FOLDER,ANNOTATIONS.json';

/** A data set and what its values are scaled by. */
export interface OpenedData {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
}

/** Opens a data set by its name with the flags that belong to it. */
export async function openData(spec: string, flags: DataFlags, labelled = true): Promise<OpenedData> {
  const normalisation = parseNormalisation(flags.mean, flags.std);
  // most commands open none
  const { loadReaders, openDataset } = await import('../data/open.js');
  await loadReaders(spec);
  const dataset = openDataset(spec, { dataDir: flags.dataDir, labelled, layout: flags.layout });
  // where the order isn't known, the network's input says how many channels there are
  const problems =
    dataset.layout === undefined && channelsOf(dataset).count > 1 ? [] : channelProblems(dataset, normalisation);
  if (problems.length > 0) {
    dataset.close();
    throw new DiagnosticError(problems);
  }
  return { dataset, normalisation };
}

/** Without the keys whose value is undefined: optional properties are absent or have a value. */
export function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
