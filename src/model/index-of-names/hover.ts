import { equationFunctions } from '../../equations/index.js';
import type { Span } from '../../base/source.js';
import type { CallExpression, Declaration, Expression, ModelFile, NameExpression } from '../../syntax/index.js';
import { layerNamed } from '../layers/index.js';
import { partsOf } from '../rules/rule.js';
import { type Parameter, type Setting as SettingRow, describeSpec } from '../schema.js';
import { type SettingBlock, configBlock, innerBlock } from '../settings-tree.js';
import type { Model } from '../types.js';
import { describeShape } from '../values.js';
import type { NameDefinition, ProjectIndex } from './index.js';

/**
 * What an editor shows for the name at an offset: how it is declared, the shape of a value in a network that the checked
 * model has, what a setting says and may be, what a layer or a function takes. One line, or two.
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
  if (within === undefined) return header(own);
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

/** A choice or one of its arguments: `sgd` and `lr` of `sgd(lr: 0.1)`. */
function ofChoice(expression: Expression, { spec }: Parameter, offset: number): string | undefined {
  if (spec.kind === 'either') {
    return spec.of.map((one) => ofChoice(expression, { name: '', spec: one }, offset)).find((one) => one !== undefined);
  }
  if (expression.kind === 'list' && spec.kind === 'list') {
    const item = expression.items.find(({ span }) => holds(span, offset));
    return item && ofChoice(item, { name: '', spec: spec.of }, offset);
  }
  if (expression.kind === 'binary' && spec.kind === 'sum') {
    const part = [expression.left, expression.right].find(({ span }) => holds(span, offset));
    return part && ofChoice(part, { name: '', spec }, offset);
  }
  if (spec.kind === 'label') return knownLabel(expression, spec.known ?? {});
  if ((spec.kind !== 'choice' && spec.kind !== 'sum') || (expression.kind !== 'call' && expression.kind !== 'name'))
    return undefined;
  const name = expression.kind === 'call' ? expression.callee.text : expression.name;
  const parameters = Object.hasOwn(spec.of, name) ? spec.of[name] : undefined;
  return parameters && ofCall(expression, name, parameters, offset);
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
  name: string,
  parameters: readonly Parameter[],
  offset: number,
): string | undefined {
  if (expression.kind === 'name' || holds(expression.callee.span, offset)) return signature(name, parameters);
  const argument = expression.args.find((one) => one.name !== undefined && holds(one.name.span, offset));
  const parameter = parameters.find((one) => one.name === argument?.name?.text);
  return parameter && describeSetting(parameter);
}

/** `batch: an integer of at least 1, 64 where it isn't given`, and what it says. */
export function describeSetting({
  name,
  spec,
  doc,
  default: usual,
  otherwise,
}: Parameter & Partial<SettingRow>): string {
  const without = usual === undefined ? otherwise : `\`${String(usual)}\``;
  const what = spec.kind === 'any' ? name : `${name}: ${describeSpec(spec)}`;
  const values = `${what}${without === undefined ? '' : `; without it: ${without}`}`;
  return doc === undefined ? values : `${values}\n${doc}`;
}

/** `conv(channels, kernel: 3)`: what it is called with, with what holds otherwise. */
export function signature(name: string, parameters: readonly Parameter[]): string {
  const list = parameters.map((one) =>
    one.default === undefined ? one.name : `${one.name}: ${JSON.stringify(one.default)}`,
  );
  return list.length === 0 ? name : `${name}(${list.join(', ')})`;
}

/** A layer of a graph or an argument of it, or a function of a neuron's equations. */
function ofCallee(declaration: Exclude<Declaration, { kind: 'use' | 'config' }>, offset: number): string | undefined {
  const found = expressionsOf(declaration).flatMap((one) => calleesIn(one, offset));
  for (const { name, expression } of found) {
    if (declaration.kind === 'neuron') {
      const row = Object.hasOwn(equationFunctions, name)
        ? equationFunctions[name as keyof typeof equationFunctions]
        : undefined;
      if (row !== undefined && (expression.kind === 'name' || holds(expression.callee.span, offset)))
        return `${name}(${row.params.join(', ')})\n${row.doc}`;
    } else {
      const layer = layerNamed(name);
      const text = layer && ofCall(expression, name, layer.parameters, offset);
      if (text !== undefined) return text;
    }
  }
  return undefined;
}

function expressionsOf(declaration: Exclude<Declaration, { kind: 'use' | 'config' }>): readonly Expression[] {
  if (declaration.kind !== 'neuron')
    return declaration.body.flatMap((one) => (one.kind === 'input' ? [] : [one.value]));
  return declaration.body.flatMap((one) => (one.kind === 'phase' ? one.assignments.map(({ value }) => value) : []));
}

function calleesIn(
  expression: Expression,
  offset: number,
): readonly { readonly name: string; readonly expression: CallExpression | NameExpression }[] {
  if (!holds(expression.span, offset)) return [];
  const parts = partsOf(expression).flatMap((part) => calleesIn(part, offset));
  if (expression.kind === 'name') return [...parts, { name: expression.name, expression }];
  return expression.kind === 'call' ? [...parts, { name: expression.callee.text, expression }] : parts;
}
