import { type CompletionItem, CompletionItemKind, type Position } from 'vscode-languageserver';
import { equationFunctions, phaseNames, phaseTable, planeForms } from '../../equations/index.js';
import { layerNamed, layerTable } from '../../model/layers/index.js';
import { surrogates } from '../../model/index.js';
import { libraryFiles, libraryPrefix } from '../../model/library-files.js';
import {
  commentAbove,
  describePlanes,
  describeSurrogate,
  describeSurrogateArgument,
} from '../../model/index-of-names/describe.js';
import { argumentForms } from '../../model/neuron-parameters.js';
import { type SettingBlock, configBlock, innerBlock } from '../../model/settings-tree.js';
import type { Host } from '../host.js';
import { offsetAt } from '../positions.js';
import type { Analysis } from '../project.js';
import { type Call, type Context, contextAt } from './context.js';
import { argumentItems, callable, choiceRows, plain, snippet, valueItems } from './items.js';
import { type Named, declarationsKnown, declarationsOf, parametersOf } from './scope.js';

const { Keyword, Function: Fn, Class, Struct, Variable, Module, Property, Value, File } = CompletionItemKind;

/** What may be written at a position, in the order of its likelihood within a kind. */
export function completionsAt(analysis: Analysis, at: Position, host: Host): CompletionItem[] {
  const { source } = analysis;
  const context = contextAt(source.text, offsetAt(source.text, at));
  return new Completions(analysis, host).of(context);
}

class Completions {
  readonly #known: ReadonlyMap<string, Named>;

  constructor(
    readonly analysis: Analysis,
    readonly host: Host,
  ) {
    this.#known = declarationsKnown(analysis);
  }

  of(context: Context): CompletionItem[] {
    switch (context.kind) {
      case 'declaration':
        return declarations;
      case 'path':
        return libraryFiles.map((name) => plain(`${libraryPrefix}${name}`, File));
      case 'imports':
        return this.#imports(context.path, context.taken);
      case 'base':
        return this.#named('config');
      case 'type':
        return types.map((word) => plain(word, Keyword));
      case 'statement':
        return context.of === 'graph'
          ? [...graphWords, ...this.#graph(context.local, false)]
          : [...neuronWords, ...context.local.map((name) => plain(name, Variable))];
      case 'graph':
        return [...this.#arguments(context.call), ...this.#graph(context.local, context.piped)];
      case 'equation':
        return [...surrogateArguments(context.call), ...this.#equation(context.local, context.call)];
      case 'word':
        return context.of === 'planes'
          ? planeForms.map((word) => told(word, CompletionItemKind.EnumMember, describePlanes(word)))
          : Object.keys(surrogates).map((word) => told(word, CompletionItemKind.EnumMember, describeSurrogate(word)));
      case 'setting':
        return settingNames(blockAt(context.blocks), context.taken);
      case 'value':
        return this.#value(context);
      case 'pattern':
        return this.#layerIds(context.config);
      case 'nothing':
        return [];
    }
  }

  #imports(path: string, taken: readonly string[]): CompletionItem[] {
    const { source } = this.analysis;
    return declarationsOf(path, this.host.loader(source.name), source)
      .filter((one) => !taken.includes(one.name.text))
      .map((one) => this.#declared(one.name.text, one, false));
  }

  #named(kind: Named['kind']): CompletionItem[] {
    return [...this.#known].flatMap(([name, one]) =>
      one.kind === kind ? [this.#declared(name, one, kind !== 'config')] : [],
    );
  }

  #declared(name: string, declaration: Named, called: boolean): CompletionItem {
    const parameters = parametersOf(declaration);
    const documentation = commentAbove(declaration);
    const list = parameters.length === 0 ? '' : `(${parameters.map(({ text }) => text).join(', ')})`;
    const about = {
      detail: `${declaration.kind} ${name}${list}`,
      ...(documentation === undefined ? {} : { documentation }),
    };
    const kind = declaration.kind === 'neuron' ? Struct : declaration.kind === 'block' ? Fn : Class;
    return callable(name, kind, called ? parameters : [], about);
  }

  /** Layers and blocks; where no pipe leads in, also values. */
  #graph(local: readonly string[], piped: boolean): CompletionItem[] {
    const layers = Object.entries(layerTable).map(([name, { parameters, doc }]) =>
      callable(name, Fn, parameters, { documentation: doc }),
    );
    const values = piped ? [] : [...new Set(local)].map((name) => plain(name, Variable));
    const neurons = piped ? [] : this.#named('neuron');
    return [...values, ...this.#named('block'), ...layers, ...neurons, snippet(plain('repeat', Keyword), 'repeat($1)')];
  }

  #arguments(call: Call | undefined): CompletionItem[] {
    if (call === undefined) return [];
    const layer = layerNamed(call.callee);
    if (layer !== undefined) {
      if (call.argument === undefined) return argumentItems(layer.parameters, call.named);
      const parameter = layer.parameters.find(({ name }) => name === call.argument);
      return parameter === undefined ? [] : valueItems(parameter);
    }
    return this.#ownArguments(call);
  }

  #ownArguments({ callee, named, argument }: Call): CompletionItem[] {
    const declaration = this.#known.get(callee);
    if (declaration === undefined) return [];
    if (argument !== undefined)
      return declaration.kind === 'neuron'
        ? valueItems({ spec: { kind: 'choice', of: argumentForms({ kind: 'real' }) } })
        : [];
    return parametersOf(declaration)
      .filter(({ name }) => !named.includes(name))
      .map(({ name, text }) =>
        snippet({ ...plain(`${name}:`, CompletionItemKind.Field, text), filterText: name }, `${name}: $1`),
      );
  }

