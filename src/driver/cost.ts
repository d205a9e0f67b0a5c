import type { Outcome } from '../base/diagnostics/index.js';
import { type Cost, costOf as networkCost } from '../cost/index.js';
import { present } from '../base/invariant.js';
import type { Network } from '../network/index.js';
import { checkPatterns, conversionOptions, convertNetwork } from './conversion.js';
import { forInference, ownTarget } from './own-network.js';
import { withPlanes } from './planes.js';
import { Findings, chooseConfig, loadModel, sourceOf } from './target.js';
import type { CostOptions, Target } from './types.js';

/** Costs of a config's compiled network, layer by layer. */
export function costOf(target: Target, options: CostOptions): Promise<Outcome<Cost>> {
  const findings = new Findings();
  const counted = (network: Network): Network =>
    options.planes === true ? withPlanes(network, findings).network : network;
  const own = ownTarget(target, options, findings);
  if (own !== undefined) {
    const { network } = forInference(own.network, findings);
    return Promise.resolve({ value: networkCost(counted(network)), diagnostics: findings.all });
  }
  const config = chooseConfig(findings.take(loadModel(target.path, options)), target);
  const source = sourceOf(config, findings);
  const { conversion } = convertNetwork(source.imported.network, conversionOptions(config), findings);
  const { spiking } = present(conversion, 'driver: the pipeline ended early');
  findings.take({ value: true, diagnostics: checkPatterns(config, spiking) });
  return Promise.resolve({ value: networkCost(counted(spiking)), diagnostics: findings.all });
}
