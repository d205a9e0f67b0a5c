import type { Location, Position } from 'vscode-languageserver';
import type { Config } from '../model/index.js';
import type { Op } from '../network/index.js';
import { compiledConfig } from './compiled.js';
import type { Host } from './host.js';
import { layersByLine, layersUnder } from './layers-at.js';
import { holds, offsetAt, rangeOf } from './positions.js';
import type { Analysis } from './project.js';

/** The answer to `spikec/graph`: the network of the config at a position, as an editor's panel draws it. */
export interface ShownGraph {
  readonly config: string;
  /** In topological order, with their types. */
  readonly ops: readonly Op[];
  /** Where the layers are written, by their ids. */
  readonly places: Readonly<Record<string, Location>>;
  /** Ids of the layers that stand at the position. */
  readonly here: readonly string[];
}

/** Nothing where no config has a network of its own that can be compiled. */
export function graphAt(analysis: Analysis, at: Position, host: Host): ShownGraph | undefined {
  const { source } = analysis;
  const offset = offsetAt(source.text, at);
  const config = configAt(analysis, at.line, offset);
  const compiled = config && compiledConfig(config);
  if (compiled === undefined || config?.network.kind !== 'network') return undefined;
  const { layers } = config.network;
  const places = layers.flatMap(({ id, place }): [string, Location][] => {
    const uri = host.uriOf(place.source.name);
    return uri === undefined ? [] : [[id, { uri, range: rangeOf(place) }]];
  });
  return {
    config: config.name,
    ops: compiled.network.ops,
    places: Object.fromEntries(places),
    here: layersUnder(layers, source, offset).map(({ id }) => id),
  };
}

/** The config whose text holds an offset; else the first that has a layer of the line; else the first with a network. */
function configAt(analysis: Analysis, line: number, offset: number): Config | undefined {
  const configs = [...(analysis.model?.configs.values() ?? [])].filter(({ network }) => network.kind === 'network');
  const around = configs.find(({ place }) => holds(place, offset));
  return (
    around ??
    layersByLine(analysis)
      .get(line)
      ?.find(({ config }) => config !== undefined)?.config ??
    configs[0]
  );
}
