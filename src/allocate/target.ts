import { dirname, join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { type LayerCost, costOf } from '../cost/index.js';
import { type Normalisation, finishWrites, isFile, readText, realPath } from '../data/index.js';
import type { Config, Model } from '../model/index.js';
import type { Network } from '../network/index.js';
import { inferencePlan, runPlan } from '../passes/index.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { findCarrier } from '../lower/program/index.js';
import { refuseConfigOfFolder } from '../workspace/open.js';
import { type RunInfo, isFolder, readFolder } from '../workspace/run-folder.js';
import type { Findings } from '../workspace/findings.js';
import { loadModel } from '../workspace/load-model.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { type Source, importFile, sourceOf } from '../workspace/target.js';
import { normalisationOf } from '../workspace/train-settings.js';
import type { CommonOptions, Target } from '../workspace/types.js';

/** A trained network for which bits or silent periods are to be chosen. */
export interface AllocationTarget {
  /** As it was trained: what passes begin with. */
  readonly network: Network;
  readonly normalisation: Normalisation;
  readonly from: FromImport | FromFolder;
}

export interface FromImport {
  readonly kind: 'import';
  readonly source: Source;
  /** The model file's config; none where the ONNX file itself is the target. */
  readonly model?: {
    readonly path: string;
    readonly text: string;
    readonly model: Model;
    readonly config: Config;
    readonly allowOutside: boolean;
  };
}

export interface FromFolder {
  readonly kind: 'folder';
  readonly folder: string;
  readonly run?: RunInfo;
}

/** Finds the target's trained network: of an ONNX file, a config that imports one, or a run or compiled folder. */
export function allocationTarget(target: Target, options: CommonOptions, findings: Findings): AllocationTarget {
  const { path } = target;
  finishWrites(isFolder(path) ? path : dirname(path));
  refuseConfigOfFolder(target);
  if (isFolder(path)) return ofFolder(path, findings);
  if (/\.onnx$/i.test(path)) {
    const source = importFile(path, findings, options);
    return {
      network: source.imported.network,
      normalisation: {},
      from: { kind: 'import', source },
    };
  }
  const text = readText(path);
  const model = findings.take(loadModel(path, options));
  const config = chooseConfig(model, target);
  if (config.network.kind !== 'onnx') {
    const what = `the weights of \`${config.network.name}\` are not trained yet`;
    fail('allocate/nothing', { what }, config.network.place, { help: 'train it, and name its run folder' });
  }
  const source = sourceOf(config, findings);
  insideFolder(path, source);
  return {
    network: source.imported.network,
    normalisation: normalisationOf(config.normalize),
    from: { kind: 'import', source, model: { path, text, model, config, allowOutside: options.allowOutside === true } },
  };
}

/** What is written is a copy of the model file with all it uses, which must not lie elsewhere. */
function insideFolder(path: string, source: Source): void {
  const folder = realPath(dirname(path)) ?? dirname(path);
  const real = realPath(source.path) ?? source.path;
  if (!real.startsWith(join(folder, '/'))) {
    fail(
      'model/outside-folder',
      { path: source.path, folder },
      { file: path },
      { help: 'copy the file into the folder' },
    );
  }
}

function ofFolder(folder: string, findings: Findings): AllocationTarget {
  const { network, run } = readFolder(folder, findings);
  if (!['none', 'means'].includes(findCarrier(network)?.trains ?? '')) {
    fail(
      'cli/not-lowered',
      { construct: `allocating bits in a folder with \`coding ${network.coding?.name}\`` },
      undefined,
      {
        help: 'name the model file, whose config imports the network',
      },
    );
  }
  return {
    network,
    normalisation: run?.normalisation ?? {},
    from: { kind: 'folder', folder, ...(run === undefined ? {} : { run }) },
  };
}

/** The network as bits of weights are chosen for it: batch norm folded. */
export function preparedNetwork({ network }: AllocationTarget, findings: Findings): Network {
  const result = runPlan(network, inferencePlan());
  const value = result.network === undefined ? {} : { value: result.network };
  return findings.take({ ...value, diagnostics: result.diagnostics });
}

/** Costs of the network that will run, for networks with a coding the spiking one. */
export function costsOf(target: AllocationTarget, prepared: Network, findings: Findings): readonly LayerCost[] {
  const { from, network } = target;
  if (from.kind === 'folder') return costOf(prepared).layers;
  const config = from.model?.config;
  if (config?.coding === undefined) return costOf(prepared).layers;
  const plan = conversionPlan(config, findings, { weightsStay: true });
  return costOf(convertNetwork(network, plan, findings).network).layers;
}

/** Model file of a run folder, where it has one. */
export function modelOfRun(folder: string): string | undefined {
  const path = join(folder, 'model.spike');
  return isFile(path) ? readText(path) : undefined;
}
