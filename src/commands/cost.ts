import type { Outcome } from '../base/diagnostics/index.js';
import {
  type Hardware,
  annCost,
  measuredCost,
  costOf as networkCost,
  type AnnCost,
  type Range,
  takesEvents,
  withEventSpikes,
  type LayerCost,
  type MeasuredLayer,
  type MeasuredTotal,
  type TotalCost,
  type TrainCounts,
} from '../cost/index.js';
import { invariant } from '../base/invariant.js';
import { SpikeCounter } from '../run/metrics/index.js';
import type { Network } from '../network/index.js';
import { checkPatterns, conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { evaluateTarget } from '../run/evaluate.js';
import { eventRange } from '../run/event-range.js';
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
  /** Where the data are event frames of whole numbers, which count as spikes. */
  readonly events?: EventInput;
}

export interface EventInput extends Range {
  /** What it would cost to multiply by them instead, an image. */
  readonly as_real: { readonly real_macs: number; readonly energy_pj: number };
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

/** The figures of layers that read event frames, as products of real values in place of additions. */
function asReal(
  { layers, total }: CostResult,
  figures: ReturnType<typeof measuredCost>,
  { e_mac, e_ac }: Hardware,
): EventInput['as_real'] {
  const real = layers.filter(({ input }) => input === 'real');
  const additions = real.reduce((sum, { id }) => sum + (figures.layers.get(id)?.sops ?? 0), 0);
  const energy_pj = e_mac * total.real_macs + e_ac * (figures.total.sops - additions);
  return { real_macs: total.real_macs, energy_pj };
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
  const range = takesEvents(network) ? eventRange(data.dataset, data.normalisation, data.limit) : undefined;
  const asSpikes = (one: Network): Network => (range === undefined ? one : withEventSpikes(one, range));
  const { value, diagnostics } = await evaluateTarget(target, {
    ...options,
    ...data,
    countSpikes: (run) => (counter = new SpikeCounter(asSpikes(run))),
  });
  if (value === undefined) return { diagnostics };
  invariant(counter !== undefined, 'driver: nothing was counted');
  const { samples, accuracy, regression, source, seconds, engine } = value;
  const spikes = counter;
  const countsOf = (id: string): TrainCounts => spikes.countsOf(id);
  const { hardware } = cost;
  const everyStep = options.everyStep === true;
  const counted = asSpikes(network);
  const layered = range === undefined ? cost : networkCost(counted, { everyStep });
  const figures = measuredCost(spikes.network, layered, countsOf, samples, hardware, counted);
  return {
    value: {
      ...cost,
      layers: layered.layers.map((layer) => ({ ...layer, ...figures.layers.get(layer.id) })),
      total: { ...layered.total, ...figures.total },
      ann: annCost(layered, hardware),
      ...(range === undefined ? {} : { events: { ...range, as_real: asReal(cost, figures, hardware) } }),
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
