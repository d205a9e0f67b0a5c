import { fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { Network } from '../network/index.js';
import { type PassRun, passes } from '../passes/index.js';
import { isOnnx } from './compiled.js';
import { checkPatterns, conversionOptions, convertNetwork } from './conversion.js';
import { openTarget } from './open-target.js';
import { forInference, ownBiases } from './own-network.js';
import { type Findings, importFile } from './target.js';
import type { CommonOptions, Target } from './types.js';

/** Before all passes. */
const source = 'source';

export interface At extends CommonOptions {
  /** A pass, or `source`. */
  readonly at?: string;
}

/** A network, and what counting its costs asks besides. */
export interface Compared {
  readonly network: Network;
  readonly ownBias: (id: string) => boolean;
}

const everyBias = (): boolean => true;

/**
 * A target's network after a pass. Without one: a config's, a folder's and a text's as they are compiled, an ONNX file's
 * as it is imported.
 */
export function networkAt(target: Target, options: At, findings: Findings): Compared {
  const { at } = options;
  checkName(at);
  if (isOnnx(target)) {
    const { network } = importFile(target.path, findings).imported;
    const asItIs = at === undefined || at === source;
    const chosen = asItIs ? network : after(at, forInference(network, findings, { stopAfter: at }));
    return { network: chosen, ownBias: everyBias };
  }
  const opened = openTarget(target, options, findings);
  if (opened.kind === 'own') {
    const { own } = opened;
    const ownBias = ownBiases(own);
    if (at === source) return { network: own.network, ownBias };
    return { network: after(at, forInference(own.network, findings, { stopAfter: at })), ownBias };
  }
  const { config, source: from } = opened;
  const { network } = from.imported;
  if (at === source) return { network, ownBias: everyBias };
  const { last, runs, conversion } = convertNetwork(network, conversionOptions(config, findings), findings, {
    stopAfter: at,
  });
  if (conversion !== undefined) {
    findings.take({ value: true, diagnostics: checkPatterns(config, conversion.spiking) });
  }
  return { network: after(at, { network: last, runs }), ownBias: everyBias };
}

function checkName(at: string | undefined): void {
  const names = [source, ...passes.map(({ name }) => name)];
  if (at !== undefined && !names.includes(at)) {
    fail('cli/unknown-pass', { pass: at }, undefined, { help: suggest(at, names) });
  }
}

function after(
  at: string | undefined,
  { network, runs }: { readonly network: Network; readonly runs: readonly PassRun[] },
): Network {
  if (at === undefined || runs.some(({ pass }) => pass === at)) return network;
  const help = `what runs: ${runs.map(({ pass }) => pass).join(', ')}`;
  return fail('cli/unknown-pass', { pass: at }, undefined, { help });
}
