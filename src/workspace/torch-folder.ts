import { join } from 'node:path';
import { diagnostic, fail } from '../base/diagnostics/index.js';
import { encodeSafetensors } from '../base/safetensors.js';
import { Unsupported, layeredModel, loweredModel } from '../backends/torch/index.js';
import { readText } from '../data/index.js';
import { lower, mostUnrolledSteps, unrolledSteps } from '../lower/program/index.js';
import { type Network, paramsToTensors } from '../network/index.js';
import type { Findings } from './findings.js';
import type { OpenedTarget } from './open.js';
import type { Artifact } from './types.js';
import { packageFolder } from './version.js';

type Files = Map<string, string | Uint8Array>;

/** A file of the package's folder `python/`. */
function pythonFile(name: string): string {
  return readText(join(packageFolder(), 'python', name));
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
  const why = opened.source === undefined ? trainable(opened, files) : undefined;
  if (opened.source !== undefined || why !== undefined) lowered(compiled, files, why);
  if (why !== undefined) {
    const args = { layer: why.op.id, construct: why.construct };
    findings.take({ value: true, diagnostics: [diagnostic('torch/lowered', args, why.op.place)] });
  }
  files.set('layers.py', pythonFile('layers.py'));
  return [...files].map(([name, content]) => [isTorchAlone(emit) ? name : `torch/${name}`, content] as const);
}

/** A folder of nothing else is the PyTorch program itself; beside other artifacts it is a folder in theirs. */
export function isTorchAlone(emit: readonly Artifact[]): boolean {
  return emit.length > 0 && emit.every((one) => one === 'torch');
}

/** The network layer by layer; what stands in the way of that, where something does. */
function trainable({ network }: OpenedTarget, files: Files): Unsupported | undefined {
  try {
    const { text } = layeredModel(network);
    files.set('model.py', text);
    files.set('weights.safetensors', encodeSafetensors(paramsToTensors(network.params)));
    return undefined;
  } catch (error) {
    if (error instanceof Unsupported) return error;
    throw error;
  }
}

function lowered(network: Network, files: Files, why: Unsupported | undefined): void {
  if (unrolledSteps(network) > mostUnrolledSteps)
    fail('torch/unsupported', { layer: why?.op.id ?? network.name, construct: why?.construct ?? 'so many time steps' });
  const { text, weights } = loweredModel(network, lower(network));
  files.set('model.py', text);
  files.set('weights.safetensors', encodeSafetensors(weights));
}
