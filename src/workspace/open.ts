import { basename, dirname, join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { type Layout, type Normalisation, isFile, isFolder, piecesOfFile, readBytes } from '../data/index.js';
import type { Config } from '../model/index.js';
import { givesLogitsOfNumbers } from '../lower/program/index.js';
import { type Network, countProblems } from '../network/index.js';
import { type PassPlan, inferencePlan } from '../passes/index.js';
import type { StepSettings, TrainSettings } from '../train/index.js';
import { bitTraining } from './bit-training.js';
import { type Compiled, type CompiledOptions, type Uncompiled, compile, withPlanesAs } from './compiled.js';
import { checkPatterns, conversionPlan, sizeProblems } from './conversion.js';
import { Findings } from './findings.js';
import { type ImportedForTraining, importedForTraining } from './imported-training.js';
import { loadModel } from './load-model.js';
import { isNir, openNir } from './nir.js';
import { networkOf } from './own-network.js';
import { sizesOfNetwork } from './own-sizes.js';
import { inferencePlanOf } from './planes.js';
import { binsIn, isIrFile, readIr, runFiles } from './run-folder.js';
import { chooseConfig } from './choose-config.js';
import { type Source, importFile, sourceOf } from './target.js';
import { layerSettings } from './layer-settings.js';
import { stepSettings } from './step-settings.js';
import { normalisationOf, reconstructed, saidLoss, trainSettings } from './train-settings.js';
import type { CommonOptions, Target } from './types.js';

/** What a target names: a network before all passes, with what its source says of it. */
export interface OpenedTarget extends Uncompiled {
  /** Name of the config, of the one that a folder was made from, or of the file. */
  readonly config: string;
  /** What tells it from other targets: the config, the folder or the file. */
  readonly label: string;
  readonly normalisation: Normalisation;
  /** The outputs are compared with the input itself (`target reconstruction`). */
  readonly targetIsInput?: boolean;
  /** Bins of a side's distance, where it is a detector (`loss yolo`). */
  readonly bins?: number;
  /** The first output is logits of numbers from 0 to 1 (`loss bce`): what it says is σ of it. */
  readonly givesLogits?: boolean;
  /** Names of the outputs behind the first that are compared with the input. */
  readonly reconstructs?: readonly string[];
  /** `hardware { … }` of the config. */
  readonly hardware?: Readonly<Record<string, unknown>> | undefined;
  /** The ONNX file that the network was imported from. */
  readonly source?: Source;
  /** The `.ir` file that the network was read from: whoever runs it checks first that it can be run. */
  readonly text?: string;
  /** A training wrote the folder that it was read from. */
  readonly isRun?: boolean;
  /** What a training step of the config depends on, where it says how to train. */
  readonly training?: StepSettings;
  /** How the config says that it is trained, where it says all of it. */
  readonly recipe?: () => Recipe;
  /** Source file name → its bytes. */
  readonly sources: ReadonlyMap<string, FileContent>;
  /** Paths of what was read. */
  readonly inputs: readonly string[];
}

/** What a folder says of outputs that are compared with the input, as logits, or as a detector's. */
export function comparedAs({
  targetIsInput,
  givesLogits,
  reconstructs = [],
  bins,
}: Pick<OpenedTarget, 'targetIsInput' | 'givesLogits' | 'reconstructs' | 'bins'>): {
  readonly target?: 'input';
  readonly outputs?: 'logits';
  readonly detector?: { readonly bins: number };
  readonly reconstructs: readonly string[];
} {
  return {
    reconstructs,
    ...(targetIsInput === true ? { target: 'input' } : {}),
    ...(givesLogits === true ? { outputs: 'logits' } : {}),
    ...(bins === undefined ? {} : { detector: { bins } }),
  };
}

/** A training as a config describes it. */
export interface Recipe {
  readonly settings: TrainSettings;
  /** The data set's name, where the config has one. */
  readonly data?: string;
  readonly layout?: Layout;
  /** An ONNX network as it is trained; others are trained as they are opened. */
  readonly imported?: ImportedForTraining;
}

export interface Opened extends OpenedTarget {
  /** The network after its passes. Reports what they report. */
  readonly compiled: (options?: CompiledOptions) => Compiled;
}

export interface OpenOptions extends CommonOptions {
  /** An ONNX file itself is a target too: an ANN, not a conversion of it. */
  readonly onnx?: boolean;
}

/** Opens `FILE#CONFIG`, a compiled or run folder, a file in the IR's text form, or an ONNX file where that is allowed. */
export function openTarget(target: Target, options: OpenOptions, findings: Findings): Opened {
  const opened = openedOf(target, options, findings);
  let known: PassPlan | undefined;
  const passPlan = (): PassPlan => (known ??= opened.passPlan());
  const ready = { ...opened, passPlan };
  // what is compiled again is the same, and what passes say is said once
  const done = new Map<CompiledOptions['planes'], Compiled>();
  const compiled = (how: CompiledOptions = {}): Compiled => {
    if (how.stopAfter !== undefined || how.after !== undefined) return compile(ready, how, findings);
    const known =
      done.get(how.planes) ?? withPlanesAs(how, done.get(undefined) ?? compile(ready, {}, findings), findings);
    done.set(how.planes, known);
    return known;
  };
  return { ...ready, compiled };
}

function openedOf(target: Target, options: OpenOptions, findings: Findings): OpenedTarget {
  const { path } = target;
  refuseConfigOfFolder(target);
  if (isFolder(path) || isIrFile(path)) return openText(path, findings);
  if (options.onnx === true && isOnnx(target)) return openOnnx(path, options, findings);
  if (isNir(target)) return openNir(target, findings);
  const config = chooseConfig(findings.take(loadModel(path, options)), target);
  return config.network.kind === 'onnx' ? openImport(path, config, findings) : openLayers(path, config, findings);
}

/** Whether a target is an ONNX file itself. */
export function isOnnx({ path, config }: Target): boolean {
  return config === undefined && path.endsWith('.onnx') && !isFolder(path);
}

/** A compiled or run folder and a network in text form hold one network, without names to choose from. */
export function refuseConfigOfFolder({ path, config }: Target): void {
  if (config === undefined || !(isFolder(path) || isIrFile(path))) return;
  const help = `a folder or .ir file holds one network: leave out "#${config}"`;
  fail('cli/unknown-config', { file: path, config }, { file: path }, { help });
}

function openText(path: string, findings: Findings): OpenedTarget {
  const ir = isFolder(path) ? join(path, runFiles.network) : path;
  const {
    network,
    run,
    normalisation = {},
    targetIsInput = run?.target === 'input',
    givesLogits = run?.outputs === 'logits',
    reconstructs = run?.reconstructs ?? [],
    bins = binsIn(run?.detector).bins,
  } = readIr(ir, findings);
  findings.all.push(...countProblems(network, { file: ir }));
  const files = [ir, join(dirname(ir), runFiles.weights)].filter((file) => isFile(file));
  const config = run?.config ?? network.name;
  return {
    network,
    config,
    label: isFolder(path) ? basename(path) : config,
    normalisation: run?.normalisation ?? normalisation,
    ...(targetIsInput ? { targetIsInput } : {}),
    ...(givesLogits ? { givesLogits } : {}),
    ...(reconstructs.length > 0 ? { reconstructs } : {}),
    ...(bins === undefined ? {} : { bins }),
    hardware: run?.hardware,
    isRun: run !== undefined,
    text: ir,
    sources: new Map(files.map((file) => [basename(file), piecesOfFile(file)])),
    inputs: files,
    passPlan: () => inferencePlanOf(network),
  };
}

function openLayers(path: string, config: Config, findings: Findings): OpenedTarget {
  const network = networkOf(config, findings);
  const { mirrored, others } = saidLoss(config);
  const reconstructs = reconstructed(others);
  return {
    network,
    config: config.name,
    label: config.name,
    normalisation: normalisationOf(config.train?.settings.normalize ?? config.normalize),
    hardware: config.hardware?.settings,
    ...(mirrored ? { targetIsInput: true } : {}),
    ...(config.train !== undefined && givesLogitsOfNumbers(stepSettings(config, config.train, network).loss)
      ? { givesLogits: true }
      : {}),
    ...binsOfConfig(config),
    ...(reconstructs.length > 0 ? { reconstructs } : {}),
    ...(config.train === undefined
      ? {}
      : {
          training: { ...stepSettings(config, config.train, network), ...layerSettings(config, network) },
          ...(isComplete(config.train) ? { recipe: () => recipeOf(config, network) } : {}),
        }),
    sources: new Map([[basename(path), readBytes(path)]]),
    inputs: [path],
    passPlan: () => inferencePlanOf(network),
  };
}

function binsOfConfig({ train }: Config): Pick<OpenedTarget, 'bins'> {
  for (const { term } of train?.settings.loss ?? []) if (term.name === 'yolo') return { bins: term.args.bins };
  return {};
}

/** Whether a config says how to train; on what can be said later. */
function isComplete({ settings: { optimizer } }: NonNullable<Config['train']>): boolean {
  return optimizer !== undefined;
}

function recipeOf(config: Config, network: Network): Recipe {
  const named = config.train?.settings.data !== undefined;
  const overrides = named ? {} : { data: 'unknown' };
  const { settings: said, data, layout } = trainSettings(config, overrides, sizesOfNetwork(network));
  const rest = { ...(named ? { data } : {}), ...(layout === undefined ? {} : { layout }) };
  const settings = { ...said, ...layerSettings(config, network) };
  const bits = bitTraining(config, network, settings.rate);
  return { ...rest, settings: bits === undefined ? settings : { ...settings, bits } };
}

function openImport(path: string, config: Config, findings: Findings): OpenedTarget {
  const source = sourceOf(config, findings);
  const external = [...source.external.keys()].map((name) => join(dirname(source.path), name));
  return {
    network: source.imported.network,
    config: config.name,
    label: config.name,
    normalisation: normalisationOf(config.train?.settings.normalize ?? config.normalize),
    hardware: config.hardware?.settings,
    source,
    ...(config.train !== undefined && isComplete(config.train)
      ? { recipe: () => importedRecipe(config, path, source) }
      : {}),
    sources: new Map<string, FileContent>([
      [basename(path), readBytes(path)],
      [basename(source.path), source.bytes],
    ]),
    inputs: [path, source.path, ...external],
    passPlan: () => conversionPlan(config, findings, { network: source.imported.network }),
    problems: (compiled, finished) => [...sizeProblems(compiled), ...(finished ? checkPatterns(config, compiled) : [])],
  };
}

/** Whoever asks for it has the network compiled, too: what passes say is said there. */
function importedRecipe(config: Config, path: string, source: Source): Recipe {
  const imported = importedForTraining(config, path, new Findings(), source);
  return { ...recipeOf(config, imported.network), imported };
}

function openOnnx(path: string, options: OpenOptions, findings: Findings): OpenedTarget {
  const source = importFile(path, findings, options);
  const { network } = source.imported;
  const name = basename(path);
  return {
    network,
    config: name,
    label: name,
    normalisation: {},
    source,
    sources: new Map([[name, source.bytes]]),
    inputs: [path],
    passPlan: inferencePlan,
  };
}
