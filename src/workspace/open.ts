import { basename, dirname, join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { isFile, readBytes } from '../data/index.js';
import type { Config } from '../model/index.js';
import { type OwnTarget, networkOf } from './own-network.js';
import { isFolder, isIrFile, readIr, runFiles } from './run-folder.js';
import type { Findings } from './findings.js';
import { loadModel } from './load-model.js';
import { type Source, chooseConfig, sourceOf } from './target.js';
import { normalisationOf, stepSettings } from './train-settings.js';
import type { CommonOptions, Target } from './types.js';

/** What a target names: a network of layers, or a config that converts an ONNX file. */
export type Opened =
  | { readonly kind: 'own'; readonly own: OwnTarget }
  | { readonly kind: 'import'; readonly config: Config; readonly source: Source };

/** Opens `FILE#CONFIG`, a compiled or run folder, or a file in the IR's text form. */
export function openTarget(target: Target, options: CommonOptions, findings: Findings): Opened {
  const { path } = target;
  refuseConfigOfFolder(target);
  if (isFolder(path) || isIrFile(path)) return { kind: 'own', own: textTarget(path, findings) };
  const config = chooseConfig(findings.take(loadModel(path, options)), target);
  if (config.network.kind === 'onnx') return { kind: 'import', config, source: sourceOf(config, findings) };
  return { kind: 'own', own: layersTarget(path, config, findings) };
}

/** A compiled or run folder and a network in text form hold one network, without names to choose from. */
export function refuseConfigOfFolder({ path, config }: Target): void {
  if (config === undefined || !(isFolder(path) || isIrFile(path))) return;
  const help = `a folder or .ir file holds one network: leave out "#${config}"`;
  fail('cli/unknown-config', { file: path, config }, { file: path }, { help });
}

function textTarget(path: string, findings: Findings): OwnTarget {
  const ir = isFolder(path) ? join(path, runFiles.network) : path;
  const { network, run, normalisation = {} } = readIr(ir, findings);
  const files = [ir, join(dirname(ir), runFiles.weights)].filter((file) => isFile(file));
  return {
    network,
    config: run?.config ?? network.name,
    normalisation: run?.normalisation ?? normalisation,
    hardware: run?.hardware,
    text: ir,
    sources: new Map(files.map((file) => [basename(file), readBytes(file)])),
  };
}

function layersTarget(path: string, config: Config, findings: Findings): OwnTarget {
  const network = networkOf(config, findings);
  return {
    network,
    config: config.name,
    normalisation: normalisationOf(config.train?.settings['normalize'] ?? config.normalize),
    hardware: config.hardware?.settings,
    ...(config.train === undefined ? {} : { training: stepSettings(config, config.train, network) }),
    sources: new Map([[basename(path), readBytes(path)]]),
  };
}
