import { type Diagnostic, DiagnosticError } from '../base/diagnostics/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import { layerSettings } from './layer-settings.js';
import { trainSettings } from './train-settings.js';

/** What `train` refuses of a config's own words, whatever the data are; nothing of one that doesn't say enough to be trained. */
export function trainingProblems(config: Config): readonly Diagnostic[] {
  const said = config.train?.settings;
  if (said?.optimizer === undefined) return [];
  // `--data` may name the data
  return refusals(() => trainSettings(config, { data: said.data ?? 'npz:' }));
}

/** Whether a training speaks of single layers. */
export function readsLayers({ train }: Config): boolean {
  const { freeze = [], groups = [] } = train?.settings ?? {};
  return freeze.length > 0 || groups.length > 0;
}

/** What `train` refuses of what a config says of single layers; `network` is the config's. */
export function layerProblems(config: Config, network: Network): readonly Diagnostic[] {
  return refusals(() => layerSettings(config, network));
}

function refusals(asked: () => unknown): readonly Diagnostic[] {
  try {
    asked();
    return [];
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics;
    throw error;
  }
}
