import { dirname, join } from 'node:path';
import { diagnostic, fail } from '../base/diagnostics/index.js';
import { readText } from '../data/index.js';
import type { Network } from '../network/index.js';
import type { Findings } from './findings.js';
import { keptSources } from './model-copies.js';
import type { OpenedTarget } from './open.js';
import type { Artifact } from './types.js';
import { type Files, layered, lowered, networkFiles, readme } from './torch-files.js';
import { type TorchTraining, torchTraining, unknownSetting } from './torch-training.js';
import { packageFolder } from './version.js';

/** A file of the package's folder `src/backends/torch/python/`: what is the same in all programs. */
function pythonFile(name: string): string {
  return readText(join(packageFolder(), 'src', 'backends', 'torch', 'python', name));
}

/**
 * A folder that needs PyTorch and safetensors alone: the network as modules, before its passes, where each of its layers
 * has such a form; else what is left of it after them, op by op. `compiled` is the network after its passes.
 */
export function torchFolder(
  opened: OpenedTarget,
  compiled: Network,
  emit: readonly Artifact[],
  findings: Findings,
): readonly (readonly [string, string | Uint8Array])[] {
  const files: Files = new Map();
  const recipe = opened.recipe?.();
  // of a conversion only what is trained has a form as layers
  const network = opened.source === undefined ? opened.network : recipe?.imported?.network;
  const why = network === undefined ? undefined : layered(network, files);
  if (network === undefined || why !== undefined) lowered(compiled, files, why);
  if (why !== undefined) {
    const args = { layer: why.op.id, construct: why.construct };
    findings.all.push(diagnostic('torch/lowered', args, why.op.place));
  }
  files.set('layers.py', pythonFile('layers.py'));
  if (network !== undefined && why === undefined && recipe !== undefined) {
    const [path] = opened.inputs as [string];
    const sources = keptSources(path, true, recipe.imported?.files);
    const training = { ...recipe, network, config: opened.config, sources };
    const setting = unknownSetting(training);
    if (setting === undefined) addTraining(files, training);
    else findings.all.push(diagnostic('torch/left-out', { setting }));
  }
  if (opened.isRun === true) {
    const model = join(dirname(opened.inputs[0]!), 'model.spike');
    const help = `\`spikec compile ${model}#${opened.config} --emit torch\` writes it, and \`spikec train … --engine torch --from RUN\` begins with a run's weights`;
    const setting = 'how a run folder was trained';
    findings.all.push(diagnostic('torch/left-out', { setting }, undefined, { help }));
  }
  files.set('README.md', readme(opened.config, files));
  return [...files].map(([name, content]) => [isTorchAlone(emit) ? name : `torch/${name}`, content] as const);
}

/** The folder `torch/` of a converted network, which has no form as layers: op by op, for inference. */
export function convertedFolder(compiled: Network, config: string): Files {
  const files = networkFiles({ compiled, config }, pythonFile('layers.py'));
  return new Map([...files].map(([name, content]) => [`torch/${name}`, content]));
}

/** The folder of a training, which `train.py` runs. */
export function trainingFolder(training: TorchTraining): Files {
  const setting = unknownSetting(training);
  if (setting !== undefined) fail('torch/setting', { setting });
  const files: Files = new Map();
  const why = layered(training.network, files);
  if (why !== undefined) fail('torch/unsupported', { layer: why.op.id, construct: why.construct }, why.op.place);
  files.set('layers.py', pythonFile('layers.py'));
  addTraining(files, training);
  return files;
}

function addTraining(files: Files, training: TorchTraining): void {
  for (const name of ['train.py', 'data.py', 'losses.py', 'mixing.py', 'bits.py', 'detection.py', 'stopping.py'])
    files.set(name, pythonFile(name));
  for (const [name, content] of torchTraining(training)) files.set(name, content);
}

/** A folder of nothing else is the PyTorch program itself; beside other artifacts it is a folder in theirs. */
export function isTorchAlone(emit: readonly Artifact[]): boolean {
  return emit.length > 0 && emit.every((one) => one === 'torch');
}
