import { codeRangeOf } from '../base/code-range.js';
import { inputShapesOf } from '../base/input-shape.js';
import { type Help, addingLine } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { ConfigDeclaration, Expression, Setting } from '../syntax/index.js';
import { type Callee, calleeOf, evaluateArguments, evaluateAs } from './arguments.js';
import { codingLayerSettings, codings } from './codings.js';
import type { Declared, LoadedFile } from './declared.js';
import { fileContext, mayBeHidden } from './environment.js';
import type { EvaluationContext } from './evaluate.js';
import type { Instantiator } from './instantiate.js';
import type { LoadOptions } from './load.js';
import type { ModelLoader } from './loader.js';
import type { Work } from './memory.js';
import { layerHelp, meansSome } from '../base/layer-patterns.js';
import { folderOf, isInside, isRelative, join } from './paths.js';
import type { Reporter } from './reporter.js';
import { settingsAgree } from './rules/settings-agree.js';
import type { Parameter } from './schema.js';
import {
  type Normalize,
  type WrittenTrain,
  bitSettings,
  bitSettingsOfLayers,
  hardwareSettings,
  normalizeSetting,
  trainSettings,
} from './settings.js';
import { knownSettings, layeredSettings, writtenSettings } from './settings-block.js';
import { type ChoiceOf, withDefaults } from './typed-settings.js';
import type { Bits, CodingChoice, Config, Hardware, LayerSettings, OnnxNetwork, OwnNetwork, Train } from './types.js';
import type { NeuronUse } from './values.js';

/** How each setting of a config is written. */
const forms = {
  network: { value: true, block: false, form: 'with a value: `network ResNet20` or `network onnx("file.onnx")`' },
  neuron: { value: true, block: false, form: 'with a value: `neuron LIF(tau: 4)`' },
  coding: { value: true, block: true, form: 'with a value: `coding direct(steps: 4)`' },
  bits: { value: false, block: true, form: 'with a block: `bits { weights 4 }`' },
  train: { value: false, block: true, form: 'with a block: `train { epochs 10 }`' },
  hardware: { value: false, block: true, form: 'with a block: `hardware { e_mac 4.6 }`' },
  normalize: { value: true, block: false, form: 'with a value: `normalize channels(mean: [0.5], std: [0.5])`' },
} as const;

type Key = keyof typeof forms;

/** What the config says itself; `undefined` parts come from the config it extends, or have their defaults. */
interface Partial {
  network?: Config['network'];
  neuron?: NeuronUse;
  coding?: CodingChoice;
  bits?: Bits;
  train?: Omit<Train, 'settings'> & { readonly settings: WrittenTrain };
  hardware?: Hardware;
  normalize?: Normalize;
}

/** Checks configs, each once, with what they extend. */
export class ConfigChecker {
  readonly #done = new Map<ConfigDeclaration, Partial>();
  /** Configs of which something was wrong, their own or inherited. */
  readonly #wrong = new Set<ConfigDeclaration>();
  /** Configs of which something was said, or of one that they extend. */
  readonly #spoken = new Set<ConfigDeclaration>();
  readonly #reporter: Reporter;
  readonly #instantiator: Instantiator;
  readonly #root: string;
  readonly #loader: ModelLoader;
  readonly #options: LoadOptions;
  readonly #work: Work;

  constructor(
    reporter: Reporter,
    instantiator: Instantiator,
    root: string,
    loader: ModelLoader,
    options: LoadOptions,
    work: Work,
  ) {
    this.#reporter = reporter;
    this.#instantiator = instantiator;
    this.#root = root;
    this.#loader = loader;
    this.#options = options;
    this.#work = work;
  }

