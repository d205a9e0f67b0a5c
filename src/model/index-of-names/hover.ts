import type { Span } from '../../base/source.js';
import type {
  CallExpression,
  Declaration,
  Expression,
  ModelFile,
  NameExpression,
  NeuronDeclaration,
} from '../../syntax/index.js';
import { layerNamed } from '../layers/index.js';
import { partsOf } from '../rules/rule.js';
import { argumentForms, defaultForms } from '../neuron-parameters.js';
import type { Choices, Parameter } from '../schema.js';
import { type SettingBlock, configBlock, innerBlock } from '../settings-tree.js';
import type { Model } from '../types.js';
import { describeShape } from '../values.js';
import {
  commentAbove,
  describeFunction,
  describePlanes,
  describeSetting,
  describeSurrogate,
  describeSurrogateArgument,
  isWordOf,
  signature,
} from './describe.js';
import type { NameDefinition, ProjectIndex } from './index.js';

/**
 * What an editor shows for the name at an offset: how it is declared, the shape of a value in a network that the checked
 * model has, what a setting says and may be, what a layer or a function takes and does. The first line says how it is written.
 */
export function hoverAt(
  project: ProjectIndex,
  model: Model | undefined,
  file: string,
  offset: number,
): string | undefined {
  const definition = project.definitionAt(file, offset);
  if (definition !== undefined) return ofDefinition(project, model, definition);
  const ast = project.asts.get(file);
  const declaration = ast?.declarations.find(({ span }) => holds(span, offset));
  if (declaration === undefined || declaration.kind === 'use') return undefined;
  if (declaration.kind === 'config') return ofSetting(declaration.settings, configBlock, offset);
  return ofCallee(declaration, offset);
}

function holds({ start, end }: Span, offset: number): boolean {
  return offset >= start && offset <= end;
}

function ofDefinition(project: ProjectIndex, model: Model | undefined, definition: NameDefinition): string {
  const { kind, name, within, span } = definition;
  const ast = project.asts.get(span.source.name);
  const own = ast === undefined ? undefined : declarationOf(ast, within ?? definition);
  if (own === undefined || own.kind === 'use') return `${kind} ${name}`;
  if (within === undefined) {
    const said = commentAbove(own);
    return said === undefined ? header(own) : `${header(own)}\n${said}`;
  }
  if (kind === 'parameter' && own.kind !== 'config') {
    const parameter = own.parameters.find((one) => one.name.text === name);
    return parameter === undefined ? name : textOf(parameter.span);
  }
  const shape = own.kind === 'network' ? shapeOf(model, own.name.text, name) : undefined;
  const place = `in \`${header(own)}\``;
  return shape === undefined ? `${kind} ${name}, ${place}` : `${kind} ${name}: ${describeShape(shape)}, ${place}`;
}

function declarationOf(ast: ModelFile, { span }: NameDefinition): Declaration | undefined {
  return ast.declarations.find((one) => one.kind !== 'use' && one.name.span.start === span.start);
}

function textOf({ source, start, end }: Span): string {
  return source.text.slice(start, end).replaceAll(/\s+/g, ' ');
}

/** `block Cell(n: int, m: int = n)`, `config b extends a` */
function header(declaration: Exclude<Declaration, { kind: 'use' }>): string {
  const text = textOf(declaration.span);
  return text.slice(0, text.indexOf('{')).trim();
}

/** Of the value that a network binds to a name: that of its last layer. */
function shapeOf(model: Model | undefined, network: string, binding: string): readonly number[] | undefined {
  const layers = model?.networks.get(network)?.layers ?? [];
  return layers.findLast(({ id }) => id === binding || id.startsWith(`${binding}.`))?.shape;
}

type Settings = Extract<Declaration, { kind: 'config' }>['settings'];

function ofSetting(settings: Settings, block: SettingBlock, offset: number): string | undefined {
  const setting = settings.find(({ span }) => holds(span, offset));
  if (setting === undefined) return undefined;
  const { name, value, settings: own } = setting;
  const row = block.rows.find((one) => one.name === name.text);
  if (holds(name.span, offset)) return row && describeSetting(row);
  if (value !== undefined && holds(value.span, offset)) return row && ofChoice(value, row, offset);
  const next = innerBlock(block, name.text);
  return own === undefined || next === undefined ? undefined : ofSetting(own, next, offset);
}

/** A word, a choice or one of its arguments: `sgd` and `lr` of `sgd(lr: 0.1)`; of a neuron what its arguments may be. */
function ofChoice(expression: Expression, parameter: Parameter, offset: number): string | undefined {
  const { spec } = parameter;
  if (expression.kind === 'name' && isWordOf(spec, expression.name)) return describeSetting(parameter);
  if (spec.kind === 'either') {
    return spec.of
      .map((one) => ofChoice(expression, { ...parameter, spec: one }, offset))
      .find((one) => one !== undefined);
  }
  if (expression.kind === 'list' && spec.kind === 'list') {
    const item = expression.items.find(({ span }) => holds(span, offset));
    return item && ofChoice(item, { ...parameter, spec: spec.of }, offset);
  }
  if (expression.kind === 'binary' && spec.kind === 'sum') {
    const part = [expression.left, expression.right].find(({ span }) => holds(span, offset));
    return part && ofChoice(part, parameter, offset);
  }
  if (spec.kind === 'label') return knownLabel(expression, spec.known ?? {});
  if (spec.kind === 'neuron') return ofNeuronForm(expression, offset);
  if ((spec.kind !== 'choice' && spec.kind !== 'sum') || (expression.kind !== 'call' && expression.kind !== 'name'))
    return undefined;
  const name = expression.kind === 'call' ? expression.callee.text : expression.name;
  return ofForm(expression, name, spec.of, offset);
}

