import { basename } from 'node:path';
import { present } from '../base/invariant.js';
import type { Normalisation } from '../data/index.js';
import { isFolder } from '../data/index.js';
import type { Network } from '../network/index.js';
import { checkPatterns, conversionPlan, convertNetwork } from './conversion.js';
import { openTarget } from './open.js';
import { forInference } from './own-network.js';
import { withoutPlanes } from './planes.js';
import { normalisationOf } from './train-settings.js';
import type { Findings } from './findings.js';
import { importFile } from './target.js';
import type { CommonOptions, Target } from './types.js';

/** A target's network as inference sees it. */
export interface Compiled {
  readonly network: Network;
  /** Of the config, the folder or the file. */
  readonly name: string;
  /** What the config or the run says of its images. */
  readonly normalisation: Normalisation;
  /** An ONNX file itself: an ANN, not a conversion of it. */
  readonly imported: boolean;
  /** The `.ir` file that it was read from: whoever runs it checks first that it can be run. */
  readonly text?: string;
}

/** The compiled network of `FILE#CONFIG`, of a compiled or run folder, or of an ONNX file. */
export function compiledTarget(target: Target, options: CommonOptions, findings: Findings): Compiled {
  const { path } = target;
  if (isOnnx(target)) {
    const { imported } = importFile(path, findings);
    const { network } = forInference(imported.network, findings);
    return { network, name: basename(path), normalisation: {}, imported: true };
  }
  const opened = openTarget(target, options, findings);
  if (opened.kind === 'own') {
    const { own } = opened;
    const { network } = forInference(own.network, findings);
    const name = isFolder(path) ? basename(path) : own.config;
    return {
      network: withoutPlanes(network, findings),
      name,
      normalisation: own.normalisation,
      imported: false,
      ...(own.text === undefined ? {} : { text: own.text }),
    };
  }
  const { config, source } = opened;
  const { conversion } = convertNetwork(source.imported.network, conversionPlan(config, findings), findings);
  const { spiking } = present(conversion, 'driver: the pipeline ended early');
  findings.take({ value: true, diagnostics: checkPatterns(config, spiking) });
  return { network: spiking, name: config.name, normalisation: normalisationOf(config.normalize), imported: false };
}

export function isOnnx({ path, config }: Target): boolean {
  return config === undefined && path.endsWith('.onnx') && !isFolder(path);
}
