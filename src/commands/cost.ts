import type { Outcome } from '../base/diagnostics/index.js';
import {
  type Hardware,
  annCost,
  measuredCost,
  costOf as networkCost,
  type AnnCost,
  type LayerCost,
  type MeasuredLayer,
  type MeasuredTotal,
  type TotalCost,
} from '../cost/index.js';
import { invariant } from '../base/invariant.js';
import { SpikeCounter } from '../run/metrics/index.js';
import type { Network } from '../network/index.js';
import { checkPatterns, conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { evaluateTarget } from '../run/evaluate.js';
import { hardwareOf } from '../workspace/hardware.js';
import { openTarget } from '../workspace/open.js';
import { forInference } from '../workspace/own-network.js';
import { withPlanes } from '../workspace/planes.js';
import { Findings } from '../workspace/findings.js';
import type { Target, CommonOptions } from '../workspace/types.js';
import type { EvalOptions, EvalResult } from '../run/types.js';

/** Data on which the spikes of a network are counted. */
export type CostData = Pick<EvalOptions, 'dataset' | 'normalisation' | 'limit' | 'batch' | 'engine' | 'threads'>;

export interface CostOptions extends CommonOptions {
  /** Count multi-bit spikes as binary planes in virtual time steps. */
  readonly planes?: boolean;
  /** Count layers with a constant real input at every step, not once. */
  readonly everyStep?: boolean;
  /** Energies in place of the config's. */
  readonly hardware?: Partial<Hardware>;
  /** Also run the network, for what its spikes cost. */
  readonly data?: CostData;
}

export type CostRow = LayerCost & Partial<MeasuredLayer>;

/** The keys are those of `cost --json`. */
export interface CostResult {
  readonly layers: readonly CostRow[];
  readonly total: TotalCost & Partial<MeasuredTotal>;
  readonly hardware: Hardware;
  readonly ann: AnnCost;
  /** What the figures from spikes were measured on. */
  readonly measured?: Pick<EvalResult, 'samples' | 'accuracy' | 'regression' | 'source' | 'seconds' | 'engine'>;
}

/** Costs of a config's compiled network, layer by layer; with data also what its spikes cost. */
export async function costOf(target: Target, options: CostOptions): Promise<Outcome<CostResult>> {
  const findings = new Findings();
  const { network, hardware: said } = counted(target, options, findings);
  const everyStep = options.everyStep === true;
  const cost = networkCost(network, { everyStep });
  const hardware = { ...said, ...options.hardware };
  const value: CostResult = { ...cost, hardware, ann: annCost(cost, hardware) };
  if (options.data === undefined) return { value, diagnostics: findings.all };
  return measured(target, options, options.data, value, network);
}

interface Counted {
  readonly network: Network;
  readonly hardware: Hardware;
}

/** The target's network as it is counted. */
function counted(target: Target, options: CostOptions, findings: Findings): Counted {
  const planes = (network: Network): Network =>
    options.planes === true ? withPlanes(network, findings).network : network;
  const opened = openTarget(target, options, findings);
  if (opened.kind === 'own') {
    const { own } = opened;
    const { network } = forInference(own.network, findings);
    return { network: planes(network), hardware: hardwareOf(own.hardware) };
  }
  const { config, source } = opened;
  const { last } = convertNetwork(source.imported.network, conversionPlan(config, findings), findings);
  findings.take({ value: true, diagnostics: checkPatterns(config, last) });
  return { network: planes(last), hardware: hardwareOf(config.hardware?.settings) };
}

/** Runs the network on data; says what the evaluation has to say, which includes all that counting found. */
async function measured(
  target: Target,
  options: CostOptions,
  data: CostData,
  cost: CostResult,
  network: Network,
): Promise<Outcome<CostResult>> {
  let counter: SpikeCounter | undefined;
  const { value, diagnostics } = await evaluateTarget(target, {
    ...options,
    ...data,
    countSpikes: (run) => (counter = new SpikeCounter(run)),
  });
  if (value === undefined) return { diagnostics };
  invariant(counter !== undefined, 'driver: nothing was counted');
  const { samples, accuracy, regression, source, seconds, engine } = value;
  const spikes = counter;
  const figures = measuredCost(spikes.network, cost, (id) => spikes.countsOf(id), samples, cost.hardware, network);
  return {
    value: {
      ...cost,
      layers: cost.layers.map((layer) => ({ ...layer, ...figures.layers.get(layer.id) })),
      total: { ...cost.total, ...figures.total },
      measured: {
        samples,
        ...(accuracy === undefined ? {} : { accuracy }),
        ...(regression === undefined ? {} : { regression }),
        ...(source === undefined ? {} : { source }),
        seconds,
        engine,
      },
    },
    diagnostics,
  };
}