  #equation(local: readonly string[], call: Call | undefined): CompletionItem[] {
    const functions = Object.entries(equationFunctions).map(([name, { params, doc }]) =>
      snippet(plain(name, Fn, `${name}(${params.join(', ')})`, doc), `${name}($1)`),
    );
    const inSurrogate = call !== undefined && Object.hasOwn(surrogates, call.callee);
    return inSurrogate
      ? []
      : [...[...new Set([...local, 'x', 's'])].map((name) => plain(name, Variable)), ...functions];
  }

  #value({ blocks, setting, call }: Extract<Context, { kind: 'value' }>): CompletionItem[] {
    if (blocks.length === 0 && setting === 'network') {
      if (call !== undefined) return this.#ownArguments(call);
      return [...this.#named('network'), snippet(plain('onnx', Fn, 'onnx("file.onnx")'), 'onnx("$1")')];
    }
    if (blocks.length === 0 && setting === 'neuron') {
      if (call !== undefined) return this.#ownArguments(call);
      return this.#named('neuron');
    }
    const row = blockAt(blocks)?.rows.find(({ name }) => name === setting);
    if (row === undefined) return [];
    if (call === undefined) return valueItems(row);
    const rows = choiceRows(row.spec, call.callee);
    if (rows === undefined) return [];
    if (call.argument === undefined) return argumentItems(rows, call.named);
    const inner = rows.find(({ name }) => name === call.argument);
    return inner === undefined ? [] : valueItems(inner);
  }

  /** What the config, or one that it extends, says it has: the config that is being written may not hold. */
  #networkNamed(config: string): string | undefined {
    const seen = new Set<string>();
    for (let name: string | undefined = config; name !== undefined && !seen.has(name);) {
      seen.add(name);
      const declaration = this.#known.get(name);
      if (declaration?.kind !== 'config') return undefined;
      const value = declaration.settings.find((one) => one.name.text === 'network')?.value;
      if (value?.kind === 'name') return value.name;
      if (value?.kind === 'call') return value.callee.text;
      name = declaration.base?.text;
    }
    return undefined;
  }

  #layerIds(config: string): CompletionItem[] {
    const { model } = this.analysis;
    const checked = model?.configs.get(config)?.network;
    const network = checked ?? model?.networks.get(this.#networkNamed(config) ?? '');
    if (network?.kind !== 'network') return [];
    const ids = network.layers.filter(({ kind }) => kind !== 'input').map(({ id }) => id);
    const starts = new Set(ids.flatMap((id) => id.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.'))));
    return [...starts].map((id) => plain(id, Value));
  }
}

function blockAt(blocks: readonly string[]): SettingBlock | undefined {
  return blocks.reduce<SettingBlock | undefined>((at, name) => at && innerBlock(at, name), configBlock);
}

const withBraces = new Set(['train', 'bits', 'hardware']);

function settingNames(block: SettingBlock | undefined, taken: readonly string[]): CompletionItem[] {
  if (block === undefined) return [];
  const rows = block.rows.filter(({ name }) => !taken.includes(name));
  const layer =
    block.ofLayers === undefined
      ? []
      : [snippet(plain('layer', Keyword, 'layer "pattern" { … }'), 'layer "$1" { $2 }')];
  return [
    ...rows.map(({ name, doc }) => {
      const item = plain(name, Property, doc);
      return block === configBlock && withBraces.has(name)
        ? snippet(item, `${name} {\n  $1\n}`)
        : snippet(item, `${name} $1`);
    }),
    ...layer,
  ];
}

function surrogateArguments(call: Call | undefined): CompletionItem[] {
  if (call === undefined || !Object.hasOwn(surrogates, call.callee) || call.argument !== undefined) return [];
  return Object.entries(surrogates[call.callee]!)
    .filter(([name]) => !call.named.includes(name))
    .map(([name, usual]) => {
      const detail = usual === undefined ? name : `${name}: ${usual}`;
      const item = told(`${name}:`, CompletionItemKind.Field, describeSurrogateArgument(name), detail);
      return snippet({ ...item, filterText: name }, `${name}: $1`);
    });
}

/** An item with what the language says of it: a line how it is written, and what it is. */
function told(label: string, kind: CompletionItemKind, said = '', detail?: string): CompletionItem {
  const [written, ...words] = said.split('\n');
  return plain(label, kind, detail ?? written, words.join('\n'));
}

const types = ['real', 'int', 'bool', 'block', 'neuron'];

const declarations: CompletionItem[] = [
  snippet(plain('use', Keyword, 'import from another file'), 'use "${1:spikec/neurons}" { $2 }'),
  snippet(
    plain('network', Class, 'a network'),
    'network ${1:Name} {\n  input  ${2:image}: real[${3:1, 28, 28}]\n  output $2 | $0\n}',
  ),
  snippet(plain('block', Fn, 'a block of layers'), 'block ${1:Name}(${2:channels}) {\n  input x\n  output x | $0\n}'),
  snippet(
    plain('neuron', Struct, 'a neuron by its equations'),
    'neuron ${1:Name}(${2:theta = 1}) {\n  state u = 0\n  charge u = u + x\n  fire s = u >= theta\n  reset u = u - s * theta\n  surrogate ${3:atan}\n}',
  ),
  snippet(
    plain('config', Module, 'a network with neuron, coding, bits and training'),
    'config ${1:name} {\n  network ${2:Name}\n  neuron  ${3:LIF(tau: 2)}\n  coding  direct(steps: ${4:4})\n}',
  ),
];

const graphWords = [
  snippet(plain('input', Keyword), 'input ${1:image}: real[$2]'),
  snippet(plain('output', Keyword), 'output $1'),
];

const neuronWords = [
  snippet(plain('input', Keyword, 'a further input current, beside x'), 'input ${1:dendrite}'),
  snippet(plain('state', Keyword, 'a variable of the neuron'), 'state ${1:u} = ${2:0}'),
  ...phaseNames.map((name) => snippet(plain(name, Keyword, phaseTable[name].doc), `${name} $1 = $2`)),
  snippet(plain('surrogate', Keyword, `one of ${Object.keys(surrogates).join(', ')}`), 'surrogate $1'),
  snippet(plain('planes', Keyword, planeForms.join(' or ')), `planes \${1|${planeForms.join(',')}|}`),
];
