import { type Outcome, hasErrors } from '../base/diagnostics/index.js';
import type { NeuronDef } from '../equations/index.js';
import type { Source } from '../base/source.js';
import {
  type ConfigDeclaration,
  type GraphDeclaration,
  type NeuronDeclaration,
  parseWhatHolds,
} from '../syntax/index.js';
import { ConfigChecker } from './config.js';
import { type Work, allWork } from './memory.js';
import type { Declared, LoadedFile } from './declared.js';
import { fileContext } from './environment.js';
import { Instantiator } from './instantiate.js';
import { type LoadOptions, loadFiles } from './load.js';
import { type ModelLoader, memoryLoader } from './loader.js';
import { folderOf } from './paths.js';
import { Reporter } from './reporter.js';
import { checkRules } from './rules/index.js';
import type { Config, Model, OwnNetwork } from './types.js';

/**
 * Reads and checks a model file with everything it uses. The value is there only if there are no
 * errors; every error found is reported.
 */
export function checkModel(source: Source, loader: ModelLoader, options: LoadOptions = {}): Outcome<Model> {
  const { value, diagnostics } = checkWhatHolds(source, loader, options);
  return value === undefined || hasErrors(diagnostics) ? { diagnostics } : { value, diagnostics };
}

/**
 * Reads and checks a model file: the value has the declarations that could be read and checked, whatever is wrong with
 * others. What refers to a declaration that is wrong isn't reported again, and is left out.
 */
export function checkWhatHolds(source: Source, loader: ModelLoader, options: LoadOptions = {}): Outcome<Model> {
  const { memory } = options;
  const parsed = parseWhatHolds(source, memory?.sections);
  if (parsed.value === undefined) return { diagnostics: parsed.diagnostics };
  const reporter = new Reporter();
  const files = loadFiles(parsed.value, loader, reporter, options);
  const [main] = files;
  const work = memory?.begin(files, reporter) ?? allWork;
  const instantiator = new Instantiator(reporter);
  checkRules(files, reporter, instantiator, work);

  const neurons = checkNeurons(files, instantiator, work);
  const networks = new Map<string, OwnNetwork>();
  for (const declared of own<GraphDeclaration>(main, 'network')) {
    const network = work.run('network', declared, () => withDefaults(declared, reporter, instantiator));
    if (network !== undefined) networks.set(network.name, network);
  }
  const checker = new ConfigChecker(reporter, instantiator, folderOf(source.name), loader, options, work);
  const configs = new Map<string, Config>();
  for (const declared of own<ConfigDeclaration>(main, 'config')) {
    const config = work.run(
      'config',
      declared,
      () => checker.check(declared),
      () => checker.isSilent(declared),
    );
    if (config !== undefined) configs.set(config.name, config);
  }
  const diagnostics = [...parsed.diagnostics, ...reporter.diagnostics];
  return { value: { file: parsed.value, configs, networks, neurons }, diagnostics };
}

/** The neuron `name` of a model file that needs no other file, such as the standard library's. */
export function loadNeuron(source: Source, name: string): Outcome<NeuronDef> {
  const checked = checkModel(source, memoryLoader({}));
  const neuron = checked.value?.neurons.get(name);
  return neuron === undefined
    ? { diagnostics: checked.diagnostics }
    : { value: neuron, diagnostics: checked.diagnostics };
}

function own<D extends GraphDeclaration | ConfigDeclaration | NeuronDeclaration>(
  file: LoadedFile,
  kind: D['kind'],
): Declared<D>[] {
  return [...file.scope.values()].filter(
    (declared) => declared.file === file && declared.declaration.kind === kind && !declared.missing,
  ) as Declared<D>[];
}

/** Checks all neurons of all files; gives those the main file knows, by the names it knows them by. */
function checkNeurons(
  files: readonly [LoadedFile, ...LoadedFile[]],
  instantiator: Instantiator,
  work: Work,
): Map<string, NeuronDef> {
  for (const file of files) {
    for (const declaration of file.ast.declarations) {
      if (declaration.kind !== 'neuron') continue;
      const def = work.run('neuron', { declaration, file }, () => instantiator.neuron(declaration));
      instantiator.know(declaration, def);
    }
  }
  const neurons = new Map<string, NeuronDef>();
  for (const [name, { declaration }] of files[0].scope) {
    if (declaration.kind === 'neuron') neurons.set(name, instantiator.neuron(declaration));
  }
  return neurons;
}

/** A network with the defaults of its parameters, if all have one. */
function withDefaults(
  declared: Declared<GraphDeclaration>,
  reporter: Reporter,
  instantiator: Instantiator,
): OwnNetwork | undefined {
  const { name, parameters } = declared.declaration;
  if (parameters.some((parameter) => parameter.default === undefined)) return undefined;
  const context = fileContext(declared.file, reporter, instantiator);
  return instantiator.network(declared, { name: name.text, place: name.span }, [], context);
}
