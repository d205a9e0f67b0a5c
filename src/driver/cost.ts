import type { Outcome } from '../base/diagnostics/index.js';
import { type Cost, costOf as networkCost } from '../cost/index.js';
import { present } from '../base/invariant.js';
import { checkPatterns, conversionOptions, convertNetwork } from './conversion.js';
import { forInference, ownTarget } from './own-network.js';
import { Findings, chooseConfig, loadModel, sourceOf } from './target.js';
import type { CommonOptions, Target } from './types.js';

/** Costs of a config's compiled network, layer by layer. */
export function costOf(target: Target, options: CommonOptions): Promise<Outcome<Cost>> {
  const findings = new Findings();
  const own = ownTarget(target, options, findings);
  if (own !== undefined) {
    const { network } = forInference(own.network, findings);
    return Promise.resolve({ value: networkCost(network), diagnostics: findings.all });
  }
  const config = chooseConfig(findings.take(loadModel(target.path, options)), target);
  const source = sourceOf(config, findings);
  const { conversion } = convertNetwork(source.imported.network, conversionOptions(config), findings);
  const { spiking } = present(conversion, 'driver: the pipeline ended early');
  findings.take({ value: true, diagnostics: checkPatterns(config, spiking) });
  return Promise.resolve({ value: networkCost(spiking), diagnostics: findings.all });
}