function ofForm(
  expression: CallExpression | NameExpression,
  name: string,
  forms: Choices,
  offset: number,
): string | undefined {
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
  return form && ofCall(expression, { name, doc: form.doc, parameters: form.args }, offset);
}

/** A thing that is called, with what it is. */
interface Called {
  readonly name: string;
  readonly doc: string;
  readonly parameters: readonly Parameter[];
}

/** `mnist: handwritten digits, 28×28`; of a path the form that it begins with: `npz:FILE: arrays of NumPy`. */
function knownLabel(expression: Expression, known: Readonly<Record<string, string>>): string | undefined {
  const written = expression.kind === 'name' ? expression.name : expression.kind === 'string' ? expression.value : '';
  const [kind = ''] = written.split(':');
  const found = Object.entries(known).find(([form]) => form === kind || form.startsWith(`${kind}:`));
  return found && `${found[0]}: ${found[1]}`;
}

function ofCall(
  expression: CallExpression | NameExpression,
  { name, doc, parameters }: Called,
  offset: number,
): string | undefined {
  if (expression.kind === 'name' || holds(expression.callee.span, offset))
    return `${signature(name, parameters)}\n${doc}`;
  const argument = expression.args.find(({ span }) => holds(span, offset));
  if (argument === undefined) return undefined;
  const { name: written, value } = argument;
  const named = parameters.find((one) => one.name === written?.text);
  if (written !== undefined && holds(written.span, offset)) return named && describeSetting(named);
  // a value by place is told by what it may mean
  const asked = written === undefined ? parameters : named === undefined ? [] : [named];
  return asked.map((one) => ofChoice(value, one, offset)).find((text) => text !== undefined);
}

/** `learn(…)` and `fixed(…)` among the arguments of a neuron. */
function ofNeuronForm(expression: Expression, offset: number): string | undefined {
  if (expression.kind !== 'call') return undefined;
  const value = expression.args.map((one) => one.value).find(({ span }) => holds(span, offset));
  if (value === undefined || (value.kind !== 'call' && value.kind !== 'name')) return undefined;
  const name = value.kind === 'call' ? value.callee.text : value.name;
  return ofForm(value, name, argumentForms({ kind: 'real' }), offset);
}

/** A layer of a graph or an argument of it, or a function of a neuron's equations. */
function ofCallee(declaration: Exclude<Declaration, { kind: 'use' | 'config' }>, offset: number): string | undefined {
  if (declaration.kind === 'neuron') {
    const word = ofNeuronWord(declaration, offset);
    if (word !== undefined) return word;
  }
  const found = expressionsOf(declaration).flatMap((one) => calleesIn(one, offset));
  for (const { name, expression } of found) {
    if (declaration.kind === 'neuron') {
      const text = describeFunction(name);
      if (text !== undefined && (expression.kind === 'name' || holds(expression.callee.span, offset))) return text;
    } else {
      const layer = layerNamed(name);
      const text = layer
        ? ofCall(expression, { name, ...layer }, offset)
        : ofForm(expression, name, argumentForms({ kind: 'real' }), offset);
      if (text !== undefined) return text;
    }
  }
  return undefined;
}

/** A surrogate or one of its arguments, a form of planes, what stands for a parameter's default. */
function ofNeuronWord(declaration: NeuronDeclaration, offset: number): string | undefined {
  for (const one of declaration.body) {
    if (one.kind === 'planes' && holds(one.form.span, offset)) return describePlanes(one.form.text);
    if (one.kind !== 'surrogate' || !holds(one.span, offset)) continue;
    const { call } = one;
    if (call.kind === 'name') return holds(call.span, offset) ? describeSurrogate(call.name) : undefined;
    if (holds(call.callee.span, offset)) return describeSurrogate(call.callee.text);
    const argument = call.args.find(({ name }) => name !== undefined && holds(name.span, offset));
    if (argument?.name !== undefined) return describeSurrogateArgument(argument.name.text);
  }
  const value = declaration.parameters.map((one) => one.default).find((one) => one && holds(one.span, offset));
  if (value?.kind !== 'call' && value?.kind !== 'name') return undefined;
  const name = value.kind === 'call' ? value.callee.text : value.name;
  return ofForm(value, name, defaultForms({ kind: 'real' }), offset);
}

function expressionsOf(declaration: Exclude<Declaration, { kind: 'use' | 'config' }>): readonly Expression[] {
  if (declaration.kind !== 'neuron')
    return declaration.body.flatMap((one) => (one.kind === 'input' ? [] : [one.value]));
  return declaration.body.flatMap((one) => (one.kind === 'phase' ? one.assignments.map(({ value }) => value) : []));
}

/** What is called or named around an offset, the outermost first: a word of its arguments isn't the layer of that name. */
function calleesIn(
  expression: Expression,
  offset: number,
): readonly { readonly name: string; readonly expression: CallExpression | NameExpression }[] {
  if (!holds(expression.span, offset)) return [];
  const parts = partsOf(expression).flatMap((part) => calleesIn(part, offset));
  if (expression.kind === 'name') return [{ name: expression.name, expression }, ...parts];
  return expression.kind === 'call' ? [{ name: expression.callee.text, expression }, ...parts] : parts;
}
