import { type Hover, MarkupKind, type Position } from 'vscode-languageserver';
import { hoverAt } from '../model/index.js';
import { compiledConfig, describeType } from './compiled.js';
import { layersByLine, layersUnder } from './layers-at.js';
import { offsetAt } from './positions.js';
import type { Analysis } from './project.js';
import { count } from './text.js';

/** What a name means, or a setting may be; of a layer also its type, and what it costs in the first config that has it. */
export function hoverOf(analysis: Analysis, at: Position): Hover | undefined {
  const { source, model, index } = analysis;
  const offset = offsetAt(source.text, at);
  const text = index && hoverAt(index, model, source.name, offset);
  const [first, ...words] = text?.split('\n') ?? [];
  const layers = layerLines(analysis, offset);
  const parts = [...(first === undefined ? [] : [['```spike', first, '```'].join('\n')]), ...words, ...layers];
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
  const lines = here.slice(0, shown).map(({ layer, config }) => {
    const compiled = config && compiledConfig(config);
    const type = compiled?.network.ops.find(({ id }) => id === layer.id)?.type;
    const cost = compiled?.cost.layers.find(({ id }) => id === layer.id);
    const said =
      cost && `${count(cost.macs)} MACs a step, ${count(cost.params)} parameters, S-ACE ${count(cost.s_ace)}`;
    const what = type === undefined ? `[${layer.shape.join(', ')}]` : describeType(type);
    const where = config === undefined ? '' : ` in \`${config.name}\``;
    return `\`${layer.id}\`${where}: ${what}${said === undefined ? '' : `  \n${said}`}`;
  });
  return here.length > shown ? [...lines, `… and ${here.length - shown} more`] : lines;
}