  /** The config, if all of it is right. */
  check(declared: Declared<ConfigDeclaration>): Config | undefined {
    const { errors, heard } = this.#reporter;
    const config = this.#check(declared);
    if (this.#reporter.heard > heard) this.#spoken.add(declared.declaration);
    const isRight = this.#reporter.errors === errors && !this.#wrong.has(declared.declaration);
    return isRight ? config : undefined;
  }

  /** Whether nothing was said of a config that was checked, nor of those that it extends. */
  isSilent({ declaration }: Declared<ConfigDeclaration>): boolean {
    return !this.#spoken.has(declaration) && !this.#wrong.has(declaration);
  }

  #check(declared: Declared<ConfigDeclaration>): Config | undefined {
    const { declaration } = declared;
    const parts = this.#parts(declared);
    const { name } = declaration;
    const related = declaration.base && [{ place: declaration.base.span, message: 'nor does the config it extends' }];
    const missing = (what: string, help: Help): void =>
      this.#reporter.report('model/setting-missing', { config: name.text, name: what }, name.span, {
        help,
        ...(related === undefined ? {} : { related }),
      });
    const { network } = parts;
    if (network === undefined) {
      if (!this.#mentions(declared, 'network')) missing('network', networkHelp(declared));
      return undefined;
    }
    if (network.kind === 'network') {
      const spike = network.layers.find((layer) => layer.kind === 'spike' && layer.neuron === undefined);
      if (spike !== undefined && parts.neuron === undefined && !this.#mentions(declared, 'neuron')) {
        missing('neuron', 'its network contains `spike`: add for example `neuron LIF(tau: 2)`');
      }
      this.#checkPatterns(network, [...(parts.coding?.layers ?? []), ...(parts.bits?.layers ?? [])]);
    }
    const config: Config = { ...withSettings(parts), name: name.text, place: declaration.span, network };
    settingsAgree(config, this.#reporter);
    return config;
  }

  /** Whether the config or one that it extends has the setting, if only a wrong one. */
  #mentions({ declaration, file }: Declared<ConfigDeclaration>, setting: Key): boolean {
    const seen = new Set<ConfigDeclaration>();
    let [at, scope] = [declaration, file.scope];
    while (!seen.has(at)) {
      if (mentions(at, setting)) return true;
      seen.add(at);
      const next = at.base && scope.get(at.base.text);
      if (next?.declaration.kind !== 'config') return false;
      [at, scope] = [next.declaration, next.file.scope];
    }
    return false;
  }

  /** What the config says with what it inherits. Chains may be long, so this is no recursion. */
  #parts(declared: Declared<ConfigDeclaration>): Partial {
    const chain: Declared<ConfigDeclaration>[] = [];
    const seen = new Set<ConfigDeclaration>();
    let next: Declared<ConfigDeclaration> | undefined = declared;
    while (next !== undefined && !this.#done.has(next.declaration)) {
      if (seen.has(next.declaration)) {
        this.#reportCycle(
          chain.map((config) => config.declaration),
          next.declaration,
        );
        for (const config of chain) this.#spoken.add(config.declaration);
        next = undefined;
        break;
      }
      seen.add(next.declaration);
      chain.push(next);
      next = this.#base(next);
    }
    let parts: Partial = next === undefined ? {} : this.#done.get(next.declaration)!;
    let wrong = next !== undefined && this.#wrong.has(next.declaration);
    let spoken = next !== undefined && this.#spoken.has(next.declaration);
    for (const config of chain.reverse()) {
      const { errors, heard } = this.#reporter;
      const own = this.#work.run('own', config, () => this.#own(config));
      // What refers to something damaged is left out without a word.
      const isMissing = Object.keys(forms).some((key) => mentions(config.declaration, key as Key) && !(key in own));
      const lost = config.declaration.base !== undefined && this.#baseOf(config) === undefined;
      wrong ||= isMissing || lost || this.#reporter.errors > errors;
      spoken ||= this.#reporter.heard > heard;
      if (wrong) this.#wrong.add(config.declaration);
      if (spoken) this.#spoken.add(config.declaration);
      parts = merge(parts, own);
      this.#done.set(config.declaration, parts);
    }
    return parts;
  }

  #reportCycle(chain: readonly ConfigDeclaration[], again: ConfigDeclaration): void {
    const names = [...chain.slice(chain.indexOf(again)), again].map((config) => config.name.text);
    this.#reporter.report('model/config-cycle', { path: names.join(' → ') }, again.base!.span);
  }

  #base({ declaration, file }: Declared<ConfigDeclaration>): Declared<ConfigDeclaration> | undefined {
    if (declaration.base === undefined) return undefined;
    const { text, span } = declaration.base;
    const found = file.scope.get(text);
    if (found?.declaration.kind === 'config') return found as Declared<ConfigDeclaration>;
    if (found === undefined && mayBeHidden(text, file, ['config'])) return undefined;
    if (found === undefined) {
      const help = (): Help | undefined =>
        suggest(
          text,
          namesOf(file, 'config').filter((name) => name !== declaration.name.text),
        );
      this.#reporter.report('model/unknown-name', { kind: 'config', name: text }, span, { help });
    } else if (!found.missing) {
      const args = { name: text, expected: 'a config', found: `a ${found.declaration.kind}` };
      this.#reporter.report('model/wrong-kind', args, span);
    }
    return undefined;
  }

  /** The config that one extends, where it can be read. */
  #baseOf({ declaration, file }: Declared<ConfigDeclaration>): Declared | undefined {
    const found = declaration.base && file.scope.get(declaration.base.text);
    return found?.declaration.kind === 'config' ? found : undefined;
  }

  #own(declared: Declared<ConfigDeclaration>): Partial {
    const context = fileContext(declared.file, this.#reporter, this.#instantiator);
    const parts: Partial = {};
    for (const setting of knownSettings(declared.declaration.settings, 'config', Object.keys(forms), this.#reporter)) {
      const key = setting.name.text as Key;
      const { value, block, form } = forms[key];
      if ((setting.value === undefined) === value || (setting.settings !== undefined && !block)) {
        this.#reporter.report('model/setting-form', { name: key, form }, setting.span);
        continue;
      }
      this.#set(parts, key, setting, declared, context);
    }
    return parts;
  }

  #set(parts: Partial, key: Key, setting: Setting, declared: Declared, context: EvaluationContext): void {
    const inner = setting.settings ?? [];
    const place = setting.span;
    switch (key) {
      case 'network': {
        const network = this.#network(setting.value!, declared, context);
        if (network !== undefined) parts.network = network;
        break;
      }
      case 'neuron': {
        const neuron = this.#neuron(setting.value!, context);
        if (neuron !== undefined) parts.neuron = neuron;
        break;
      }
      case 'coding': {
        const coding = this.#coding(setting.value!, inner, context);
        if (coding !== undefined) parts.coding = coding;
        break;
      }
      case 'bits':
        parts.bits = { ...layeredSettings(inner, 'bits', bitSettings, bitSettingsOfLayers, context), place };
        break;
      case 'train':
        parts.train = { settings: writtenSettings(inner, 'train', trainSettings, context), place };
        break;
      case 'hardware':
        parts.hardware = { settings: writtenSettings(inner, 'hardware', hardwareSettings, context), place };
        break;
      case 'normalize': {
        const { normalize } = writtenSettings([setting], 'config', [normalizeSetting], context);
        if (normalize !== undefined) parts.normalize = normalize;
        break;
      }
    }
  }

  #network(value: Expression, declared: Declared, context: EvaluationContext): OnnxNetwork | OwnNetwork | undefined {
    if (value.kind !== 'name' && value.kind !== 'call') {
      const args = { what: '`network`', expected: 'a network or `onnx("file.onnx")`', found: 'something else' };
      this.#reporter.report('model/argument-type', args, value.span);
      return undefined;
    }
    const { name, args, place } = calleeOf(value);
    const found = declared.file.scope.get(name);
    if (found === undefined && name === 'onnx') return this.#onnx(value, declared, context);
    if (found === undefined && mayBeHidden(name, declared.file, ['network'])) return undefined;
    if (found === undefined) {
      const help = (): Help | undefined => suggest(name, [...namesOf(declared.file, 'network'), 'onnx']);
      this.#reporter.report('model/unknown-name', { kind: 'network', name }, place, { help });
      return undefined;
    }
    if (found.missing) return undefined;
    if (found.declaration.kind !== 'network') {
      const wrong = { name, expected: 'a network', found: `a ${found.declaration.kind}` };
      const related = [{ place: found.declaration.name.span, message: 'declared here' }];
      this.#reporter.report('model/wrong-kind', wrong, place, { related });
      return undefined;
    }
    const graph = { declaration: found.declaration, file: found.file };
    return this.#instantiator.network(graph, { name, place: value.span }, args, context);
  }

  #onnx(
    value: Expression & { kind: 'name' | 'call' },
    declared: Declared,
    context: EvaluationContext,
  ): OnnxNetwork | undefined {
    const callee: Callee = { name: 'onnx', place: value.span };
    const parameters: readonly Parameter[] = [
      { name: 'path', spec: { kind: 'string' }, required: true },
      { name: 'output', spec: { kind: 'string' }, required: false },
      { name: 'input_codes', spec: { kind: 'string' }, required: false },
      { name: 'input_shape', spec: { kind: 'string' }, required: false },
    ];
    const values = evaluateArguments(callee, parameters, calleeOf(value).args, context);
    const [path, output, codes, shape] = ['path', 'output', 'input_codes', 'input_shape'].map((name) =>
      values?.get(name),
    );
    if (path?.kind !== 'string') return undefined;
    const folder = folderOf(declared.file.ast.source.name);
    const resolved = join(folder, path.value);
    const outside =
      !isRelative(path.value) || !isInside(this.#root, resolved) || this.#loader.leaves?.(resolved) === true;
    if (!this.#options.allowOutside && outside) {
      this.#reporter.report('model/outside-folder', { path: path.value, folder: this.#root }, value.span, {
        help: 'copy the file into the folder, or allow it with --allow-outside',
      });
      return undefined;
    }
    const only = output?.kind === 'string' ? { output: output.value } : {};
    const inputCodes = codes?.kind === 'string' ? codeRangeOf(codes.value) : undefined;
    if (codes?.kind === 'string' && inputCodes === undefined) {
      const wrong = {
        name: 'input_codes',
        expected: 'a range of up to 65,536 integers, as "0..255"',
        found: `"${codes.value}"`,
      };
      this.#reporter.report('model/wrong-kind', wrong, value.span);
      return undefined;
    }
    const inputShapes = shape?.kind === 'string' ? inputShapesOf(shape.value) : undefined;
    if (shape?.kind === 'string' && inputShapes === undefined) {
      const wrong = {
        name: 'input_shape',
        expected: 'sizes of all axes, the batch first, as "1,3,224,224" or "x=1,3,224,224; y=1,10"',
        found: `"${shape.value}"`,
      };
      this.#reporter.report('model/wrong-kind', wrong, value.span);
      return undefined;
    }
    const held = {
      ...(inputCodes === undefined ? {} : { inputCodes }),
      ...(inputShapes === undefined ? {} : { inputShapes }),
    };
    return { kind: 'onnx', path: path.value, folder, resolved, ...only, ...held, place: value.span };
  }

  #neuron(value: Expression, context: EvaluationContext): NeuronUse | undefined {
    const neuron = evaluateAs(value, { kind: 'neuron' }, '`neuron`', context);
    return neuron.kind === 'neuron' ? neuron.use : undefined;
  }

  #coding(value: Expression, inner: readonly Setting[], context: EvaluationContext): CodingChoice | undefined {
    const coding = evaluateAs(value, { kind: 'choice', of: codings }, '`coding`', context);
    if (coding.kind !== 'choice') return undefined;
    const choice = coding.choice as ChoiceOf<typeof codings>;
    if (choice.name === 'events') this.#checkWindow(choice.args, value);
    const perLayer: readonly Parameter[] = codingLayerSettings[choice.name] ?? [];
    const { layers } = layeredSettings(inner, choice.name, [], perLayer, context);
    // the rows of a coding name what its layers may have
    return { ...choice, layers: layers as CodingChoice['layers'] };
  }

  /** Windows have a length, and nothing else has one. */
  #checkWindow({ by, window }: { readonly by?: string; readonly window?: number }, value: Expression): void {
    if ((by === 'duration') === (window !== undefined)) return;
    const problem =
      window === undefined
        ? '`by: duration` needs the length of a frame in ms: `window: 50`'
        : '`window` is the length of a frame in ms: it goes with `by: duration`';
    this.#reporter.report('model/conflict', { problem }, value.span);
  }

  #checkPatterns(network: OwnNetwork, layers: readonly LayerSettings[]): void {
    const ids = network.layers.map((layer) => layer.id);
    const means = meansSome(ids);
    for (const { pattern, place } of layers) {
      if (this.#reporter.full) return;
      if (means(pattern)) continue;
      this.#reporter.report('model/pattern', { pattern }, place, { help: () => layerHelp(pattern, ids) });
    }
  }
}

