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
import { present } from '../base/invariant.js';
import { SpikeCounter } from '../run/metrics/index.js';
import type { Network } from '../network/index.js';
import { evaluate } from '../run/evaluate.js';
import { hardwareOf } from '../workspace/hardware.js';
import { type Opened, openTarget } from '../workspace/open.js';
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
  readonly measured?: Pick<EvalResult, 'samples' | 'accuracy' | 'source' | 'seconds' | 'engine'>;
}

/** Costs of a config's compiled network, layer by layer; with data also what its spikes cost. */
export async function costOf(target: Target, options: CostOptions): Promise<Outcome<CostResult>> {
  const findings = new Findings();
  const value = await costOfOpened(openTarget(target, options, findings), options, findings);
  return { value, diagnostics: findings.all };
}

/** Costs of an opened target: its compiled network, its hardware, and what it does on data. */
export async function costOfOpened(opened: Opened, options: CostOptions, findings: Findings): Promise<CostResult> {
  const { network } = opened.compiled(options.planes === true ? { planes: true } : {});
  const cost = networkCost(network, { everyStep: options.everyStep === true });
  const hardware = { ...hardwareOf(opened.hardware), ...options.hardware };
  const value: CostResult = { ...cost, hardware, ann: annCost(cost, hardware) };
  if (options.data === undefined) return value;
  let counter: SpikeCounter | undefined;
  const measured = await evaluate(
    opened,
    { ...options, ...options.data, countSpikes: (run) => (counter = new SpikeCounter(run)) },
    findings,
  );
  return withSpikes(value, present(counter, 'commands: nothing was counted'), measured, network);
}

/** What the spikes that were counted cost. */
function withSpikes(cost: CostResult, spikes: SpikeCounter, measured: EvalResult, network: Network): CostResult {
  const { samples, accuracy, source, seconds, engine } = measured;
  const figures = measuredCost(spikes.network, cost, (id) => spikes.countsOf(id), samples, cost.hardware, network);
  return {
    ...cost,
    layers: cost.layers.map((layer) => ({ ...layer, ...figures.layers.get(layer.id) })),
    total: { ...cost.total, ...figures.total },
    measured: { samples, accuracy, ...(source === undefined ? {} : { source }), seconds, engine },
  };
}
