import { type Hover, MarkupKind, type Position } from 'vscode-languageserver';
import { type Config, type Layer, hoverAt } from '../model/index.js';
import { compiledConfig, describeType } from './compiled.js';
import { layersByLine, layersUnder } from './layers-at.js';
import { holds, offsetAt } from './positions.js';
import type { Analysis } from './project.js';
import { count } from './text.js';

/** What a name means, or a setting may be; of a layer also its type, and what it costs in the configs that have it; what a config costs. */
export function hoverOf(analysis: Analysis, at: Position): Hover | undefined {
  const { source, model, index } = analysis;
  const offset = offsetAt(source.text, at);
  const text = index && hoverAt(index, model, source.name, offset);
  const [first, ...words] = text?.split('\n') ?? [];
  const layers = layerLines(analysis, offset);
  const parts = [
    ...(first === undefined ? [] : [['```spike', first, '```'].join('\n')]),
    ...words,
    ...layers,
    ...configLines(analysis, offset),
  ];
  return parts.length === 0 ? undefined : { contents: { kind: MarkupKind.Markdown, value: parts.join('\n\n') } };
}

/** How many layers of a block's line are shown. */
const shown = 4;

function layerLines(analysis: Analysis, offset: number): string[] {
  const { source } = analysis;
  const all = [...layersByLine(analysis).values()].flat();
  const under = new Set(
    layersUnder(
      all.map(({ layer }) => layer),
      source,
      offset,
    ),
  );
  const here = all.filter(({ layer }) => under.has(layer));
  const lines = here.slice(0, shown).flatMap(({ layer, config }) => inConfigs(layer, configsLike(analysis, config)));
  return here.length > shown ? [...lines, `… and ${here.length - shown} more`] : lines;
}

/** The configs with the same network, so that others follow the one that is shown where none else is asked for. */
function configsLike({ model }: Analysis, first: Config | undefined): readonly (Config | undefined)[] {
  if (first?.network.kind !== 'network') return [first];
  const { name } = first.network;
  return [...(model?.configs.values() ?? [])].filter(
    ({ network }) => network.kind === 'network' && network.name === name,
  );
}

/** A line for each that says something else, with the names of the configs in which it is so. */
function inConfigs(layer: Layer, configs: readonly (Config | undefined)[]): readonly string[] {
  const byText = new Map<string, string[]>();
  for (const config of configs.slice(0, shown)) {
    const text = inConfig(layer, config);
    if (text === undefined) continue;
    byText.set(text, [...(byText.get(text) ?? []), ...(config === undefined ? [] : [`\`${config.name}\``])]);
  }
  const more = configs.length > shown ? ` (the first ${shown} of ${configs.length} configs)` : '';
  return [...byText].map(([text, names]) => {
    const where = names.length === 0 ? '' : ` in ${names.join(', ')}${more}`;
    return `\`${layer.id}\`${where}: ${text}`;
  });
}

/** Type and cost of a layer in a config; nothing where the config's network has no such layer. */
function inConfig({ id, shape }: Layer, config: Config | undefined): string | undefined {
  const compiled = config && compiledConfig(config);
  if (compiled === undefined) return `[${shape.join(', ')}]`;
  const type = compiled.network.ops.find((op) => op.id === id)?.type;
  if (type === undefined) return undefined;
  const cost = compiled.cost.layers.find((one) => one.id === id);
  const said = cost && `${count(cost.macs)} MACs a step, ${count(cost.params)} parameters, S-ACE ${count(cost.s_ace)}`;
  return `${describeType(type)}${said === undefined ? '' : `  \n${said}`}`;
}

/** What the config costs whose name is under the cursor, where it is declared. */
function configLines({ source, model, index }: Analysis, offset: number): readonly string[] {
  const declaration = index?.asts
    .get(source.name)
    ?.declarations.find((one) => one.kind === 'config' && holds(one.name.span, offset));
  const config = declaration?.kind === 'config' ? model?.configs.get(declaration.name.text) : undefined;
  const cost = config && compiledConfig(config)?.cost.total;
  if (cost === undefined) return [];
  const { params, macs, s_ace, latency_steps } = cost;
  return [`${count(params)} parameters, ${count(macs)} MACs, S-ACE ${count(s_ace)}, latency ${latency_steps} steps`];
}