/** Blocks merge key by key (patterns: later ones win); anything else replaces what was inherited. */
function merge(base: Partial, own: Partial): Partial {
  const merged: Partial = { ...base, ...own };
  if (base.bits !== undefined && own.bits !== undefined) {
    const layers = [...base.bits.layers, ...own.bits.layers];
    merged.bits = { settings: { ...base.bits.settings, ...own.bits.settings }, layers, place: own.bits.place };
  }
  if (base.train !== undefined && own.train !== undefined)
    merged.train = { settings: { ...base.train.settings, ...own.train.settings }, place: own.train.place };
  if (base.hardware !== undefined && own.hardware !== undefined)
    merged.hardware = { settings: { ...base.hardware.settings, ...own.hardware.settings }, place: own.hardware.place };
  return merged;
}

/** The parts with the defaults of what no config of the chain says of a training. */
function withSettings({ train, ...parts }: Partial): Omit<Config, 'name' | 'place' | 'network'> {
  return {
    ...parts,
    ...(train === undefined ? {} : { train: { ...train, settings: withDefaults(trainSettings, train.settings) } }),
  };
}

function namesOf(file: LoadedFile, kind: 'config' | 'network'): string[] {
  return [...file.scope].filter(([, { declaration }]) => declaration.kind === kind).map(([name]) => name);
}

/** Which network a config may have: the only one there is can be written in. */
function networkHelp({ declaration: { span }, file }: Declared<ConfigDeclaration>): Help {
  const help = 'add `network NAME` or `network onnx("file.onnx")`';
  const [only, another] = namesOf(file, 'network');
  if (only === undefined || another !== undefined) return help;
  return addingLine(help, span, `network ${only}`);
}

function mentions(declaration: ConfigDeclaration, name: Key): boolean {
  return declaration.settings.some((setting) => setting.name.text === name);
}
