import { fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { Network } from '../network/index.js';
import { type PassRun, passes } from '../passes/index.js';
import { isOnnx } from './compiled.js';
import { checkPatterns, conversionPlan, convertNetwork } from './conversion.js';
import { openTarget } from './open.js';
import { forInference } from './own-network.js';
import type { Findings } from './findings.js';
import { importFile } from './target.js';
import type { CommonOptions, Target } from './types.js';

/** Before all passes. */
const source = 'source';

export interface At extends CommonOptions {
  /** A pass, or `source`. */
  readonly at?: string;
}

/**
 * A target's network after a pass. Without one: a config's, a folder's and a text's as they are compiled, an ONNX file's
 * as it is imported.
 */
export function networkAt(target: Target, options: At, findings: Findings): Network {
  const { at } = options;
  checkName(at);
  if (isOnnx(target)) {
    const { network } = importFile(target.path, findings).imported;
    const asItIs = at === undefined || at === source;
    return asItIs ? network : after(at, forInference(network, findings, { stopAfter: at }));
  }
  const opened = openTarget(target, options, findings);
  if (opened.kind === 'own') {
    const { own } = opened;
    if (at === source) return own.network;
    return after(at, forInference(own.network, findings, { stopAfter: at }));
  }
  const { config, source: from } = opened;
  const { network } = from.imported;
  if (at === source) return network;
  const { last, runs, conversion } = convertNetwork(network, conversionPlan(config, findings), findings, {
    stopAfter: at,
  });
  if (conversion !== undefined) {
    findings.take({ value: true, diagnostics: checkPatterns(config, conversion.spiking) });
  }
  return after(at, { network: last, runs });
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
