import { suggest } from '../base/did-you-mean.js';
import { fail } from '../base/diagnostics/index.js';
import type { Network } from '../network/index.js';
import { passes } from '../passes/index.js';
import { checkRan } from './compiled.js';
import type { Findings } from './findings.js';
import { isOnnx, openTarget } from './open.js';
import type { CommonOptions, Target } from './types.js';

/** Before all passes. */
const source = 'source';

/** A target's network after the pass that is named, or as it is compiled; an ONNX file's as it is imported. */
export function networkAt(
  target: Target,
  options: CommonOptions & { readonly at?: string },
  findings: Findings,
): Network {
  const { at } = options;
  const names = [source, ...passes.map(({ name }) => name)];
  if (at !== undefined && !names.includes(at)) {
    fail('cli/unknown-pass', { pass: at }, undefined, { help: suggest(at, names) });
  }
  const opened = openTarget(target, { ...options, onnx: true }, findings);
  if (at === source || (at === undefined && isOnnx(target))) return opened.network;
  const { network, runs } = opened.compiled({ stopAfter: at });
  checkRan(at, runs);
  return network;
}
