import { type InlayHint, InlayHintKind, type Range } from 'vscode-languageserver';
import type { Layer } from '../model/index.js';
import { compiledConfig, describeType } from './compiled.js';
import { type PlacedLayer, layersByLine } from './layers-at.js';
import type { Analysis } from './project.js';

/** Behind a line: the shape of its last layer's values, their steps and levels in the first config that has the network. */
export function hintsIn(analysis: Analysis, range: Range): InlayHint[] {
  const lines = analysis.source.text.split('\n');
  return [...layersByLine(analysis)].flatMap(([line, placed]): InlayHint[] => {
    if (line < range.start.line || line > range.end.line) return [];
    const label = labelOf(placed);
    if (label === undefined) return [];
    const character = (lines[line] ?? '').replace(/\s*(\/\/.*)?\r?$/, '').length;
    return [{ position: { line, character }, label, kind: InlayHintKind.Type, paddingLeft: true }];
  });
}

/** Nothing where a line of a block stands for layers of different types. */
function labelOf(placed: readonly PlacedLayer[]): string | undefined {
  const last = Math.max(...placed.map(({ layer }) => layer.place.end));
  const labels = new Set(placed.filter(({ layer }) => layer.place.end === last).map(typeText));
  const [label] = labels;
  return labels.size === 1 ? `→ ${label}` : undefined;
}

function typeText({ layer, config }: PlacedLayer): string {
  return typeOf(layer, config) ?? `[${layer.shape.join(', ')}]`;
}

function typeOf({ id }: Layer, config: PlacedLayer['config']): string | undefined {
  const type = config && compiledConfig(config)?.network.ops.find((op) => op.id === id)?.type;
  return type && describeType(type);
}
